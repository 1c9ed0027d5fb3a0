"""What is shown before a training: the very frames and words of one batch, and then the training goes on from there."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.unit.training.sets import config, light_set, losses, recorded, told
from training.checking import model_pictures, pieces
from training.run_folder import RunFolder
from training.train import check, train
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.reader import FrameReader


@pytest.fixture(scope="module")
def train_set(tmp_path_factory):
    return light_set(tmp_path_factory.mktemp("checking"), train=3, val=1)


@pytest.fixture(scope="module")
def checked(train_set, tmp_path_factory):
    run = tmp_path_factory.mktemp("checked") / "run"
    assert check(config(train_set, run, steps=1))
    return run


def clips_of(run):
    return json.loads((run / "check/batch.json").read_text(encoding="utf-8"))["clips"]


def test_everything_before_the_first_step_is_told_and_nothing_after(checked):
    kinds = [event["kind"] for event in RunFolder(checked).events() if event["kind"] != "preparing"]
    assert kinds == ["started", "preflight", "first_step", "checked"]
    assert not (checked / "pid").exists()
    assert not (checked / "adapter").exists()
    assert not (checked / "checkpoints").exists()


def test_the_whole_batch_is_there_with_its_words(checked):
    first, second = clips_of(checked)
    assert (first["clip"], second["clip"]) == ("train-0.mp4", "train-1.mp4")
    assert "".join(piece["text"] for piece in first["answer"]).endswith('["night"]}<|im_end|>')
    assert [piece["learnt"] for piece in first["answer"]] == [True]
    assert first["learnt_tokens"] == first["answer_tokens"]
    assert "Label the clip." in first["prompt"]
    assert first["prompt"].count("<IMG_CONTEXT>") == 4  # once a frame, with their number
    assert "<IMG_CONTEXT>(×4)" in first["prompt"]
    files = [frame["file"] for clip in (first, second) for frame in clip["frames"]]
    assert files == [f"frame-{number:02d}.png" for number in range(1, 9)]
    assert sorted(file.name for file in (checked / "check").iterdir()) == ["batch.json", *files]


def test_pictures_are_the_frames_that_are_named(checked, train_set):
    path = next((train_set / "clips").glob("train-1*"))
    index = read_index(path)
    with FrameReader(path, index) as reader:
        for frame in clips_of(checked)[1]["frames"]:
            number = index.number(frame["pts"])
            assert frame["time_s"] == pytest.approx(index.seconds(number))
            shown = np.asarray(Image.open(checked / "check" / frame["file"]))
            wanted = reader.rgb(number, width=448, height=448)
            assert np.abs(shown.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("family", ["internvl", "qwen2_5_vl", "qwen3_vl", "smolvlm"])
def test_numbers_of_every_family_become_the_frames_again(family, tmp_path):
    from tests.tiny_models import tiny_model
    from training.clip_rows import ClipRow
    from training.features import is_picture
    from vvlm_desktop.backends.local.families import family_for
    from vvlm_desktop.backends.local.families.base import FrameBatch, ModelInput
    from vvlm_desktop.backends.local.loading import load_processor
    from vvlm_desktop.backends.model_folder import examine_model

    folder = examine_model(tiny_model(family))
    known = family_for(folder.config)
    loaded = type("Loaded", (), {"processor": load_processor(folder.path, known), "family": known})()
    width, height = known.decode_size(640, 360, frames=4)
    rgb = np.random.default_rng(1).integers(0, 256, (4, height, width, 3), dtype=np.uint8)
    batch = FrameBatch(rgb, (0.5, 1.5, 2.5, 3.5), (0, 1, 2, 3), 4.0)
    row = known.encode_one(loaded.processor, ModelInput(batch, "What?"))
    text = {name: value for name, value in row.items() if not is_picture(name)}
    shown = model_pictures(loaded, ClipRow(text, {name: row[name] for name in row if is_picture(name)}))
    assert np.abs(shown.numpy().astype(int) - rgb).max() <= 1


def test_what_nobody_knows_is_shown_as_not_learnt(tmp_path):
    run = tmp_path / "run"
    assert check(config(recorded(tmp_path, known={"event_time"}), run, batch=1))
    (clip,) = clips_of(run)
    not_learnt = "".join(piece["text"] for piece in clip["answer"] if not piece["learnt"])
    assert not_learnt.count("cannot_tell") == 2
    assert "null" not in not_learnt
    assert clip["learnt_tokens"] < clip["answer_tokens"]


def test_letters_of_several_tokens_are_not_torn():
    from tests.tiny_models import tiny_model
    from tests.unit.training.test_answers import CAPTION, DASHCAM
    from training.answers import target_text, tokenize_target
    from vvlm_desktop.backends.local.families import family_for
    from vvlm_desktop.backends.local.loading import load_processor
    from vvlm_desktop.backends.model_folder import examine_model

    folder = examine_model(tiny_model("internvl"))
    tokenizer = load_processor(folder.path, family_for(folder.config)).tokenizer
    written = target_text(DASHCAM, {"caption": CAPTION})
    shown = pieces(tokenizer, tokenize_target(tokenizer, written))
    assert "".join(piece["text"] for piece in shown) == written.text + "<|im_end|>"
    assert any("🚗" in piece["text"] for piece in shown if piece["learnt"])


def test_training_goes_on_in_the_same_folder_with_the_features_found(checked, train_set, tmp_path):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(checked, run)
    wanted = config(train_set, run, steps=1, cache_dir=str(checked.parent / "features"))
    assert train(wanted)
    assert told(run, "preflight")[-1]["features"]["made"] == 0
    assert not told(run, "interrupted")
    assert sorted(losses(run)) == [1]


def test_check_that_was_killed_is_told_and_its_half_is_replaced(checked, train_set, tmp_path):
    import shutil

    run = RunFolder(tmp_path / "run")
    shutil.copytree(checked, run.path)
    run.tell("started", pid=1)
    (run.path / ".check.part").mkdir()
    (run.path / ".check.part/frame-01.png").write_bytes(b"half")
    (run.check_dir / "frame-77.png").write_bytes(b"of another check")
    assert check(config(train_set, run.path, steps=1))
    (interrupted,) = told(run.path, "interrupted")
    assert interrupted["message"].endswith("before the first step.")
    assert not (run.check_dir / "frame-77.png").exists()
    assert not (run.path / ".check.part").exists()


def test_check_that_fails_says_why(train_set, tmp_path):
    with pytest.raises(VvlmError, match="max_answer_tokens"):
        check(config(train_set, tmp_path / "run", max_answer_tokens=10))
    assert "never" in told(tmp_path / "run", "failed")[0]["message"]
    assert not (tmp_path / "run/check").exists()

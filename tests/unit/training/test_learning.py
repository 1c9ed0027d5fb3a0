"""One real training: a tiny model learns to tell dark from bright clips, and what comes out of it."""

import json
import struct

import pytest
import torch

from tests.tiny_models import tiny_model
from tests.unit.training.sets import LIGHT, config, light_set, losses, told
from training.evaluate import evaluate
from training.setting_up import make_rows
from training.tensorboard_file import masked_crc32c
from training.train import train
from training.training_set import read_training_set
from vvlm_desktop.backends.local.inputs import join_clips
from vvlm_desktop.backends.local.loading import load_model
from vvlm_desktop.backends.model_folder import examine_adapter, examine_model
from vvlm_desktop.backends.train_config import load_config

STEPS = 60


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learning")
    train_set = light_set(folder, train=8, val=4, test=4)
    given = {"steps": STEPS, "batch": 1, "learning_rate": 3e-3, "eval_every": 30, "save_every": 30}
    wanted = config(train_set, folder / "run", **given, eval_clips=4, name="lights")
    assert train(wanted)
    return folder / "run"


def test_loss_falls_to_almost_nothing(trained):
    found = losses(trained)
    assert sorted(found) == list(range(1, STEPS + 1))
    assert found[1] > 3
    assert found[STEPS] < 0.1


def test_clips_that_it_never_saw_are_told_apart_in_every_field(trained):
    last = told(trained, "eval")[-1]
    assert last["step"] == STEPS
    assert last["answers"]["valid_json"]["value"] == 1.0
    scores = {key: each["score"] for key, each in last["answers"]["fields"].items()}
    assert scores == {"light": 1.0, "event_time": 1.0, "seen": 1.0}


def test_everything_is_told_in_order(trained):
    kinds = [event["kind"] for event in map(json.loads, (trained / "events.jsonl").read_text().splitlines())]
    milestones = [kind for kind in kinds if kind not in {"step", "preparing"}]
    first = ["started", "preflight", "first_step"]
    assert milestones == [*first, "eval", "checkpoint", "eval", "checkpoint", "finished"]


def test_preflight_shows_what_carries_loss(trained):
    (event,) = told(trained, "preflight")
    sample = event["sample"]
    assert sample["prompt_end"].endswith("assistant\n")
    assert sample["learnt_tokens"] == sample["answer_tokens"]
    assert sample["answer"].endswith("<|im_end|>")
    assert (event["train"], event["val"], event["test"]) == (8, 4, 4)


def test_first_step_is_measured_and_changes_nothing(trained):
    (event,) = told(trained, "first_step")
    assert event["steps"] == STEPS
    assert event["whole_s"] == pytest.approx(event["step_s"] * STEPS, abs=0.1)
    assert losses(trained)[1] > 3


def test_pid_file_is_gone_at_the_end(trained):
    assert not (trained / "pid").exists()


def test_resolved_config_can_be_read_again(trained):
    assert load_config(trained / "run.toml").steps == STEPS


def test_adapter_belongs_to_its_base_and_carries_its_card(trained):
    adapter = examine_adapter(trained / "adapter", base=examine_model(tiny_model("internvl")))
    assert adapter.name == "lights"
    assert adapter.note == ""
    card = adapter.card
    assert card["base"]["id"] == tiny_model("internvl").name
    assert card["schema"]["labels_sha"] == LIGHT.labels_sha
    assert card["training_set"]["clips"] == {"train": 8, "val": 4, "test": 4}
    clips = read_training_set(trained.parent / "set").examples
    assert card["training_set"]["content_sha256"] == {
        split: sorted(clip.sha256 for clip in clips if clip.split == split) for split in ("train", "val")
    }
    assert card["metrics"]["validation"]["fields"]["light"]["score"] == 1.0
    assert str(trained.parent) not in json.dumps(card)


def test_evaluation_compares_base_and_adapter_on_clips_of_the_test_part(trained):
    out = trained / "evaluation"
    wanted = load_config(trained / "run.toml")
    metrics = evaluate(wanted, split="test", adapters={"lights": trained / "adapter"}, out=out)
    scores = {name: each["fields"]["light"]["score"] for name, each in metrics["scores"].items()}
    assert scores["lights"] == 1.0
    assert scores["base"] <= 0.5
    pair = metrics["paired"]["lights"]["light"]
    assert pair["only_adapter_right"] >= 2
    assert pair["only_base_right"] == 0
    assert json.loads((out / "metrics.json").read_text(encoding="utf-8")) == metrics
    rows = [json.loads(line) for line in (out / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["answerer"] for row in rows] == ["base"] * 4 + ["lights"] * 4


def test_adapter_gives_the_same_logits_in_bare_peft(trained):
    import transformers
    from peft import PeftModel

    from training.tuning import known_warnings

    wanted = load_config(trained / "run.toml")
    loaded = load_model(tiny_model("internvl"), precision="fp32", device="cpu")
    training_set = read_training_set(trained.parent / "set")
    row = make_rows(wanted.model_copy(update={"cache": False}), loaded, training_set).row(training_set.split("test")[0])
    inputs = join_clips(loaded, [{**row.text, **row.pictures}])
    loaded.use_adapter("lights", trained / "adapter")
    with torch.inference_mode():
        ours = loaded.model(**inputs).logits
    bare = transformers.AutoModelForImageTextToText.from_pretrained(tiny_model("internvl"), dtype=torch.float32)
    with known_warnings():
        tuned = PeftModel.from_pretrained(bare, trained / "adapter").eval()
    with torch.inference_mode():
        theirs = tuned(**inputs).logits
        with tuned.disable_adapter():
            base = tuned(**inputs).logits
    assert torch.equal(ours, theirs)
    assert not torch.allclose(base, theirs, atol=0.1)


def test_tensorboard_file_holds_every_step(trained):
    (file,) = (trained / "tensorboard").iterdir()
    data, records = file.read_bytes(), []
    while data:
        (length,) = struct.unpack_from("<Q", data)
        record = data[12 : 12 + length]
        assert struct.unpack_from("<I", data, 8)[0] == masked_crc32c(data[:8])
        assert struct.unpack_from("<I", data, 12 + length)[0] == masked_crc32c(record)
        records.append(record)
        data = data[16 + length :]
    assert b"brain.Event:2" in records[0]
    assert sum(b"train/loss" in record for record in records) == STEPS
    assert sum(b"eval/light" in record for record in records) == 2


def test_finished_run_is_not_trained_again(trained):
    from vvlm_desktop.errors import UsageError

    with pytest.raises(UsageError, match="has finished"):
        train(load_config(trained / "run.toml"))

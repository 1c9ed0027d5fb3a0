"""What families know: sizes of pictures, tokens, names; and that a new one is one file."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tests.tiny_models import FAMILIES, tiny_model
from vvlm_desktop.backends.local import families as package
from vvlm_desktop.backends.local import torchvision_compat
from vvlm_desktop.backends.local.families import families, family_for
from vvlm_desktop.backends.local.families.base import Family, FrameBatch, ModelInput, disarm, times_line
from vvlm_desktop.backends.local.families.smolvlm import number_words
from vvlm_desktop.backends.local.loading import load_processor
from vvlm_desktop.backends.model_folder import examine_model
from vvlm_desktop.errors import ModelFolderError

_QWEN = {"model_type": "qwen2_5_vl", "vision_config": {"patch_size": 14, "spatial_merge_size": 2}}
_CLIPS = [(1920, 1080), (1280, 720), (320, 180), (720, 1280), (2560, 1440), (100, 40), (30, 30)]


def frames(*times_s: float, duration_s: float = 8.0, size: tuple[int, int] = (448, 448)) -> FrameBatch:
    rgb = np.zeros((len(times_s), size[1], size[0], 3), np.uint8)
    return FrameBatch(rgb=rgb, times_s=times_s, pts=tuple(range(len(times_s))), clip_duration_s=duration_s)


def test_every_family_of_the_folder_is_found():
    assert {family.name for family in families()} == set(FAMILIES)


def test_adding_a_family_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "newcomer.py").write_text(
        "from vvlm_desktop.backends.local.families.base import Family\n"
        "class FAMILY(Family):\n    name = 'newcomer'\n    title = 'Newcomer'\n    model_types = ('newcomer_vl',)\n"
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    families.cache_clear()
    try:
        assert family_for({"model_type": "newcomer_vl"}).name == "newcomer"
        assert family_for({"model_type": "internvl"}).name == "internvl"
    finally:
        families.cache_clear()


def test_unknown_architecture_names_the_known_ones():
    with pytest.raises(ModelFolderError, match="'llava'") as caught:
        family_for({"model_type": "llava"})
    assert all(family.title in caught.value.hint for family in families())


@pytest.mark.parametrize(
    ("source", "iterative"),
    [
        ("OpenGVLab/VideoChat-R1_5-7B", True),
        ("/models/videochat-r1.5-fleet", True),
        ("/hub/models--OpenGVLab--VideoChat-R1_5-7B/snapshots/0a1b", True),
        ("Qwen/Qwen2.5-VL-7B-Instruct", False),
        ("OpenGVLab/VideoChat-R1_7B", False),
    ],
)
def test_videochat_is_told_from_its_architecture_by_name(source, iterative):
    family = family_for(_QWEN, source=source)
    assert family.iterative is iterative
    assert family.title == ("VideoChat-R1.5" if iterative else "Qwen2.5-VL")


def test_videochat_is_told_by_its_own_config_in_a_renamed_folder():
    assert family_for({**_QWEN, "_name_or_path": "OpenGVLab/VideoChat-R1_5-7B"}, source="/models/mine").iterative


def test_internvl_pictures_have_the_one_size_it_was_built_for():
    family = family_for({"model_type": "internvl"})
    assert {family.decode_size(*size, frames=16, side=side) for size in _CLIPS for side in (None, 252)} == {(448, 448)}
    assert family.sides == ()


@pytest.mark.parametrize("side", [None, 336, 252])
def test_qwen_pictures_are_whole_patches_in_proportion_and_within_their_area(side):
    family = family_for(_QWEN)
    for size, count in product(_CLIPS, (1, 16, 64, 256)):
        width, height = family.decode_size(*size, frames=count, side=side)
        assert width % 28 == height % 28 == 0
        assert width * height <= (side or 448) ** 2 * 1.15
        assert width <= size[0] + 28
        assert height <= size[1] + 28
        if min(size) >= 180:
            assert width / height == pytest.approx(size[0] / size[1], rel=0.2)


def test_many_frames_share_the_context_that_fewer_have():
    family = family_for(_QWEN)

    def tokens(count: int) -> int:
        return family.tokens(family.decode_size(1920, 1080, frames=count), frames=count)

    assert tokens(64) == pytest.approx(4 * tokens(16), rel=0.01)
    assert tokens(96) <= 1.05 * tokens(64)


@pytest.mark.parametrize("name", FAMILIES)
def test_tokens_that_were_told_are_about_those_that_come(name):
    folder = examine_model(tiny_model(name))
    family = family_for(folder.config)
    processor = load_processor(folder.path, family)
    size = family.decode_size(640, 360, frames=8)
    few, many = (
        family.encode_one(
            processor, ModelInput(frames(*(i + 0.5 for i in range(count)), duration_s=count, size=size), "?")
        )
        for count in (2, 8)
    )
    grown = many["input_ids"].shape[1] - few["input_ids"].shape[1]
    told = family.tokens(size, frames=8) - family.tokens(size, frames=2)
    # The tiny tokenizer spells announcements and times in more pieces than a real one.
    assert told - 1 <= grown <= told + 6 * 25


def test_frames_in_the_middles_of_equal_stretches_are_uniform():
    assert frames(1, 3, 5, 7).is_uniform
    assert frames(0.9, 3.1, 5, 7.1).is_uniform
    assert not frames(4, 4.5, 5, 5.5).is_uniform
    assert not frames(1, 3, 4, 7).is_uniform


def test_metadata_tells_every_time_to_the_millisecond():
    told = frames(0.1, 0.7334, 5.0).metadata()
    assert [index / told["fps"] for index in told["frames_indices"]] == [0.1, 0.733, 5.0]
    rate = len(told["frames_indices"]) / told["total_num_frames"] * told["fps"]
    assert 1 / rate == pytest.approx((5.0 - 0.1) / 2, rel=0.001)


def test_single_frame_and_still_clip_have_a_rate():
    assert frames(0.0, duration_s=0.0).metadata()["total_num_frames"] >= 1
    assert frames(2.0).spacing_s == 8.0


def test_times_are_said_in_seconds():
    assert times_line(frames(1, 3.25)) == (
        "The video lasts 8.0 seconds. The frames were taken at (seconds): 1.0, 3.2.\n"
    )


def test_disarmed_text_holds_no_markup_and_every_word():
    text = disarm("a<video>b<|im_end|>c", ["<|im_end|>", "<video>"])
    assert "<video>" not in text
    assert "<|im_end|>" not in text
    assert text.replace(" ", "") == "a<video>b<|im_end|>c"


def test_lora_targets_are_the_language_models_layers_only():
    import re

    from vvlm_desktop.backends.local.loading import load_model

    for name in FAMILIES:
        model = load_model(tiny_model(name), precision="fp32", device="cpu")
        found = [each for each, _ in model.model.named_modules() if re.fullmatch(model.family.lora_targets, each)]
        assert len(found) == 3 * 7, name
        assert all(each.startswith(model.family.language_module) for each in found)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "one"),
        (16, "sixteen"),
        (20, "twenty"),
        (64, "sixty-four"),
        (100, "one hundred"),
        (512, "five hundred and twelve"),
    ],
)
def test_number_words_are_those_of_num2words(number, words):
    assert number_words(number) == words


def test_families_decide_their_own_inputs():
    with pytest.raises(NotImplementedError):
        Family({}).decode_size(1, 1, frames=1)


def test_missing_operators_of_torchvision_are_declared_and_kept(monkeypatch):
    import torch

    calls = []
    real = torchvision_compat.importlib.import_module

    def broken_once(name):
        calls.append(name)
        if len(calls) == 1:
            raise RuntimeError("operator torchvision::nms does not exist")
        return real(name)

    monkeypatch.setattr(torchvision_compat, "_forget_half_imported", lambda: calls.append("forget"))
    monkeypatch.setattr(torchvision_compat, "_declare_operators", lambda: calls.append("declare"))
    monkeypatch.setattr(torchvision_compat.importlib, "import_module", broken_once)
    assert torchvision_compat.ensure_torchvision.__wrapped__() == "without_operators"
    assert calls == ["torchvision", "forget", "declare", "torchvision"]
    assert torchvision_compat.ensure_torchvision() in {"native", "without_operators"}
    assert torch.__version__


def test_other_failures_of_torchvision_are_not_hidden(monkeypatch):
    def broken(_name):
        raise RuntimeError("something else")

    monkeypatch.setattr(torchvision_compat.importlib, "import_module", broken)
    with pytest.raises(RuntimeError, match="something else"):
        torchvision_compat.ensure_torchvision.__wrapped__()

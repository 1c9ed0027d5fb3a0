"""What is found out about an adapter's folder, and that one of another base is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.tiny_models import copy_model, tiny_adapter, tiny_model
from tests.unit.backends.local.folders import edit, rewrite_header
from vvlm_desktop.backends.model_folder import examine_adapter, examine_model, fingerprint
from vvlm_desktop.errors import ModelFolderError


@pytest.fixture(scope="session")
def adapter_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_adapter(tmp_path_factory.mktemp("adapters") / "fleet-7", tiny_model("internvl"), seed=1, projector=True)


@pytest.fixture
def adapter(adapter_made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(adapter_made, tmp_path / "fleet-7"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_model("internvl", tmp_path / "my model")


def test_adapter_tells_base_rank_and_modules(adapter):
    found = examine_adapter(adapter, base=examine_model(tiny_model("internvl")))
    assert (found.name, found.rank, found.saved_modules) == ("fleet-7", 4, ("multi_modal_projector",))
    assert found.base_name == tiny_model("internvl").name
    assert "language_model" in found.target
    assert found.note == ""
    assert examine_model(adapter).is_adapter


def test_card_of_an_adapter_is_passed_on(adapter):
    (adapter / "card.json").write_text(json.dumps({"name": "Fleet, week 7", "metrics": {"event_f1": 0.81}}))
    found = examine_adapter(adapter)
    assert found.name == "Fleet, week 7"
    assert found.card["metrics"] == {"event_f1": 0.81}


def test_adapter_of_another_architecture_is_refused_although_the_language_models_are_alike(adapter, tmp_path):
    base = copy_model("qwen2_5_vl", tmp_path / "Qwen2.5-VL")
    with pytest.raises(ModelFolderError, match=r"fleet-7 was made for another model .* than Qwen2\.5-VL") as caught:
        examine_adapter(adapter, base=examine_model(base))
    assert "another architecture" in str(caught.value)
    assert "trained on" in caught.value.hint


def test_adapter_with_a_projector_that_the_base_lacks_is_refused_whatever_it_is_called(adapter, tmp_path):
    edit(adapter / "adapter_config.json", base_model_name_or_path="something")
    with pytest.raises(ModelFolderError, match="has no multi_modal_projector"):
        examine_adapter(adapter, base=examine_model(tiny_model("qwen2_5_vl")))


def test_adapter_for_layers_that_the_base_lacks_is_refused(adapter, tmp_path):
    base = copy_model("internvl", tmp_path / "InternVL3-1B-hf")
    from safetensors.torch import load_file, save_file

    kept = {name: tensor for name, tensor in load_file(base / "model.safetensors").items() if "layers.2." not in name}
    save_file(kept, base / "model.safetensors", metadata={"format": "pt"})
    left = {int(found[1]) for name in kept if (found := re.search(r"language_model.*layers\.(\d+)\.", name))}
    edit(base / "config.json", text_config__num_hidden_layers=len(left))
    with pytest.raises(ModelFolderError, match=r"has no layers\.2\."):
        examine_adapter(adapter, base=examine_model(base))


def test_adapter_of_a_larger_sister_is_refused_by_its_shapes(adapter, tmp_path):
    base = copy_model("internvl", tmp_path / "InternVL3-1B-hf")
    rewrite_header(base, lambda name, shape: [shape[0] * 2, shape[1]] if "q_proj.weight" in name else shape)
    with pytest.raises(ModelFolderError, match="128 instead of 256 wide"):
        examine_adapter(adapter, base=examine_model(base))


def test_adapter_of_a_sister_with_the_same_shapes_is_told_by_the_fingerprint(adapter, tmp_path):
    base, sister = examine_model(tiny_model("internvl")), examine_model(tiny_model("internvl", seed=3))
    assert base.tensors == sister.tensors
    (adapter / "card.json").write_text(json.dumps({"base_fingerprint": fingerprint(base)}))
    assert examine_adapter(adapter, base=base).note == ""
    with pytest.raises(ModelFolderError, match="its base had other weights"):
        examine_adapter(adapter, base=sister)


def test_fingerprint_stays_when_a_folder_is_renamed(folder):
    assert fingerprint(examine_model(folder)) == fingerprint(examine_model(tiny_model("internvl")))


def test_adapter_without_a_fingerprint_for_another_name_is_said(adapter, tmp_path):
    base = copy_model("internvl", tmp_path / "renamed")
    note = examine_adapter(adapter, base=examine_model(base)).note
    assert tiny_model("internvl").name in note
    assert "renamed" in note


def test_base_on_another_kind_of_computer_is_named_by_its_folder(adapter):
    edit(adapter / "adapter_config.json", base_model_name_or_path="C:\\Users\\R1\\models\\InternVL3-2B-hf")
    assert examine_adapter(adapter).base_name == "InternVL3-2B-hf"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"peft_type": "PREFIX_TUNING"}, "PREFIX_TUNING"),
        ({"bias": "all"}, "changes the base model itself"),
        ({"init_lora_weights": "pissa"}, "changes the base model itself"),
    ],
)
def test_adapter_that_would_not_leave_its_base_alone_is_refused(adapter, change, words):
    edit(adapter / "adapter_config.json", **change)
    with pytest.raises(ModelFolderError, match=words):
        examine_adapter(adapter)


def test_pickled_adapter_is_refused(adapter):
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(ModelFolderError, match="pickled"):
        examine_adapter(adapter)


def test_damaged_adapter_is_refused(adapter):
    file = adapter / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ModelFolderError, match="3 bytes are missing"):
        examine_adapter(adapter)


def test_folder_without_an_adapter(tmp_path):
    with pytest.raises(ModelFolderError, match="holds no adapter"):
        examine_adapter(tmp_path)


@pytest.mark.parametrize("nonsense", [{"r": "many"}, {"modules_to_save": 5}, {"modules_to_save": [5]}, {"r": [8]}])
def test_numbers_and_lists_that_are_none_are_damage(adapter, nonsense):
    edit(adapter / "adapter_config.json", **nonsense)
    with pytest.raises(ModelFolderError, match="damaged"):
        examine_adapter(adapter)

"""Loading: whole, offline, in every precision, with adapters that switch exactly; and what is said when it fails."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.tiny_models import FAMILIES, copy_model, tiny_adapter, tiny_model
from tests.unit.backends.local.folders import edit
from vvlm_desktop.backends.local import devices, loading
from vvlm_desktop.backends.local.inputs import FrameBatch, ModelInput, build_inputs
from vvlm_desktop.backends.local.loading import LoadedModel, load_model
from vvlm_desktop.errors import BackendUnavailableError, ModelFolderError


def load(folder: Path, precision: str = "fp32") -> LoadedModel:
    return load_model(folder, precision=precision, device="cpu")


def logits(model: LoadedModel) -> torch.Tensor:
    width, height = model.family.decode_size(160, 96, frames=2)
    rgb = np.random.default_rng(1).integers(0, 255, (2, height, width, 3), dtype=np.uint8)
    frames = FrameBatch(rgb=rgb, times_s=(0.5, 1.5), pts=(15, 45), clip_duration_s=2.0)
    with torch.inference_mode():
        inputs = build_inputs(model, [ModelInput(frames, "What happened?")])
        return model.model(**inputs).logits.float().clone()


@pytest.fixture(scope="session", params=["internvl", "qwen2_5_vl"])
def tuned(request, tmp_path_factory):
    """A family's name and two of its adapters, the second one with a projector of its own."""
    base, place = tiny_model(request.param), tmp_path_factory.mktemp("adapters")
    one = tiny_adapter(place / "week 1.5", base, seed=1)
    other = tiny_adapter(place / "week-2", base, seed=2, projector=True)
    return request.param, one, other


# --- loading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_loaded_model_knows_its_family_and_speaks(family):
    model = load(tiny_model(family))
    assert (model.family.name, model.precision, model.device.type) == (family, "fp32", "cpu")
    assert model.model.dtype == torch.float32
    assert not model.model.training
    assert model.model.config._attn_implementation == "sdpa"
    assert torch.isfinite(logits(model)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_full_names_keep_the_vision_tower_out_of_nf4(family):
    model = load(tiny_model(family), "nf4")
    bits = importlib.import_module("bitsandbytes").nn.Linear4bit
    small = [name for name, module in model.model.named_modules() if isinstance(module, bits)]
    assert len(small) == 3 * 7
    assert all(name.startswith(model.family.language_module + ".layers.") for name in small)
    towers = [model.model.get_submodule(name) for name in model.family.vision_modules]
    assert towers
    assert {weight.dtype for tower in towers for weight in tower.parameters()} == {torch.bfloat16}
    assert torch.isfinite(logits(model)).all()


def test_int8_leaves_the_vision_tower_alone():
    model = load(tiny_model("internvl"), "int8")
    bits = importlib.import_module("bitsandbytes").nn.Linear8bitLt
    small = [name for name, module in model.model.named_modules() if isinstance(module, bits)]
    assert len(small) == 3 * 7
    assert all("language_model" in name for name in small)
    assert torch.isfinite(logits(model)).all()


def test_compressed_weights_say_about_what_the_whole_ones_say():
    whole, small = logits(load(tiny_model("qwen2_5_vl"))), logits(load(tiny_model("qwen2_5_vl"), "nf4"))
    assert not torch.equal(whole, small)
    assert torch.nn.functional.cosine_similarity(whole[0], small[0]).mean() > 0.9


def test_bf16_has_half_the_bytes():
    model = load(tiny_model("internvl"), "bf16")
    assert {weight.dtype for weight in model.model.parameters()} == {torch.bfloat16}


def test_weights_come_from_the_file_and_not_from_chance(tmp_path):
    from safetensors.torch import load_file

    stored = load_file(tiny_model("internvl") / "model.safetensors")
    weights = load(tiny_model("internvl")).model.state_dict()
    assert torch.equal(weights["lm_head.weight"], stored["language_model.lm_head.weight"])
    assert torch.equal(logits(load(tiny_model("internvl"))), logits(load(tiny_model("internvl"))))


def test_nothing_is_asked_of_the_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    load(tiny_model("qwen3_vl"))


def test_children_do_not_inherit_offline_mode(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    load(tiny_model("internvl"))
    assert "HF_HUB_OFFLINE" not in os.environ


def test_code_in_a_folder_is_never_run(tmp_path):
    folder = copy_model("internvl", tmp_path / "model")
    (folder / "processing_evil.py").write_text("open('ran', 'w')\nclass Evil: pass")
    edit(folder / "processor_config.json", auto_map={"AutoProcessor": "processing_evil.Evil"})
    edit(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["processing_evil.Evil", None]})
    assert type(load(folder).processor).__name__ == "InternVLProcessor"
    assert not (Path.cwd() / "ran").exists()


def test_videochat_is_known_by_its_name(tmp_path):
    folder = copy_model("qwen2_5_vl", tmp_path / "VideoChat-R1_5-7B")
    assert load(folder).family.iterative
    assert not load(tiny_model("qwen2_5_vl")).family.iterative


# --- adapters -------------------------------------------------------------------------------------------------------


def test_adapters_switch_and_switch_back_exactly(tuned):
    family, one, other = tuned
    fresh = logits(load(tiny_model(family)))
    model = load(tiny_model(family))
    model.use_adapter("one", one)
    with_one = logits(model)
    model.use_adapter("other", other)
    with_other = logits(model)
    model.use_adapter(None)
    assert (logits(model) - fresh).abs().max() == 0.0
    model.use_adapter("one")
    assert (logits(model) - with_one).abs().max() == 0.0
    model.use_adapter("other")
    assert (logits(model) - with_other).abs().max() == 0.0
    model.use_adapter(None)
    assert (logits(model) - fresh).abs().max() == 0.0
    assert min((a - b).abs().max() for a, b in ((with_one, fresh), (with_other, fresh), (with_one, with_other))) > 0.01
    assert (model.adapters, model.adapter) == (("one", "other"), None)


def test_adapter_says_the_same_whatever_was_used_before_it(tuned):
    family, one, other = tuned
    alone, after = load(tiny_model(family)), load(tiny_model(family))
    alone.use_adapter("other", other)
    after.use_adapter("one", one)
    after.use_adapter("other", other)
    assert (logits(alone) - logits(after)).abs().max() == 0.0


def test_adapter_is_loaded_once(tuned, monkeypatch):
    family, one, _ = tuned
    model = load(tiny_model(family))
    model.use_adapter("one", one)
    parts = model.model.state_dict().keys()
    model.use_adapter(None)
    model.use_adapter("one", one)
    assert model.model.state_dict().keys() == parts
    assert model.adapters == ("one",)


def test_adapter_trained_anew_in_the_same_place_is_read_anew(tmp_path):
    base = tiny_model("internvl")
    place = tiny_adapter(tmp_path / "mine", base, seed=1)
    model = load(base)
    model.use_adapter("mine", place)
    before = logits(model)
    shutil.rmtree(place)
    tiny_adapter(place, base, seed=2)
    model.use_adapter("mine", place)
    assert (logits(model) - before).abs().max() > 0.01


@pytest.mark.parametrize("precision", ["bf16", "int8", "nf4"])
def test_adapter_works_on_a_smaller_base_and_leaves_it_exact(precision, tuned):
    family, _, other = tuned
    model = load(tiny_model(family), precision)
    before = logits(model)
    model.use_adapter("other", other)
    assert (logits(model) - before).abs().max() > 0.01
    model.use_adapter(None)
    assert (logits(model) - before).abs().max() == 0.0


def test_adapter_of_another_base_changes_nothing(tuned):
    family, one, _ = tuned
    model = load(tiny_model("qwen2_5_vl" if family == "internvl" else "internvl"))
    before = logits(model)
    with pytest.raises(ModelFolderError, match="made for another model"):
        model.use_adapter("one", one)
    assert model.adapter is None
    assert torch.equal(logits(model), before)


def test_adapter_with_layers_missing_is_refused_instead_of_half_random(tmp_path):
    from safetensors.torch import load_file, save_file

    place = tiny_adapter(tmp_path / "half", tiny_model("internvl"), seed=1)
    weights = load_file(place / "adapter_model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "layers.1" not in name}
    save_file(kept, place / "adapter_model.safetensors", metadata={"format": "pt"})
    model = load(tiny_model("internvl"))
    before = logits(model)
    with pytest.raises(ModelFolderError, match="half cannot be put on"):
        model.use_adapter("half", place)
    assert (model.adapter, model.adapters) == (None, ())
    assert torch.equal(logits(model), before)


def test_adapter_chosen_as_model_names_its_base(tmp_path):
    place = tiny_adapter(tmp_path / "mine", tiny_model("internvl"), seed=1)
    with pytest.raises(ModelFolderError, match="is an adapter, not a model") as caught:
        load(place)
    assert "internvl" in caught.value.hint


# --- what is wrong, in words ----------------------------------------------------------------------------------------


def test_weights_that_lack_a_layer_are_refused_instead_of_filled_by_chance(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = copy_model("internvl", tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    del weights["language_model.lm_head.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelFolderError, match=r"do not fit its config.json: 1 parts are missing.*lm_head"):
        load(folder)


def test_weights_of_another_size_than_the_config_says(tmp_path):
    folder = copy_model("qwen2_5_vl", tmp_path / "model")
    edit(folder / "config.json", text_config__intermediate_size=512)
    with pytest.raises(ModelFolderError, match=r"do not fit its config.json"):
        load(folder)


def test_config_with_nonsense_in_it(tmp_path):
    folder = copy_model("internvl", tmp_path / "model")
    edit(folder / "config.json", text_config__hidden_size="wide")
    with pytest.raises(ModelFolderError, match=r"model cannot be loaded: config.json is damaged"):
        load(folder)


@pytest.mark.parametrize("text", ["{}", "not json", '{"model": {"type": "BPE"}}'])
def test_damaged_tokenizer(tmp_path, text):
    folder = copy_model("internvl", tmp_path / "model")
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(
        ModelFolderError, match=r"model/tokenizer.json is damaged|processor in .*model cannot be read: .*tokenizer.json"
    ):
        load(folder)


def test_missing_chat_template(tmp_path):
    folder = copy_model("qwen2_5_vl", tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelFolderError, match="no chat template"):
        load(folder)


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__.__mro__ }}", "{% for x in %}", "{{ raise_exception('No videos.') }}", "{{ messages[7].role }}"],
)
def test_chat_template_that_does_not_work_is_said_before_any_clip(tmp_path, template):
    folder = copy_model("internvl", tmp_path / "m")
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(ModelFolderError, match="chat template"):
        load(folder)


def test_processor_is_checked_as_it_was_loaded_and_not_only_as_it_was_written(tmp_path, monkeypatch):
    folder = copy_model("internvl", tmp_path / "model")
    data = json.loads((folder / "processor_config.json").read_text())
    del data["video_processor"]["size"]  # transformers falls back to 384 px
    (folder / "processor_config.json").write_text(json.dumps(data))
    examined = loading.examine_model(tiny_model("internvl"))
    with pytest.raises(ModelFolderError, match="384 px instead of 448 px"):
        loading.load_processor(folder, loading.family_for(examined.config))


@pytest.mark.parametrize(
    ("package", "precision", "words"),
    [("transformers", "fp32", "transformers"), ("bitsandbytes", "nf4", "bitsandbytes")],
)
def test_missing_package_says_how_to_install_it(package, precision, words, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BackendUnavailableError, match=words) as caught:
        load(tiny_model("internvl"), precision)
    assert "python3 installer/bootstrap.py run --local-model" in caught.value.hint


def test_missing_torchvision_says_so(monkeypatch):
    monkeypatch.setattr(loading, "ensure_torchvision", lambda: "absent")
    with pytest.raises(BackendUnavailableError, match="torchvision"):
        load(tiny_model("internvl"))


def test_missing_peft_says_so(monkeypatch, tuned):
    family, one, _ = tuned
    model = load(tiny_model(family))
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(BackendUnavailableError, match="peft"):
        model.use_adapter("one", one)


def test_gpu_that_is_not_there_is_said_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(devices.torch.cuda, "is_available", lambda: False)
    with pytest.raises(BackendUnavailableError, match="cuda:0 cannot be used"):
        load_model(tiny_model("internvl"), precision="bf16", device="cuda:0")


class _Transformers:
    """transformers, but reading weights ends with an error of torch."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.AutoModelForImageTextToText = self

    def from_pretrained(self, *_args, **_kwargs):
        raise self.error


def _failing_with(error: Exception, monkeypatch) -> None:
    load_weights = loading._load_weights
    monkeypatch.setattr(loading, "_load_weights", lambda _, *rest: load_weights(_Transformers(error), *rest))


def test_driver_that_does_not_answer_is_told_in_words(monkeypatch):
    error = RuntimeError("CUDA error: unknown error\nCompile with TORCH_USE_CUDA_DSA")
    _failing_with(error, monkeypatch)
    with pytest.raises(BackendUnavailableError, match=r"The GPU does not answer: CUDA error: unknown error$"):
        load(tiny_model("internvl"))


def test_memory_that_runs_out_is_left_to_whoever_can_step_down(monkeypatch):
    _failing_with(torch.OutOfMemoryError("CUDA out of memory."), monkeypatch)
    with pytest.raises(torch.OutOfMemoryError):
        load(tiny_model("internvl"))


def test_unknown_precision_is_our_own_mistake():
    with pytest.raises(ValueError, match="auto"):
        load(tiny_model("internvl"), "auto")

"""What lies in an adapter's folder, and whether it belongs to a given model."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from vvlm_desktop.backends.model_files import COPY_AGAIN, ModelFolder, TensorInfo, fingerprint, read_header, read_json
from vvlm_desktop.errors import ModelFolderError

#: What training writes beside the weights: the base's fingerprint, the data and the metrics.
CARD_FILE = "card.json"
_CHOOSE = "Choose it on the Models page, or with `vvlm models use NAME --adapter A`."
_WEIGHTS = "adapter_model.safetensors"
#: Ways to begin a training that leave the base as it is; the others (PiSSA, OLoRA …) write into it.
_PLAIN_STARTS = (True, False, None, "gaussian")
_LAYER = re.compile(r"(layers\.\d+\..+)\.weight$")
_LORA = re.compile(r"(layers\.\d+\..+)\.lora_([AB])\.weight$")
_LANGUAGE = ("language_model.", "text_model.")
_VISION = ("vision_tower.", "visual.", "vision_model.")
#: What names of models say about their family; several share a language model, so that shapes alone do not tell.
_FAMILY_NAMES = {
    "internvl": re.compile(r"internvl", re.IGNORECASE),
    "qwen2_5_vl": re.compile(r"qwen2[._]5[-_]vl|videochat[-_]r1", re.IGNORECASE),
    "qwen3_vl": re.compile(r"qwen3[-_]vl", re.IGNORECASE),
    "smolvlm": re.compile(r"smolvlm", re.IGNORECASE),
}
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class AdapterFolder:
    """An adapter's folder that was looked at.

    Attributes:
        base_name: what the adapter calls its base model, without folders.
        target: which modules it changes, as peft writes it.
        saved_modules: modules that it replaces whole, such as the projector.
        card: what training wrote about it; empty where another program made it.
        note: a sentence where it may belong to another base although its shapes fit; empty otherwise.
    """

    path: Path
    name: str
    base_name: str
    rank: int
    target: str
    saved_modules: tuple[str, ...]
    config: Mapping[str, Any]
    card: Mapping[str, Any]
    note: str = ""
    tensors: Mapping[str, TensorInfo] = field(default_factory=dict, repr=False)


def adapter_sha256(folder: Path) -> str:
    """Of what an adapter does to a model: its weights, and how they are applied; not of how its base is called.

    Raises:
        OSError: its weights cannot be read.
        ModelFolderError: its configuration cannot be read.
    """
    with (folder / _WEIGHTS).open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256")
    config = read_json(folder / "adapter_config.json", missing=f"{folder.name} holds no adapter.", hint=_CHOOSE)
    applied = {key: value for key, value in config.items() if key != "base_model_name_or_path"}
    digest.update(json.dumps(applied, sort_keys=True).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def examine_adapter(path: Path, *, base: ModelFolder | None = None) -> AdapterFolder:
    """Look at an adapter's folder, and whether it was made for `base`.

    Raises:
        ModelFolderError: it cannot be used, or belongs to another model.
    """
    path = path.expanduser()
    config = read_json(path / "adapter_config.json", missing=f"{path.name} holds no adapter.", hint=_CHOOSE)
    rank, saved = config.get("r") or 0, config.get("modules_to_save") or []
    if type(rank) is not int or not isinstance(saved, list) or not all(isinstance(each, str) for each in saved):
        raise ModelFolderError(f"{path.name} is damaged: its adapter_config.json makes no sense.", hint=COPY_AGAIN)
    kind = config.get("peft_type")
    if kind != "LORA":
        raise ModelFolderError(f"{path.name} is an adapter of the kind {kind}; only LoRA is known.")
    if config.get("bias", "none") != "none" or config.get("init_lora_weights", True) not in _PLAIN_STARTS:
        raise ModelFolderError(
            f"The adapter {path.name} also changes the base model itself, so that the two could not be compared.",
            hint="Train it as a plain LoRA adapter, with bias none.",
        )
    if not (path / _WEIGHTS).is_file():
        if any(path.glob("*.bin")):
            raise ModelFolderError(
                f"{path.name} holds pickled weights, which could run a program of their own.",
                hint="Save the adapter as safetensors on the computer where it was made.",
            )
        raise ModelFolderError(f"{path.name} is incomplete: {_WEIGHTS} is missing.", hint=COPY_AGAIN)
    tensors = read_header(path / _WEIGHTS)
    card = read_json(path / CARD_FILE, missing="", hint=COPY_AGAIN) if (path / CARD_FILE).is_file() else {}
    adapter = AdapterFolder(
        path=path,
        name=str(card.get("name") or path.name),
        base_name=_last_part(str(config.get("base_model_name_or_path") or "")),
        rank=rank,
        target=str(config.get("target_modules") or ""),
        saved_modules=tuple(saved),
        config=config,
        card=card,
        tensors=tensors,
    )
    return replace(adapter, note=_compare(adapter, base)) if base is not None else adapter


def _compare(adapter: AdapterFolder, base: ModelFolder) -> str:
    """A note where it probably is another base.

    Raises:
        ModelFolderError: where it certainly is.
    """
    made_for = adapter.card.get("base_fingerprint")
    if made_for and made_for != fingerprint(base):
        raise _another_base(adapter, base, "its base had other weights")
    named = [family for family, pattern in _FAMILY_NAMES.items() if pattern.search(adapter.base_name)]
    if named and base.family not in named:
        raise _another_base(adapter, base, "it is of another architecture")
    _compare_layers(adapter, base)
    _compare_saved_modules(adapter, base)
    # Same shapes, but another name: a renamed folder, or a sister model. Only the fingerprint could tell.
    here = {_last_part(base.name), base.path.name}
    if made_for or not adapter.base_name or _COMMIT.fullmatch(adapter.base_name) or adapter.base_name in here:
        return ""
    return f"This adapter was made for {adapter.base_name}; its shapes fit {base.name}, too, but its answers may not."


def _compare_layers(adapter: AdapterFolder, base: ModelFolder) -> None:
    """Each changed layer must be there, and as wide."""
    layers = _layer_weights(base.tensors)
    for name, tensor in adapter.tensors.items():
        found = _LORA.search(name)
        if found is None or not any(part in name for part in _LANGUAGE):
            continue
        weight = layers.get(found[1])
        if weight is None:
            raise _another_base(adapter, base, f"this model has no {found[1]}")
        side = 1 if found[2] == "A" else 0
        if base.quantised is None and len(weight.shape) == 2 and weight.shape[side] != tensor.shape[side]:
            sizes = f"{tensor.shape[side]} instead of {weight.shape[side]}"
            raise _another_base(adapter, base, f"{found[1]} is {sizes} wide")


def _compare_saved_modules(adapter: AdapterFolder, base: ModelFolder) -> None:
    """Modules that the adapter replaces whole must be there, with the same shapes."""
    for name, tensor in adapter.tensors.items():
        module = next((each for each in adapter.saved_modules if f".{each}." in name), None)
        if module is None:
            continue
        end = name[name.index(f".{module}.") :]
        if not any(f".{other}".endswith(end) and its.shape == tensor.shape for other, its in base.tensors.items()):
            raise _another_base(adapter, base, f"this model has no {end[1:]} of that size")


def _another_base(adapter: AdapterFolder, base: ModelFolder, reason: str) -> ModelFolderError:
    made_for = f" ({adapter.base_name})" if adapter.base_name else ""
    return ModelFolderError(
        f"The adapter {adapter.path.name} was made for another model{made_for} than {base.name}: {reason}.",
        hint="Choose the model that it was trained on, or another adapter.",
    )


def _layer_weights(tensors: Mapping[str, TensorInfo]) -> dict[str, TensorInfo]:
    """The language model's layers by the end of their names; how names begin differs between versions."""
    layers = {}
    for name, tensor in tensors.items():
        found = _LAYER.search(name)
        if found is not None and not any(part in name for part in _VISION):
            layers[found[1]] = tensor
    return layers


def _last_part(name: str) -> str:
    """The last part of a hub id or of a folder of either kind of computer."""
    part = PurePosixPath(PureWindowsPath(name).as_posix()).name
    return part or name

"""What lies in a model's folder and whether it can be used, found out without loading anything (and without torch)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.adapter_folder import AdapterFolder, examine_adapter
from vvlm_desktop.backends.config_and_weights import check_shapes, check_tokenizer
from vvlm_desktop.backends.model_files import (
    COPY_AGAIN,
    ModelFolder,
    TensorInfo,
    fingerprint,
    read_header,
    read_json,
    weight_files,
)
from vvlm_desktop.errors import ModelFolderError

__all__ = ["AdapterFolder", "ModelFolder", "examine_adapter", "examine_model", "fingerprint", "processor_settings"]

#: A string, so that this module and the families do not import each other.
_FAMILIES = "vvlm_desktop.backends.local.families"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_PROCESSOR_FILES = ("video_preprocessor_config.json", "processor_config.json", "preprocessor_config.json")
_DTYPES = {"BF16": "bf16", "F16": "fp16", "F32": "fp32", "I8": "int8", "U8": "nf4"}
_CHOOSE = "Choose a model on the Models page, or with --model; `vvlm models` lists them."
_NOT_A_MODEL = "Choose the folder that holds config.json and the .safetensors files."
#: Compressed weights that the program can load as they are.
_QUANTISED_KNOWN = ("bitsandbytes",)


def examine_model(path: Path) -> ModelFolder:
    """Look at a model's or an adapter's folder.

    Raises:
        ModelFolderError: it cannot be used; the sentence says why, the hint what to do.
    """
    path = path.expanduser()
    if not path.is_dir():
        raise ModelFolderError(f"There is no folder {path}.", hint=_CHOOSE)
    if not (path / "config.json").is_file() and (path / "adapter_config.json").is_file():
        return _examine_adapter_weights(path)
    config = read_json(path / "config.json", missing=f"{path} holds no model.", hint=_NOT_A_MODEL)
    _refuse_remote_code(path, config)
    quantised = _quantisation(config)
    _refuse_other_weights(path)
    family = importlib.import_module(_FAMILIES).family_for(config, source=str(path))
    tensors, weight_bytes = _weights(path)
    _check_quantised(path, quantised, tensors)
    if quantised is None:
        check_shapes(path, config, tensors)
    _check_processor(path, family, config)
    return ModelFolder(
        path=path,
        model_type=str(config["model_type"]),
        family=family.name,
        parameters=_parameters(tensors, quantised),
        weight_bytes=weight_bytes,
        dtype=_main_dtype(tensors),
        config=config,
        quantised=quantised,
        tensors=tensors,
    )


def processor_settings(path: Path) -> Mapping[str, Any]:
    """How the folder's video processor is set, as transformers reads it; with `image_seq_length` if there is one.

    `_file` is the file that says so.
    """
    whole = path / "processor_config.json"
    shared = read_json(whole, missing="", hint=COPY_AGAIN) if whole.is_file() else {}
    length = {"image_seq_length": shared["image_seq_length"]} if "image_seq_length" in shared else {}
    own = path / "video_preprocessor_config.json"
    pictures = path / "preprocessor_config.json"
    if own.is_file():
        return read_json(own, missing="", hint=COPY_AGAIN) | length | {"_file": str(own)}
    if isinstance(shared.get("video_processor"), dict):
        return {**shared["video_processor"], **length, "_file": str(whole)}
    said = read_json(pictures, missing="", hint=COPY_AGAIN) if pictures.is_file() else {}
    return said | length | {"_file": str(pictures if pictures.is_file() else whole)}


# --- one refusal each -----------------------------------------------------------------------------------------------


def _refuse_remote_code(path: Path, config: Mapping[str, Any]) -> None:
    known = importlib.import_module(_FAMILIES).families()
    own_code = bool(config.get("auto_map"))
    by_files = any(path.glob("*.py")) and all(config.get("model_type") not in each.model_types for each in known)
    if own_code or by_files:
        raise ModelFolderError(
            f"{path.name} needs program code that comes with the model, and such code is never run.",
            hint=f"Use {_code_free_name(path, config)} instead, which needs none.",
        )
    kernel = _named_kernel(config)
    if kernel is not None:
        raise ModelFolderError(
            f"{path.name} asks for program code from the network ({kernel}), and such code is never run.",
            hint="Download the model from its maker, or take that name out of its config.json.",
        )


def _named_kernel(value: Any) -> str | None:
    """A repository of compiled code that a config, or one inside it, wants fetched and run (`owner/name`)."""
    if not isinstance(value, Mapping):
        return None
    for key, inner in value.items():
        if "_implementation" in str(key):
            named = inner.values() if isinstance(inner, Mapping) else (inner,)
            found = next((each for each in named if isinstance(each, str) and "/" in each), None)
        else:
            found = _named_kernel(inner)
        if found is not None:
            return found
    return None


def _code_free_name(path: Path, config: Mapping[str, Any]) -> str:
    """The same model in the form that needs no code; the two series spell it differently."""
    named = [str(config.get("_name_or_path", "")).rpartition("/")[2], *(part.name for part in (path, *path.parents))]
    for name in named:
        plain = name.removeprefix("models--").rpartition("--")[2]
        if plain.lower().startswith("internvl3"):
            ending = "-HF" if plain.lower().startswith("internvl3_5") else "-hf"
            return f"OpenGVLab/{plain}{ending}"
    return "a model whose name ends in -hf (for InternVL, OpenGVLab/InternVL3-8B-hf)"


def _refuse_other_weights(path: Path) -> None:
    """Only safetensors: pickled weights can run any program when they are opened."""
    if any(path.glob("*.safetensors")) or (path / "model.safetensors.index.json").is_file():
        return
    pickles = [file.name for pattern in _PICKLES for file in sorted(path.glob(pattern))]
    if pickles:
        raise ModelFolderError(
            f"{path} holds only pickled weights ({pickles[0]}), which could run a program of their own.",
            hint="Download the model as .safetensors, or convert it on the computer where it was made.",
        )
    if any(path.glob("*.gguf")):
        raise ModelFolderError(
            f"{path} holds GGUF weights, which are for llama.cpp.",
            hint="Start llama.cpp's server with them and use the backend VLM server, or download the .safetensors.",
        )
    raise ModelFolderError(f"{path} holds no weights.", hint=COPY_AGAIN)


def _quantisation(config: Mapping[str, Any]) -> str | None:
    settings = config.get("quantization_config")
    if not settings:
        return None
    method = str(settings.get("quant_method", "unknown")) if isinstance(settings, Mapping) else "unknown"
    if method not in _QUANTISED_KNOWN:
        raise ModelFolderError(
            f"These weights are compressed in a way that is not supported ({method}).",
            hint="Download the uncompressed model; the program compresses it itself where memory is short.",
        )
    return method


def _check_quantised(path: Path, quantised: str | None, tensors: Mapping[str, TensorInfo]) -> None:
    # Tables of scales lie beside compressed weights, whatever type those are stored as.
    if quantised and not any(".weight." in name or name.endswith(".SCB") for name in tensors):
        raise ModelFolderError(f"{path} calls its weights compressed, and they are not.", hint=COPY_AGAIN)


def _check_processor(path: Path, family: Any, config: Mapping[str, Any]) -> None:
    if not any((path / name).is_file() for name in _PROCESSOR_FILES):
        raise ModelFolderError(f"{path} is incomplete: preprocessor_config.json is missing.", hint=COPY_AGAIN)
    check_tokenizer(path)
    try:
        family.check(processor_settings(path), config)
    except (AttributeError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        # Tables where numbers belong, and the like: somebody else's text.
        raise ModelFolderError(f"{path / 'config.json'} is damaged: it makes no sense.", hint=COPY_AGAIN) from error


def _examine_adapter_weights(path: Path) -> ModelFolder:
    adapter = examine_adapter(path)
    return ModelFolder(
        path=path,
        model_type="adapter",
        family=None,
        parameters=_parameters(adapter.tensors, None),
        weight_bytes=sum(tensor.size_bytes for tensor in adapter.tensors.values()),
        dtype=_main_dtype(adapter.tensors),
        config=adapter.config,
        is_adapter=True,
        tensors=adapter.tensors,
    )


# --- numbers --------------------------------------------------------------------------------------------------------


def _weights(path: Path) -> tuple[dict[str, TensorInfo], int]:
    tensors: dict[str, TensorInfo] = {}
    files = weight_files(path)
    for file in files:
        tensors |= read_header(file)
    return tensors, sum(file.stat().st_size for file in files)


def _parameters(tensors: Mapping[str, TensorInfo], quantised: str | None) -> int:
    """Two numbers share a byte where weights are compressed to four bits; their tables are not parameters."""
    weights = {name: tensor for name, tensor in tensors.items() if not quantised or ".weight." not in name}
    return sum(tensor.numbers * (2 if quantised and tensor.dtype == "U8" else 1) for tensor in weights.values())


def _main_dtype(tensors: Mapping[str, TensorInfo]) -> str:
    sizes: dict[str, int] = {}
    for tensor in tensors.values():
        sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.size_bytes
    main = max(sizes, key=lambda dtype: sizes[dtype], default="")
    return _DTYPES.get(main, main.lower())

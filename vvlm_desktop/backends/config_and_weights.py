"""Whether the files of a model's folder agree with each other, as far as that is seen without loading them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.model_files import COPY_AGAIN, TensorInfo
from vvlm_desktop.errors import ModelFolderError

_LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.(.+)$")
_VISION = re.compile(r"vision|visual|projector|connector")


def check_shapes(path: Path, config: Mapping[str, Any], tensors: Mapping[str, TensorInfo]) -> None:
    """Embeddings, head, first layer and number of layers must be as config.json says; numbers it lacks are not asked.

    Raises:
        ModelFolderError: they are not; a model of another size lies beside this config.json.
    """
    text = config.get("text_config") or config
    if not isinstance(text, Mapping):
        return
    vocab, hidden, mlp = (_count(text.get(key)) for key in ("vocab_size", "hidden_size", "intermediate_size"))
    wanted = {"embed_tokens.weight": (vocab, hidden), "lm_head.weight": (vocab, hidden)}
    in_layer = {"self_attn.q_proj.weight": (None, hidden), "mlp.gate_proj.weight": (mlp, hidden)}
    layers = set()
    for name, tensor in tensors.items():
        if _VISION.search(name):
            continue
        layer = _LAYER.search(name)
        if layer is None:
            sides = next((sides for end, sides in wanted.items() if name.endswith(end)), None)
        else:
            layers.add(int(layer[1]))
            sides = in_layer.get(layer[2]) if layer[1] == "0" else None
        if sides is not None and not _fits(tensor.shape, sides):
            raise _disagree(path, f"{name} is {_by(tensor.shape)} in the weights, where it says {_by(sides)}")
    number = _count(text.get("num_hidden_layers"))
    if layers and number is not None and len(layers) != number:
        raise _disagree(path, f"the weights have {len(layers)} layers, where it says {number}")


def check_tokenizer(path: Path) -> None:
    """The tokenizer must be there, and be one.

    Raises:
        ModelFolderError: it is missing or damaged.
    """
    file = path / "tokenizer.json"
    if not file.is_file():
        if (path / "vocab.json").is_file():
            return
        raise ModelFolderError(f"{path} is incomplete: tokenizer.json is missing.", hint=COPY_AGAIN)
    try:
        stat = file.stat()
        whole = _is_tokenizer(file, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise ModelFolderError(f"{file} cannot be read: {error.strerror}.", hint=COPY_AGAIN) from error
    if not whole:
        raise ModelFolderError(f"{file} is damaged: it holds no tokenizer.", hint=COPY_AGAIN)


@lru_cache(maxsize=64)
def _is_tokenizer(file: Path, _size_bytes: int, _modified_ns: int) -> bool:
    """Looked at once for as long as the file stays as it is: it takes a good part of a second for a large one."""
    try:
        data = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and isinstance(data.get("model"), dict)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    same = all(side is None or side == there for there, side in zip(shape, wanted, strict=False))
    return len(shape) == len(wanted) and same


def _by(sides: tuple[int | None, ...]) -> str:
    return " × ".join("any" if side is None else str(side) for side in sides)


def _disagree(path: Path, what: str) -> ModelFolderError:
    return ModelFolderError(
        f"The weights in {path} do not fit its config.json: {what}.",
        hint="Files of two models were mixed. Download or copy the model again.",
    )

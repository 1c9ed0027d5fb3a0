"""The files of a model's folder, read without any package: JSON, and what safetensors files say about themselves.

Layout of a safetensors file: eight bytes with the length of the header, a JSON header with names, types and shapes,
then the numbers. One that was cut off, swapped for a pointer or scrambled is found here in a millisecond instead of
after a minute of loading.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vvlm_desktop.errors import ModelFolderError

#: What helps where something is missing or damaged.
COPY_AGAIN = "Download or copy the model again; what is whole is kept."
#: As the format's own reader allows.
_LONGEST_HEADER_BYTES = 100_000_000
_BITS = {"F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "BF16": 16, "F16": 16, "I16": 16, "U16": 16}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor of a file; `dtype` as the format spells it: BF16, F32, U8 …."""

    dtype: str
    shape: tuple[int, ...]
    size_bytes: int

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that was looked at.

    Attributes:
        family: name of the family that runs it, None for an adapter.
        parameters: how many numbers the model has.
        dtype: in which most of them are stored: bf16, fp16, fp32, int8 or nf4.
        config: its `config.json`; of an adapter its `adapter_config.json`.
        quantised: how the weights were compressed, None for ordinary ones.
        tensors: every stored tensor, by name.
    """

    path: Path
    model_type: str
    family: str | None
    parameters: int
    weight_bytes: int
    dtype: str
    config: Mapping[str, Any]
    is_adapter: bool = False
    quantised: str | None = None
    tensors: Mapping[str, TensorInfo] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The folder's name, or the repository's where it lies in the hub's cache under a commit's number."""
        for part in (self.path, *self.path.parents):
            if part.name.startswith("models--"):
                return part.name.removeprefix("models--").replace("--", "/")
        return self.path.name


def read_header(path: Path) -> dict[str, TensorInfo]:
    """The tensors of a file, by name.

    Raises:
        ModelFolderError: the file is damaged, incomplete or something else.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            if start.startswith(b"version "):
                raise ModelFolderError(
                    f"{path} is only a pointer to the weights, not the weights themselves.",
                    hint="The folder was cloned without git-lfs. Download it: Models page, or `vvlm models download`.",
                )
            if len(start) < 8:
                raise ModelFolderError(f"{path} is damaged: it is empty.", hint=COPY_AGAIN)
            (length,) = struct.unpack("<Q", start)
            if length > min(size - 8, _LONGEST_HEADER_BYTES):
                raise ModelFolderError(f"{path} is damaged: its header is cut off or scrambled.", hint=COPY_AGAIN)
            header = json.loads(file.read(length))
        tensors, end = _tensors(header)
    except OSError as error:
        raise ModelFolderError(f"{path} cannot be read: {error.strerror}.", hint=COPY_AGAIN) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelFolderError(f"{path} is damaged: its header cannot be read.", hint=COPY_AGAIN) from error
    if size != 8 + length + end:
        missing = 8 + length + end - size
        what = f"{missing:,} bytes are missing at its end" if missing > 0 else f"{-missing:,} bytes too many"
        raise ModelFolderError(f"{path} is damaged: {what}.", hint=COPY_AGAIN)
    return tensors


def _tensors(header: Mapping[str, Any]) -> tuple[dict[str, TensorInfo], int]:
    """The tensors and where the last one ends; raises what `read_header` turns into a sentence."""
    tensors: dict[str, TensorInfo] = {}
    end = 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = (int(offset) for offset in entry["data_offsets"])
        shape = tuple(int(side) for side in entry["shape"])
        info = TensorInfo(dtype=str(entry["dtype"]), shape=shape, size_bytes=last - first)
        bits = _BITS.get(info.dtype)
        if info.size_bytes < 0 or (bits is not None and info.numbers * bits != info.size_bytes * 8):
            raise ValueError(f"{name} has {info.size_bytes} bytes")
        tensors[name] = info
        end = max(end, last)
    return tensors, end


def read_json(path: Path, *, missing: str, hint: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ModelFolderError: the file is absent (`missing` says so) or no JSON object.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelFolderError(missing, hint=hint) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFolderError(f"{path} is damaged: it cannot be read.", hint=COPY_AGAIN) from error
    if not isinstance(data, dict):
        raise ModelFolderError(f"{path} is damaged: it is not an object.", hint=COPY_AGAIN)
    return data


def weight_files(path: Path) -> list[Path]:
    """The files that transformers loads, in order: one, or those that the index names.

    Raises:
        ModelFolderError: one of them is missing.
    """
    index_file = path / "model.safetensors.index.json"
    # As transformers looks: where both lie there, the index is not read.
    if index_file.is_file() and not (path / "model.safetensors").is_file():
        index = read_json(index_file, missing="", hint=COPY_AGAIN)
        weight_map = index.get("weight_map")
        if not isinstance(weight_map, dict) or not weight_map:
            raise ModelFolderError(f"{index_file} is damaged: it names no file.", hint=COPY_AGAIN)
        names = sorted({str(name) for name in weight_map.values()})
        outside = next((name for name in names if Path(name).name != name or "\\" in name), None)
        if outside is not None:  # somebody else's text: never out of this folder
            raise ModelFolderError(f"{index_file} names a file outside of its folder: {outside}.", hint=COPY_AGAIN)
    else:
        names = ["model.safetensors"]
    missing = [name for name in names if not (path / name).is_file()]
    if missing:
        parts = f"{len(missing)} of {len(names)} files" if len(names) > 1 else missing[0]
        more = f", the first is {missing[0]}" if len(names) > 1 else ""
        raise ModelFolderError(f"{path} is incomplete: {parts} of the weights missing{more}.", hint=COPY_AGAIN)
    return [path / name for name in names]


def fingerprint(folder: ModelFolder) -> str:
    """A name for exactly these weights, from their layout and samples of them; milliseconds also for large ones.

    Training writes it into an adapter, so that one of another base with the same shapes is recognised.
    """
    digest = hashlib.sha256()
    for file in weight_files(folder.path):
        size = file.stat().st_size
        digest.update(f"{size}\n".encode())
        with file.open("rb") as stream:
            for place in range(16):
                stream.seek(size * place // 16)
                digest.update(stream.read(4096))
    return digest.hexdigest()[:32]

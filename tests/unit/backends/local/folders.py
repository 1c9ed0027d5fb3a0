"""Folders of models with something changed in them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from tests.tiny_models import copy_model


def edit(file: Path, **changes: Any) -> None:
    data = json.loads(file.read_text())
    for key, value in changes.items():
        part = data
        *parents, last = key.split("__")
        for parent in parents:
            part = part[parent]
        if value is None:
            part.pop(last, None)
        else:
            part[last] = value
    file.write_text(json.dumps(data))


def in_pieces(tmp_path: Path) -> Path:
    from safetensors.torch import load_file, save_file

    folder = copy_model("qwen2_5_vl", tmp_path / "pieces")
    whole = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(whole)
    places = {}
    for number, part in enumerate((names[::3], names[1::3], names[2::3]), start=1):
        file = f"model-{number:05}-of-00003.safetensors"
        save_file({name: whole[name] for name in part}, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder


def rewrite_header(folder: Path, change) -> None:
    """Shapes as `change` says, with as many numbers as they need."""
    file = folder / "model.safetensors"
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, end = json.loads(data[8 : 8 + length]), 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        entry["shape"] = change(name, entry["shape"])
        numbers = 1
        for side in entry["shape"]:
            numbers *= side
        entry["data_offsets"] = [end, end + 4 * numbers]
        end += 4 * numbers
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))

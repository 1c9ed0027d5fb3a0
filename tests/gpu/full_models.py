"""Models of the real sizes with random weights, built on the spot: nothing is downloaded.

Tokenizer, processor and chat template are those of the tiny models with a vocabulary of Qwen2.5's size; shapes are the
published ones. Speed and memory depend on shapes, not on what the weights say.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from tests.tiny_models import REAL_VOCABULARY, tiny_model
from vvlm_desktop.backends.local.loading import transformers_package

_TEXT_7B: dict[str, Any] = {
    "hidden_size": 3584,
    "intermediate_size": 18_944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "layer_types": ["full_attention"] * 28,
}
_ROPE = {"rope_type": "default", "rope_theta": 1_000_000.0}

#: Name → family of the tiny model that lends its processor, and what its config.json says instead.
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "InternVL3-8B": (
        "internvl",
        {
            "image_seq_length": 256,
            "text_config": {**_TEXT_7B, "rope_parameters": _ROPE},
            "vision_config": {
                "hidden_size": 1024,
                "intermediate_size": 4096,
                "num_hidden_layers": 24,
                "num_attention_heads": 16,
                "patch_size": [14, 14],
            },
        },
    ),
    "Qwen2.5-VL-7B": (
        "qwen2_5_vl",
        {
            "text_config": {**_TEXT_7B, "rope_parameters": {**_ROPE, "mrope_section": [16, 24, 24]}},
            "vision_config": {
                "depth": 32,
                "hidden_size": 1280,
                "num_heads": 16,
                "intermediate_size": 3420,
                "out_hidden_size": 3584,
                "fullatt_block_indexes": [7, 15, 23, 31],
            },
        },
    ),
}


def tiny_of(name: str, _folder: Path, *, device: str) -> Path:
    """The tiny model of the same architecture, by which measuring is tried out on a processor."""
    del device
    return tiny_model(SHAPES[name][0], vocabulary=REAL_VOCABULARY)


def build_full(name: str, folder: Path, *, device: str) -> Path:
    """Write a model of full size with random bf16 weights into `folder`; 16 GB, made on `device`.

    Args:
        name: one of `SHAPES`.
    """
    family, changes = SHAPES[name]
    source = tiny_model(family, vocabulary=REAL_VOCABULARY)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    config = _merged(json.loads((source / "config.json").read_text(encoding="utf-8")), {**changes, "dtype": "bfloat16"})
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    processor_file = folder / "processor_config.json"
    processor = json.loads(processor_file.read_text(encoding="utf-8"))
    if "image_seq_length" in processor:
        processor["image_seq_length"] = changes["image_seq_length"]
        processor_file.write_text(json.dumps(processor), encoding="utf-8")
    _write_weights(folder, device=device)
    return folder


def _write_weights(folder: Path, *, device: str) -> None:
    transformers = transformers_package()
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    torch.manual_seed(0)
    with torch.device("meta"):
        model = transformers.AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)
    # Filled on the device, because random numbers for eight billion weights take minutes on a processor.
    model.to_empty(device=device)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim < 2 and "bias" not in name and "cls_token" not in name:
                weight.fill_(1.0)  # norms and scales
            else:
                weight.normal_(std=0.02)
    model.save_pretrained(folder, max_shard_size="4GB")
    del model
    if device != "cpu":
        torch.cuda.empty_cache()


def _merged(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`config` with `changes`, table by table."""
    merged = dict(config)
    for key, value in changes.items():
        inside = isinstance(value, dict) and key in {"text_config", "vision_config"}
        merged[key] = _merged(merged.get(key, {}), value) if inside else value
    return merged

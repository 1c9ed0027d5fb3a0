"""Folders that look like models and adapters to everything that does not load them; made without torch, in no time."""

from __future__ import annotations

import json
import struct
from pathlib import Path

TEXT = {
    "model_type": "qwen2",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 128,
    "vocab_size": 512,
}
CONFIG = {
    "model_type": "internvl",
    "architectures": ["InternVLForConditionalGeneration"],
    "image_seq_length": 256,
    "text_config": TEXT,
    "vision_config": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "intermediate_size": 64,
        "image_size": [448, 448],
        "patch_size": [14, 14],
    },
}
PROCESSOR = {
    "size": {"height": 448, "width": 448},
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def safetensors(tensors: dict[str, tuple[int, ...]], *, fill: int = 7) -> bytes:
    """A weight file with these tensors, in bfloat16."""
    header, end = {}, 0
    for name, shape in tensors.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    body = bytes((fill + n * 31) % 251 for n in range(1024)) * (end // 1024 + 1)
    return struct.pack("<Q", len(text)) + text + body[:end]


def model_files(*, weights: int = 200_000, hidden: int = 64, **text: int) -> dict[str, bytes]:
    """Content of a model's folder, by name.

    Args:
        weights: bytes of its weight files together, roughly.
        hidden: width of its language model.
        text: other numbers of its language model, as config.json calls them.
    """
    rows = text.get("vocab_size", max(1, weights // 2 // 64 // 2))
    own_text = {**TEXT, "hidden_size": hidden, **text, "vocab_size": rows}
    layers = {
        f"model.language_model.layers.{number}.self_attn.q_proj.weight": (hidden, hidden)
        for number in range(own_text["num_hidden_layers"])
    }
    parts = {
        "model-00001-of-00002.safetensors": {**layers, "model.language_model.embed_tokens.weight": (rows, hidden)},
        "model-00002-of-00002.safetensors": {"lm_head.weight": (rows, hidden)},
    }
    index = {"weight_map": {name: file for file, tensors in parts.items() for name in tensors}}
    return {
        "config.json": json.dumps({**CONFIG, "text_config": own_text}).encode(),
        "preprocessor_config.json": json.dumps(PROCESSOR).encode(),
        "tokenizer.json": b'{"model": {}}',
        "model.safetensors.index.json": json.dumps(index).encode(),
        **{file: safetensors(tensors, fill=number) for number, (file, tensors) in enumerate(parts.items())},
    }


def write_model(folder: Path, **options: int) -> Path:
    """A model's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in model_files(**options).items():
        (folder / name).write_bytes(content)
    return folder


def write_adapter(folder: Path, *, base: str, width: int = 64, card: dict[str, object] | None = None) -> Path:
    """An adapter's folder, for the model of `write_model` unless `width` is another."""
    folder.mkdir(parents=True, exist_ok=True)
    layer = "base_model.model.model.language_model.layers.0.self_attn.q_proj"
    (folder / "adapter_model.safetensors").write_bytes(
        safetensors({f"{layer}.lora_A.weight": (8, width), f"{layer}.lora_B.weight": (width, 8)})
    )
    config = {"peft_type": "LORA", "base_model_name_or_path": base, "r": 8, "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    if card is not None:
        (folder / "card.json").write_text(json.dumps(card))
    return folder

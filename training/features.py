"""What the frozen vision tower makes of a clip, kept on disk, so that later epochs neither decode nor run the tower.

Three places to cut, by what is trained:

    projected   nothing but the language model is trained: the features as the language model takes them
    tower       the projector is trained as well (InternVL): what the tower hands to it
    pixels      the projector lies inside the tower (Qwen): its pictures, so that only decoding is saved
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from vvlm_desktop.backends.atomic_file import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vvlm_desktop.backends.local.families.base import Family

Cut: TypeAlias = Literal["projected", "tower", "pixels"]
Tensors: TypeAlias = "dict[str, Tensor]"

_FORMAT = 1
_DEEPSTACK = "deepstack."


def choose_cut(family: Family, *, projector: bool) -> Cut:
    """Where features are cut for what is trained."""
    if not projector:
        return "projected"
    return "tower" if family.name == "internvl" else "pixels"


def is_picture(name: str) -> bool:
    """Whether an input is pictures, rather than text or something said about pictures."""
    return name.startswith("pixel_")


def compute_features(model: Any, row: Mapping[str, Tensor], *, cut: Cut) -> Tensors:
    """Features of one clip, on the processor.

    Args:
        model: transformers' model, without peft around it.
        row: as from `encode_clip`.
    """
    import torch

    if cut == "pixels":
        return {name: tensor for name, tensor in row.items() if is_picture(name)}
    inputs = {name: tensor.to(model.device) for name, tensor in row.items()}
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            if cut == "tower":
                seen = model.model.vision_tower(pixel_values=inputs["pixel_values"].to(model.dtype))
                return {"tower": seen.last_hidden_state.cpu()}
            return _packed(_vision_outputs(model.model, inputs))
    finally:
        model.train(was_training)


def _vision_outputs(inner: Any, inputs: Mapping[str, Tensor]) -> Any:
    if "pixel_values_videos" in inputs:
        return inner.get_video_features(inputs["pixel_values_videos"], inputs["video_grid_thw"], return_dict=True)
    masks = {"pixel_attention_mask": inputs["pixel_attention_mask"]} if "pixel_attention_mask" in inputs else {}
    return inner.get_image_features(pixel_values=inputs["pixel_values"], **masks, return_dict=True)


def _packed(outputs: Any) -> Tensors:
    """The outputs of a tower as plain tensors; families give one tensor, or one for each clip."""
    import torch

    pooled = outputs.pooler_output
    packed = {"image": pooled.cpu()} if isinstance(pooled, torch.Tensor) else {"parts": torch.cat(list(pooled)).cpu()}
    for layer, each in enumerate(getattr(outputs, "deepstack_features", None) or ()):
        packed[f"{_DEEPSTACK}{layer}"] = (each if isinstance(each, torch.Tensor) else torch.cat(list(each))).cpu()
    return packed


def join_features(parts: Sequence[Tensors], *, family: Family) -> Tensors:
    """Features of several clips side by side."""
    import torch

    if any(is_picture(name) for name in parts[0]):
        return {name: family.join_pictures([part[name] for part in parts]) for name in parts[0]}
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def model_arguments(model: Any, features: Tensors) -> dict[str, Any]:
    """What the model is called with instead of pictures.

    Args:
        model: transformers' model, without peft around it.
        features: joined, on the model's device; of any cut.
    """
    if any(is_picture(name) for name in features):
        return dict(features)
    if "tower" in features:
        return {"mm_encoder_outputs": {"image": _projected(model.model, features["tower"])}}
    if "image" in features:
        return {"mm_encoder_outputs": {"image": SimpleNamespace(pooler_output=features["image"])}}
    outputs = SimpleNamespace(pooler_output=(features["parts"],))
    deepstack = [features[name] for name in sorted(features, key=_layer) if name.startswith(_DEEPSTACK)]
    if deepstack:
        outputs.deepstack_features = [(each,) for each in deepstack]
    kind = "video" if hasattr(model.model, "get_video_features") else "image"
    return {"mm_encoder_outputs": {kind: outputs}}


def _layer(name: str) -> int:
    number = name.removeprefix(_DEEPSTACK)
    return int(number) if number.isdecimal() else -1


def _projected(inner: Any, tower: Tensor) -> Any:
    """InternVL's own way from the tower's output through its projector; gradients flow into the projector."""
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    seen = BaseModelOutputWithPooling(last_hidden_state=tower)
    with _standing_in(inner.vision_tower, lambda **_: seen):
        return inner.get_image_features(pixel_values=tower, return_dict=True)


@contextmanager
def _standing_in(module: Any, forward: Any) -> Iterator[None]:
    module.forward = forward
    try:
        yield
    finally:
        del module.forward


class FeatureStore:
    """Tensors in a folder, found by what they were made from; a damaged file counts as none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, key: str) -> Path:
        """Where the tensors of `key` lie."""
        return self.folder / key[:2] / f"{key}.safetensors"

    def get(self, key: str) -> Tensors | None:
        """The tensors of `key`; None where they are absent or damaged, and then the file is gone."""
        import safetensors
        from safetensors.torch import load

        file = self.file(key)
        try:
            data = file.read_bytes()
            tensors = load(data)
            with safetensors.safe_open(str(file), "pt") as opened:
                noted = (opened.metadata() or {}).get("crc32")
        except FileNotFoundError:
            return None
        except (safetensors.SafetensorError, OSError, ValueError):
            noted, tensors = None, {}
        if noted == str(_checksum(tensors)):
            with suppress(OSError):  # deleted meanwhile by another training, or not ours
                os.utime(file)  # used just now
            return tensors
        file.unlink(missing_ok=True)
        return None

    def shrink(self, limit_bytes: int) -> int:
        """Delete what was not used for longest until the rest is within `limit_bytes`; how many files that were."""
        files = []
        for file in self.folder.rglob("*.safetensors"):
            with suppress(FileNotFoundError):  # another training deletes just now
                files.append((file, file.stat()))
        files.sort(key=lambda pair: pair[1].st_mtime)
        total, deleted = sum(stat.st_size for _, stat in files), 0
        for file, stat in files:
            if total <= limit_bytes:
                break
            file.unlink(missing_ok=True)
            total, deleted = total - stat.st_size, deleted + 1
        return deleted

    def put(self, key: str, tensors: Tensors) -> None:
        """Keep tensors; whole or not at all."""
        from safetensors.torch import save

        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        write_atomically(self.file(key), save(whole, metadata={"crc32": str(_checksum(whole))}))


def _checksum(tensors: Tensors) -> int:
    """The format checks its header only; a flipped bit in the numbers would train quietly."""
    import torch

    total = 0
    for name in sorted(tensors):
        raw = tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy()
        total = zlib.crc32(raw.data, zlib.crc32(name.encode(), total))
    return total


def content_key(facts: Mapping[str, Any]) -> str:
    """Name under which something made from `facts` is kept."""
    text = json.dumps({"format": _FORMAT, **facts}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

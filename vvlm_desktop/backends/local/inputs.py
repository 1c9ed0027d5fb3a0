"""From frames and prompt to what a model takes: the one way, for analyses and for training alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vvlm_desktop.backends.local.families.base import SYSTEM, FrameBatch, ModelInput, pad_id
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.pictures import read_pictures

if TYPE_CHECKING:
    from torch import Tensor

    from vvlm_desktop.backends.local.loading import LoadedModel

__all__ = ["SYSTEM", "FrameBatch", "ModelInput", "build_inputs", "encode_clip", "join_clips", "read_frames"]


def read_frames(
    path: Path,
    index: FrameIndex,
    frame_indices: Sequence[int],
    *,
    size: tuple[int, int],
    cancelled: Callable[[], bool] = lambda: False,
) -> FrameBatch:
    """Decode exactly these frames, ascending, at `size` (width and height of the upright picture).

    Args:
        cancelled: looked at between frames, by several threads.

    Raises:
        JobCancelledError: `cancelled` said so.
        ClipUnreadableError: one of them cannot be had; a neighbour is never given instead.
    """
    if not frame_indices:
        raise ValueError("no frames")
    rgb = read_pictures(path, index, frame_indices, size=size, cancelled=cancelled)
    return FrameBatch(
        rgb=rgb,
        times_s=tuple(index.seconds(frame_index) for frame_index in frame_indices),
        pts=tuple(index.pts[frame_index] for frame_index in frame_indices),
        clip_duration_s=index.duration_s,
    )


def build_inputs(loaded: LoadedModel, batch: Sequence[ModelInput]) -> dict[str, Tensor]:
    """Encode clips for `loaded`, on its device, padded on the left; the answer comes after the last token.

    Each row equals the one that the clip gets alone. Pictures stay float32 where the processor made them so; the model
    casts them itself.
    """
    return join_clips(loaded, [encode_clip(loaded, item) for item in batch])


def encode_clip(loaded: LoadedModel, item: ModelInput) -> dict[str, Tensor]:
    """One clip on the CPU; the slow half of `build_inputs`, for threads that prepare the next clips."""
    return loaded.family.encode_one(loaded.processor, item)


def join_clips(loaded: LoadedModel, rows: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Clips of `encode_clip` side by side, on the model's device."""
    if not rows:
        raise ValueError("no clips")
    joined = loaded.family.collate(rows, pad_id=pad_id(loaded.processor))
    return {key: value.to(loaded.device) for key, value in joined.items()}

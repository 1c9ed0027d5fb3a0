"""One batch as the model sees it: its pictures turned back from numbers, its words, and which of those are learnt."""

from __future__ import annotations

import json
import shutil
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.answers import IGNORED, Target

if TYPE_CHECKING:
    from torch import Tensor

    from training.clip_rows import ClipRow
    from training.setting_up import Ready
    from training.training_set import Example
    from vvlm_desktop.backends.local.loading import LoadedModel

BATCH_FILE = "batch.json"
#: Runs of one token, such as those that become a picture, are written once with their number from this length on.
_LONG_RUN = 4


def write_batch(ready: Ready, folder: Path) -> int:
    """Write pictures and words of the first batch into `folder`, whole or not at all; how many clips it has."""
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    # Features would not do: what is shown are the very numbers that the vision tower gets.
    rows = ready.rows.with_pixels()
    clips: list[dict[str, Any]] = []
    pictures = 0
    for example in ready.prepared.train[: ready.config.batch]:
        row = rows.row(example)
        frames = _write_frames(ready.loaded, row, draft, first=pictures + 1)
        pictures += len(frames)
        shown = rows.shown(example)
        times = [shown.index.seconds(frame_index) for frame_index in shown.frame_indices]
        clips.append(
            {
                "clip": example.name,
                "frames": [
                    {"file": file, "pts": pts, "time_s": round(time_s, 4)}
                    for file, pts, time_s in zip(frames, shown.pts, times, strict=True)
                ],
                **_words(ready, example, row),
            }
        )
    (draft / BATCH_FILE).write_text(json.dumps({"clips": clips}, ensure_ascii=False, indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    return len(clips)


def _words(ready: Ready, example: Example, row: ClipRow) -> dict[str, Any]:
    tokenizer = ready.loaded.tokenizer
    target = ready.prepared.targets[example.clip_id]
    rejected = None
    if ready.config.objective == "preference":
        pair = ready.train.pair(example)
        target, rejected = pair.chosen, pair.rejected
    words = {
        "prompt": _readable(tokenizer, row.text["input_ids"][0].tolist()),
        "answer": pieces(tokenizer, target),
        "prompt_tokens": row.tokens,
        "answer_tokens": len(target.ids),
        "learnt_tokens": int((target.labels != IGNORED).sum()),
    }
    return words if rejected is None else {**words, "rejected": pieces(tokenizer, rejected)}


def pieces(tokenizer: Any, target: Target) -> list[dict[str, Any]]:
    """The answer in consecutive pieces that are learnt or not; characters of several tokens are never torn."""
    ids, learnt = target.ids.tolist(), (target.labels != IGNORED).tolist()
    found: list[dict[str, Any]] = []
    place = 0
    for is_learnt, group in groupby(learnt):
        end = place + len(list(group))
        text = tokenizer.decode(ids[:end])[len(tokenizer.decode(ids[:place])) :]
        found.append({"text": text, "learnt": is_learnt})
        place = end
    return found


def _readable(tokenizer: Any, ids: list[int]) -> str:
    """A prompt in which stand-ins for pictures do not fill pages."""
    parts: list[str] = []
    run: list[int] = []
    for token, group in groupby(ids):
        count = len(list(group))
        if count < _LONG_RUN:
            run += [token] * count
            continue
        parts += [tokenizer.decode(run), f"{tokenizer.decode([token])}(×{count})"]
        run = []
    return "".join([*parts, tokenizer.decode(run)])


def _write_frames(loaded: LoadedModel, row: ClipRow, folder: Path, *, first: int) -> list[str]:
    from PIL import Image

    names = []
    for number, rgb in enumerate(model_pictures(loaded, row), start=first):
        names.append(f"frame-{number:02d}.png")
        Image.fromarray(rgb.numpy()).save(folder / names[-1])
    return names


def model_pictures(loaded: LoadedModel, row: ClipRow) -> Tensor:
    """The pictures of a clip as numbers for a screen again, uint8, shape [frames, height, width, 3].

    Args:
        row: with pixels, not with features.
    """
    import torch

    processor = loaded.processor.video_processor
    if "pixel_values_videos" in row.pictures and "video_grid_thw" in row.text:
        pixels = _from_patches(row.pictures["pixel_values_videos"], row.text["video_grid_thw"][0].tolist(), processor)
    else:
        pixels = next(value for value in row.pictures.values() if value.ndim >= 4 and value.shape[-3] == 3)
        pixels = pixels.reshape(-1, *pixels.shape[-3:])
    pixels = pixels.float()
    if processor.do_normalize:
        mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in (processor.image_mean, processor.image_std))
        pixels = pixels * deviation + mean
    if processor.do_rescale:
        pixels = pixels / processor.rescale_factor
    return pixels.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _from_patches(patches: Tensor, grid: list[int], processor: Any) -> Tensor:
    """Qwen's rows of patches put together again, shape [frames, 3, height, width].

    Source: `patchify` of transformers' video processors for Qwen2-VL and Qwen3-VL, backwards.
    """
    times, high, wide = grid
    together, merge, patch = processor.temporal_patch_size, processor.merge_size, processor.patch_size
    laid_out = patches.view(times, high // merge, wide // merge, merge, merge, 3, together, patch, patch)
    ordered = laid_out.permute(0, 6, 5, 1, 3, 7, 2, 4, 8)
    return ordered.reshape(times * together, 3, high * patch, wide * patch)

"""`sampling.json`: which frames of each clip a model saw, and which ones our own sampler chooses.

Every trainer samples in its own way. Beside each export lie our settings and the PTS lists, so that whoever wants the
same frames can have them, whatever the format itself can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vvlm_desktop.formats.base import ExportContext, ExportItem
from vvlm_desktop.formats.json_text import compact_json, plain

SAMPLING_FILE = "sampling.json"
_MEANING = (
    "frames_pts: the frames that our sampler chooses, by presentation timestamp in the stream's own time base; empty"
    " where the clip's index was not at hand. analysis: the frames and settings of the analysis that the review began"
    " from, null where there was none."
)


def sampling_document(seen: Sequence[tuple[ExportItem, str | None]], *, context: ExportContext) -> Iterator[str]:
    """Text of the file, in pieces, one clip to a line; `seen` are items with the path of their clip in the export."""
    yield '{"meaning":' + compact_json(_MEANING) + ',\n"sampler":' + compact_json(plain(context.sampler))
    yield ',\n"clips":[\n'
    for place, (item, file) in enumerate(seen):
        yield (",\n" if place else "") + compact_json(_clip(item, file))
    yield "\n]}\n"


def record_sampling(item: ExportItem, *, context: ExportContext) -> dict[str, Any]:
    """The sampler's settings and choice for one clip, for its record; empty where the choice is not known."""
    if not item.sampled_pts:
        return {}
    return {**_settings(context), "frames_pts": list(item.sampled_pts)}


def _settings(context: ExportContext) -> dict[str, Any]:
    return {str(key): plain(value) for key, value in sorted(context.sampler.items())}


def _clip(item: ExportItem, file: str | None) -> dict[str, Any]:
    analysis = item.analysis_of(item.settled_truth) or item.analysis
    seen = None
    if analysis is not None:
        seen = {"frames_pts": list(analysis.frames_pts), "settings": plain(analysis.settings)}
    return {
        "file": file,
        "sha256": item.clip.sha256,
        "stream_index": item.clip.stream_index,
        "frames": item.clip.frames,
        "duration_s": item.clip.duration_s,
        "frames_pts": list(item.sampled_pts),
        "analysis": seen,
    }

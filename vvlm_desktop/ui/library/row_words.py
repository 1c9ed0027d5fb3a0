"""What a line of the clip table says, in words; made from the row and the label schema, without Qt."""

from __future__ import annotations

from pathlib import PurePath

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import CANNOT_TELL
from vvlm_desktop.store.library import ClipRow
from vvlm_desktop.workflow.recordings import read_name

#: Answers that say that there is nothing to see.
_QUIET = frozenset({"none", "no", CANNOT_TELL})
EVENT_FIELD = "event_type"
#: Who says so, by backend; which model it was is said in Review.
_SOURCES = {
    "signals": "measured",
    "demo": "demo script",
    "local": "local model",
    "gemini": "Gemini",
    "server": "VLM server",
}
NOT_ANALYSED = "not analysed"
#: A clip that lasts so much longer than its frames has a clock that jumps; cameras that drop frames stay below.
_JUMPED, _JUMP_S = 4.0, 60.0


def event_words(row: ClipRow, schema: LabelSchema) -> str:
    """The event's label, or why there is none."""
    value = row.labels.get(EVENT_FIELD)
    if isinstance(value, str):
        return _label(schema, EVENT_FIELD, value)
    if not row.clip.readable:
        return ""
    return "not judged" if row.analysed or row.source else NOT_ANALYSED


def source_words(row: ClipRow) -> str:
    """Who says so."""
    if row.source == "review" and row.clip.status == "in_review":
        return f"{row.reviewer or 'review'}, not finished"
    if row.source == "review":
        return row.reviewer or "review"
    if row.source == "draft":
        return "teacher's draft"
    if row.source == "analysis":
        return _SOURCES.get(row.backend or "", row.backend or "model")
    return ""


def notable_labels(row: ClipRow, schema: LabelSchema, *, most: int = 8) -> list[str]:
    """Labels worth a glance, in schema order, short fields' values by themselves; quiet answers are left out."""
    found: list[str] = []
    for field in schema.fields:
        if field.key in {EVENT_FIELD, "severity"} or not field.has_values:
            continue
        value = row.labels.get(field.key)
        values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        labels = (field.label if v == "yes" else field.label_of(v) for v in values if v not in _QUIET)
        found += [text for text in labels if text not in found]
        if len(found) >= most:
            break
    return found[:most]


def caption(row: ClipRow) -> str:
    """The caption, or nothing."""
    value = row.labels.get("caption")
    return value if isinstance(value, str) else ""


def picture_words(clip: Clip) -> str:
    """Size, codec and rate of the picture."""
    if not clip.readable:
        return clip.codec
    parts = [f"{clip.width}×{clip.height}", clip.codec, f"{clip.fps:.3g} fps" if clip.fps else ""]
    if clip.stream_index:
        parts.append(f"camera {clip.stream_index + 1}")
    return "  ".join(part for part in parts if part)


def length_s(clip: Clip) -> float:
    """How long a clip plays; where its clock jumps, not the time that nothing was recorded in."""
    if not clip.readable or not clip.fps:
        return clip.duration_s
    played_s = clip.frames / clip.fps
    return played_s if clip.duration_s > _JUMPED * played_s + _JUMP_S else clip.duration_s


def recorded_words(clip: Clip) -> tuple[str, str]:
    """When and by which camera, as far as the file's name tells; else the folder it lies in."""
    name = read_name(clip.path)
    camera = f"{name.camera} camera" if name.camera else ""
    if name.starts_at is None:
        return PurePath(clip.path).parent.name, camera
    return f"{name.starts_at.day} {name.starts_at:%b %Y %H:%M}", camera


def _label(schema: LabelSchema, field_key: str, value: str) -> str:
    known = {field.key: field for field in schema.fields}
    return known[field_key].label_of(value) if field_key in known else value.replace("_", " ").capitalize()

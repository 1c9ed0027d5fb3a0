"""From what a model wrote to an answer: JSON found, labels read, times moved to the clip, everything odd told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vvlm_desktop.domain.labels import broken_rules, normalise
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue

#: What local models are told first, word for word; their module needs torch, so it stands here again.
SYSTEM = "You are a careful assistant who watches videos from dashboard cameras and reports only what they show."
#: How a member of an object begins.
_MEMBER = re.compile(r'\s*"')
#: Braces that are tried; a text of nothing else must not hold up everything.
_MOST_STARTS = 1_000
_NO_JSON = "The answer is not JSON; it is kept as it came, and nothing was read from it."


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer, read.

    Attributes:
        valid: it was a JSON object as asked for; else it may be worth asking again.
        json_start: where in the text the object begins.
    """

    text: str
    labels: Mapping[str, LabelValue]
    flags: tuple[str, ...]
    valid: bool
    json_start: int | None = None


def read_answer(schema: LabelSchema, text: str, *, offset_ms: int = 0) -> Reading:
    """Read the labels in `text`.

    Args:
        offset_ms: how much later in the clip the first frame is that the model was shown; times are moved by it.
    """
    found = find_json(text)
    if found is None:
        return Reading(text, {}, (_NO_JSON,), valid=False)
    start, value = found
    labels, repairs = normalise(schema, value)
    labels, cut = _moved(schema, labels, offset_ms)
    missing = [field.label for field in schema.model_fields if field.key not in labels]
    flags = [*repairs, *cut]
    if missing and len(missing) < len(schema.model_fields):
        flags.append(f"Not answered: {', '.join(missing)}.")
    flags += broken_rules(schema, labels)
    return Reading(text, labels, tuple(flags), valid=_has_shape(schema, value), json_start=start)


def find_json(text: str) -> tuple[int, dict[str, Any]] | None:
    """The first JSON object in `text` and where it begins; models like to wrap it in Markdown or in words."""
    # Seen from llama.cpp's grammar: bare control characters inside of texts. Reading labels takes them out and says so.
    decoder = json.JSONDecoder(strict=False)
    start = text.find("{")
    for _ in range(_MOST_STARTS):
        if start < 0:
            break
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            # An inner object of one that was cut off is not the answer.
            if _MEMBER.match(text, start + 1):
                return None
            start = text.find("{", start + 1)
        else:
            return start, value
    return None


def _has_shape(schema: LabelSchema, value: Mapping[str, Any]) -> bool:
    """Whether every asked field is there, under whatever spelling, with something that can be read."""
    labels, _ = normalise(schema, value)
    return all(field.key in labels for field in schema.model_fields)


def _moved(
    schema: LabelSchema, labels: dict[str, LabelValue], offset_ms: int
) -> tuple[dict[str, LabelValue], list[str]]:
    """Times of a part of the clip as times of the clip, within the schema's limits."""
    moved: dict[str, LabelValue] = {}
    told: list[str] = []
    for key, value in labels.items():
        moved[key] = value
        if isinstance(value, dict) and offset_ms:
            limit_ms = schema.field(key).max_ms
            times = {name: ms + offset_ms for name, ms in value.items()}
            kept = {name: ms if limit_ms is None else min(ms, limit_ms) for name, ms in times.items()}
            if kept != times:
                told.append(f"{schema.field(key).label}: the time lies beyond the schema's limit and was cut.")
            moved[key] = kept
    return moved, told


def outside_clip(schema: LabelSchema, labels: Mapping[str, LabelValue], *, start_ms: int, end_ms: int) -> list[str]:
    """Sentences about times that lie outside of what the model was shown; kept, because a person will look."""
    return [
        f"{schema.field(key).label}: the time lies outside of what was sent."
        for key, value in labels.items()
        if isinstance(value, dict) and (value["end_ms"] > end_ms or value["start_ms"] < start_ms)
    ]

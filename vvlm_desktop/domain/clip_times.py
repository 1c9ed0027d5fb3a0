"""Whether a time lies within its clip: a schema allows any, a model may name any, only the clip knows."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.errors import LabelError


def lies_within(value: LabelValue, duration_s: float) -> bool:
    """Whether a range lies within a clip; other values do, and all do where the clip's length is not known."""
    if not isinstance(value, dict) or duration_s <= 0:
        return True
    # A frame's time is rounded to milliseconds, so the last one may round up.
    return value["start_ms"] >= 0 and value["end_ms"] <= math.ceil(duration_s * 1000)


def outside(labels: Mapping[str, LabelValue], duration_s: float) -> tuple[str, ...]:
    """Fields whose time no frame of the clip has."""
    return tuple(key for key, value in labels.items() if not lies_within(value, duration_s))


def require_within(schema: LabelSchema, field_key: str, value: LabelValue, *, duration_s: float) -> LabelValue:
    """`value`, if it lies within the clip.

    Raises:
        LabelError: it does not.
    """
    if not lies_within(value, duration_s) and isinstance(value, dict):
        label = schema.field(field_key).label
        asked = f"{value['start_ms'] / 1000:.2f}..{value['end_ms'] / 1000:.2f} s"
        raise LabelError(f"{label}: {asked} is not within the clip.", hint=f"It lasts from 0 to {duration_s:.2f} s.")
    return value

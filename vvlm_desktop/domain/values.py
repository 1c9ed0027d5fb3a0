"""The plain JSON shapes that labels are made of, shared by analyses, reviews, exports and messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

#: `one_of` and `text` fields hold a string, `any_of` a list in schema order, `range` `{"start_ms", "end_ms"}`
#: (milliseconds from the clip's first frame) or None for "absent". An *unanswered* field is not in the mapping.
LabelValue: TypeAlias = str | list[str] | dict[str, int] | None
Labels: TypeAlias = Mapping[str, LabelValue]

#: A judgement, not a missing answer: the clip does not show it.
CANNOT_TELL = "cannot_tell"

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def utc_now() -> str:
    """Now as RFC 3339 UTC with milliseconds, the only form in which times are stored."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

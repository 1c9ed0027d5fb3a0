"""The columns of the clip table: titles, widths, what they sort by, and which give way in a narrow window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnId = Literal[
    "picture", "name", "status", "event", "change", "labels", "confidence", "duration", "recording", "added", "problem"
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        width: px at 13 px text, at least; of what is left over it takes the part `share`.
        sort: the store's name for the order, None where it has none.
        gives_way: 0 never; the higher, the earlier it is left out when there is no room.
    """

    id: ColumnId
    title: str
    width: int
    sort: str | None = None
    share: float = 0.0
    gives_way: int = 0


COLUMNS: tuple[Column, ...] = (
    Column("picture", "", 98),
    Column("name", "Name", 200, "name", share=0.35),
    Column("status", "Status", 124, "status"),
    Column("event", "Event", 112, "event"),
    Column("change", "Would change", 208, "change", share=0.2),
    Column("labels", "Labels", 176, share=0.35),
    Column("confidence", "Confidence", 92, "confidence", gives_way=3),
    Column("duration", "Duration", 72, "duration"),
    Column("recording", "Recorded", 152, "recording", gives_way=1),
    Column("added", "Added", 108, "added", gives_way=2),
    Column("problem", "Problem", 180, "problem", share=0.3),
)
INDEX: dict[str, int] = {column.id: number for number, column in enumerate(COLUMNS)}


def layout(room: float, *, without: frozenset[str] = frozenset()) -> dict[str, float]:
    """Width of each column that has a place in `room` (all in px at 13 px text); none for those in `without`."""
    shown = [column for column in COLUMNS if column.id not in without]
    for column in sorted((c for c in COLUMNS if c.gives_way), key=lambda c: -c.gives_way):
        if column in shown and sum(c.width for c in shown) > room:
            shown.remove(column)
    spare = max(0.0, room - sum(c.width for c in shown)) / sum(c.share for c in shown)
    return {c.id: c.width + spare * c.share for c in shown}

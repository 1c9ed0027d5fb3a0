"""The columns of the clip table: titles, widths, what they sort by, and which give way in a narrow window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnId = Literal[
    "picture", "name", "status", "event", "labels", "confidence", "duration", "recording", "added", "problem"
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        width: px at 13 px text; `stretch` shares what is left over.
        sort: the store's name for the order, None where it has none.
        gives_way: 0 never; the higher, the earlier it is left out when there is no room.
    """

    id: ColumnId
    title: str
    width: int
    sort: str | None = None
    stretch: bool = False
    gives_way: int = 0


COLUMNS: tuple[Column, ...] = (
    Column("picture", "", 100),
    Column("name", "Name", 216, "name"),
    Column("status", "Status", 126, "status"),
    Column("event", "Event", 112, "event"),
    Column("labels", "Labels", 200, stretch=True),
    Column("confidence", "Confidence", 92, "confidence", gives_way=3),
    Column("duration", "Duration", 72, "duration"),
    Column("recording", "Recording", 112, "recording", gives_way=1),
    Column("added", "Added", 108, "added", gives_way=2),
    Column("problem", "Problem", 190, "problem"),
)
INDEX: dict[str, int] = {column.id: number for number, column in enumerate(COLUMNS)}


def left_out(room: float) -> set[str]:
    """Columns that have no place in `room` (px at 13 px text)."""
    out: set[str] = set()
    for column in sorted((c for c in COLUMNS if c.gives_way), key=lambda c: -c.gives_way):
        if sum(c.width for c in COLUMNS if c.id not in out) <= room:
            break
        out.add(column.id)
    return out

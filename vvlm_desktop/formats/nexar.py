"""Nexar's collision data set: CSV files that give two times for each clip with an event.

Two forms: `id,time_of_event,time_of_alert,target` beside `ID.mp4`, and `file_name,time_of_event,time_of_alert,
light_conditions,weather,scene`, which is a `metadata.csv` among the clips of one kind. The alert is the first moment at
which the event could be foreseen, the event is the contact: together exactly our event time. The target says only that
something happened, a collision *or* a near miss, so the kind of event stays open.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.csv_text import csv_header, csv_rows
from vvlm_desktop.formats.foreign import ForeignSet, Rows, finished

_BY_ID = frozenset({"id", "time_of_event", "time_of_alert", "target"})
_BY_NAME = frozenset({"file_name", "time_of_event", "time_of_alert"})
_CONTEXT = ("light_conditions", "weather", "scene")
_ID = re.compile(r"\d{1,12}(\.0)?")  # a spreadsheet or a data frame makes 822.0 of 00822
_ID_DIGITS = 5
_PARTS = ("", "train/", "test/")
_NO_EVENT = ("0", "0.0", "false", "negative")
_EVENT = ("1", "1.0", "true", "positive")
_OPEN = (
    "Nexar's target does not tell a collision from a near miss: for {n} clips with an event the kind stays open, and"
    " only the times and the scene were taken."
)


class Nexar:
    """Reads both forms."""

    name = "nexar"
    title = "Nexar collision data set (CSV)"

    def sniff(self, path: Path) -> bool:
        """A CSV file with the columns of one of the forms."""
        header = set(csv_header(path))
        return header >= _BY_ID or header >= _BY_NAME

    def read_rows(self, path: Path, *, schema: LabelSchema) -> ForeignSet:
        """Read the file; see `RowsReader`."""
        rows = Rows(schema)
        still_open = 0
        for where, row in csv_rows(path, flags=rows.flags):
            times = _times(row, where=where)
            happened = _happened(row, path, times=times, where=where)
            said: dict[str, Any] = {key: row[key].lower() for key in _CONTEXT if row.get(key)}
            if happened is False:
                if times is not None:
                    raise FormatError(f"{where}: times of an event, and a target that says there is none.")
                said |= {"event_type": "no_incident", "event_time": None}
            elif times is not None:
                said["event_time"] = {"start_ms": times[0], "end_ms": times[1]}
            still_open += happened is True
            rows.add(where, _names(row, where=where), said, seen_ms=times)
        notes = (_OPEN.format(n=still_open),) if still_open else ()
        return finished(self.name, path, [path], rows, notes=notes)


READERS = (Nexar(),)


def _names(row: Mapping[str, str], *, where: str) -> list[str]:
    if row.get("file_name"):
        return [row["file_name"]]
    found = row.get("id", "")
    if not _ID.fullmatch(found):
        raise FormatError(f"{where}: “{found[:40]}” is not the number of a clip.")
    digits = found.removesuffix(".0").zfill(_ID_DIGITS)
    return [f"{part}{digits}.mp4" for part in _PARTS]


def _times(row: Mapping[str, str], *, where: str) -> tuple[int, int] | None:
    """The alert and the event, in milliseconds; None without an event. An event without an alert is a moment."""
    event_ms = _ms(row.get("time_of_event", ""), where=where, column="time_of_event")
    alert_ms = _ms(row.get("time_of_alert", ""), where=where, column="time_of_alert")
    if event_ms is None:
        if alert_ms is not None:
            raise FormatError(f"{where}: the time of an alert without that of an event.")
        return None
    start_ms = event_ms if alert_ms is None else alert_ms
    if start_ms > event_ms:
        raise FormatError(f"{where}: the alert comes after the event.")
    return start_ms, event_ms


def _ms(cell: str, *, where: str, column: str) -> int | None:
    if cell.lower() in ("", "nan", "none", "null"):
        return None
    try:
        seconds = float(cell)
    except ValueError:
        raise FormatError(f"{where}: “{cell[:40]}” in {column} is not a time in seconds.") from None
    if not math.isfinite(seconds) or not 0 <= seconds <= 86_400:
        raise FormatError(f"{where}: “{cell[:40]}” in {column} is not a time within a clip.")
    return math.floor(seconds * 1000 + 0.5)


def _happened(row: Mapping[str, str], path: Path, *, times: tuple[int, int] | None, where: str) -> bool | None:
    """Whether there was an event; the second form says so only by its folder's name."""
    target = row.get("target", "").lower()
    if target in _EVENT:
        return True
    if target in _NO_EVENT:
        return False
    if target:
        raise FormatError(f"{where}: the target “{target[:40]}” is neither 0 nor 1.")
    if times is not None:
        return True
    return False if path.parent.name.lower() == "negative" else None

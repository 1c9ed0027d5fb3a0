"""The ledger as a file for whoever has to prove what left."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from vvlm_desktop.errors import StorageFullError, UsageError, VvlmError
from vvlm_desktop.ui.ledger.lines import Line, Table

#: A spreadsheet takes what begins so for a formula; names of files come from outside.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NO_SPACE = 28


def write_csv(table: Table, lines: Sequence[Line], file: Path) -> int:
    """Write `lines`; returns how many. A file that was there before stays until the new one is complete.

    Raises:
        StorageFullError: there is no room.
        UsageError: the place cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(table.names)
            writer.writerows([_safe(value) for value in line.raw] for line in lines)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _not_written(file, error) from error
    return len(lines)


def _safe(value: str | int) -> str | int:
    if isinstance(value, int):
        return value
    text = value.encode("utf-8", "replace").decode()
    return f"'{text}" if text.startswith(_FORMULA) else text


def _not_written(file: Path, error: OSError) -> VvlmError:
    kind = StorageFullError if error.errno == _NO_SPACE else UsageError
    return kind(f"{file.name} could not be written: {error.strerror}.", hint="Choose another folder.")

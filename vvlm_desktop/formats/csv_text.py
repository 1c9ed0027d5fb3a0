"""CSV as its author may have meant harm, or as a spreadsheet left it: bounded, decoded honestly, never a formula."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.foreign import MAX_ROWS
from vvlm_desktop.formats.ours_convert import Flags

MAX_BYTES = 64 * 1024 * 1024
_MAX_COLUMNS = 200
_DELIMITERS = ",;\t"
#: What a spreadsheet would run; a minus or plus before a number is a number.
_FORMULA = re.compile(r"\s*(=|@|[+-](?![\d.,]*\s*$))")
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def csv_header(file: Path) -> tuple[str, ...]:
    """Names of the columns, folded; empty where the file is no CSV."""
    try:
        if not file.is_file() or file.suffix.lower() != ".csv":
            return ()
        with file.open("rb") as handle:
            start = handle.read(65_536)
        text = _decoded(start, name=file.name, whole=False)
        return _header(next(_parsed(text, name=file.name), (0, []))[1])
    except (FormatError, OSError):
        return ()


def csv_rows(file: Path, *, flags: Flags) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows as columns' names and cells, with where they stand; a cell that a spreadsheet would run is left out.

    Raises:
        FormatError: too large, not a text, or a row with more cells than there are columns.
    """
    text = _decoded(_read(file), name=file.name)
    rows = _parsed(text, name=file.name)
    header = _header(next(rows, (0, []))[1])
    if not header or len(set(header)) != len(header):
        raise FormatError(f"{file.name}: two columns have the same name, or none has one.")
    for count, (number, cells) in enumerate(rows, start=1):
        where = f"{file.name}, line {number}"
        if count > MAX_ROWS:
            raise FormatError(f"{file.name} holds more than {MAX_ROWS} rows.", hint="Cut it into several files.")
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            raise FormatError(
                f"{where}: {len(cells)} cells for {len(header)} columns.",
                hint="Cells that hold the separator must stand in quotes.",
            )
        yield where, _without_formulas(dict(zip(header, cells, strict=False)), where=where, flags=flags)


def _without_formulas(row: Mapping[str, str], *, where: str, flags: Flags) -> dict[str, str]:
    kept = {}
    for column, cell in row.items():
        if _FORMULA.match(cell):
            flags.at(f"{where}: ").add(f"the cell of “{column[:40]}” is a spreadsheet's formula and was left out")
        else:
            kept[column] = cell.strip()
    return kept


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise FormatError(f"{file.name} cannot be read: {error.strerror or error}") from error
    if len(raw) > MAX_BYTES:
        raise FormatError(f"{file.name} is larger than {MAX_BYTES} bytes.", hint="Cut it into several files.")
    return raw


def _decoded(raw: bytes, *, name: str, whole: bool = True) -> str:
    """The text; `whole` is off for the beginning of a file, which may end in the middle of a character."""
    encoding = next((encoding for mark, encoding in _BOMS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(raw, whole)
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{name}: not a text in UTF-8 (byte {error.start}).", hint="Save it as “CSV UTF-8” and try again."
        ) from error
    if "\0" in text:
        raise FormatError(f"{name}: holds bytes that no text has.")
    return text


def _parsed(text: str, *, name: str) -> Iterator[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise FormatError(f"{name}, line {reader.line_num}: not valid CSV ({error}).") from error


def _header(cells: list[str]) -> tuple[str, ...]:
    if len(cells) > _MAX_COLUMNS:
        return ()
    return tuple(cell.strip().casefold() for cell in cells)

"""A CSV with a `url` column, as labelling services hand it out; the other columns are fields, in any spelling.

Only cells that name a file of this computer can be taken. What lies behind an address is never fetched: nobody asked
for that, and a list from elsewhere must not make this computer call anyone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.spelling import find_field
from vvlm_desktop.formats.csv_text import csv_header, csv_rows
from vvlm_desktop.formats.foreign import ForeignSet, Rows, finished

_URL = "url"


class UrlCsv:
    """Reads it."""

    name = "url-csv"
    title = "CSV with a url column"

    def sniff(self, path: Path) -> bool:
        """A CSV file with that column."""
        return _URL in csv_header(path)

    def read_rows(self, path: Path, *, schema: LabelSchema) -> ForeignSet:
        """Read the file; see `RowsReader`."""
        rows = Rows(schema)
        unknown: dict[str, None] = {}
        for where, row in csv_rows(path, flags=rows.flags):
            name = row.pop(_URL, "")
            if not name:
                rows.flags.at(f"{where}: ").add("names no clip and was left out")
                continue
            said: dict[str, Any] = {}
            for column, cell in row.items():
                if find_field(schema, column) is None:
                    unknown[column] = None
                elif cell:
                    said[column] = cell
            rows.add(where, [name], said)
        notes = (f"Columns that are no fields here were left out: {', '.join(unknown)[:300]}.",) if unknown else ()
        return finished(self.name, path, [path], rows, notes=notes)


READERS = (UrlCsv(),)

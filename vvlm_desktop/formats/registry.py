"""Every format there is: a module of this package with a `FORMATS` tuple, or `READERS` for what is only read."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from vvlm_desktop import formats
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.base import ExportFormat, ImportedSet, ImportFormat
from vvlm_desktop.formats.foreign import ForeignSet, RowsReader


def _found(tuples: str = "FORMATS") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in sorted(pkgutil.iter_modules(formats.__path__), key=lambda module: module.name):
        name = f"{formats.__name__}.{module.name}"
        if name == __name__:
            continue
        for fmt in getattr(importlib.import_module(name), tuples, ()):
            if fmt.name in found:
                raise ValueError(f"two formats are called {fmt.name!r}")
            found[fmt.name] = fmt
    # Ours first: it is the one that loses nothing.
    return dict(sorted(found.items(), key=lambda item: (item[0] != "ours", item[0])))


FORMATS: dict[str, ExportFormat] = _found()
#: Formats of other programs that are read and never written.
READERS: dict[str, RowsReader] = _found("READERS")


def get_format(name: str) -> ExportFormat:
    """Format by its name.

    Raises:
        FormatError: there is none of that name; the hint lists those that there are.
    """
    try:
        return FORMATS[name.strip().lower()]
    except KeyError:
        raise FormatError(f"There is no export format “{name}”.", hint=f"Formats: {', '.join(FORMATS)}.") from None


def sniff(path: Path) -> str | None:
    """Name of the format that a file or folder is in, None if it is in none of them."""
    every: dict[str, Any] = {**FORMATS, **READERS}
    return next((name for name, fmt in every.items() if fmt.sniff(path)), None)


def import_format_of(path: Path) -> ImportFormat | RowsReader:
    """The format that a file or folder can be read in.

    Raises:
        FormatError: it is missing, in no known format, or in one that cannot be read back.
    """
    if not path.exists():
        raise FormatError(f"There is no {path}.", hint="Check the spelling of the path.")
    name = sniff(path)
    hint = f"Formats that can be imported: {', '.join(readable())}."
    if name is None:
        raise FormatError(f"{path.name} is in no format that is known here.", hint=hint)
    if name not in readable():
        title = FORMATS[name].title
        raise FormatError(f"{path.name} is in the format “{title}”, which can be written but not read back.", hint=hint)
    return READERS[name] if name in READERS else cast("ImportFormat | RowsReader", FORMATS[name])


def read_import(path: Path, *, schemas: Sequence[LabelSchema]) -> ImportedSet | ForeignSet:
    """Read a file or folder in whichever format it is; labels of other programs are read by the first schema.

    Raises:
        FormatError: as `import_format_of`, or it is not as its format should be.
    """
    chosen: Any = import_format_of(path)
    if hasattr(chosen, "read_rows"):
        return cast("ForeignSet", chosen.read_rows(path, schema=schemas[0]))
    return cast("ImportedSet", chosen.read(path, schemas=schemas))


def readable() -> tuple[str, ...]:
    """Names of the formats that can be read back."""
    both = (name for name, fmt in FORMATS.items() if hasattr(fmt, "read") or hasattr(fmt, "read_rows"))
    return (*both, *READERS)

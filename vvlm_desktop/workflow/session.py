"""What every use case works on: an open library, the label schema, the settings and who is reviewing."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from vvlm_desktop import paths
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.errors import SchemaError
from vvlm_desktop.settings import Settings, load_settings
from vvlm_desktop.store.library import Library

#: Where not even the system has a name for the user.
DEFAULT_REVIEWER = "reviewer"
_MAX_SCHEMA_BYTES = 1_000_000


@dataclass(slots=True)
class Session:
    """An open library with everything that a use case needs. Close it, or use it as a context manager."""

    library: Library
    schema: LabelSchema
    settings: Settings
    reviewer: str

    def close(self) -> None:
        """Close the library; nothing is pending, every change was stored when it was made."""
        self.library.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load_schema(file: Path | None = None) -> LabelSchema:
    """The label schema in `file`, or the one that comes with the program.

    Raises:
        SchemaError: the file is absent, unreadable or not a usable schema.
    """
    file = file or paths.bundled_schema("dashcam")
    try:
        if file.stat().st_size > _MAX_SCHEMA_BYTES:
            raise SchemaError(str(file), "larger than 1 MB; this is not a label schema")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a text file in UTF-8"
        raise SchemaError(str(file), reason) from error
    return _parsed(text, str(file))


@lru_cache(maxsize=4)  # read again with each command of a window that stays open; a schema never changes once made
def _parsed(text: str, source: str) -> LabelSchema:
    return parse_schema(text, source=source)


def _require_same_labels(library: Library, schema: LabelSchema, *, source: str) -> None:
    """One name and version must mean one set of fields and values, or old reviews would be read as something else."""
    known = library.known_labels_shas(schema.key)
    if known and schema.labels_sha not in known:
        raise SchemaError(
            source,
            f"this library knows {schema.key} with other fields or values. Give the changed schema another `version` "
            "(or `name`); what was reviewed so far stays under the old one",
        )


def default_reviewer() -> str:
    """Name under which reviews are stored until the user enters one: this computer's name for the user.

    One fixed word would make two people's reviews one when a log is imported.
    """
    try:
        return getpass.getuser() or DEFAULT_REVIEWER
    except (OSError, KeyError, ImportError):  # a user without a name, as in some containers
        return DEFAULT_REVIEWER


def open_session(
    settings: Settings | None = None,
    *,
    library_dir: Path | None = None,
    reviewer: str | None = None,
    schema_file: Path | None = None,
) -> Session:
    """Open the library (made if absent) and the schema that the settings name.

    Raises:
        LibraryError: the folder cannot be used.
        SchemaError: the schema in the settings cannot be used.
        SettingsError: the settings file cannot be read.
    """
    settings = settings or load_settings()
    chosen = schema_file or (Path(settings.schema_file).expanduser() if settings.schema_file else None)
    schema = load_schema(chosen)
    library = Library.open(library_dir or settings.library_folder())
    try:
        _require_same_labels(library, schema, source=str(chosen or paths.bundled_schema("dashcam")))
        library.remember_schema(schema)
    except BaseException:
        library.close()
        raise
    name = (reviewer or settings.reviewer).strip() or default_reviewer()
    return Session(library=library, schema=schema, settings=settings, reviewer=name)

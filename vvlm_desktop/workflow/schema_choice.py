"""Choosing the label schema: checked, fitting the library, stored; and what then stays apart, in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vvlm_desktop import paths
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.settings import load_settings, save_settings
from vvlm_desktop.workflow.session import open_session

#: The word for the schema that comes with the program.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class ChosenSchema:
    """What is in force now.

    Attributes:
        file: empty for the one that comes with the program.
        apart: clips of the library that were settled under other schemas, by the schema's key.
    """

    schema: LabelSchema
    file: str
    apart: dict[str, int]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was chosen and what that means."""
        of = self.file or "the one that comes with the program"
        said = [f"The label schema is {self.schema.key} now ({of})."]
        if self.apart:
            counts = " and ".join(f"{_clips(count)} under {key}" for key, count in sorted(self.apart.items()))
            said.append(
                f"What was done under another schema stays as it is, and apart: {counts}. Those reviews and answers"
                f" count for no training set, export or comparison of {self.schema.key}; choose their schema to go on"
                " with them."
            )
        return tuple(said)


def choose_schema(text: str, *, library_dir: Path | None = None) -> ChosenSchema:
    """Use the schema in a file from now on, or with `default` the one that comes with the program; stored.

    Raises:
        SchemaError: the file cannot be used, or the library knows a schema of this name with other labels.
        LibraryError: the library cannot be used.
        SettingsError: the settings cannot be read or stored.
    """
    own = None if text == DEFAULT else Path(text).expanduser().absolute()
    settings = load_settings()
    file = own or paths.bundled_schema("dashcam")
    with open_session(settings, library_dir=library_dir, schema_file=file) as session:
        schema = session.schema
        settled = session.library.settled_by_schema()
    stored = "" if own is None else str(own)
    save_settings(settings.model_copy(update={"schema_file": stored}))
    return ChosenSchema(schema, stored, {key: count for key, count in settled.items() if key != schema.key})


def _clips(count: int) -> str:
    return "1 clip" if count == 1 else f"{count:,} clips"

"""What the user has set: one frozen model, kept as TOML; the settings page is generated from its fields."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Literal

# Looking for plug-ins that nobody has reads the metadata of every installed package at each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vvlm_desktop import paths
from vvlm_desktop.errors import SettingsError


class Settings(BaseModel):
    """Settings of this computer's user. Titles and descriptions are shown on the settings page."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    library_dir: str = Field(
        default="",
        title="Library folder",
        description="Where clips' data, analyses and reviews are kept. Empty: the usual place.",
    )
    reviewer: str = Field(
        default="",
        max_length=80,
        title="Reviewer's name",
        description="Entered on this computer, not an authenticated account.",
    )
    theme: Literal["system", "dark", "light"] = Field(
        default="system", title="Theme", description="Light and dark follow the system unless chosen here."
    )
    schema_file: str = Field(
        default="",
        title="Label schema",
        description="A copy of the schema that your fleet has edited. Empty: the one that comes with the program.",
    )
    frame_cache_mb: int = Field(
        default=384,
        ge=64,
        le=8192,
        title="Frame cache (MB)",
        description="Decoded frames kept for scrubbing; 384 MB holds about 270 frames of 720p.",
    )
    seek_step_s: float = Field(
        default=5.0, gt=0, le=600, title="Long step (s)", description="How far Ctrl with an arrow key goes."
    )
    autoplay: Literal["event", "paused"] = Field(
        default="event",
        title="When a clip opens",
        description="Play around the event once, or stay paused on its first frame.",
    )
    analyse_on_add: bool = Field(
        default=True,
        title="Analyse new clips at once",
        description="Runs the built-in analysis on clips when they are added.",
    )

    def library_folder(self) -> Path:
        """The library folder in force."""
        return Path(self.library_dir).expanduser() if self.library_dir else paths.default_library_dir()


def load_settings(file: Path | None = None) -> Settings:
    """Settings from `file`, defaults where it is absent.

    Raises:
        SettingsError: the file cannot be read or holds a value that is not allowed; nothing is overwritten.
    """
    file = file or paths.settings_file()
    try:
        return Settings.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        reason = (
            "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
            if isinstance(error, ValidationError)
            else str(error)
        )
        raise SettingsError(
            f"The settings file {file} cannot be used: {reason}",
            hint="Correct the line, or delete the file to start with defaults.",
        ) from error


def save_settings(settings: Settings, file: Path | None = None) -> Path | None:
    """Write `settings` so that a crash leaves either the old file or the new one.

    Returns:
        Where a file that could not be read, and would have been overwritten, is kept; None where there was none.

    Raises:
        SettingsError: the file cannot be written.
    """
    # Not needed to open the window, and a twentieth of the time it takes.
    import tempfile

    import tomli_w

    file = file or paths.settings_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as handle:
                tomli_w.dump(settings.model_dump(exclude_defaults=True), handle)
                handle.flush()
                os.fsync(handle.fileno())
            kept = _set_aside_if_broken(file)
            Path(temporary).replace(file)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SettingsError(
            f"The settings could not be saved to {file}: {error.strerror}",
            hint="Check free space and rights of the folder.",
        ) from error
    return kept


def _set_aside_if_broken(file: Path) -> Path | None:
    """Rename a settings file that cannot be used, so that what its owner wrote is not lost."""
    try:
        load_settings(file)
    except SettingsError:
        kept = file.with_name(f"{file.name}.broken")
        number = 1
        while kept.exists():
            number += 1
            kept = file.with_name(f"{file.name}.broken-{number}")
        return file.replace(kept)
    return None

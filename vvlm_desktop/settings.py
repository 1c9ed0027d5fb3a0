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
    frame_step: int = Field(
        default=10, ge=2, le=1000, title="Step of several frames", description="How far Alt with an arrow key goes."
    )
    speed_unit: Literal["kmh", "mph"] = Field(
        default="kmh", title="Speeds in", description="On the timeline and the map, where a clip has telemetry."
    )
    frames_dir: str = Field(
        default="",
        title="Folder for saved frames",
        description="Where Ctrl+S in Review saves the frame on screen. Empty: asks once.",
    )
    reaction_time_s: float = Field(
        default=0.0,
        ge=0,
        le=2,
        title="Reaction time (s)",
        description="I and O while the clip plays mark so much earlier, usually 0.25. 0: the frame that is on screen.",
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

    models_dir: str = Field(
        default="",
        title="Models folder",
        description="Where the weights of local models lie; several gigabytes each. Empty: the usual place.",
    )
    backend: Literal["signals", "local", "gemini", "server"] = Field(
        default="signals", title="Analyse with", description="What answers when you press Analyse."
    )
    local_model: str = Field(
        default="", title="Local model", description="Chosen on the Models page: a name of the catalogue or a folder."
    )
    local_adapter: str = Field(
        default="", title="Adapter", description="Fine-tuned weights on top of the local model. Empty: the model alone."
    )
    frames: int = Field(
        default=16,
        ge=1,
        le=128,
        title="Frames a model sees",
        description="Spread evenly over the clip. More frames see more, take longer and need more memory.",
    )
    rounds: int = Field(
        default=1,
        ge=1,
        le=8,
        title="Looks at the clip",
        description="With more than one, the model first says where to look, then looks there more closely.",
    )
    precision: Literal["auto", "bf16", "int8", "nf4"] = Field(
        default="auto",
        title="Precision",
        description="How weights are held in memory; auto takes the best that fits.",
    )
    allow_upload: bool = Field(
        default=False,
        title="Allow clips to leave this computer",
        description="Off: nothing is ever sent. On: each batch still says what would leave, to whom, and asks.",
    )
    gemini_model: str = Field(
        default="gemini-flash-latest", title="Gemini model", description="Name of the model at Google."
    )
    gemini_fps: float = Field(
        default=2.0,
        gt=0,
        le=24,
        title="Pictures a second for Gemini",
        description="How densely Gemini looks; around a known event it always looks more closely. More cost more.",
    )
    gemini_width_px: int = Field(
        default=0,
        ge=0,
        le=3840,
        title="Picture width for Gemini (pixels)",
        description="Narrower pictures leave this computer faster and show less of it. 0: as wide as they are.",
    )
    gemini_votes: int = Field(
        default=1,
        ge=1,
        le=9,
        title="Votes of Gemini",
        description="Asked so many times, the answers vote, which gives a confidence; each vote is paid for.",
    )
    requests_per_minute: int = Field(
        default=60,
        ge=0,
        le=6000,
        title="Requests a minute",
        description="The most that are sent to Gemini in a minute. 0: no limit of our own.",
    )
    server_url: str = Field(
        default="",
        title="VLM server",
        description="Address of an OpenAI-compatible server, for example http://10.0.0.7:8000/v1.",
    )
    server_model: str = Field(
        default="", title="Model on the server", description="Empty: the first one that the server offers."
    )

    server_sends: Literal["images", "video"] = Field(
        default="images",
        title="Sent to the server",
        description="Single pictures, or one small video of the same frames; not every server takes videos.",
    )

    promotion_test: Literal["bootstrap", "mcnemar"] = Field(
        default="bootstrap",
        title="An adapter must be better",
        description="In the mean over all choice fields (bootstrap), or in the one field below (mcnemar).",
    )
    promotion_field: str = Field(
        default="event_type", max_length=80, title="Field that must get better", description="For mcnemar alone."
    )
    promotion_level: float = Field(
        default=0.05,
        ge=0.001,
        le=0.2,
        title="How often chance may pass",
        description="0.05 is one time in twenty. It is divided by how often the test clips have been used before.",
    )
    promotion_least_clips: int = Field(
        default=20,
        ge=1,
        le=100_000,
        title="Test clips at least",
        description="With fewer that a person has judged, nothing is decided.",
    )
    promotion_no_worse: bool = Field(
        default=True,
        title="Nothing may get worse",
        description="Also refuse where another field is clearly worse, or where fewer answers are valid.",
    )
    promotion_looked: bool = Field(
        default=True,
        title="It must tell clips apart",
        description="Also refuse where the answers could have been given without looking, by naming common values.",
    )

    def models_folder(self) -> Path:
        """The models folder in force."""
        return Path(self.models_dir).expanduser() if self.models_dir else paths.default_models_dir()

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

"""Where things are: data, library, logs, settings and resources; from source, installed or frozen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

_APP = "vvlm-desktop"


def data_dir() -> Path:
    """Folder of everything the program keeps; `VVLM_DATA_DIR` overrides it (portable use, tests)."""
    override = os.environ.get("VVLM_DATA_DIR")
    return Path(override) if override else Path(platformdirs.user_data_dir(_APP, appauthor=False))


def default_library_dir() -> Path:
    """Library folder used when neither `--library` nor the settings name one."""
    return data_dir() / "library"


def default_models_dir() -> Path:
    """Folder of downloaded and imported model weights unless the settings name one."""
    return data_dir() / "models"


def gpu_slot_file() -> Path:
    """Lock file by which windows, command line and trainer share the GPU; one per user of this computer."""
    return data_dir() / "gpu.lock"


def settings_file() -> Path:
    """The settings file; beside the data when `VVLM_DATA_DIR` is set, else in the user's configuration folder."""
    if os.environ.get("VVLM_DATA_DIR"):
        return data_dir() / "settings.toml"
    return Path(platformdirs.user_config_dir(_APP, appauthor=False)) / "settings.toml"


def log_dir() -> Path:
    """Folder of the log files."""
    if os.environ.get("VVLM_DATA_DIR"):
        return data_dir() / "logs"
    return Path(platformdirs.user_log_dir(_APP, appauthor=False))


def samples_dir() -> Path:
    """Folder into which the sample clips are made."""
    return data_dir() / "samples"


def resources_dir() -> Path:
    """Folder of schemas, prompts, icons and help pages, wherever the program runs from."""
    frozen = getattr(sys, "_MEIPASS", None)
    package = Path(__file__).resolve().parent
    candidates = (
        *([Path(frozen) / "resources"] if frozen else []),
        package / "resources",
        package.parent / "resources",
    )
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"no resources folder in any of {[str(c) for c in candidates]}")


def bundled_schema(name: str) -> Path:
    """Label schema file that comes with the program."""
    return resources_dir() / "schemas" / f"{name}.toml"

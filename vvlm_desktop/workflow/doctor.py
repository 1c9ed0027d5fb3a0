"""What this installation has, what is missing, and the command that mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from vvlm_desktop import __version__, paths
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.settings import load_settings
from vvlm_desktop.workflow.session import load_schema, open_session

State: TypeAlias = Literal["ok", "missing", "broken"]

_MARKS: dict[State, str] = {"ok": "ok", "missing": "–", "broken": "!"}
_CORE = ("PySide6-Essentials", "av", "numpy", "opencv-python-headless", "SQLAlchemy", "alembic", "pydantic", "keyring")
_LOCAL = ("torch", "torchvision", "transformers", "peft", "llguidance", "bitsandbytes", "decord")
_CLOUD = ("google-genai", "openai")
_LOW_SPACE_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `missing` is optional and absent, `broken` stops the program's main job."""

    name: str
    state: State
    found: str
    mend: str = ""

    @property
    def mark(self) -> str:
        """The state in one sign, for a table."""
        return _MARKS[self.state]


def examine(library_dir: Path | None = None) -> list[Check]:
    """Look at everything; never raises for what it finds."""
    return [
        Check("VVLM Desktop", "ok", f"{__version__} on Python {platform.python_version()}, {platform.platform()}"),
        *(_package(name, mend="python3 installer/bootstrap.py run", needed=True) for name in _CORE),
        *(_package(name, mend="python3 installer/bootstrap.py run --local-model") for name in _LOCAL),
        *(_package(name, mend=f"{Path(sys.executable).name} -m pip install 'vvlm-desktop[cloud]'") for name in _CLOUD),
        _qt_version(),
        _gpu(),
        *_library(library_dir),
        *_files(),
        _signing(),
    ]


def _package(name: str, *, mend: str, needed: bool = False) -> Check:
    try:
        return Check(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Check(name, "broken" if needed else "missing", "not installed", mend)


def _qt_version() -> Check:
    try:
        version = importlib.metadata.version("PySide6-Essentials")
    except importlib.metadata.PackageNotFoundError:
        return Check("Qt on this Python", "broken", "not installed", "python3 installer/bootstrap.py run")
    crashing = sys.version_info < (3, 12) and tuple(int(p) for p in version.split(".")[:2]) >= (6, 12)
    if crashing:
        mend = f"{sys.executable} -m pip install 'PySide6-Essentials<6.12'"
        return Check("Qt on this Python", "broken", f"{version} crashes Python 3.11", mend)
    return Check("Qt on this Python", "ok", f"{version} is safe with Python {platform.python_version()}")


def _gpu() -> Check:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        if shutil.which("nvidia-smi"):
            return Check(
                "GPU", "missing", f"the driver does not answer: {error}", "install the NVIDIA driver, then restart"
            )
        return Check("GPU", "missing", "no NVIDIA GPU or driver; the built-in analysis needs none")
    try:
        found: list[str] = []
        for number in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(number)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            name = pynvml.nvmlDeviceGetName(handle)
            found.append(f"{name}, {memory.free / 1024**3:.1f} of {memory.total / 1024**3:.1f} GiB free")
        return Check("GPU", "ok" if found else "missing", "; ".join(found) or "none")
    except pynvml.NVMLError as error:
        return Check("GPU", "missing", f"the driver does not answer: {error}", "restart the computer")
    finally:
        pynvml.nvmlShutdown()


def _library(library_dir: Path | None) -> list[Check]:
    try:
        settings = load_settings()
    except VvlmError as error:
        return [Check("Settings", "broken", str(error), error.hint)]
    folder = library_dir or settings.library_folder()
    try:
        load_schema(Path(settings.schema_file).expanduser() if settings.schema_file else None)
        with open_session(settings, library_dir=folder) as session:
            count = session.library.count_clips()
            library = Check("Library", "ok", f"{folder} ({count} clips)")
    except VvlmError as error:
        library = Check("Library", "broken", str(error), error.hint)
    return [library, _space(folder)]


def _space(folder: Path) -> Check:
    existing = next((p for p in (folder, *folder.parents) if p.exists()), Path("/"))
    free = shutil.disk_usage(existing).free
    state: State = "ok" if free > _LOW_SPACE_BYTES else "broken"
    return Check(
        "Free disk space", state, f"{free / 1024**3:.1f} GiB at {existing}", "" if state == "ok" else "make room"
    )


def _files() -> list[Check]:
    return [
        Check("Settings file", "ok", str(paths.settings_file())),
        Check("Logs", "ok", str(paths.log_dir())),
        Check("Resources", "ok", str(paths.resources_dir())),
        Check("Display", *_display()),
    ]


def _display() -> tuple[State, str, str]:
    if not sys.platform.startswith("linux"):
        return "ok", sys.platform, ""
    shown = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    return ("ok", shown, "") if shown else ("missing", "none: vvlm demo works without one", "")


def _signing() -> Check:
    from vvlm_desktop.store.signing import KeyUnavailableError, load_signer

    try:
        load_signer()
    except KeyUnavailableError as error:
        mend = "unlock or install the system's keychain (on Linux: gnome-keyring or KWallet)"
        return Check("Signing key", "missing", f"{error}; the event log is chained but not signed", mend)
    return Check("Signing key", "ok", "the event log is signed")

"""Installing the packages that local models need, from the window: which command, and running it in the background."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import vvlm_desktop
from vvlm_desktop.errors import BackendUnavailableError, JobCancelledError

#: Without one of these no local model runs.
PACKAGES = ("torch", "transformers", "llguidance", "safetensors")
_LOOK_S = 0.1


def missing_packages() -> tuple[str, ...]:
    """Packages of local models that are not installed; nothing is imported to find out."""
    importlib.invalidate_caches()  # one that was installed a moment ago must be found
    return tuple(name for name in PACKAGES if importlib.util.find_spec(name) is None)


def _bootstrap() -> Path | None:
    """The installer of a source checkout, None where the program was installed as a package."""
    file = Path(vvlm_desktop.__file__).resolve().parent.parent / "installer" / "bootstrap.py"
    return file if file.is_file() else None


def can_install() -> bool:
    """Whether this program can install packages for itself; a frozen one cannot."""
    return not getattr(sys, "frozen", False)


def command_to_copy() -> str:
    """What a person would type; it does the same."""
    if _bootstrap() is not None:
        return "python3 installer/bootstrap.py run --local-model"
    return f"{sys.executable} -m pip install 'vvlm-desktop[local]'"


def command_to_run() -> list[str]:
    """What the button runs. The installer opens the program when it is done; here it only prints its help."""
    bootstrap = _bootstrap()
    if bootstrap is not None:
        return [sys.executable, "-u", str(bootstrap), "run", "--local-model", "--", "--help"]
    return [sys.executable, "-u", "-m", "pip", "install", "--no-input", "vvlm-desktop[local]"]


def run_install(
    say: Callable[[object], None], cancelled: Callable[[], bool], *, command: Sequence[str] | None = None
) -> None:
    """Run the installation to its end; each line it prints goes to `say`.

    Raises:
        JobCancelledError: `cancelled` said so; what was installed so far stays, and the next try goes on from there.
        BackendUnavailableError: it failed.
    """
    argv = list(command or command_to_run())
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PIP_PROGRESS_BAR": "off"}
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            creationflags=flags,
            start_new_session=sys.platform != "win32",  # so that pip, its child, ends with it
        )
    except OSError as error:
        raise BackendUnavailableError(
            f"The installation could not be started: {error.strerror}.", hint=f"Run it yourself: {command_to_copy()}"
        ) from error
    with process:
        assert process.stdout is not None
        reader = threading.Thread(target=_read, args=(process, say), name="install-output", daemon=True)
        reader.start()
        while _runs(process):
            if cancelled():
                _end(process)
                raise JobCancelledError("The installation was stopped.", hint="The next try goes on from there.")
        reader.join(timeout=5.0)
    if process.returncode:
        raise BackendUnavailableError(
            f"The packages could not be installed (exit code {process.returncode}).",
            hint="What it said is under the button. Check the network and free disk space, then try again.",
        )


def _read(process: subprocess.Popen[str], say: Callable[[object], None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        say(line.rstrip())


def _runs(process: subprocess.Popen[str]) -> bool:
    try:
        process.wait(_LOOK_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _end(process: subprocess.Popen[str]) -> None:
    """End the installer and what it started."""
    import psutil

    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        family = []
    process.terminate()
    for child in family:
        try:
            child.terminate()
        except psutil.Error:
            continue

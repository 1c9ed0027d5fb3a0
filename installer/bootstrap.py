"""The two commands: `run` opens the program, `test` checks it. Needs only Python 3.11 and a network for packages.

    python3 installer/bootstrap.py run  [--torch cpu|cuda|auto] [--local-model] [-- FILE_OR_FOLDER …]
    python3 installer/bootstrap.py test [--torch cpu|cuda|auto] [-- PYTEST_ARGUMENT …]

Only the standard library is used here: nothing else is installed yet. A second run installs nothing when nothing
changed.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "vvlm-installed.txt"
CONSTRAINTS = ROOT / "installer" / "constraints.txt"
#: PyTorch's own index: the usual one has no CPU build for Linux and no CUDA build for Windows.
TORCH_INDEX = {"cpu": "https://download.pytorch.org/whl/cpu", "cuda": "https://download.pytorch.org/whl/cu130"}

#: What a bare Debian or Ubuntu lacks to import Qt (first six) and to open a window under X11, and the file it gives.
QT_PACKAGES = {
    "libglib2.0-0": "libglib-2.0.so.0",
    "libgl1": "libGL.so.1",
    "libegl1": "libEGL.so.1",
    "libdbus-1-3": "libdbus-1.so.3",
    "libfontconfig1": "libfontconfig.so.1",
    "libxkbcommon0": "libxkbcommon.so.0",
    "libxcb-cursor0": "libxcb-cursor.so.0",
    "libxcb-icccm4": "libxcb-icccm.so.4",
    "libxcb-keysyms1": "libxcb-keysyms.so.1",
    "libxcb-shape0": "libxcb-shape.so.0",
    "libxcb-xkb1": "libxcb-xkb.so.1",
    "libxkbcommon-x11-0": "libxkbcommon-x11.so.0",
}
_IMPORT_QT = "import PySide6.QtGui, PySide6.QtWidgets, PySide6.QtSvg"
_OPEN_DISPLAY = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"


class BootstrapError(Exception):
    """Something that the user must do first; the message says what."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two commands and return its exit code."""
    own, _, rest = _split(list(sys.argv[1:] if arguments is None else arguments))
    parser = argparse.ArgumentParser(prog="bootstrap.py", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("command", choices=("run", "test"))
    parser.add_argument("--torch", choices=("auto", "cpu", "cuda"), default="auto", help="which build of PyTorch")
    parser.add_argument("--local-model", action="store_true", help="install what local video models need, GPU or not")
    options = parser.parse_args(own)
    try:
        _check_python()
        if options.command == "test":
            return _test(rest, torch=options.torch)
        return _run(rest, torch=options.torch, local_model=options.local_model)
    except BootstrapError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 3
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr, flush=True)
        return 130


def _split(arguments: list[str]) -> tuple[list[str], str, list[str]]:
    if "--" not in arguments:
        return arguments, "", []
    at = arguments.index("--")
    return arguments[:at], "--", arguments[at + 1 :]


def _run(rest: Sequence[str], *, torch: str, local_model: bool) -> int:
    gpu = _gpu_name()
    extras = ["local"] if local_model or gpu else []
    _install(extras, torch=torch)
    _ensure_qt()
    if gpu:
        _say(f"GPU: {gpu}. The packages for local video models are installed.")
    elif not local_model:
        _say(
            "No NVIDIA GPU was found: the built-in analysis is used. To install the packages for local video models\n"
            "all the same: python3 installer/bootstrap.py run --local-model"
        )
    if _has_display():
        return _call("-m", "vvlm_desktop", "app", *rest)
    _say("There is no display here: doing the same job without a window (vvlm demo).\n")
    return _call("-m", "vvlm_desktop", "demo", env={"QT_QPA_PLATFORM": "offscreen"})


def _test(rest: Sequence[str], *, torch: str) -> int:
    _install(["local", "cloud", "test"], torch=torch)
    _ensure_qt()
    steps: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("lint", ("-m", "ruff", "check", ".")),
        ("format", ("-m", "ruff", "format", "--check", ".")),
        ("types", ("-m", "mypy")),
        ("imports", ("-c", "from importlinter.cli import lint_imports_command as run; run()")),
        ("dependencies", ("-m", "deptry", "vvlm_desktop", "training")),
        ("tests", ("-m", "pytest", "-n", "2", *rest)),
    )
    failed = []
    # One thread for each numeric library: two busy ones made a tiny model ten times slower.
    env = {"QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    for name, command in steps:
        _say(f"== {name}")
        started = time.monotonic()
        if _call(*command, env=env):
            failed.append(name)
        print(
            f"== {name}: {'FAILED' if name in failed else 'ok'} after {time.monotonic() - started:.0f} s\n", flush=True
        )
    print("All steps passed." if not failed else f"FAILED: {', '.join(failed)}")
    return 1 if failed else 0


def _check_python() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what tells it
        raise BootstrapError(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")


def _install(extras: Sequence[str], *, torch: str) -> None:
    """Make `.venv` and install the program into it, unless that was done for exactly these files before."""
    done = STAMP.read_text(encoding="utf-8").split("\n") if STAMP.is_file() else []
    wanted = sorted(set(extras) | (set(done[1].split()) if len(done) > 1 else set()))
    stamp = f"{_fingerprint(torch)}\n{' '.join(wanted)}"
    if PYTHON.is_file() and done == stamp.split("\n"):
        return
    if not _has_pip():
        _say(f"Making {VENV.name} …")
        _make_venv()
    STAMP.unlink(missing_ok=True)
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-c", str(CONSTRAINTS)]
    if "local" in wanted:
        _install_torch(pip, torch=torch)
    target = f"{ROOT}[{','.join(wanted)}]" if wanted else str(ROOT)
    _say(f"Installing VVLM Desktop ({', '.join(wanted) or 'core'}) …")
    _pip([*pip, "-e", target])
    STAMP.write_text(stamp, encoding="utf-8")


def _install_torch(pip: Sequence[str], *, torch: str) -> None:
    """PyTorch in the build that fits, before anything else: nothing installed later then replaces it by another."""
    pinned = next(line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    if torch == "auto":
        torch = "cuda" if _gpu_name() else "cpu"
    _say(f"Installing {pinned} for {torch.upper()} …")
    usual = {"cpu": not sys.platform.startswith("linux"), "cuda": sys.platform.startswith("linux")}[torch]
    if usual:
        _pip([*pip, pinned])
        return
    # Under Linux the usual index has only the build for CUDA, under Windows only the one for the CPU. A wheel of the
    # other kind may be at hand all the same; else PyTorch's own index has it.
    local = f"{pinned}+{'cpu' if torch == 'cpu' else 'cu130'}"
    if _tried([*pip, local]) or _tried([*pip, "--extra-index-url", TORCH_INDEX[torch], local]):
        return
    _say(f"{local} was not found; taking the usual build, which is larger (several GB).")
    _pip([*pip, pinned])


def _has_pip() -> bool:
    """Whether there is a virtual environment that can be used; one whose making was interrupted cannot."""
    try:
        return subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    result = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if "ensurepip" in result.stdout + result.stderr:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        _apt_or_tell([package, *_missing_packages()], why="Python's venv module is missing.")
        if subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False).returncode == 0:
            return
    raise BootstrapError(f"The virtual environment could not be made:\n{result.stdout}{result.stderr}")


def _tried(arguments: Sequence[str]) -> bool:
    """Whether pip could do it; what it says otherwise is of no interest."""
    return subprocess.run([str(PYTHON), *arguments], capture_output=True, check=False, cwd=ROOT).returncode == 0


def _pip(arguments: Sequence[str]) -> None:
    if subprocess.run([str(PYTHON), *arguments], check=False, cwd=ROOT).returncode:
        raise BootstrapError(
            "The packages could not be installed (see above). Check the network and free disk space, then run\n"
            "the same command again: it goes on where it stopped."
        )


def _fingerprint(torch: str) -> str:
    digest = hashlib.sha256(f"{sys.version_info[:2]}{torch}{ROOT}".encode())
    for file in (ROOT / "pyproject.toml", CONSTRAINTS):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _ensure_qt() -> None:
    """Install the system libraries that Qt needs, or say which command does."""
    error = _qt_error()
    if error is None:
        return
    missing = re.search(r"(lib[\w.+-]+\.so[.\d]*)", error)
    if not sys.platform.startswith("linux") or missing is None:
        raise BootstrapError(f"Qt cannot be loaded:\n{error}")
    _apt_or_tell(
        _missing_packages() or list(QT_PACKAGES), why=f"Qt needs {missing.group(1)}, which this machine lacks."
    )
    error = _qt_error()
    if error is not None:
        raise BootstrapError(f"Qt still cannot be loaded:\n{error}")


def _missing_packages() -> list[str]:
    """Packages of `QT_PACKAGES` whose library this machine does not have."""
    if not sys.platform.startswith("linux"):
        return []
    missing = []
    for package, file in QT_PACKAGES.items():
        try:
            ctypes.CDLL(file)
        except OSError:
            missing.append(package)
    return missing


def _qt_error() -> str | None:
    result = subprocess.run([str(PYTHON), "-c", _IMPORT_QT], capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else result.stderr.strip().splitlines()[-1]


def _has_display() -> bool:
    """Whether a window can be opened; missing X11 libraries are installed if that is what stops it."""
    if not sys.platform.startswith("linux"):
        return True
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    if os.environ.get("QT_QPA_PLATFORM") in {"offscreen", "minimal"}:
        return False
    opened = _open_display()
    if opened.returncode and "xcb" in opened.stderr and "could not connect to display" not in opened.stderr:
        missing = _missing_packages()
        if missing:
            _apt_or_tell(missing, why="A window needs X11 libraries that this machine lacks.")
            opened = _open_display()
    if opened.returncode:
        shown = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
        _say(
            f"No window can be opened on the display {shown}: {(opened.stderr.strip().splitlines() or ['?'])[0][:200]}"
        )
    return opened.returncode == 0


def _open_display() -> subprocess.CompletedProcess[str]:
    command = [str(PYTHON), "-c", _OPEN_DISPLAY]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _apt_or_tell(packages: Sequence[str], *, why: str) -> None:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None:
        raise BootstrapError(f"{why}\nInstall it with your system's packages; on Debian they are: {' '.join(packages)}")
    if os.name != "posix" or os.geteuid() != 0:
        raise BootstrapError(
            f"{why}\nRun this as root (or with sudo before each part), then the same command again:\n"
            f"  apt-get update && {' '.join(command)}"
        )
    _say(f"{why} Installing: {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=False, env=env)
    if subprocess.run([*command, "-qq"], check=False, env=env, stdout=subprocess.DEVNULL).returncode:
        raise BootstrapError(f"{why}\nThis failed, please look at its message:\n  {' '.join(command)}")


def _gpu_name() -> str | None:
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip().splitlines()[0] if result.returncode == 0 and result.stdout.strip() else None


def _say(text: str) -> None:
    """At once, so that it comes before what the children print."""
    print(text, flush=True)


def _call(*arguments: str, env: dict[str, str] | None = None) -> int:
    command = [str(PYTHON), *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, **(env or {})}).returncode


if __name__ == "__main__":
    sys.exit(main())

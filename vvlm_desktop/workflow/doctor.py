"""What this installation has, what is missing, and the command that mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from vvlm_desktop import __version__, paths
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.settings import Settings, load_settings
from vvlm_desktop.workflow.gpu import Hardware, hardware
from vvlm_desktop.workflow.left_overs import HOW, left_overs
from vvlm_desktop.workflow.model_shelf import installed_models, partly_here
from vvlm_desktop.workflow.session import Session, load_schema, open_session

State: TypeAlias = Literal["ok", "missing", "broken"]

_MARKS: dict[State, str] = {"ok": "ok", "missing": "–", "broken": "!"}
_CORE = ("PySide6-Essentials", "av", "numpy", "opencv-python-headless", "SQLAlchemy", "alembic", "pydantic", "keyring")
_LOCAL = ("torch", "torchvision", "transformers", "peft", "llguidance", "bitsandbytes", "huggingface_hub", "decord")
_CLOUD = ("google-genai", "openai")
_TORCH_CUDA = "python3 installer/bootstrap.py run --local-model --torch cuda"
#: `cuda: Optional[str] = '13.0'` in torch/version.py; `None` in a build without.
_CUDA_LINE = re.compile(r"""^cuda\b[^=]*=\s*['"]([0-9.]+)['"]""", re.MULTILINE)
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
        *_for_models(hardware()),
        *_library(library_dir),
        *_files(),
        _signing(),
    ]


def _for_models(on: Hardware) -> list[Check]:
    checks = [_gpu(on), _torch_build(on)]
    return [check for check in checks if check is not None]


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


def _gpu(on: Hardware) -> Check:
    if not on.gpus:
        needless = "" if on.mend else " The built-in analysis needs none."
        return Check("GPU", "missing", f"{on.problem}{needless}", on.mend)
    found = [f"{g.name}, {g.free_bytes / 1024**3:.1f} of {g.total_bytes / 1024**3:.1f} GiB free" for g in on.gpus]
    taken = f"; taken by {on.holder.purpose} (process {on.holder.pid})" if on.holder else ""
    return Check("GPU", "ok", f"{'; '.join(found)}; driver {on.driver}, CUDA up to {on.cuda}{taken}")


def _torch_build(on: Hardware) -> Check | None:
    """Whether the installed torch can use the GPU; None without torch. It is looked at, not imported."""
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None
    name, cuda = "PyTorch on this GPU", torch_cuda()
    if cuda is None:
        if on.gpus:
            return Check(name, "missing", f"{version} is a build for processors only; the GPU lies idle", _TORCH_CUDA)
        return Check(name, "ok", f"{version}, for processors; there is no GPU")
    if not on.gpus:
        return Check(name, "missing", f"{version} is built for CUDA {cuda}, but no GPU can be used", on.mend)
    # Within one major version, CUDA runs on older drivers of it too.
    if on.cuda and int(on.cuda.split(".")[0]) < int(cuda.split(".")[0]):
        problem = f"{version} is built for CUDA {cuda}, but the driver {on.driver} only knows CUDA {on.cuda}"
        return Check(name, "missing", problem, f"install a newer NVIDIA driver (one for CUDA {cuda}), then restart")
    return Check(name, "ok", f"{version} is built for CUDA {cuda}")


def torch_cuda(folder: Path | None = None) -> str | None:
    """CUDA version that the installed torch was built for, None for a build without; read from its files.

    Args:
        folder: of the package; the installed one when None.
    """
    if folder is None:
        spec = importlib.util.find_spec("torch")
        if spec is None or not spec.submodule_search_locations:
            return None
        folder = Path(next(iter(spec.submodule_search_locations)))
    try:
        text = (folder / "version.py").read_text(encoding="utf-8")
    except OSError:
        return None
    found = _CUDA_LINE.search(text)
    return found[1] if found else None


def _models(settings: Settings) -> list[Check]:
    folder = settings.models_folder()
    try:
        models, begun = installed_models(settings), partly_here(settings)
    except VvlmError as error:
        return [Check("Local models", "broken", str(error), error.hint)]
    ready = [model.name for model in models if model.state == "ready"]
    checks = [Check("Local models", "ok" if ready else "missing", f"{folder}: {', '.join(ready) or 'none yet'}")]
    checks += [
        Check("Local model", "missing", f"{model.name}: {model.reason}", model.hint)
        for model in models
        if model.state == "broken"
    ]
    checks += [
        Check("Local model", "missing", f"{part.name} is only partly here", f"vvlm models download {part.name}")
        for part in begun
    ]
    return checks


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
            library = [Check("Library", "ok", f"{folder} ({count} clips)"), *_left_over(session)]
    except VvlmError as error:
        library = [Check("Library", "broken", str(error), error.hint)]
    return [*library, _space(folder), *_models(settings)]


def _left_over(session: Session) -> list[Check]:
    """What a killed program could not delete at Gemini; known from the ledger, nobody is asked."""
    found = left_overs(session)
    return [Check("Uploads left over", "missing", found.sentence, HOW)] if found else []


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
        Check("Logs", "ok", _logs()),
        Check("Resources", "ok", str(paths.resources_dir())),
        Check("Display", *_display()),
    ]


def _logs() -> str:
    """Where they are, or would be: nothing is written before there is something to say."""
    folder = paths.log_dir()
    try:
        written = sorted(file.name for file in folder.glob("*.log"))
    except OSError:
        written = []
    return f"{folder} ({', '.join(written)})" if written else f"{folder} (nothing was logged yet)"


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

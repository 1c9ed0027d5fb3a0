"""Adapters of finished runs become models' adapters: each once, whole or not at all, and never again once deleted."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from vvlm_desktop.backends.atomic_file import write_atomically
from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import ModelFolderError, UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.adapters import adapters_folder
from vvlm_desktop.workflow.model_import import import_folder
from vvlm_desktop.workflow.run_events import table, text
from vvlm_desktop.workflow.run_launch import cannot_write
from vvlm_desktop.workflow.run_shelf import Run, list_runs
from vvlm_desktop.workflow.session import Session

#: In the run's folder: that its adapter was taken to the models, under which name, or why it was not.
ADOPTED_FILE = "adopted.json"
_CARD_FILE = "card.json"
_WEIGHTS_FILE = "adapter_model.safetensors"
_LOCK_FILE = ".adopting.lock"
_MOST_NAMES = 1000
#: Of the weights: their header and the first numbers tell two trainings apart.
_WEIGHTS_BYTES = 1 << 20

_log = logging.getLogger(__name__)


def adopt_finished(session: Session) -> list[str]:
    """Take the adapters of finished runs to the models, so that Analyse and Compare can use them; names of new ones.

    Raises:
        StorageFullError: the disk is full, or a folder cannot be written.
    """
    waiting = [run for run in list_runs(session) if RunFiles(run.folder).finished and not _settled(run)]
    if not waiting:
        return []
    home = adapters_folder(session.settings)
    try:
        home.mkdir(parents=True, exist_ok=True)
        with GpuSlot(home / _LOCK_FILE) as lock:  # the same kind of lock: the system lets go of it
            if not lock.acquire("adapters"):
                return []  # another window does it just now
            taken = [_adopt(session.settings, run) for run in reversed(waiting) if not _settled(run)]
    except OSError as error:
        raise cannot_write(home, error) from error
    return [name for name in taken if name]


def adopt_again(session: Session, run: Run) -> None:
    """Take a run's adapter to the models although it was deleted there: somebody wants to use it after all.

    Raises:
        StorageFullError: the disk is full, or a folder cannot be written.
    """
    try:
        (run.folder / ADOPTED_FILE).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(run.folder, error) from error
    adopt_finished(session)


def adopted_name(run: Run) -> str:
    """The name by which Analyse knows the adapter of a run; empty where it was not taken to the models."""
    return text(_note(run).get("name"))


def holds_last_copy(session: Session, run: Run) -> bool:
    """Whether a run's adapter lies in the run's folder alone: the models have none like it, or none any more."""
    identity = card_identity(RunFiles(run.folder).adapter_dir)
    if not identity:
        return RunFiles(run.folder).finished
    try:
        others = [path for path in adapters_folder(session.settings).iterdir() if path.is_dir()]
    except OSError:
        return True
    return all(card_identity(path) != identity for path in others if not path.name.startswith("."))


def card_identity(folder: Path) -> str:
    """What tells an adapter from all others, wherever it is copied to; empty for one that no training here made."""
    try:
        found = hashlib.sha256((folder / _CARD_FILE).read_bytes())
        with (folder / _WEIGHTS_FILE).open("rb") as weights:
            found.update(weights.read(_WEIGHTS_BYTES))
            found.update(str(weights.seek(0, 2)).encode())
    except OSError:
        return ""
    return found.hexdigest()


def _adopt(settings: Settings, run: Run) -> str:
    """Copy a run's adapter; its name, empty where it was there already or cannot be taken."""
    source = RunFiles(run.folder).adapter_dir
    identity = card_identity(source)
    home = adapters_folder(settings)
    known = {card_identity(path): path.name for path in home.iterdir() if path.is_dir() and path.name[0] != "."}
    if identity and identity in known:
        _settle(run, name=known[identity], identity=identity)
        return ""
    # First of all: what cannot be noted would come back after it was deleted.
    _write(run, {"state": "copying", "identity": identity})
    try:
        found = import_folder(settings, source, copy=True, name=_free_name(home, run.name))
    except (ModelFolderError, UsageError) as error:
        _log.warning("The adapter of %s was not taken to the models: %s", run.name, error)
        _write(run, {"state": "refused", "reason": str(error), "identity": identity})
        return ""
    _settle(run, name=found.name, identity=identity)
    return found.name


def _free_name(home: Path, name: str) -> str:
    """The run's name, or with a number where another library's adapter is called so."""
    names = [name, *(f"{name}-{number}" for number in range(2, _MOST_NAMES))]
    return next((each for each in names if not (home / each).exists()), name)


def _settled(run: Run) -> bool:
    """Whether it was decided about: taken once, or not to be taken. A copy that was cut short is made again."""
    return text(_note(run).get("state")) in {"adopted", "refused"}


def _settle(run: Run, *, name: str, identity: str) -> None:
    _write(run, {"state": "adopted", "name": name, "identity": identity})


def _note(run: Run) -> dict[str, object]:
    try:
        return table(json.loads((run.folder / ADOPTED_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}


def _write(run: Run, note: dict[str, str]) -> None:
    write_atomically(run.folder / ADOPTED_FILE, json.dumps({**note, "at": utc_now()}) + "\n")

"""The fine-tunes that a library has, and what was measured of them: found, listed, compared, deleted."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.backends.train_config import TrainConfig, load_config
from vvlm_desktop.errors import SettingsError, UsageError
from vvlm_desktop.workflow.evaluation_files import METRICS_FILE, answered_clips
from vvlm_desktop.workflow.promotion_log import record_looks
from vvlm_desktop.workflow.run_events import plain_log, table, text
from vvlm_desktop.workflow.run_launch import cannot_write, working
from vvlm_desktop.workflow.run_moved import Moved
from vvlm_desktop.workflow.session import Session

RUNS_FOLDER = "runs"
EVALUATION_PREFIX = "evaluation-"
#: When a run was made; `run.toml` is written again by each trainer.
CREATED_FILE = "created.json"
_RUN_FOLDER = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,60})-(?P<number>\d{3,6})")
_LOG_LINE_CHARACTERS = 2000
#: In which every two runs differ, and which say nothing about what they learn.
_OWN = frozenset({"run_dir", "name", "cache_dir", "cache_limit_gb", "cache"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """A fine-tune of this library.

    Attributes:
        folder: `runs/NAME-NUMBER` in the library's folder.
        name: of the run and of the adapter that it makes, for example "march-001".
        config: as it was begun, with folders where they are now.
        created_at: when its folder was made.
        moved: values of the config that its file has otherwise, because a folder is elsewhere now; see `run_moved`.
    """

    folder: Path
    name: str
    config: TrainConfig
    created_at: str
    moved: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Answers of base and adapters about one part of a training set, scored.

    Attributes:
        folder: holds `metrics.json` and `answers.jsonl`, or `events.jsonl` alone until it has ended.
        metrics: as `training.evaluate` writes them; empty until it has ended.
    """

    folder: Path
    run: Run
    split: str
    metrics: Mapping[str, Any]

    @property
    def answerers(self) -> tuple[str, ...]:
        """`base` and the names of the adapters."""
        return tuple(self.metrics.get("scores", ()))


def runs_folder(session: Session) -> Path:
    """Where the runs of a library lie."""
    return session.library.folder / RUNS_FOLDER


def list_runs(session: Session) -> list[Run]:
    """All runs, the newest first; a folder that cannot be read is not listed, and logged."""
    try:
        folders = [path for path in runs_folder(session).iterdir() if _RUN_FOLDER.fullmatch(path.name)]
    except OSError:
        return []
    places = Moved(session.settings)
    found = [run for run in (_read(folder, places) for folder in folders) if run is not None]
    return sorted(found, key=lambda run: (run.created_at, run.name), reverse=True)


def find_run(session: Session, wanted: str) -> Run:
    """A run by its name, its number, a unique part of its name, or its folder; `fleet-3` is fleet-003.

    Raises:
        UsageError: none fits, or several.
    """
    every, wanted = list_runs(session), wanted.strip()
    folder = Path(wanted).expanduser()
    exact = [run for run in every if run.name.lower() == wanted.lower()]
    by_path = [run for run in every if wanted and folder.is_dir() and run.folder.samefile(folder)]
    parts = [run for run in every if wanted and wanted.lower() in run.name.lower()]
    by_number = [run for run in every if _says_number(wanted.lower(), run)]
    for fitting in (exact, by_path, by_number, parts):
        if len(fitting) == 1:
            return fitting[0]
    names = ", ".join(run.name for run in (parts or every)[:12]) or "none yet; `vvlm train SET` makes one"
    problem = f"“{wanted}” fits several runs." if parts else f"There is no run “{wanted}”."
    raise UsageError(problem, hint=f"Runs: {names}.")


def remove_run(session: Session, run: Run) -> None:
    """Delete its folder; an adapter that was taken to the models stays there.

    That it was measured on the test part is written down: each look spends some of what that part can prove.

    Raises:
        UsageError: it is being trained or measured, or does not lie in this library.
        StorageFullError: the folder cannot be deleted.
    """
    if run.folder.parent.resolve() != runs_folder(session).resolve() or not _RUN_FOLDER.fullmatch(run.folder.name):
        raise UsageError(f"{run.folder} is no run of this library, so it is not deleted.")
    if any(working(RunFiles(folder)) for folder in (run.folder, *evaluation_folders(run))):
        raise UsageError(f"{run.name} is being worked on.", hint=f"Stop it first: vvlm runs stop {run.name}")
    for folder in evaluation_folders(run):
        clips, adapters = answered_clips(folder)
        record_looks(session, adapters, clips)
    try:
        if run.folder.is_symlink():
            run.folder.unlink()
            return
        # Out of the list at once: half a run must not be found should this be cut short.
        gone = run.folder.with_name(f".{run.folder.name}.removing")
        shutil.rmtree(gone, ignore_errors=True)
        run.folder.rename(gone)
        shutil.rmtree(gone)
    except OSError as error:
        raise cannot_write(run.folder, error) from error


def evaluations(run: Run) -> list[Evaluation]:
    """All that ended well, the newest first."""
    found = [read_evaluation(run, folder) for folder in evaluation_folders(run)]
    ended = [each for each in found if each.metrics]
    return sorted(ended, key=lambda each: (text(each.metrics.get("created_at")), each.folder.name), reverse=True)


def evaluation_folders(run: Run) -> list[Path]:
    """Folders of all evaluations of a run, ended or not."""
    try:
        return sorted(path for path in run.folder.glob(f"{EVALUATION_PREFIX}*") if path.is_dir())
    except OSError:
        return []


def read_evaluation(run: Run, folder: Path) -> Evaluation:
    """An evaluation as it lies there; without metrics where it has not ended well."""
    split = folder.name.removeprefix(EVALUATION_PREFIX).partition("-")[0]
    try:
        metrics = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        metrics = {}
    return Evaluation(folder, run, split, metrics if _has_form(metrics) else {})


def _has_form(metrics: Any) -> bool:
    """Whether what is shown can be found where it belongs: tables of tables, whoever wrote them."""
    if not isinstance(metrics, dict) or not isinstance(metrics.get("scores"), dict):
        return False
    scores, paired = metrics["scores"].values(), metrics.get("paired", {})
    if not all(isinstance(each, dict) and isinstance(each.get("fields", {}), dict) for each in scores):
        return False
    if not isinstance(paired, dict) or not isinstance(metrics.get("unreadable", {}), dict):
        return False
    by_field = [*(each.get("fields", {}) for each in scores), *paired.values()]
    return all(isinstance(each, dict) and all(isinstance(row, dict) for row in each.values()) for each in by_field)


def log_tail(run: Run, *, lines: int = 200) -> str:
    """The end of what the process wrote, without control characters."""
    found = plain_log(RunFiles(run.folder).log_file)
    while found and not found[-1]:
        found.pop()
    return "\n".join(line[:_LOG_LINE_CHARACTERS] for line in found[-lines:])


def runs_apart(runs: Sequence[Run]) -> list[tuple[str, tuple[str, ...]]]:
    """Values of the config in which runs differ: title, and each run's value in words; for side by side."""
    found = []
    for key, its in TrainConfig.model_fields.items():
        values = [getattr(run.config, key) for run in runs]
        if key not in _OWN and any(value != values[0] for value in values):
            found.append((its.title or key, tuple(in_words(value) for value in values)))
    return found


def in_words(value: object) -> str:
    """A value of a config for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return text(str(value)) or "–"


def _says_number(wanted: str, run: Run) -> bool:
    name, _, number = wanted.rpartition("-")
    own = number_of(run.name)
    same = own is not None and number.isascii() and number.isdigit() and number.lstrip("0") == str(own[1])
    return same and own is not None and name in ("", own[0].lower())


def number_of(folder_name: str) -> tuple[str, int] | None:
    """Name and number of a run by its folder's name; None for another folder."""
    match = _RUN_FOLDER.fullmatch(folder_name)
    return (match["name"], int(match["number"])) if match else None


def _read(folder: Path, places: Moved) -> Run | None:
    try:
        config = load_config(RunFiles(folder).config_file)
        created_at = _created(folder) or _changed(RunFiles(folder).config_file)
    except (SettingsError, OSError) as error:
        _log.warning("%s is no run that can be read: %s", folder, error)
        return None
    # A library that was moved keeps its runs: they are where they are found, whatever the config says.
    moved = places.found(config, folder)
    return Run(folder, folder.name, config.model_copy(update={"run_dir": str(folder), **moved}), created_at, moved)


def _created(folder: Path) -> str:
    try:
        note = json.loads((folder / CREATED_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    return text(table(note).get("created_at"))


def _changed(file: Path) -> str:
    at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

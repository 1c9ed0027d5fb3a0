"""Whether the numbers of a promotion mean anything: who is compared, on which clips, with which weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.errors import ModelFolderError, UsageError
from vvlm_desktop.formats.target import supervised_labels
from vvlm_desktop.workflow.adapter_gate import read_card, weights_sha256
from vvlm_desktop.workflow.adapters import adapter_named
from vvlm_desktop.workflow.evaluation_files import BASE, answered_clips
from vvlm_desktop.workflow.measured import Measured, SetClip
from vvlm_desktop.workflow.model_shelf import find_model
from vvlm_desktop.workflow.promotion_log import default_in_use, looks
from vvlm_desktop.workflow.promotion_weighing import Check
from vvlm_desktop.workflow.runs import RUNS_FOLDER, Run
from vvlm_desktop.workflow.session import Session

#: Another evaluation used the same test part if it shares so much of its clips.
_SAME_PART = 0.5
_NOT_COMPARED = "Not compared with what is in use"
_NOT_MEASURED = "Not the weights that were measured"
_NAMES_SHOWN = 3
_PAGE = 500


# --- who against whom -----------------------------------------------------------------------------------------------


def candidate_of(measured: Measured, run: Run) -> str:
    """The run's own adapter among those who answered.

    Raises:
        UsageError: it is not among them.
    """
    names = (run.name, str(read_card(RunFiles(run.folder).adapter_dir).get("name") or ""))
    for name in names:
        if name != BASE and name in measured.answers:
            return name
    answered = ", ".join(name for name in measured.answers if name != BASE) or "only the model alone"
    raise UsageError(
        f"The adapter of {run.name} did not answer in this evaluation.",
        hint=f"Answered: {answered}. Measure the run again.",
    )


def base_of_run(session: Session, run: Run) -> str:
    """What the settings call the model that the run was trained on.

    Raises:
        UsageError, ModelFolderError: it is not on this computer any more, or cannot be used.
    """
    found = find_model(session.settings, run.config.model_dir)
    return found.name if found.entry is not None else str(found.path)


def check_against(session: Session, measured: Measured, run: Run) -> tuple[str, Check]:
    """With whom the candidate is compared: the default in use where it answered too, else the model alone."""
    title = "Compared with what is in use"
    backend, model, adapter = default_in_use(session.settings)
    if backend == "signals" or (backend == "local" and not model):
        return BASE, Check(title, "No model is in use; compared with the model alone.", True)
    if backend != "local":
        seen = f"{backend.capitalize()} is in use, and was not measured. Use {_base_name(session, run)} alone first."
        return BASE, Check(title, seen, False, _NOT_COMPARED)
    try:
        base = base_of_run(session, run)
        same = find_model(session.settings, model).name == find_model(session.settings, base).name
    except (UsageError, ModelFolderError) as error:
        return BASE, Check(title, f"The model in use cannot be told: {error}", False, _NOT_COMPARED)
    if not same:
        seen = f"{model} is in use, which is another model and was not measured. Use {base} alone first."
        return BASE, Check(title, seen, False, _NOT_COMPARED)
    if not adapter:
        return BASE, Check(title, "The model alone is in use, and answered about the same clips.", True)
    return _against_adapter(session, measured, run, adapter, title)


def is_default(session: Session, run: Run) -> bool:
    """Whether Analyse uses the adapter of a run already, with the model that it was trained on."""
    backend, model, adapter = default_in_use(session.settings)
    found = adapter_named(session.settings, adapter) if backend == "local" and adapter else None
    sha256 = weights_sha256(found.path) if found is not None else ""
    same = sha256 != "" and sha256 == weights_sha256(RunFiles(run.folder).adapter_dir)
    return same and model == _base_name(session, run)


def _against_adapter(session: Session, measured: Measured, run: Run, adapter: str, title: str) -> tuple[str, Check]:
    name, found = Path(adapter).name, adapter_named(session.settings, adapter)
    if found is None:
        return BASE, Check(title, f"{name} is in use, and is not on this computer any more.", False, _NOT_COMPARED)
    if weights_sha256(found.path) == weights_sha256(RunFiles(run.folder).adapter_dir):
        return BASE, Check(title, f"{name} is the default already.", False, settled=True)
    if name not in measured.answers:
        return BASE, Check(title, f"{name} is in use and did not answer. Measure again.", False, _NOT_COMPARED)
    if not _same_weights(measured, name, found.path):
        return name, Check(title, f"{name} was changed since it answered. Measure again.", False, _NOT_COMPARED)
    return name, Check(title, f"{name} is in use, and answered about the same clips.", True)


def _base_name(session: Session, run: Run) -> str:
    try:
        return base_of_run(session, run)
    except (UsageError, ModelFolderError):
        return run.config.model_id or Path(run.config.model_dir).name


# --- whether the numbers mean anything ------------------------------------------------------------------------------


def check_weights(measured: Measured, run: Run, candidate: str) -> Check:
    """Whether the weights that answered are those that are there."""
    title = "The weights that were measured"
    folder = RunFiles(run.folder).adapter_dir
    sha256 = weights_sha256(folder)
    if not sha256:
        return Check(title, "The run's adapter is gone.", False, _NOT_MEASURED)
    if not _same_weights(measured, candidate, folder):
        return Check(
            title, "The adapter's weights were written or changed after they were measured.", False, _NOT_MEASURED
        )
    return Check(title, f"The adapter is the one that answered (SHA-256 {sha256[:12]}…).", True)


def _same_weights(measured: Measured, answerer: str, folder: Path) -> bool:
    told = measured.weights_sha256(answerer)
    if told:
        return told == weights_sha256(folder)
    try:
        written = datetime.fromtimestamp((folder / "adapter_model.safetensors").stat().st_mtime, UTC)
        # Without a fingerprint the clock has to do; a copy made later keeps or renews the time, and is then refused.
        return written <= datetime.fromisoformat(measured.started_at)
    except (OSError, ValueError, TypeError):  # no time at all, or one without its zone
        return False


def check_same_set(measured: Measured, run: Run) -> Check:
    """Whether evaluation, card and training set speak of the same set."""
    told = measured.metrics["training_set"].get("fingerprint")
    card = _trained_on(run).get("fingerprint")
    holds = told == measured.fingerprint == card
    name = Path(run.config.train_set).name
    seen = f"All of {name}." if holds else f"Trained, measured and {name} as it is now are not of the same records."
    return Check("One training set", seen, holds, "Not one training set")


def check_unseen(measured: Measured, run: Run) -> Check:
    """Whether nothing that the adapter learnt from is in the test part: by content, and by what looks alike."""
    title, fails = "Clips it never saw", "It saw test clips, or may have"
    told = _trained_on(run).get("content_sha256")
    parts = [told.get(name) for name in ("train", "val")] if isinstance(told, dict) else []
    listed = {str(sha256) for part in parts if isinstance(part, list) for sha256 in part}
    if not listed:
        return Check(title, "The adapter's card does not say what it was trained on.", False, fails)
    start = read_card(RunFiles(run.folder).adapter_dir).get("started_from")
    if isinstance(start, dict) and start.get("clips_known") is False:
        seen_before = f"It went on from {start.get('name')}, and nobody knows on which clips that was trained."
        return Check(title, f"{seen_before} Train anew without start_from.", False, fails)
    learnt = measured.part("train", "val")
    contents = listed | {clip.sha256 for clip in learnt}
    groups = {clip.group for clip in learnt}
    test = [measured.clips[clip_id] for clip_id in measured.answered]
    seen = [clip.name for clip in test if clip.sha256 in contents or clip.group in groups]
    if seen:
        return Check(title, f"It was trained on {_names(seen)}, or on clips of the same recording.", False, fails)
    return Check(title, f"None of {len(test)} test clips, nor their recordings, is among {len(listed)} learnt.", True)


def _trained_on(run: Run) -> dict[str, Any]:
    told = read_card(RunFiles(run.folder).adapter_dir).get("training_set")
    return told if isinstance(told, dict) else {}


def check_complete(session: Session, measured: Measured, run: Run) -> Check:
    """Whether every clip of the frozen test part answered: what cannot be read makes the test another one.

    A clip whose review was taken back or erased since is no part of it any more.
    """
    title = "The whole test part"
    wanted = [clip for clip in measured.part("test") if clip.measurable]
    missing = [clip for clip in wanted if clip.id not in measured.answered]
    gone, _ = withdrawn(session, missing)
    missing = [clip for clip in missing if clip.id not in gone]
    if not missing:
        return Check(title, f"All {len(measured.answered)} clips were answered.", True)
    folder, reasons = Path(run.config.train_set).expanduser(), measured.metrics["unreadable"]
    told = _names(f"{clip.name} ({reasons.get(clip.name) or _reason(folder, clip)})" for clip in missing)
    there = len(wanted) - len(gone)
    return Check(
        title, f"{there - len(missing)} of {there} clips were answered; not: {told}.", False, "Not the whole test part"
    )


def _reason(folder: Path, clip: SetClip) -> str:
    there = clip.file is not None and (folder / clip.file).is_file()
    return "not asked about" if there else "its file is gone"


def withdrawn(session: Session, clips: Sequence[SetClip]) -> tuple[frozenset[str], int]:
    """Ids of clips whose review was taken back or erased since, and of how many others the truth was changed since."""
    schema = session.schema
    gone: set[str] = set()
    changed = 0
    for start in range(0, len(clips), _PAGE):
        page = clips[start : start + _PAGE]
        truths = session.library.truths([clip.id for clip in page], schema_key=schema.key)
        for clip in page:
            truth = truths.get(clip.id)
            now = supervised_labels(schema, truth) if truth is not None else {}
            if not now:
                gone.add(clip.id)
            changed += bool(now) and now != clip.known
    return frozenset(gone), changed


def looks_at(session: Session, measured: Measured, candidate: str) -> int:
    """How many adapters this test part has judged, this one included: those still here, and those in the log."""
    clips = frozenset(measured.answered)
    names = {candidate, *(name for name in measured.answers if name != BASE)}
    for file in (session.library.folder / RUNS_FOLDER).glob("*/evaluation-*/metrics.json"):
        others, adapters = answered_clips(file.parent)
        if _same_part(clips, others):
            names |= adapters
    names |= {look.adapter for look in looks(session) if _same_part(clips, look.clips)}
    return len(names)


def _same_part(clips: frozenset[str], others: frozenset[str]) -> bool:
    return len(clips & others) >= _SAME_PART * len(clips) > 0


def _names(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _NAMES_SHOWN} more" if len(every) > _NAMES_SHOWN else ""
    return f"{', '.join(every[:_NAMES_SHOWN])}{more}"

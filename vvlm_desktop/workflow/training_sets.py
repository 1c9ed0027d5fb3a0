"""Training sets: immutable folders in the library, named after what they hold, from which a model is fine-tuned.

A set is an export of ours with more in it: the frames that a model is shown, what belongs together, counts, weights,
where reviewers agree, and which clips of earlier sets are withdrawn. Making it again from the same reviews gives the
same set and no new folder.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import JobCancelledError, UsageError
from vvlm_desktop.formats.base import ExportContext, ExportItem, ExportReport
from vvlm_desktop.formats.staging import storage_error, sync_folder
from vvlm_desktop.formats.training_set import SECTION, TrainingSetFormat, content_id, read_manifest
from vvlm_desktop.workflow import training_facts
from vvlm_desktop.workflow.drafts import drafted_recordings
from vvlm_desktop.workflow.exporting import DEFAULT_FRAMES, export_context, gather_all, sampled_pts
from vvlm_desktop.workflow.near_duplicates import look_alikes
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_shelf import (
    TrainingSet,
    find_training_set,
    list_training_sets,
    mark_current,
    placements_of,
)
from vvlm_desktop.workflow.training_splits import SETS_FOLDER, Member, Placement, place, read_book, write_book

__all__ = [
    "MadeSet",
    "SetOptions",
    "TrainingSet",
    "find_training_set",
    "list_training_sets",
    "make_training_set",
    "placements_of",
    "withdrawn_since",
]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class SetOptions:
    """How a set is made.

    Attributes:
        frames: how many frames of each clip a model is shown.
        balance: field whose rare values are drawn more often, None for no weights.
        include_samples: let sample clips in, to show the mechanism.
        near_duplicates: keep clips that look the same in one part; needs every clip's pictures once.
        copy: copy the clips instead of linking them.
    """

    frames: int = DEFAULT_FRAMES
    balance: str | None = None
    include_samples: bool = False
    near_duplicates: bool = True
    copy: bool = False


@dataclass(frozen=True, slots=True)
class MadeSet:
    """What making a set did; `is_new` is False where it was there already, with the same content."""

    training_set: TrainingSet
    report: ExportReport
    is_new: bool


def make_training_set(
    session: Session,
    name: str,
    *,
    clips: Sequence[Clip] | None = None,
    options: SetOptions | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> MadeSet:
    """Make the next version of the set `name` from all reviewed clips, or from those of `clips`.

    Raises:
        UsageError: not a name, or a field that cannot be balanced.
        FormatError: nothing may train.
        StorageFullError: the disk is full.
        JobCancelledError: `cancelled` said so; nothing was written.
    """
    options = options or SetOptions()
    if not _NAME.fullmatch(name):
        raise UsageError(f"“{name}” cannot name a training set.", hint="Use small letters, digits, - and _.")
    parent = session.library.folder / SETS_FOLDER
    with GpuSlot(parent / ".lock") as lock:  # the same kind of lock: the operating system lets go of it
        try:
            free = lock.acquire(f"training set {name}")
        except OSError as error:
            raise storage_error(parent, error) from error
        if not free:
            raise UsageError(
                "Another window or command is making a training set of this library.", hint="Wait until it is done."
            )
        tell = progress or (lambda _fraction, _text: None)
        return _make(session, name, parent, clips=clips, options=options, tell=tell, cancelled=cancelled)


def _make(
    session: Session,
    name: str,
    parent: Path,
    *,
    clips: Sequence[Clip] | None,
    options: SetOptions,
    tell: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> MadeSet:
    earlier = list_training_sets(session)
    context = replace(
        export_context(session, copy=options.copy, include_samples=options.include_samples, cancelled=cancelled),
        sampler={"name": "uniform", "frames": options.frames},
        progress=lambda done, total, text: tell(0.6 + 0.4 * done / max(1, total), text),
    )
    items = gather_all(session, clips)
    book = read_book(parent, sets=[placements_of(each) for each in earlier])
    similar = _similar(session, tell=tell, cancelled=cancelled) if options.near_duplicates else []
    taking_part = {item.clip.id for item in _trainable(items, context=context)}
    placements = place(_members(session), similar=similar, book=book, taking_part=taking_part)
    items = [_placed(item, placements[item.clip.id]) for item in items]
    items = _with_frames(session, items, frames=options.frames, tell=tell, cancelled=cancelled)
    chosen = _trainable(items, context=context)
    if options.balance:
        drawn = training_facts.weights(session.schema, chosen, by=options.balance)
        items = [replace(item, weight=drawn.get(item.clip.id)) for item in items]
    about = _about(session, name, chosen, options=options, clips=clips, earlier=earlier)
    draft = parent / f".making-{uuid.uuid4().hex}"
    try:
        report = _FORMAT.write(items, draft, context=replace(context, extra={SECTION: about}))
        kept = {item.clip.id: placements[item.clip.id].split for item in chosen}
        # Before the set appears: a set without its decisions could later lose a clip of its test part to training.
        write_book(parent, {**kept, **book})
        return _appear(draft, parent, name, earlier=earlier, report=report)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def withdrawn_since(session: Session, training_set: TrainingSet) -> list[str]:
    """Clips of a set that may train no more, by id: dismissed, erased or taken back since it was made."""
    context = export_context(session, copy=False, include_samples=True, cancelled=lambda: False)
    still = {item.clip.id for item in _trainable(gather_all(session, None), context=context)}
    return sorted(placements_of(training_set).keys() - still)


_FORMAT = TrainingSetFormat()


def _trainable(items: Sequence[ExportItem], *, context: ExportContext) -> list[ExportItem]:
    return [item for item in items if _FORMAT.reason_to_leave_out(item, context=context) is None]


def _members(session: Session) -> list[Member]:
    """Every clip of the library: those that are not in this set can tie others together all the same."""
    drafted = drafted_recordings(session)
    every = ((clip, clip.recording or clip.id) for clip in session.library.all_clips())
    return [Member(clip.id, recording, recording in drafted) for clip, recording in every]


def _similar(
    session: Session, *, tell: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> list[tuple[str, str]]:
    """Pairs of clips of the library that look the same."""
    found = look_alikes(
        session, session.library.all_clips(), tell=lambda done, text: tell(0.4 * done, text), cancelled=cancelled
    )
    _stop_if(cancelled)
    return found


def _placed(item: ExportItem, placement: Placement) -> ExportItem:
    return replace(item, assigned=placement.split, group=placement.group, kept_out=placement.problem)


def _with_frames(
    session: Session,
    items: Sequence[ExportItem],
    *,
    frames: int,
    tell: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> list[ExportItem]:
    found = []
    for done, item in enumerate(items):
        _stop_if(cancelled)
        tell(0.4 + 0.2 * done / max(1, len(items)), f"choosing frames of {Path(item.clip.path).name}")
        found.append(replace(item, sampled_pts=sampled_pts(session, item, frames=frames)))
    return found


def _about(
    session: Session,
    name: str,
    chosen: Sequence[ExportItem],
    *,
    options: SetOptions,
    clips: Sequence[Clip] | None,
    earlier: Sequence[TrainingSet],
) -> dict[str, Any]:
    """What the manifest says about the set beyond what every export says; nothing that changes by itself."""
    return {
        "name": name,
        "filters": {
            "clips": sorted(clip.id for clip in clips) if clips is not None else None,
            "include_samples": options.include_samples,
            "near_duplicates": options.near_duplicates,
            "balance": options.balance,
        },
        "groups": len({item.group for item in chosen}),
        "class_counts": training_facts.class_counts(session.schema, training_facts.labelled(chosen)),
        "agreement": training_facts.agreement(session.schema, chosen),
        "withdrawn": _withdrawn(chosen, earlier, clips=clips),
    }


def _withdrawn(
    chosen: Sequence[ExportItem], earlier: Sequence[TrainingSet], *, clips: Sequence[Clip] | None
) -> list[dict[str, str]]:
    """Clips that an earlier set trained on and that may train no more: dismissed, erased, taken back."""
    if clips is not None:  # a choice withdraws nothing
        return []
    here = {item.clip.id for item in chosen}
    first: dict[str, str] = {}
    for each in earlier:
        for clip_id in placements_of(each):
            if clip_id not in here:
                first.setdefault(clip_id, each.folder.name)
    return [{"clip": clip_id, "first_in": first[clip_id]} for clip_id in sorted(first)]


def _appear(draft: Path, parent: Path, name: str, *, earlier: Sequence[TrainingSet], report: ExportReport) -> MadeSet:
    """Give the finished folder its name, unless the same content has one."""
    manifest = read_manifest(draft)
    identity = content_id(manifest)[:_ID_DIGITS]
    versions = [each for each in earlier if each.name == name]
    same = next((each for each in versions if each.id == identity), None)
    if same is not None:
        return MadeSet(_current(same), replace(report, out=same.folder), is_new=False)
    number = max((each.number for each in versions), default=0) + 1
    folder = parent / f"{name}-{number:03d}-{identity}"
    try:
        for file in draft.iterdir():
            if file.is_file() and not file.is_symlink():
                file.chmod(0o444)
        draft.rename(folder)
        sync_folder(parent)
    except OSError as error:
        raise storage_error(folder, error) from error
    made = TrainingSet(folder, name, number, identity, manifest)
    return MadeSet(_current(made), replace(report, out=folder), is_new=True)


def _current(training_set: TrainingSet) -> TrainingSet:
    try:
        return mark_current(training_set)
    except OSError as error:
        raise storage_error(training_set.folder.parent, error) from error


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise JobCancelledError("The training set was not made; nothing was written.")

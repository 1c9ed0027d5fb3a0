"""Training sets: immutable folders in the library, named after what they hold, from which a model is fine-tuned.

A set is an export of ours with more in it: the frames that a model is shown, what belongs together, counts, weights,
where reviewers agree, and which clips of earlier sets are withdrawn. Making it again from the same reviews gives the
same set and no new folder.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import JobCancelledError, UsageError
from vvlm_desktop.formats.base import ExportItem, ExportReport
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.staging import storage_error, sync_folder
from vvlm_desktop.formats.training_set import SECTION, TrainingSetFormat, content_id, read_manifest
from vvlm_desktop.workflow import training_facts
from vvlm_desktop.workflow.exporting import DEFAULT_FRAMES, export_context, gather_all, sampled_pts
from vvlm_desktop.workflow.near_duplicates import fingerprint_of, same_looking
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_splits import SETS_FOLDER, Member, Placement, place, read_book, write_book

RECORDS_FILE = "corrections.jsonl"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_SET_FOLDER = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]{0,40})-(?P<number>\d{3,6})-(?P<id>[0-9a-f]{12})")
_ID_DIGITS = 12

_log = logging.getLogger(__name__)


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
class TrainingSet:
    """A set that exists. `manifest` is as written; `number` counts the versions of one name."""

    folder: Path
    name: str
    number: int
    id: str
    manifest: Mapping[str, Any]

    @property
    def about(self) -> Mapping[str, Any]:
        """What the set says of itself."""
        return cast("Mapping[str, Any]", self.manifest.get(SECTION, {}))

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        keys = ("created_at", "records", "clips", "splits", "reviewers", "samples", "sampler")
        return {
            "name": self.name,
            "number": self.number,
            "id": self.id,
            "folder": str(self.folder),
            **{key: self.manifest.get(key) for key in keys},
            SECTION: dict(self.about),
        }


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
    tell = progress or (lambda _fraction, _text: None)
    parent = session.library.folder / SETS_FOLDER
    earlier = list_training_sets(session)
    items = gather_all(session, clips)
    book = read_book(parent, sets=[placements_of(each) for each in earlier])
    placements = _placements(session, book, options=options, tell=tell, cancelled=cancelled)
    items = [_placed(item, placements[item.clip.id]) for item in items]
    sampled = _with_frames(session, items, frames=options.frames, tell=tell, cancelled=cancelled)
    context = replace(
        export_context(session, copy=options.copy, include_samples=options.include_samples, cancelled=cancelled),
        sampler={"name": "uniform", "frames": options.frames},
        progress=lambda done, total, text: tell(0.6 + 0.4 * done / max(1, total), text),
    )
    chosen = [item for item in sampled if _FORMAT.reason_to_leave_out(item, context=context) is None]
    if options.balance:
        drawn = training_facts.weights(session.schema, chosen, by=options.balance)
        sampled = [replace(item, weight=drawn.get(item.clip.id)) for item in sampled]
    about = _about(session, name, chosen, options=options, clips=clips, earlier=earlier)
    draft = parent / f".making-{uuid.uuid4().hex}"
    try:
        report = _FORMAT.write(sampled, draft, context=replace(context, extra={SECTION: about}))
        kept = {item.clip.id: placements[item.clip.id].split for item in chosen}
        # Before the set appears: a set without its decisions could later lose a clip of its test part to training.
        write_book(parent, {**kept, **book})
        return _appear(draft, parent, name, earlier=earlier, report=report)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


_FORMAT = TrainingSetFormat()


def list_training_sets(session: Session) -> list[TrainingSet]:
    """All sets of the library, by name and number; a folder that is none is not listed."""
    parent = session.library.folder / SETS_FOLDER
    found = []
    for folder in sorted(parent.iterdir()) if parent.is_dir() else []:
        match = _SET_FOLDER.fullmatch(folder.name)
        if match is None:
            continue
        try:
            manifest = read_manifest(folder)
        except (OSError, ValueError) as error:
            _log.warning("%s is no training set that can be read: %s", folder, error)
            continue
        found.append(TrainingSet(folder, match["name"], int(match["number"]), match["id"], manifest))
    return found


def find_training_set(session: Session, text: str) -> TrainingSet:
    """A set by its folder, its name (the newest version), `NAME-NUMBER` or a piece of its id.

    Raises:
        UsageError: none fits, or several.
    """
    every = list_training_sets(session)
    path = Path(text).expanduser()
    newest = [each for each in every if each.name == text][-1:]
    exact = [each for each in every if text in (each.folder.name, f"{each.name}-{each.number:03d}", each.id)]
    by_path = [each for each in every if path.is_dir() and path.samefile(each.folder)]
    by_id = [each for each in every if len(text) >= 4 and each.id.startswith(text)]
    for fitting in (exact, newest, by_path, by_id):
        if len(fitting) == 1:
            return fitting[0]
    names = ", ".join(f"{each.name}-{each.number:03d}" for each in every) or "none yet; `vvlm trainset make NAME`"
    raise UsageError(f"There is no training set “{text}”.", hint=f"Sets: {names}.")


def _placements(
    session: Session,
    book: Mapping[str, Split],
    *,
    options: SetOptions,
    tell: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> dict[str, Placement]:
    """Part of every clip of the library; clips that are not in this set can tie others together all the same."""
    every = session.library.all_clips()
    drafted = {item.clip.id for item in gather_all(session, every) if item.drafted}
    members = [Member(clip.id, clip.recording or clip.id, clip.id in drafted) for clip in every]
    similar: list[tuple[str, str]] = []
    if options.near_duplicates:
        prints = {}
        readable = [clip for clip in every if clip.readable]
        for done, clip in enumerate(readable):
            _stop_if(cancelled)
            tell(0.4 * done / len(readable), f"looking at {Path(clip.path).name}")
            prints[clip.id] = fingerprint_of(session, clip)
        similar = list(same_looking(prints, cancelled=cancelled))
        _stop_if(cancelled)
    return place(members, similar=similar, book=book)


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


def placements_of(training_set: TrainingSet) -> dict[str, Split]:
    """Part of every clip of a set, by the clip's id; empty where its records cannot be read."""
    try:
        return dict(_placement_lines(training_set.folder / RECORDS_FILE))
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("The records of %s cannot be read: %s", training_set.folder, error)
        return {}


def _placement_lines(file: Path) -> Iterator[tuple[str, Split]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["split"] in SPLITS:
                yield str(record["clip"]["id"]), record["split"]


def _appear(draft: Path, parent: Path, name: str, *, earlier: Sequence[TrainingSet], report: ExportReport) -> MadeSet:
    """Give the finished folder its name, unless the same content has one."""
    manifest = read_manifest(draft)
    identity = content_id(manifest)[:_ID_DIGITS]
    versions = [each for each in earlier if each.name == name]
    same = next((each for each in versions if each.id == identity), None)
    if same is not None:
        return MadeSet(same, replace(report, out=same.folder), is_new=False)
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
    return MadeSet(TrainingSet(folder, name, number, identity, manifest), replace(report, out=folder), is_new=True)


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise JobCancelledError("The training set was not made; nothing was written.")

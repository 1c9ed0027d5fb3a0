"""Which part of a training set a clip belongs to, decided once and kept.

What must not be separated is a group: the clips of a recording, and clips that look the same. A new group falls where
the hash of its recording says. Once decided, a clip stays: the decision is kept in the library, so a clip that was once
in the test part never trains, whatever is added later.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import get_args

from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.formats.split import Split, assign_split
from vvlm_desktop.workflow.near_duplicates import joined

#: Where the sets lie in the library's folder, and what was decided beside them.
SETS_FOLDER = "training_sets"
BOOK_FILE = "splits.json"
#: A part that is empty is filled from so many groups on: below, every clip is worth more in training.
_FILL_FROM = 5
_SHARE = 0.1
#: Where clips of several parts turn out to belong together, the part that trains least wins.
_PRECEDENCE: tuple[Split, ...] = ("test", "val", "train")
_LEAKS = "belongs together with a clip that is in the {split} part, and was in the {own} part before: it would leak"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """A clip as far as its part is concerned; `drafted` recordings measure nobody."""

    clip_id: str
    recording: str
    drafted: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a clip goes; `problem` says why it must stay out of this set, empty where it need not."""

    split: Split
    group: str
    problem: str = ""


def place(
    members: Sequence[Member],
    *,
    similar: Sequence[tuple[str, str]] = (),
    book: Mapping[str, Split],
    taking_part: Collection[str] | None = None,
) -> dict[str, Placement]:
    """Part of every clip, by id.

    Args:
        members: every clip that can tie others together.
        similar: pairs of clips that look the same.
        book: what was decided before.
        taking_part: ids of those that are in the set, all unless given; the others fill no empty part.
    """
    groups = _groups(members, similar)
    parts: dict[str, Split] = {}
    fresh: list[str] = []
    for name, group in groups.items():
        decided = {book[member.clip_id] for member in group if member.clip_id in book}
        part = next((split for split in _PRECEDENCE if split in decided), None)
        if part is None:
            fresh.append(name)
        parts[name] = part or _by_hash(group)
    wanted = {member.clip_id for member in members} if taking_part is None else set(taking_part)
    present = {name: group for name, group in groups.items() if any(each.clip_id in wanted for each in group)}
    _fill_empty(parts, [name for name in fresh if name in present], present)
    return {
        member.clip_id: _placement(member, name, parts[name], drafted=any(each.drafted for each in group), book=book)
        for name, group in groups.items()
        for member in group
    }


def read_book(folder: Path, *, sets: Iterable[Mapping[str, Split]] = ()) -> dict[str, Split]:
    """What was decided so far; what the sets themselves say counts too, so that a lost book loses nothing."""
    book: dict[str, Split] = {}
    for placements in sets:
        book.update(placements)
    file = folder / BOOK_FILE
    try:
        clips = json.loads(file.read_text(encoding="utf-8"))["clips"]
        book.update({str(key): value for key, value in clips.items() if value in get_args(Split)})
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("%s cannot be read, the sets beside it are asked instead: %s", file, error)
    return book


def write_book(folder: Path, book: Mapping[str, Split]) -> None:
    """Keep what is decided, whole or not at all.

    Raises:
        StorageFullError: it cannot be written.
    """
    draft = folder / f".{uuid.uuid4().hex}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as handle:
            json.dump({"version": 1, "clips": dict(sorted(book.items()))}, handle, indent=0)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(folder / BOOK_FILE)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise StorageFullError(
            f"{folder / BOOK_FILE} cannot be written: {error.strerror or error}.",
            hint="Without it the test part could not be kept apart, so no set was made. Make room.",
        ) from error


def _groups(members: Sequence[Member], similar: Sequence[tuple[str, str]]) -> dict[str, list[Member]]:
    """Clips that must not be separated, by the name of the group: its first recording."""
    known = {member.clip_id for member in members}
    links = [(f"recording {member.recording}", f"clip {member.clip_id}") for member in members]
    links += [(f"clip {a}", f"clip {b}") for a, b in similar if a in known and b in known]
    leaders = joined(links, sorted({key for link in links for key in link}))
    together: dict[str, list[Member]] = {}
    for member in sorted(members, key=lambda member: (member.recording, member.clip_id)):
        together.setdefault(leaders[f"clip {member.clip_id}"], []).append(member)
    return {group[0].recording: group for group in together.values()}


def _share_of(recording: str) -> float:
    return int.from_bytes(sha256(recording.encode("utf-8", "surrogatepass")).digest()[:8]) / 2**64


def _by_hash(group: Sequence[Member]) -> Split:
    """Of several recordings the one with the smallest hash decides."""
    recording = min({member.recording for member in group}, key=_share_of)
    return assign_split(recording, drafted=any(member.drafted for member in group))


def _fill_empty(parts: dict[str, Split], fresh: Sequence[str], groups: Mapping[str, Sequence[Member]]) -> None:
    """With few recordings the hash often leaves a part empty; then new ones with the largest hashes go there."""
    if len(groups) < _FILL_FROM:
        return
    wanted = max(1, round(_SHARE * len(groups)))
    for part in ("test", "val"):
        if any(parts[name] == part for name in groups):
            continue
        free = [name for name in fresh if parts[name] == "train"]
        if part == "test":
            free = [name for name in free if not any(member.drafted for member in groups[name])]
        for name in sorted(free, key=_share_of, reverse=True)[:wanted]:
            parts[name] = part


def _placement(member: Member, group: str, split: Split, *, drafted: bool, book: Mapping[str, Split]) -> Placement:
    before = book.get(member.clip_id)
    problem = _LEAKS.format(split=split, own=before) if before is not None and before != split else ""
    # People tend to agree with what is filled in already: as a whole the group measures nobody.
    return Placement("val" if split == "test" and drafted else split, group, problem)

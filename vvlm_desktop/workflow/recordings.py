"""Which clips were one drive, so that a split never separates them.

Same folder, same naming, gaps of at most five seconds; or the same moment seen by another camera.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath

MAX_GAP_S = 5.0

#: Date and time as dashcams write them: 20230204_163814 (BlackVue), 2023_0204_163814 (Viofo), 20230204-163814 (70mai).
_STAMP = re.compile(
    r"(?P<y>20\d{2})[-_.]?(?P<mo>\d{2})[-_.]?(?P<d>\d{2})[-_.T ]?(?P<h>\d{2})[-_.:]?(?P<mi>\d{2})[-_.:]?(?P<s>\d{2})"
)
#: Camera at the end of the name: front, rear, interior; as a letter after a digit or a separator, or as a word.
_CAMERA = re.compile(r"(?:(?<=\d)|[-_ ]N?)(?P<camera>F|R|I|front|rear|cabin|interior|inside)$", re.IGNORECASE)
_CAMERA_NAMES = {
    "f": "front",
    "front": "front",
    "r": "rear",
    "rear": "rear",
    "i": "cabin",
    "cabin": "cabin",
    "interior": "cabin",
    "inside": "cabin",
}


@dataclass(frozen=True, slots=True)
class ClipName:
    """What a file's name tells: when the clip starts, which camera, and the name without the camera."""

    starts_at: datetime | None
    camera: str | None
    stem: str


@dataclass(frozen=True, slots=True)
class Member:
    """A clip as far as grouping is concerned; `recording` is the one it already has, "" for a new clip."""

    clip_id: str
    path: str
    duration_s: float
    recording: str = ""


def read_name(path: str) -> ClipName:
    """What the name of the file at `path` tells."""
    stem = PurePath(path).stem
    camera = _CAMERA.search(stem)
    bare = stem[: camera.start()] if camera else stem
    stamp = _STAMP.search(stem)
    starts_at = None
    if stamp:
        try:
            starts_at = datetime(*(int(part) for part in stamp.groups()))  # type: ignore[arg-type]
        except ValueError:
            starts_at = None
    return ClipName(starts_at, _CAMERA_NAMES[camera["camera"].lower()] if camera else None, bare)


def group(members: Sequence[Member]) -> dict[str, str]:
    """Recording of each clip, by clip id.

    A clip that already has one keeps it, so that adding clips never moves others between splits; only where a clip
    belongs to two recordings do they become one. Such a clip is new between them, or was seen at a second place.
    """
    result: dict[str, str] = {}
    for chain in _joined(_chains(members)):
        held = [m.recording for m in chain if m.recording]
        name = held[0] if held else _new_name(chain[0])
        result.update({m.clip_id: name for m in chain})
    return result


def _joined(chains: Sequence[list[Member]]) -> list[list[Member]]:
    """Chains, those put together that share a clip (a copy under another name) or a recording."""
    leader = list(range(len(chains)))

    def lead(number: int) -> int:
        while leader[number] != number:
            number = leader[number]
        return number

    first: dict[tuple[str, str], int] = {}
    for number, chain in enumerate(chains):
        for member in chain:
            for mark in (("clip", member.clip_id), ("recording", member.recording)):
                if mark[1]:
                    one, other = sorted((lead(first.setdefault(mark, number)), lead(number)))
                    leader[other] = one
    together: dict[int, list[Member]] = {}
    for number, chain in enumerate(chains):
        together.setdefault(lead(number), []).extend(chain)
    return list(together.values())


def _chains(members: Iterable[Member]) -> list[list[Member]]:
    timed: dict[str, list[tuple[datetime, Member]]] = {}
    named: dict[tuple[str, str], list[Member]] = {}
    for member in members:
        folder, name = str(PurePath(member.path).parent), read_name(member.path)
        if name.starts_at is None:
            named.setdefault((folder, name.stem), []).append(member)
        else:
            timed.setdefault(folder, []).append((name.starts_at, member))
    chains = list(named.values())
    for rows in timed.values():
        rows.sort(key=lambda row: (row[0], row[1].path))
        ends_at: datetime | None = None
        for starts_at, member in rows:
            if ends_at is None or starts_at > ends_at + timedelta(seconds=MAX_GAP_S):
                chains.append([])
                ends_at = starts_at
            chains[-1].append(member)
            # A header can claim any length; no clip of a dashcam runs for more than a day.
            ends_at = max(ends_at, starts_at + timedelta(seconds=min(member.duration_s, 86_400.0)))
    return chains


def _new_name(first: Member) -> str:
    """By content and not by place: the same drive falls into the same split on every computer."""
    return hashlib.sha256(f"recording\n{first.clip_id}".encode()).hexdigest()[:16]

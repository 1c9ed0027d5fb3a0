"""Clips that look the same: a re-encoded, scaled or slightly cut copy has another hash and would still leak.

Each clip gets a fingerprint: a 256-bit difference hash (is a spot brighter than the one to its left?) of a frame a
second. Two clips look the same when half of the shorter one's frames have a near relative in the other. Seen on real
and drawn clips: copies at a quarter of the size and hardly any bits left differ in 3–18 % of the bits, different
drives in 30 % and more. What it does not find: a mirrored or strongly cropped copy, and a cut out of a long clip, whose
frames are further apart than a second. Pictures without structure (black, fog) say nothing and are left out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ClipMissingError, ClipReplacedError, ClipUnreadableError, FrameUnreadableError
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.sampling import at_fps
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.session import Session

#: One row of four 64-bit words for each frame.
Fingerprint: TypeAlias = NDArray[np.uint64]

#: Share of differing bits up to which two frames are relatives.
SAME_SHARE = 0.22
_SIDE = 16
_BITS = _SIDE * _SIDE
_WORDS = _BITS // 64
_FRAMES_A_SECOND = 1.0
_MOST_FRAMES = 24
_WIDTH_PX = 160
#: Standard deviation of grey values below which a picture has no structure.
_FLAT = 6.0
_VERSION = 1

_log = logging.getLogger(__name__)


def fingerprint_file(path: Path, index: FrameIndex) -> Fingerprint:
    """Fingerprint of a clip; no rows where no picture has structure.

    Raises:
        ClipMissingError, ClipUnreadableError: the file cannot be opened.
    """
    rows = []
    with FrameReader(path, index, damaged=True) as reader:
        for i in at_fps(index, _FRAMES_A_SECOND, limit=_MOST_FRAMES):
            try:
                picture = reader.rgb(i, width=_WIDTH_PX)
            except FrameUnreadableError:  # a frame less, not a clip less
                continue
            row = frame_hash(picture)
            if row is not None:
                rows.append(row)
    return np.stack(rows) if rows else np.zeros((0, _WORDS), np.uint64)


def frame_hash(picture: NDArray[np.uint8]) -> NDArray[np.uint64] | None:
    """Difference hash of an RGB picture, shape [height, width, 3]; None where it has no structure."""
    small = Image.fromarray(picture).convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.int16)
    if grey.std() < _FLAT:
        return None
    return np.packbits(grey[:, 1:] > grey[:, :-1]).view(np.uint64)


def looks_same(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two clips look the same; without structure nothing is said."""
    if not len(one) or not len(other):
        return False
    shorter, longer = sorted((one, other), key=len)
    return bool(np.median(_distances(shorter, longer).min(axis=1)) <= SAME_SHARE)


def same_looking(
    fingerprints: Mapping[str, Fingerprint],
    *,
    compared: Collection[str] = frozenset(),
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[str, str]]:
    """Pairs of clips that look the same, by id; those in `compared` are not compared with each other again."""
    with_rows = [key for key, rows in fingerprints.items() if len(rows)]
    keys = sorted(with_rows, key=lambda key: key in compared)  # new ones first, and each against all behind it
    fresh = sum(key not in compared for key in keys)
    if not fresh:
        return
    sizes = [len(fingerprints[key]) for key in keys]
    starts = np.concatenate(([0], np.cumsum(sizes)))
    every = np.concatenate([fingerprints[key] for key in keys])
    for place, key in enumerate(keys[:-1][:fresh]):
        if cancelled():
            return
        rest = slice(starts[place + 1], None)
        near = _distances(fingerprints[key], every[rest]) <= SAME_SHARE
        # A pair needs a relative for half of the shorter one's frames: only clips with any are looked at closely.
        hits = np.add.reduceat(near.any(axis=0), starts[place + 1 : -1] - starts[place + 1])
        for other in np.flatnonzero(hits):
            name = keys[place + 1 + int(other)]
            if looks_same(fingerprints[key], fingerprints[name]):
                yield key, name


def fingerprint_of(session: Session, clip: Clip) -> Fingerprint:
    """Fingerprint of a clip of the library, kept beside it; no rows where its file cannot be read."""
    file = _file_of(session, clip)
    found = _kept(file)
    if found is not None:
        return found
    try:
        found = fingerprint_file(existing_path(session, clip), index_of(session, clip))
    except (ClipMissingError, ClipReplacedError, ClipUnreadableError) as error:
        _log.info("No fingerprint of %s: %s", clip.path, error)
        return np.zeros((0, _WORDS), np.uint64)
    _keep(file, found)
    return found


def look_alikes(
    session: Session,
    clips: Sequence[Clip],
    *,
    tell: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> list[tuple[str, str]]:
    """Pairs of `clips` that look the same, by id; found pairs are kept, so that later only new clips are compared.

    `tell` is called with 0..1 and what is being done. When `cancelled` says so, what was found so far comes back.
    """
    prints: dict[str, Fingerprint] = {}
    readable = [clip for clip in clips if clip.readable]
    for done, clip in enumerate(readable):
        if cancelled():
            return []
        tell(done / len(readable), f"looking at {Path(clip.path).name}")
        prints[clip.id] = fingerprint_of(session, clip)
    tell(1.0, "comparing clips")
    file = _pairs_file(session)
    compared, pairs = _kept_pairs(file)
    pairs |= set(same_looking(prints, compared=compared, cancelled=cancelled))
    if not cancelled():
        # Only these: who is not among them now was not compared with the new ones.
        _write(file, {"version": _VERSION, "compared": sorted(_with_rows(prints)), "pairs": sorted(pairs)})
    return sorted(pair for pair in pairs if prints.keys() >= set(pair))


def known_look_alikes(session: Session) -> list[tuple[str, str]]:
    """Pairs that were found before, without looking at any clip."""
    return sorted(_kept_pairs(_pairs_file(session))[1])


def _pairs_file(session: Session) -> Path:
    return session.library.folder / "fingerprints" / "pairs.json"


def _with_rows(prints: Mapping[str, Fingerprint]) -> set[str]:
    return {key for key, rows in prints.items() if len(rows)}


def _kept_pairs(file: Path) -> tuple[set[str], set[tuple[str, str]]]:
    """Clips that were compared with each other before, and the pairs among them."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["version"] == _VERSION:
            pairs = {(str(one), str(other)) for one, other in document["pairs"]}
            return {str(key) for key in document["compared"]}, pairs
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("%s cannot be used, all clips are compared again: %s", file, error)
    return set(), set()


def joined(pairs: Sequence[tuple[str, str]], keys: Sequence[str]) -> dict[str, str]:
    """The first of its group for every key, where pairs say what belongs together."""
    leader = {key: key for key in keys}

    def lead(key: str) -> str:
        while leader[key] != key:
            leader[key] = key = leader[leader[key]]
        return key

    for one, other in pairs:
        first, second = sorted((lead(one), lead(other)))
        leader[second] = first
    return {key: lead(key) for key in keys}


def _distances(one: Fingerprint, other: Fingerprint) -> NDArray[np.float32]:
    """Share of differing bits, shape [frames of one, frames of other]."""
    bits = np.zeros((len(one), len(other)), np.uint16)
    for word in range(_WORDS):
        bits += np.bitwise_count(one[:, word, None] ^ other[None, :, word])
    return bits.astype(np.float32) / np.float32(_BITS)


def _file_of(session: Session, clip: Clip) -> Path:
    return session.library.folder / "fingerprints" / clip.id[:2] / f"{clip.id}.json"


def _kept(file: Path) -> Fingerprint | None:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["version"] != _VERSION:
            return None
        words = [[int(word, 16) for word in row] for row in document["frames"]]
        return np.array(words, np.uint64).reshape(len(words), _WORDS)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        _log.warning("The fingerprint %s cannot be used and is made again: %s", file, error)
        return None


def _keep(file: Path, rows: Fingerprint) -> None:
    _write(file, {"version": _VERSION, "frames": [[f"{int(word):016x}" for word in row] for row in rows]})


def _write(file: Path, document: Mapping[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".part")
        draft.write_text(json.dumps(document), encoding="utf-8")
        draft.replace(file)
    except OSError as error:  # made again next time
        _log.warning("%s could not be kept: %s", file, error)

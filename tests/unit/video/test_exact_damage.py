"""Damage at random places: each frame that is given is the one that was recorded at that time, never a neighbour.

A picture may be garbled only where nothing in the file tells: bits that changed within what the codec does not guard
(`SILENT`). The damage is the same in each run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clips import NO_CODE
from tests.clips_awkward import AWKWARD, awkward
from tests.clips_bytes import beginning_lost, cut_out, flipped, lost_packets, overwritten, truncated, zeroed
from tests.clips_reading import REFUSED, codes_by_pts, shuffled
from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video.index import read_index

Damage = Callable[[bytearray, random.Random], bytes]
INSIDE: tuple[Damage, ...] = (zeroed, overwritten, flipped)
ANYWHERE: tuple[Damage, ...] = (*INSIDE, truncated, cut_out)
STREAM: tuple[Damage, ...] = (*ANYWHERE, beginning_lost)
TRANSPORT: tuple[Damage, ...] = (*STREAM, lost_packets)
#: What may happen to a clip and leave pictures. An MP4 is nothing without its header, which lies at the end unless it
#: was put in front.
HAPPENS: dict[str, tuple[Damage, ...]] = {
    "plain.mp4": INSIDE,
    "faststart.mp4": (*INSIDE, truncated),
    "fragmented.mp4": ANYWHERE,
    "plain.mkv": ANYWHERE,
    "plain.flv": ANYWHERE,
    "plain.ts": TRANSPORT,
    "plain.m2ts": STREAM,
    "mbaff.mp4": INSIDE,
    "paff.mp4": (zeroed,),
    "paff.ts": (zeroed, *STREAM[3:], lost_packets),
    "slices.mp4": INSIDE,
    "no_b.mp4": INSIDE,
    "hevc_open.mp4": INSIDE,
    "hevc_faststart.mp4": (*INSIDE, truncated),
    "hevc_open.ts": TRANSPORT,
    "hevc_layers.mp4": INSIDE,
    "av1.webm": (zeroed, truncated, cut_out),
    "vp8_hidden.webm": (zeroed, truncated, cut_out),
    "vp9_hidden.webm": (zeroed, truncated, cut_out),
    "mpeg4_b.mkv": ANYWHERE,
    "mpeg4_packed.avi": (*INSIDE, truncated),
    "mpeg2_open.ts": TRANSPORT,
    "mjpeg.mov": (overwritten, zeroed),
    "h263.3gp": (zeroed, overwritten),
}
#: Codecs that take any bits for a picture, and the kinds of damage that their containers do not tell of.
SILENT: dict[str, tuple[Damage, ...]] = {
    **dict.fromkeys(("hevc_open.mp4", "hevc_faststart.mp4", "hevc_layers.mp4"), (overwritten, flipped)),
    "hevc_open.ts": (overwritten, flipped),
    **dict.fromkeys(("av1.webm", "vp8_hidden.webm", "vp9_hidden.webm", "mjpeg.mov", "mpeg4_b.mkv"), ANYWHERE),
}
#: What nothing tells of: HEVC and AV1 take most bits for a picture, FLV does not count its pictures, and in AVI packets
#: of two pictures lose their order with one of them.
UNTOLD = {
    "plain.mkv": {"flipped"},
    "plain.flv": {"zeroed", "overwritten", "cut_out"},
    "plain.m2ts": {"flipped"},
    "hevc_faststart.mp4": {"flipped"},
    "hevc_layers.mp4": {"flipped"},
    "av1.webm": {"zeroed"},
    "mpeg4_packed.avi": {"zeroed", "overwritten"},
}
PAIRS = [(name, damage) for name, kinds in HAPPENS.items() for damage in kinds]
QUICK = [
    ("faststart.mp4", truncated),
    ("fragmented.mp4", cut_out),
    ("plain.ts", truncated),
    ("plain.ts", beginning_lost),
    ("plain.mkv", cut_out),
    ("plain.m2ts", beginning_lost),
    ("hevc_open.ts", cut_out),
    ("hevc_faststart.mp4", truncated),
    ("vp9_hidden.webm", zeroed),
    ("mpeg4_packed.avi", zeroed),
    ("mpeg2_open.ts", lost_packets),
    ("no_b.mp4", flipped),
]


def outcome(name: str, damage: Damage, seed: int, folder: Path) -> Counter[str]:
    """How many frames of the damaged clip were right, refused, garbled, or another than the one that is named."""
    file = folder / name
    rng = random.Random(f"{name} {damage.__name__} {seed}")
    file.write_bytes(damage(bytearray(awkward(name).read_bytes()), rng))
    whole = read_index(awkward(name))
    recorded = dict(zip(whole.pts, AWKWARD[name].codes, strict=True))
    try:
        index = read_index(file)
    except ClipUnreadableError:
        return Counter()
    found = codes_by_pts(file, index, shuffled(index, seed=seed))
    return Counter(_kind(shown, recorded.get(pts)) for pts, shown in found.items())


def _kind(shown: int, recorded: int | None) -> str:
    if shown == REFUSED:
        return "refused"
    if shown == NO_CODE:
        return "garbled"
    return "right" if shown == recorded else "another"


def check(name: str, damage: Damage, seeds: range, folder: Path) -> None:
    counted: Counter[str] = sum((outcome(name, damage, seed, folder) for seed in seeds), Counter())
    assert counted["another"] == 0
    assert counted["garbled"] == 0 or damage in SILENT.get(name, ())
    assert counted["right"] > 0


def test_the_clips_are_whole_before_they_are_damaged(tmp_path: Path) -> None:
    assert outcome("plain.ts", lambda data, _: bytes(data), 0, tmp_path) == {"right": 48}


@pytest.mark.parametrize(("name", "damage"), QUICK)
def test_no_frame_of_a_damaged_clip_is_another(name: str, damage: Damage, tmp_path: Path) -> None:
    check(name, damage, range(1), tmp_path)


@pytest.mark.parametrize(
    ("name", "damage", "seed"),
    [
        ("plain.ts", lost_packets, 3),  # a keyframe that was fed before the fault comes out after it
        ("hevc_open.ts", lost_packets, 2),  # a neighbour
        ("plain.ts", zeroed, 1),  # pictures come out before the damaged one that they build on
        ("plain.mp4", zeroed, 8),  # zeros pass for a picture
        ("hevc_open.mp4", zeroed, 10),  # the end of a picture is zeros
    ],
)
def test_no_frame_beside_a_fault_is_another(name: str, damage: Damage, seed: int, tmp_path: Path) -> None:
    check(name, damage, range(seed, seed + 1), tmp_path)


def marked(name: str, damage: Damage) -> object:
    untold = damage.__name__ in UNTOLD.get(name, ())
    marks = [pytest.mark.xfail(strict=True, reason="nothing in the file tells of it")] if untold else []
    return pytest.param(name, damage, marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "damage"), [marked(*pair) for pair in PAIRS])
def test_no_frame_of_a_clip_damaged_in_many_ways_is_another(name: str, damage: Damage, tmp_path: Path) -> None:
    check(name, damage, range(16), tmp_path)

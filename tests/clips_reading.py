"""Reading the clips of the exactness suite: with which reader, in which order, and what the pixels said."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path

from tests.clips import read_code
from vvlm_desktop.errors import FrameUnreadableError
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.reader import FrameReader

REFUSED = -2


def open_reader(path: Path, index: FrameIndex, *, damaged: bool = False) -> FrameReader:
    """A reader as the program makes it; `VVLM_TEST_THREADS=FRAME,3` puts the suite on others."""
    kind, _, count = os.environ.get("VVLM_TEST_THREADS", "").partition(",")
    threads = (kind, int(count)) if kind else None
    return FrameReader(path, index, threads=threads, damaged=damaged)


def shuffled(index: FrameIndex, *, seed: object) -> list[int]:
    """Every frame once, in an order that is the same in each run."""
    order = list(range(len(index)))
    random.Random(str(seed)).shuffle(order)
    return order


def codes_by_pts(path: Path, index: FrameIndex, order: Iterable[int]) -> dict[int, int]:
    """PTS → number in the pixels of each frame asked for; `REFUSED` for those that cannot be shown."""
    found: dict[int, int] = {}
    with open_reader(path, index) as reader:
        for i in order:
            try:
                frame = reader.frame(i)
            except FrameUnreadableError:
                found[index.pts[i]] = REFUSED
                continue
            assert frame.pts == index.pts[i]
            found[index.pts[i]] = read_code(reader.rgb(i))
    return found


def walked(path: Path, index: FrameIndex) -> dict[int, int]:
    """As `codes_by_pts`, for one walk from the first frame to the last; what is left out is missing."""
    with open_reader(path, index) as reader:
        return {index.pts[i]: read_code(frame.to_ndarray(format="rgb24")) for i, frame in reader.walk()}

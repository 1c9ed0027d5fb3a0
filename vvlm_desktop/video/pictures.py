"""Some frames of a clip as RGB at one size, as a model takes them: groups of pictures side by side on all cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.video.decoder import careful_threads, swift_threads
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.rgb import RgbConverter

#: More readers hold more pictures and soon wait for the disk.
_MOST_READERS = 4
#: Each decodes two frames at once: where the groups are few or uneven, one reader alone still fills two cores.
_THREADS = 2
#: Less to decode than this is done before a second reader has opened the file.
_WORTH_FRAMES = 32


def read_pictures(
    path: Path,
    index: FrameIndex,
    frame_indices: Sequence[int],
    *,
    size: tuple[int, int],
    cancelled: Callable[[], bool] = lambda: False,
) -> NDArray[np.uint8]:
    """Decode exactly these frames, ascending.

    Args:
        size: width and height of the upright picture.
        cancelled: looked at between frames, by several threads.

    Returns:
        uint8, shape [frame, height, width, 3].

    Raises:
        JobCancelledError: `cancelled` said so.
        ClipUnreadableError: one of them cannot be had; a neighbour is never given instead.
    """
    width, height = size
    rgb = np.empty((len(frame_indices), height, width, 3), np.uint8)
    given_up = threading.Event()

    def fill(places: Sequence[int]) -> None:
        converter = RgbConverter(index)
        threads = ("FRAME", _THREADS) if swift_threads(index) else careful_threads(index)
        wanted = [frame_indices[place] for place in places]
        finished = False
        try:
            with FrameReader(path, index, threads=threads) as reader:
                for place, (_, frame) in zip(places, reader.frames(wanted), strict=True):
                    rgb[place] = converter.upright(frame, width=width, height=height)
                    if given_up.is_set() or cancelled():
                        raise JobCancelledError("Cancelled.")
            finished = True
        finally:
            if not finished:  # the others need not go on
                given_up.set()

    if cancelled():
        raise JobCancelledError("Cancelled.")
    parts = shares(index, frame_indices, readers=min(_MOST_READERS, os.cpu_count() or 1))
    if len(parts) <= 1:
        fill(range(len(frame_indices)))
        return rgb
    with ThreadPoolExecutor(len(parts), thread_name_prefix="read") as pool:
        outcomes = [pool.submit(fill, places) for places in parts]
    failures = [error for outcome in outcomes if (error := outcome.exception()) is not None]
    for error in sorted(failures, key=lambda each: isinstance(each, JobCancelledError)):  # the cause before its effect
        raise error
    return rgb


def shares(index: FrameIndex, frame_indices: Sequence[int], *, readers: int) -> list[list[int]]:
    """Places in `frame_indices` for each reader: cut where a group begins, each share about as long to decode."""
    costs: list[tuple[int, list[int]]] = []  # frames to decode and places, for each group
    begun = -1
    for place, i in enumerate(frame_indices):
        start, _ = index.gop(i)
        if start != begun:
            costs.append((0, []))
            begun = start
        costs[-1] = (i - start + 1, [*costs[-1][1], place])
    total = sum(cost for cost, _ in costs)
    if total < _WORTH_FRAMES:
        return [list(range(len(frame_indices)))]
    found: list[list[int]] = [[] for _ in range(readers)]
    passed = 0
    for cost, places in costs:
        found[min(readers - 1, int((passed + cost / 2) * readers / total))] += places
        passed += cost
    return [share for share in found if share]

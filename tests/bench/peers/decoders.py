"""Ways to get some frames of a clip at 448²: ours, ours on two threads, decord, a naive PyAV seek, ffmpeg.

Each is asked for the same frames by its own means: by number, or by time.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.backends.local.inputs import read_frames
from vvlm_desktop.video.container import packets
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.reader import FrameReader

SIDE = 448
Pictures = NDArray[np.uint8]
Decoder = Callable[[Path, FrameIndex, Sequence[int]], Pictures]


def ours(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """As a model gets them; the index comes from the library."""
    return read_frames(path, index, wanted, size=(SIDE, SIDE)).rgb


def ours_and_index(path: Path, _index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """The same for a clip never seen before, as the peers find it."""
    return ours(path, read_index(path), wanted)


def ours_in_two(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """Trial: groups of pictures that do not need each other, on two readers, each with one thread."""
    return _in_threads(path, index, wanted, workers=2)


def ours_two_frames(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """Trial: one reader whose decoder works on two pictures at once."""
    pictures = np.empty((len(wanted), SIDE, SIDE, 3), np.uint8)
    with FrameReader(path, index, threads=("FRAME", 2)) as reader:
        for place, i in enumerate(wanted):
            pictures[place] = reader.rgb(i, width=SIDE, height=SIDE)
    return pictures


class SkippingReader(FrameReader):
    """Trial: pictures on the way that no other builds on are not decoded; for a known set of frames."""

    def __init__(self, path: Path, index: FrameIndex, wanted: Sequence[int]) -> None:
        super().__init__(path, index, threads=("SLICE", 1))
        self._kept = {index.pts[i] for i in wanted}

    def _decode(self, wanted_pts: int, *, from_start: bool) -> Iterator[av.VideoFrame]:
        entered = False
        context = self._stream.codec_context
        for packet in packets(self._container, self._stream):
            entered = entered or self._is_entry(packet.pts)
            if entered:
                context.skip_frame = "DEFAULT" if packet.pts in self._kept else "NONREF"
                self._fed.append(packet.pts)
                yield from packet.decode()
        yield from context.decode(None)


def ours_skipping(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """Trial: see `SkippingReader`; one thread."""
    return _skipping(path, index, wanted, workers=1)


def ours_skipping_in_two(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """Trial: the same on two threads."""
    return _skipping(path, index, wanted, workers=2)


def by_decord(path: Path, _index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """By its own numbers; RuntimeError where it gives up."""
    import decord

    try:
        reader = decord.VideoReader(str(path), width=SIDE, height=SIDE)
        return np.asarray(reader.get_batch(list(wanted)).asnumpy())
    except decord.DECORDError as error:
        raise RuntimeError("decord gave up") from error


def by_naive_seek(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """Seek to the time, take the first frame from there on: what the tutorials say."""
    pictures = np.zeros((len(wanted), SIDE, SIDE, 3), np.uint8)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for place, i in enumerate(wanted):
            container.seek(index.pts[i], stream=stream)
            for frame in container.decode(stream):
                if frame.pts is not None and frame.pts >= index.pts[i]:
                    pictures[place] = frame.to_ndarray(format="rgb24", width=SIDE, height=SIDE)
                    break
    return pictures


def by_ffmpeg(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """One call with -ss for each frame, a millisecond early: it takes the first at or after the time."""
    pictures = np.zeros((len(wanted), SIDE, SIDE, 3), np.uint8)
    for place, i in enumerate(wanted):
        time_s = max(0.0, index.seconds(i) - 0.001)
        command = ["ffmpeg", "-v", "quiet", "-ss", f"{time_s:.6f}", "-i", str(path), "-map", "0:v:0", "-frames:v", "1"]
        command += ["-vf", f"scale={SIDE}:{SIDE}", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        data = subprocess.run(command, capture_output=True, check=False).stdout
        if len(data) == pictures[place].size:
            pictures[place] = np.frombuffer(data, np.uint8).reshape(SIDE, SIDE, 3)
    return pictures


OURS: dict[str, Decoder] = {"ours": ours, "ours + index": ours_and_index}
TRIALS: dict[str, Decoder] = {
    "two readers": ours_in_two,
    "frame threads": ours_two_frames,
    "skipping": ours_skipping,
    "skipping, two": ours_skipping_in_two,
}
PEERS: dict[str, Decoder] = {"decord": by_decord, "naive PyAV": by_naive_seek, "ffmpeg -ss": by_ffmpeg}


def absent(decoder: str) -> str:
    """Why it cannot run here; empty when it can."""
    if decoder == "decord" and find_spec("decord") is None:
        return "not installed"
    if decoder == "ffmpeg -ss" and shutil.which("ffmpeg") is None:
        return "not installed"
    return ""


def _in_threads(path: Path, index: FrameIndex, wanted: Sequence[int], *, workers: int) -> Pictures:
    return _spread(lambda: FrameReader(path, index, threads=("SLICE", 1)), index, wanted, workers=workers)


def _skipping(path: Path, index: FrameIndex, wanted: Sequence[int], *, workers: int) -> Pictures:
    return _spread(lambda: SkippingReader(path, index, wanted), index, wanted, workers=workers)


def _spread(
    reader_of: Callable[[], FrameReader], index: FrameIndex, wanted: Sequence[int], *, workers: int
) -> Pictures:
    pictures = np.empty((len(wanted), SIDE, SIDE, 3), np.uint8)

    def fill(places: Sequence[int]) -> None:
        with reader_of() as reader:
            for place in places:
                pictures[place] = reader.rgb(wanted[place], width=SIDE, height=SIDE)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(fill, shares(index, wanted, workers=workers)))
    return pictures


def shares(index: FrameIndex, wanted: Sequence[int], *, workers: int) -> list[list[int]]:
    """Places in `wanted` for each worker: cut where a group begins, each share about as long to decode."""
    costs: list[tuple[int, list[int]]] = []  # frames to decode and places, for each group
    begun = -1
    for place, i in enumerate(wanted):
        start, _ = index.gop(i)
        if start != begun:
            costs.append((0, []))
            begun = start
        costs[-1] = (i - start + 1, [*costs[-1][1], place])
    total, passed = sum(cost for cost, _ in costs), 0
    found: list[list[int]] = [[] for _ in range(workers)]
    for cost, places in costs:
        found[min(workers - 1, int((passed + cost / 2) * workers / total))] += places
        passed += cost
    return [share for share in found if share]

"""Ways to get some frames of a clip at 448²: ours, ours on one reader, decord, a naive PyAV seek, ffmpeg.

Each is asked for the same frames by its own means: by number, or by time.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.backends.local.inputs import read_frames
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.rgb import RgbConverter

SIDE = 448
Pictures = NDArray[np.uint8]
Decoder = Callable[[Path, FrameIndex, Sequence[int]], Pictures]


def ours(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """As a model gets them; the index comes from the library."""
    return read_frames(path, index, wanted, size=(SIDE, SIDE)).rgb


def ours_and_index(path: Path, _index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """The same for a clip never seen before, as the peers find it."""
    return ours(path, read_index(path), wanted)


def ours_in_one(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """Trial: one reader, several frames at once."""
    return _with_one(FrameReader(path, index), index, wanted)


def ours_carefully(path: Path, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    """Trial: one frame after the other, as after damage."""
    return _with_one(FrameReader(path, index, threads=("SLICE", 1)), index, wanted)


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
    "one reader": ours_in_one,
    "carefully": ours_carefully,
}
PEERS: dict[str, Decoder] = {"decord": by_decord, "naive PyAV": by_naive_seek, "ffmpeg -ss": by_ffmpeg}


def absent(decoder: str) -> str:
    """Why it cannot run here; empty when it can."""
    if decoder == "decord" and find_spec("decord") is None:
        return "not installed"
    if decoder == "ffmpeg -ss" and shutil.which("ffmpeg") is None:
        return "not installed"
    return ""


def _with_one(reader: FrameReader, index: FrameIndex, wanted: Sequence[int]) -> Pictures:
    converter = RgbConverter(index)
    with reader:
        return np.stack([converter.upright(frame, width=SIDE, height=SIDE) for _, frame in reader.frames(wanted)])

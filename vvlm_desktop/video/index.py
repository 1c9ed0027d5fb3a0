"""The frame index: every timestamp and every entry point of a clip, read once without decoding the film."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate, pairwise
from operator import sub
from pathlib import Path
from statistics import median_low
from typing import Any

from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.video.container import MEDIA_ERRORS, choose_stream, codec_name, open_container
from vvlm_desktop.video.scan import Scan, scan_stream, settle
from vvlm_desktop.video.stretches import Recording, read_stretches

_FORMAT = 2


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """Where every frame of a clip is in time, and where decoding can start.

    Attributes:
        stream_index: which of the file's *video* streams, 0 for the first.
        container: the demuxer's name, `mov,mp4,…` or `mpegts`.
        width, height: pixels as shown, after rotation.
        rotation: degrees clockwise to apply to a decoded picture: 0, 90, 180 or 270.
        sample_aspect: width of a pixel over its height; pictures are not stretched by it.
        pts: one per frame, ascending, in units of `time_base`; a frame's identity.
        keys: entry points as (PTS, DTS), ascending. Some may not be in `pts`: an edit list hides them.
        declared_frames, declared_duration_s: what the header claims, None where it claims nothing.
        problem: a sentence for the reviewer, None when all is well.
        in_decode_order: the file says only in which order to decode; frames take the times in the order in which they
            come out (AVI with B-frames).
        breaks: PTS of packets that lost data.
        recordings, strangers: where the file's clock goes back, as `Stretches` says; `key_places` are then the file
            positions of `keys`, because times no longer lead to them.
    """

    stream_index: int
    container: str
    codec: str
    width: int
    height: int
    rotation: int
    sample_aspect: Fraction
    time_base: Fraction
    pts: tuple[int, ...]
    keys: tuple[tuple[int, int], ...]
    has_audio: bool
    declared_frames: int | None = None
    declared_duration_s: float | None = None
    problem: str | None = None
    in_decode_order: bool = False
    breaks: tuple[int, ...] = ()
    recordings: tuple[Recording, ...] = ()
    key_places: tuple[int, ...] = ()
    strangers: tuple[tuple[int, int], ...] = ()
    #: Frames at which decoding can start, ascending.
    keyframe_indices: tuple[int, ...] = field(init=False, repr=False, compare=False)
    #: Seconds from one frame to the next as it is usually, whatever gaps and jumps of the clock there are.
    usual_s: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        positions = (bisect_left(self.pts, pts) for pts, _ in self.keys)
        found = sorted({i for (pts, _), i in zip(self.keys, positions, strict=True) if self.pts[i : i + 1] == (pts,)})
        object.__setattr__(self, "keyframe_indices", tuple(found))
        object.__setattr__(self, "usual_s", float((_usual_ticks(self.pts) or self.frame_ticks) * self.time_base))

    def __len__(self) -> int:
        return len(self.pts)

    def seconds(self, frame_index: int) -> float:
        """Time of a frame, counted from the first frame."""
        return float((self.pts[frame_index] - self.pts[0]) * self.time_base)

    def ms(self, frame_index: int) -> int:
        """Time of a frame in whole milliseconds from the first frame, rounded half up."""
        return math.floor((self.pts[frame_index] - self.pts[0]) * self.time_base * 1000 + Fraction(1, 2))

    def at_time(self, seconds: float) -> int:
        """The frame on screen at that time; the first before the beginning, the last after the end."""
        if math.isnan(seconds):
            raise ValueError(f"not a time: {seconds}")
        after = bisect_right(range(len(self.pts)), seconds, key=self.seconds)
        return max(0, after - 1)

    def number(self, pts: int) -> int:
        """The frame with exactly this PTS.

        Raises:
            ValueError: no frame has it.
        """
        i = bisect_left(self.pts, pts)
        if i == len(self.pts) or self.pts[i] != pts:
            raise ValueError(f"no frame has the PTS {pts}")
        return i

    def pts_at_ms(self, ms: int) -> int:
        """PTS of the frame on screen at that millisecond; undoes `ms()` where frames are a millisecond apart."""
        after = bisect_right(range(len(self.pts)), ms, key=self.ms)
        return self.pts[max(0, after - 1)]

    def gop(self, frame_index: int) -> tuple[int, int]:
        """The group of pictures around a frame, as (first, end) frame indices."""
        after = bisect_right(self.keyframe_indices, frame_index)
        first = self.keyframe_indices[after - 1] if after else 0
        end = self.keyframe_indices[after] if after < len(self.keyframe_indices) else len(self.pts)
        return first, end

    @property
    def frame_ticks(self) -> int:
        """How long a frame is usually shown, in units of `time_base`: the median over the last hundred."""
        gaps = [late - early for early, late in pairwise(self.pts[-101:])]
        if gaps:
            return median_low(gaps)
        declared_s = self.declared_duration_s
        return max(1, round((declared_s if declared_s and declared_s < 60 else 0.04) / self.time_base))

    @property
    def duration_s(self) -> float:
        """From the first frame's start to the last frame's end."""
        return float((self.pts[-1] - self.pts[0] + self.frame_ticks) * self.time_base) if self.pts else 0.0

    @property
    def fps(self) -> float | None:
        """Frames per second as usual, whatever is missing; None for fewer than two frames."""
        return 1 / self.usual_s if len(self.pts) > 1 else None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; `from_json` reads it back."""
        return {
            "format": _FORMAT,
            "stream_index": self.stream_index,
            "container": self.container,
            "codec": self.codec,
            "width": self.width,
            "height": self.height,
            "rotation": self.rotation,
            "sample_aspect": str(self.sample_aspect),
            "time_base": str(self.time_base),
            "pts": list(self.pts),
            "keys": [list(key) for key in self.keys],
            "has_audio": self.has_audio,
            "declared_frames": self.declared_frames,
            "declared_duration_s": self.declared_duration_s,
            "problem": self.problem,
            "in_decode_order": self.in_decode_order,
            "breaks": list(self.breaks),
            "recordings": [list(recording) for recording in self.recordings],
            "key_places": list(self.key_places),
            "strangers": [list(stranger) for stranger in self.strangers],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FrameIndex:
        """Read what `to_json` wrote.

        Raises:
            ValueError: written by another version, or damaged; the index is then read from the clip again.
        """
        if data.get("format") != _FORMAT:
            raise ValueError(f"not a frame index of format {_FORMAT}: {data.get('format')!r}")
        values = {name: data[name] for name in data if name not in {"format", "pts", "keys"}}
        try:
            values["sample_aspect"] = Fraction(data["sample_aspect"])
            values["time_base"] = Fraction(data["time_base"])
            values["breaks"] = tuple(map(int, data["breaks"]))
            values["recordings"] = tuple(Recording(*map(int, recording)) for recording in data["recordings"])
            values["key_places"] = tuple(map(int, data["key_places"]))
            values["strangers"] = tuple((int(pts), int(place)) for pts, place in data["strangers"])
            keys = tuple((int(pts), int(dts)) for pts, dts in data["keys"])
            return cls(pts=tuple(map(int, data["pts"])), keys=keys, **values)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"a damaged frame index: {error}") from error


def _usual_ticks(times: Sequence[int]) -> Fraction | None:
    """The average over what is about as long as the median: clocks round up and down, frames are left out."""
    lengths = sorted(Counter(map(sub, times[1:], times)).items())
    if not lengths:
        return None
    passed = list(accumulate(count for _, count in lengths))
    median = lengths[bisect_left(passed, passed[-1] / 2)][0]
    alike = [(ticks, count) for ticks, count in lengths if median <= 2 * ticks <= 3 * median]
    return Fraction(sum(ticks * count for ticks, count in alike), sum(count for _, count in alike))


def read_index(path: Path, *, stream_index: int = 0, cancel: Callable[[], bool] | None = None) -> FrameIndex:
    """Read the frame index of one video stream by demuxing it once.

    Raises:
        ClipUnreadableError: the file gives no pictures; `str()` says why, `hint` what to do.
        JobCancelledError: `cancel` said so.
    """
    return scan_file(path, stream_index=stream_index, cancel=cancel)[0]


def scan_file(
    path: Path,
    *,
    stream_index: int = 0,
    cancel: Callable[[], bool] | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[FrameIndex, Scan]:
    """As `read_index`, together with what was noticed on the way; `progress` hears the share that was read, 0..1."""
    with open_container(path) as container:
        try:
            stream = choose_stream(container, path, stream_index)
            scan = scan_stream(path, container, stream, cancel=cancel, progress=progress)
            time_base, codec = stream.time_base, codec_name(stream)
        except MEDIA_ERRORS as error:
            raise ClipUnreadableError(
                path, f"the file is damaged ({error})", hint="Copy it again from the camera's card."
            ) from error
        container_name, has_audio = container.format.name, bool(container.streams.audio)
    if scan.goes_back:
        settle(scan, read_stretches(path, stream_index=stream_index, cancel=cancel))
    if not scan.times or not time_base or time_base <= 0:
        raise _nothing_to_index(path, scan)
    turned = scan.rotation in {90, 270}
    index = FrameIndex(
        stream_index=stream_index,
        container=container_name,
        codec=codec,
        width=scan.height if turned else scan.width,
        height=scan.width if turned else scan.height,
        rotation=scan.rotation,
        sample_aspect=scan.sample_aspect,
        time_base=time_base,
        pts=scan.times,
        keys=scan.keys,
        has_audio=has_audio,
        declared_frames=scan.declared_frames,
        declared_duration_s=scan.declared_duration_s,
        in_decode_order=scan.in_decode_order,
        breaks=scan.breaks,
        recordings=scan.stretches.recordings,
        key_places=tuple(place for _, _, place in scan.stretches.keys),
        strangers=scan.stretches.strangers,
    )
    return index, scan


def _nothing_to_index(path: Path, scan: Scan) -> ClipUnreadableError:
    if scan.without_time:
        return ClipUnreadableError(
            path,
            "the pictures carry no times",
            hint="It is a bare video stream. Put it into a container, for example: "
            f"ffmpeg -r 30 -i {path.name} -c copy {path.stem}.mp4",
        )
    declared_s = scan.declared_duration_s
    claims = f", although the file claims {declared_s:.0f} s" if declared_s else ""
    return ClipUnreadableError(
        path,
        f"no picture can be decoded{claims}",
        hint="The pictures themselves are missing. Copy it again from the camera's card.",
    )

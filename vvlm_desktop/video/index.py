"""The frame index: every timestamp and every entry point of a clip, read once without decoding the film."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vvlm_desktop.errors import ClipUnreadableError, JobCancelledError
from vvlm_desktop.video.container import MEDIA_ERRORS, choose_stream, codec_name, open_container, packets

#: A day at 120 frames a second; a header that leads to more is not to be believed.
_MAX_PACKETS = 24 * 3600 * 120
#: How many packets may be fed until the first picture tells its orientation.
_PACKETS_TO_FIRST_PICTURE = 64
#: No codec's packet begins with this many zeros; a lost block of a memory card does.
_ZEROS_BYTES = 16
#: How many pictures show whether they come out in the order of their times.
_PICTURES_TO_ORDER = 16
_CANCEL_EVERY = 1024
_FORMAT = 1


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
    #: Frames at which decoding can start, ascending.
    keyframe_indices: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        positions = (bisect_left(self.pts, pts) for pts, _ in self.keys)
        found = sorted({i for (pts, _), i in zip(self.keys, positions, strict=True) if self.pts[i : i + 1] == (pts,)})
        object.__setattr__(self, "keyframe_indices", tuple(found))

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
    def frame_duration_s(self) -> float:
        """How long a frame is usually shown: the median over the last hundred."""
        gaps = [late - early for early, late in pairwise(self.pts[-101:])]
        if gaps:
            return float(median(gaps) * self.time_base)
        declared = self.declared_duration_s
        return declared if declared and declared < 60 else 0.04

    @property
    def duration_s(self) -> float:
        """From the first frame's start to the last frame's end."""
        return self.seconds(len(self.pts) - 1) + self.frame_duration_s if self.pts else 0.0

    @property
    def fps(self) -> float | None:
        """Frames per second on average, None for fewer than two frames."""
        if len(self.pts) < 2:
            return None
        return float((len(self.pts) - 1) / ((self.pts[-1] - self.pts[0]) * self.time_base))

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
            keys = tuple((int(pts), int(dts)) for pts, dts in data["keys"])
            return cls(pts=tuple(map(int, data["pts"])), keys=keys, **values)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"a damaged frame index: {error}") from error


@dataclass(slots=True)
class Scan:
    """What the packets of one stream said, before it is judged."""

    packets: int = 0
    hidden: int = 0  # by an edit list
    damaged: int = 0  # said so by the demuxer, or overwritten with zeros
    without_time: int = 0
    repeated_times: int = 0
    before_first_key: int = 0
    encrypted: bool = False
    faults: list[str] = field(default_factory=list)


def read_index(path: Path, *, stream_index: int = 0, cancel: Callable[[], bool] | None = None) -> FrameIndex:
    """Read the frame index of one video stream by demuxing it once.

    Raises:
        ClipUnreadableError: the file gives no pictures; `str()` says why, `hint` what to do.
        JobCancelledError: `cancel` said so.
    """
    return scan_file(path, stream_index=stream_index, cancel=cancel)[0]


def scan_file(
    path: Path, *, stream_index: int = 0, cancel: Callable[[], bool] | None = None
) -> tuple[FrameIndex, Scan]:
    """As `read_index`, together with what was noticed on the way."""
    with open_container(path) as container:
        try:
            stream = choose_stream(container, path, stream_index)
            return _scan_stream(path, container, stream, stream_index=stream_index, cancel=cancel)
        except MEDIA_ERRORS as error:
            raise ClipUnreadableError(
                path, f"the file is damaged ({error})", hint="Copy it again from the camera's card."
            ) from error


def _scan_stream(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    *,
    stream_index: int,
    cancel: Callable[[], bool] | None,
) -> tuple[FrameIndex, Scan]:
    scan = Scan()
    shown, keys = _read_times(path, container, stream, scan=scan, cancel=cancel)
    time_base = stream.time_base
    if not shown or not time_base or time_base <= 0:
        raise _no_times(path, scan, declared_s=_declared_duration_s(container, stream))
    times = sorted(set(shown))
    scan.repeated_times = len(shown) - len(times)
    entries = tuple(sorted(keys)) or ((times[0], times[0]),)
    first = bisect_left(times, entries[0][0])  # what comes before the first entry point cannot be decoded
    scan.before_first_key = first
    look = _look(container, stream)
    width, height = (look.height, look.width) if look.rotation in {90, 270} else (look.width, look.height)
    index = FrameIndex(
        stream_index=stream_index,
        container=container.format.name,
        codec=codec_name(stream),
        width=width,
        height=height,
        rotation=look.rotation,
        sample_aspect=stream.sample_aspect_ratio or Fraction(1),
        time_base=time_base,
        pts=tuple(times[first:]),
        keys=entries,
        has_audio=bool(container.streams.audio),
        declared_frames=stream.frames or None,
        declared_duration_s=_declared_duration_s(container, stream),
        in_decode_order=look.in_decode_order,
    )
    return index, scan


def _read_times(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    *,
    scan: Scan,
    cancel: Callable[[], bool] | None,
) -> tuple[array[int], list[tuple[int, int]]]:
    """PTS of every packet that is to be shown, and (PTS, DTS) of every key packet."""
    shown: array[int] = array("q")
    keys: list[tuple[int, int]] = []
    for packet in packets(container, stream, scan.faults):
        scan.packets += 1
        if scan.packets % _CANCEL_EVERY == 0 and cancel is not None and cancel():
            raise JobCancelledError(f"Reading {path.name} was stopped.")
        if scan.packets > _MAX_PACKETS:
            raise ClipUnreadableError(
                path, f"the file claims more than {_MAX_PACKETS:,} frames", hint="Cut it into shorter files."
            )
        if scan.packets == 1:
            scan.encrypted = packet.has_sidedata("encryption_info")
        scan.damaged += packet.is_corrupt or not any(memoryview(packet)[:_ZEROS_BYTES])
        scan.hidden += packet.is_discard
        pts, dts = packet.pts, packet.dts
        if pts is None:
            scan.without_time += 1
            continue
        if not packet.is_discard:
            shown.append(pts)
        if packet.is_keyframe:  # one hidden by an edit list is still an entry point
            keys.append((pts, dts if dts is not None else pts))
    return shown, keys


def _no_times(path: Path, scan: Scan, *, declared_s: float | None) -> ClipUnreadableError:
    if scan.without_time:
        return ClipUnreadableError(
            path,
            "the pictures carry no times",
            hint="It is a bare video stream. Put it into a container, for example: "
            f"ffmpeg -r 30 -i {path.name} -c copy {path.stem}.mp4",
        )
    claims = f", although the file claims {declared_s:.0f} s" if declared_s else ""
    return ClipUnreadableError(
        path,
        f"no picture can be decoded{claims}",
        hint="The pictures themselves are missing. Copy it again from the camera's card.",
    )


def _declared_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    else:
        return None
    return seconds if seconds > 0 else None


@dataclass(frozen=True, slots=True)
class _Look:
    """What only decoded pictures tell."""

    width: int
    height: int
    rotation: int = 0
    in_decode_order: bool = False


def _look(container: InputContainer, stream: VideoStream) -> _Look:
    """Decode the first picture; in an AVI a few more, which show whether its times are those of showing."""
    wanted = _PICTURES_TO_ORDER if container.format.name == "avi" else 1
    pictures: list[av.VideoFrame] = []
    try:
        container.seek(stream.start_time or 0, stream=stream, backward=True)
    except MEDIA_ERRORS:
        return _Look(stream.codec_context.width, stream.codec_context.height)
    for fed, packet in enumerate(packets(container, stream)):
        with suppress(*MEDIA_ERRORS):
            pictures += packet.decode()
        if len(pictures) >= wanted or fed >= _PACKETS_TO_FIRST_PICTURE:
            break
    if not pictures:
        with suppress(*MEDIA_ERRORS):  # a clip may be shorter than its decoder's delay
            pictures += stream.codec_context.decode(None)
    if not pictures:
        return _Look(stream.codec_context.width, stream.codec_context.height)
    times = [picture.pts for picture in pictures if picture.pts is not None]
    first = pictures[0]
    return _Look(first.width, first.height, _clockwise(first.rotation), times != sorted(times) and wanted > 1)


def _clockwise(degrees: int) -> int:
    """PyAV counts counter-clockwise; only quarter turns are applied."""
    return -degrees % 360 if degrees % 90 == 0 else 0

"""More clips that carry their numbers: the containers, codecs and clocks that cameras and their software make.

    path = awkward("mpeg4_packed.avi")      # as `clips.clip`: made on first use, kept for later sessions
    AWKWARD[name].codes                     # numbers in the pixels of its frames in the order of their times

They are small, so that every test run can go through all of them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av

from tests import clips, clips_bytes, clips_fields
from tests.clips import make_clip, remux
from tests.clips_bytes import PACKED_MARK, packed, time_scales, with_edits, with_times
from tests.clips_fields import write_fields

FRAMES = 48
FPS = 25
SIZE = (160, 96)
_TICK = 90_000 // FPS
_WRAP = 1 << 33


@dataclass(frozen=True, slots=True)
class Awkward:
    """How a clip is made, and what is in it."""

    make: Callable[[Path], object]
    codes: Sequence[int] = range(FRAMES)
    #: Those of them that may be refused: nothing in the file tells whether they are whole.
    doubtful: Sequence[int] = ()


def _small(path: Path, **changed: Any) -> Path:
    values: dict[str, Any] = {"frames": FRAMES, "fps": FPS, "size": SIZE, **changed}
    if values.get("codec", "libx264") == "libx264":
        values["options"] = {"g": "12", "bf": "3", "crf": "20", **values.get("options", {})}
    return make_clip(path, **values)


def _x264(params: str = "", **options: str) -> Callable[[Path], object]:
    return lambda path: _small(path, options={**options, "x264-params": f"scenecut=0:{params}"})


def _x265(params: str, *, pix_fmt: str = "yuv420p") -> Callable[[Path], object]:
    options = {"x265-params": f"log-level=error:keyint=12:min-keyint=12:{params}"}
    return lambda path: _small(path, codec="libx265", pix_fmt=pix_fmt, options=options)


def _coded(codec: str, pix_fmt: str = "yuv420p", **options: str) -> Callable[[Path], object]:
    return lambda path: _small(path, codec=codec, pix_fmt=pix_fmt, options=options)


def _copied(name: str, container: str | None = None, **options: str) -> Callable[[Path], object]:
    return lambda path: remux(awkward(name), path, container=container, container_options=options)


def _edited(*edits: tuple[int, int]) -> Callable[[Path], object]:
    """An edit list in frames: (how many, from which; -1 for nothing shown)."""

    def make(path: Path) -> None:
        data = awkward("plain.mp4").read_bytes()
        film, track = time_scales(data)
        with av.open(str(awkward("plain.mp4"))) as container:
            shift = container.streams.video[0].start_time or 0
        offset = _first_media_time(data) - shift
        entries = [(count * film // FPS, offset + first * track // FPS if first >= 0 else -1) for count, first in edits]
        path.write_bytes(with_edits(data, entries))

    return make


def _first_media_time(data: bytes) -> int:
    place = data.index(b"elst") + 16
    return int.from_bytes(data[place : place + 4], "big", signed=True)


def _retimed(change: Callable[[int, int], int | None]) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(with_times(awkward("plain.ts").read_bytes(), change))


def _joined(*names: str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(b"".join(awkward(name).read_bytes() for name in names))


def _packed_avi(path: Path) -> None:
    source = path.with_name("unpacked.avi")
    _small(source, codec="mpeg4", options={"g": "12", "bf": "1", "b": "2M", "sc_threshold": "1000000000"})
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        found = [bytes(packet) for packet in old.demux(stream) if packet.size]
        are_b = [_coding_type(packet) == 2 for packet in found]
        start = found[0].index(b"\0\0\1\xb6")
        found[0] = found[0][:start] + PACKED_MARK + found[0][start:]
        for place, content in enumerate(packed(found, are_b=are_b)):
            packet = av.Packet(content)
            packet.stream, packet.pts, packet.dts, packet.time_base = copy, place, place, Fraction(1, FPS)
            packet.is_keyframe = _coding_type(content) == 0
            new.mux(packet)


def _coding_type(content: bytes) -> int:
    place = content.index(b"\0\0\1\xb6") + 4
    return content[place] >> 6


def _other(path: Path, *, size: tuple[int, int]) -> Path:
    """What follows on the plain clip."""
    return _small(path, numbers=range(FRAMES, 2 * FRAMES), size=size)


def _every_tenth_twice(_: int, time: int) -> int:
    """Frames 9, 19 … have the times of those before them."""
    number = (time - _start_of("plain.ts")) // _TICK
    return time - _TICK if number % 10 == 9 else time


def _start_of(name: str) -> int:
    with av.open(str(awkward(name))) as container:
        return container.streams.video[0].start_time or 0


def _fields(*, whole: Sequence[int] = ()) -> Callable[[Path], object]:
    return lambda path: write_fields(path, frames=FRAMES, fps=FPS, size=SIZE, whole=whole)


def _fields_without_second_times(path: Path) -> None:
    path.write_bytes(with_times(awkward("paff.ts").read_bytes(), lambda n, time: None if n % 2 else time))


def _restarted(path: Path) -> None:
    """Two recordings one after the other, the second with the times of the first."""
    path.write_bytes(awkward("plain.ts").read_bytes() + _later("renumbered.ts", -FRAMES * _TICK))


def _joined_anew(**coded: Any) -> Callable[[Path], object]:
    """Two recordings one after the other, both beginning at no time."""

    def make(path: Path) -> None:
        times_s = [Fraction(number, FPS) for number in range(FRAMES)]
        first = _small(path, **coded).read_bytes()
        second = _small(path, numbers=range(FRAMES, 2 * FRAMES), times_s=times_s, **coded).read_bytes()
        path.write_bytes(first + second)

    return make


def _later(name: str, ticks: int) -> bytes:
    return with_times(awkward(name).read_bytes(), lambda _, time: time + ticks)


def _again_at(ticks: int) -> Callable[[Path], object]:
    """Two recordings one after the other, the second beginning so long after the first began."""

    def make(path: Path) -> None:
        path.write_bytes(awkward("plain.ts").read_bytes() + _later("renumbered.ts", ticks - FRAMES * _TICK))

    return make


def _three_days(path: Path) -> None:
    """A recording, an earlier one that reaches around it in time, and a later one."""
    first = _later("plain.ts", 20 * 90_000)
    before, after = _later("renumbered.ts", -FRAMES * _TICK), _later("renumbered.ts", 30 * 90_000)
    path.write_bytes(first + before + after)


_HALF = FRAMES // 2
#: Pictures may have been lost between two recordings that were joined: the last ones of the first are in doubt.
_JOINT = (46, 47)

_OTHER_DAY = range(FRAMES, 2 * FRAMES)
_DAY_END = range(2 * FRAMES - 3, 2 * FRAMES)
#: Frames of a second recording that lie before the first one's beginning.
_EARLIER = (FRAMES, FRAMES + 1)

AWKWARD: dict[str, Awkward] = {
    # containers
    "plain.mp4": Awkward(_x264()),
    "plain.ts": Awkward(_copied("plain.mp4")),
    "faststart.mp4": Awkward(_copied("plain.mp4", movflags="faststart")),
    "hevc_faststart.mp4": Awkward(_copied("hevc_open.mp4", movflags="faststart")),
    "plain.mov": Awkward(_copied("plain.mp4")),
    "plain.3gp": Awkward(_copied("plain.mp4")),
    "plain.mkv": Awkward(_copied("plain.mp4")),
    "plain.flv": Awkward(_copied("plain.mp4")),
    "plain.nut": Awkward(_copied("plain.mp4")),
    "plain.m2ts": Awkward(_copied("plain.mp4", mpegts_m2ts_mode="1")),
    "fragmented.mp4": Awkward(_copied("plain.mp4", movflags="frag_keyframe+empty_moov+default_base_moof")),
    "fragment_per_frame.mp4": Awkward(_copied("plain.mp4", movflags="frag_every_frame+empty_moov")),
    "fragments_dash.mp4": Awkward(_copied("plain.mp4", movflags="dash+frag_keyframe+delay_moov")),
    "no_edit_list.mp4": Awkward(_copied("plain.mp4", use_editlist="0")),
    "negative_offsets.mp4": Awkward(_copied("plain.mp4", movflags="negative_cts_offsets")),
    # H.264
    "b_pyramid_strict.mp4": Awkward(_x264("b-pyramid=strict:bframes=7:ref=5", bf="7")),
    "no_b.mp4": Awkward(_x264(bf="0")),
    "intra_only.mp4": Awkward(_x264(g="1", bf="0")),
    "open_gop.mp4": Awkward(_x264("open-gop=1")),
    "open_gop.mkv": Awkward(_copied("open_gop.mp4")),
    "open_gop.flv": Awkward(_copied("open_gop.mp4")),
    "open_gop.m2ts": Awkward(_copied("open_gop.mp4", mpegts_m2ts_mode="1")),
    "mbaff.mp4": Awkward(_x264("tff=1:bframes=2", bf="2")),
    "mbaff.ts": Awkward(_copied("mbaff.mp4")),
    "paff.mp4": Awkward(_fields()),
    "paff.mkv": Awkward(_fields()),
    "paff.ts": Awkward(_fields()),
    "paff_and_whole.ts": Awkward(_fields(whole=range(4, FRAMES, 5))),
    "paff_first_times.ts": Awkward(_fields_without_second_times),
    "slices.mp4": Awkward(_x264("slices=4:cabac=0")),
    "h264_10bit.mp4": Awkward(lambda p: _small(p, pix_fmt="yuv420p10le", options={"x264-params": "scenecut=0"})),
    "long_gop.ts": Awkward(_x264(g="999")),
    # HEVC
    "hevc_closed.mp4": Awkward(_x265("open-gop=0:bframes=4")),
    "hevc_open.mp4": Awkward(_x265("open-gop=1:bframes=4")),
    "hevc_open.ts": Awkward(_copied("hevc_open.mp4")),
    "hevc_layers.mp4": Awkward(_x265("temporal-layers=3:bframes=4:b-adapt=0")),
    "hevc_10bit.mkv": Awkward(_x265("", pix_fmt="yuv420p10le")),
    # the others
    "av1.webm": Awkward(_coded("libsvtav1", preset="10", g="16", crf="16", **{"svtav1-params": "lp=1"})),
    "vp8_hidden.webm": Awkward(
        _coded("libvpx", **{"auto-alt-ref": "1", "lag-in-frames": "16", "g": "24", "b": "800k", "deadline": "good"})
    ),
    "vp9_hidden.webm": Awkward(
        _coded("libvpx-vp9", **{"auto-alt-ref": "1", "lag-in-frames": "16", "g": "24", "crf": "20", "b": "0"})
    ),
    "vp9.mp4": Awkward(_copied("vp9_hidden.webm")),
    "mpeg4_b.avi": Awkward(_coded("mpeg4", g="12", bf="2", b="2M")),
    "mpeg4_packed.avi": Awkward(_packed_avi),
    "mpeg4_b.mkv": Awkward(_coded("mpeg4", g="12", bf="2", b="2M")),
    "mpeg2.vob": Awkward(_coded("mpeg2video", g="12", bf="2", b="2M")),
    "mpeg2_open.ts": Awkward(_coded("mpeg2video", g="12", bf="2", b="2M", flags="-cgop")),
    "mpeg2_closed.mkv": Awkward(_coded("mpeg2video", g="12", bf="2", b="2M", flags="+cgop", sc_threshold="1000000000")),
    "mjpeg.mov": Awkward(_coded("mjpeg", "yuvj420p")),
    "mjpeg.mkv": Awkward(_coded("mjpeg", "yuvj420p")),
    "prores.mov": Awkward(_coded("prores_ks", "yuv422p10le")),
    "ffv1.mkv": Awkward(_coded("ffv1", g="12")),
    "huffyuv.avi": Awkward(_coded("huffyuv", "yuv422p")),
    "sorenson.flv": Awkward(_coded("flv", g="12", b="2M")),
    "h263.3gp": Awkward(lambda p: _small(p, codec="h263", size=(176, 144), options={"g": "12", "b": "2M"})),
    "wmv2.wmv": Awkward(_coded("wmv2", g="12", b="2M")),
    # clocks
    "several_edits.mp4": Awkward(_edited((10, 5), (10, 30)), [*range(5, 15), *range(31, 40)]),
    "empty_edit.mp4": Awkward(_edited((25, -1), (FRAMES, 0))),
    "late_media.mp4": Awkward(_edited((30, 15)), range(15, 45)),
    "edits_backward.mp4": Awkward(_edited((10, 30), (10, 5)), [*range(30, 40), *range(5, 15)]),
    "edits_twice.mp4": Awkward(_edited((10, 5), (10, 5)), [*range(5, 15), *range(5, 15)]),
    "wrap.ts": Awkward(_retimed(lambda _, time: time - time % _TICK + _WRAP - _HALF * _TICK)),
    "jump_forward.ts": Awkward(_retimed(lambda n, time: time + (400 * 90_000 if n >= 24 else 0))),
    "jump_back.ts": Awkward(_retimed(lambda n, time: time + (0 if n >= 24 else 400 * 90_000))),
    "jump_back_a_little.ts": Awkward(
        _retimed(lambda n, time: time + (0 if n >= 24 else 20 * 90_000)), [*range(24, 48), *range(24)]
    ),
    "times_missing.ts": Awkward(
        _retimed(lambda n, time: None if n % 12 == 0 and n else time), [n for n in range(FRAMES) if n % 12 or not n]
    ),
    "times_twice.ts": Awkward(_retimed(_every_tenth_twice), [n for n in range(FRAMES) if n % 10 != 9]),
    # pictures that change on the way
    "renumbered.ts": Awkward(lambda p: _other(p, size=SIZE), range(FRAMES, 2 * FRAMES)),
    "larger.ts": Awkward(lambda p: _other(p, size=(240, 144)), range(FRAMES, 2 * FRAMES)),
    "later.ts": Awkward(
        lambda p: p.write_bytes(with_times(awkward("renumbered.ts").read_bytes(), lambda _, t: t + 2 * _TICK)),
        range(FRAMES, 2 * FRAMES),
    ),
    "larger_later.ts": Awkward(
        lambda p: p.write_bytes(with_times(awkward("larger.ts").read_bytes(), lambda _, t: t + 2 * _TICK)),
        range(FRAMES, 2 * FRAMES),
    ),
    "continued.ts": Awkward(_joined("plain.ts", "later.ts"), range(2 * FRAMES), doubtful=_JOINT),
    "size_changes.ts": Awkward(_joined("plain.ts", "larger_later.ts"), range(2 * FRAMES), doubtful=_JOINT),
    "restarted.ts": Awkward(_restarted, [*_EARLIER, *range(FRAMES)], doubtful=_JOINT),
    "restarted_between.ts": Awkward(
        _again_at(_HALF * _TICK + _TICK // 3), [*range(FRAMES), *range(FRAMES + _HALF + 1, 2 * FRAMES)], doubtful=_JOINT
    ),
    "joined.vob": Awkward(_joined_anew(codec="mpeg2video", options={"g": "12", "bf": "2", "b": "2M"}), range(FRAMES)),
    "joined.mkv": Awkward(_joined_anew(), range(FRAMES)),
    "three_days.ts": Awkward(_three_days, [*_OTHER_DAY, *range(FRAMES), *_OTHER_DAY], doubtful=(*_JOINT, *_DAY_END)),
}


def awkward(name: str) -> Path:
    """The clip of that name, made if need be; several test processes may ask at once."""
    folder = _folder()
    path = folder / name
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as making:
            draft = Path(making) / name
            AWKWARD[name].make(draft)
            draft.replace(path)
    return path


@cache
def _folder() -> Path:
    sources = (__file__, clips.__file__, clips_bytes.__file__, clips_fields.__file__)
    version = hashlib.sha256(b"".join(Path(file).read_bytes() for file in sources) + av.__version__.encode())
    owner = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir()) / f"vvlm-awkward-clips-{owner}-{version.hexdigest()[:12]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder

"""Clips whose pixels carry the frame number, so that "frame-accurate" is asserted and not believed.

    path = clip("h264_bframes")             # made on first use, kept for the session and for later ones
    read_code(rgb) == 17                    # NO_CODE when the picture is garbled: a check code guards the number

Every clip of `CLIPS` is made by one function below. `codes(name)` are the numbers in the pixels of its frames in order
of time, `ORIGIN` names the undamaged clip on whose time line a damaged one lies. The files live in the system's
temporary folder under a name that holds the hash of this file: a change here makes new ones.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

NO_CODE = -1
SIZE = (320, 180)
FRAMES = 90
FPS = 30
_BITS = 12
_TICKS = 90_000


# --- pictures -------------------------------------------------------------------------------------------------------


def _check(number: int) -> int:
    return (number * 2_654_435_761 >> 11 ^ 0xA5A) & 0xFFF  # all black is no code


def draw(number: int, *, width: int, height: int) -> np.ndarray:
    """RGB picture with the number in two rows of blocks above, and something that moves below."""
    picture = _texture(height, width).copy()
    picture = np.roll(picture, 5 * number, axis=1)
    for row, value in enumerate((number, _check(number))):
        for bit in range(_BITS):
            top, bottom = (row * height // 5, (row + 1) * height // 5)
            left, right = (bit * width // _BITS, (bit + 1) * width // _BITS)
            picture[top:bottom, left:right] = 235 if value >> (_BITS - 1 - bit) & 1 else 20
    return picture


def read_code(picture: np.ndarray) -> int:
    """The number in an upright picture of any size, grey or RGB; NO_CODE when its check code does not fit."""
    grey = picture if picture.ndim == 2 else picture[..., 1]
    height, width = grey.shape
    values = []
    for row in range(2):
        value = 0
        for bit in range(_BITS):
            y, x = (2 * row + 1) * height / 10, (2 * bit + 1) * width / (2 * _BITS)
            dy, dx = height / 13, width / (2.6 * _BITS)
            block = grey[int(y - dy) : int(y + dy) + 1, int(x - dx) : int(x + dx) + 1]
            value = value << 1 | int(block.mean() > 127)
        values.append(value)
    return values[0] if values[1] == _check(values[0]) else NO_CODE


@cache
def _texture(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([(x * 3 + y) % 256, (y * 2) % 256, (x + y * 2) % 256], axis=2).astype(np.uint8)
    noise = np.random.default_rng(1).integers(0, 60, (height // 8 + 1, width // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)
    return np.clip(waves // 2 + noise[:height, :width], 0, 255).astype(np.uint8)


# --- one clip -------------------------------------------------------------------------------------------------------


def make_clip(
    path: Path,
    *,
    frames: int = FRAMES,
    fps: float = FPS,
    size: tuple[int, int] = SIZE,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    container: str | None = None,
    container_options: Mapping[str, str] | None = None,
    numbers: Sequence[int] | None = None,
    times_s: Sequence[Fraction] | None = None,
    audio_s: tuple[float, float] | None = None,
    rotation: int = 0,
    black: bool = False,
    sample_aspect: Fraction | None = None,
    full_range: bool = False,
) -> Path:
    """Encode a clip.

    Args:
        path: where; the ending chooses the container unless `container` does.
        numbers: what to paint, 0, 1, 2 … unless given.
        times_s: when each frame is shown, number / fps unless given.
        audio_s: start and length of a tone; the silent default has no audio stream.
        rotation: clockwise degrees that a player must apply.
    """
    numbers = range(frames) if numbers is None else numbers
    rate = Fraction(fps).limit_denominator(1001)
    times_s = [number / rate for number in numbers] if times_s is None else times_s
    try:
        av.codec.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"PyAV has no encoder {codec} here")
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder writes a page to stderr otherwise
    with av.open(str(path), "w", format=container, container_options=dict(container_options or {})) as out:
        settings = {"preset": "veryfast", "crf": "26"} if codec == "libx264" else {}
        if codec == "libx265":
            settings = {"preset": "ultrafast", "x265-params": "log-level=error"}
        stream = out.add_stream(codec, rate=rate, options={**settings, **(options or {})})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        whole_frames = codec in {"mpeg2video", "mpeg4", "mjpeg"} or path.suffix == ".avi"
        tick = 1 / rate if whole_frames else Fraction(1, _TICKS)
        stream.codec_context.time_base = tick
        if tick != 1 / rate:
            stream.time_base = tick
        stream.codec_context.thread_count = 1
        if sample_aspect is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if full_range:
            stream.codec_context.color_range = 2
        if rotation:
            stream.set_display_rotation(-rotation)
        sound = out.add_stream("aac", rate=48_000, layout="mono") if audio_s is not None else None
        for number, time_s in zip(numbers, times_s, strict=True):
            upright = size if rotation % 180 == 0 else size[::-1]
            picture = np.rot90(draw(number, width=upright[0], height=upright[1]) * (not black), rotation // 90)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(format=pix_fmt, dst_color_range=2 if full_range else 1)
            frame.pts, frame.time_base = round(time_s / tick), tick
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound is not None and audio_s is not None:
            for step in range(int(audio_s[1] * 48_000) // 1024):
                wave = np.sin(np.arange(1024) * 0.06, dtype=np.float32)[None] * 0.2
                chunk = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                chunk.sample_rate, chunk.pts = 48_000, int(audio_s[0] * 48_000) + step * 1024
                chunk.time_base = Fraction(1, 48_000)
                out.mux(sound.encode(chunk))
            out.mux(sound.encode(None))
    return path


def remux(
    source: Path,
    path: Path,
    *,
    container: str | None = None,
    first_packet: int = 0,
    shift_s: Fraction = Fraction(0),
    container_options: Mapping[str, str] | None = None,
) -> Path:
    """Copy the packets of the video stream without encoding them again."""
    with (
        av.open(str(source)) as old,
        av.open(str(path), "w", format=container, container_options=dict(container_options or {})) as new,
    ):
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        ticks = int(shift_s / stream.time_base)
        for i, packet in enumerate(packet for packet in old.demux(stream) if packet.size):
            if i >= first_packet:
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = copy
                new.mux(packet)
    return path


def _two_streams(path: Path) -> None:
    """Front and rear camera in one file, the second with its own size and numbers 1000, 1001 …."""
    rear = make_clip(path.with_name("rear.mp4"), frames=30, numbers=range(1000, 1030), size=(240, 136), options=_GOP30)
    with av.open(str(path), "w") as new, av.open(str(clip("h264_bframes.mp4"))) as front, av.open(str(rear)) as second:
        pairs = [(source.streams.video[0], source) for source in (front, second)]
        copies = [new.add_stream_from_template(stream) for stream, _ in pairs]
        for copy, (stream, source) in zip(copies, pairs, strict=True):
            for packet in source.demux(stream):
                if packet.size:
                    packet.stream = copy
                    new.mux(packet)


def _tone(path: Path) -> None:
    """A file with sound only."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=48_000, layout="mono")
        for step in range(20):
            chunk = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            chunk.sample_rate, chunk.pts, chunk.time_base = 48_000, step * 1024, Fraction(1, 48_000)
            out.mux(stream.encode(chunk))
        out.mux(stream.encode(None))


def _picture(path: Path) -> None:
    frame = av.VideoFrame.from_ndarray(draw(1, width=320, height=180), format="rgb24")
    frame.to_image().save(path, "JPEG")


def _tiny(path: Path) -> None:
    """A few kilobytes of each container, for tests that open hundreds of files."""
    make_clip(path, frames=6, size=(160, 90), options={"g": "3", "bf": "0" if path.suffix == ".avi" else "1"})


def damage(source: Path, path: Path, change: Callable[[bytearray], bytes | bytearray]) -> Path:
    """Write a changed copy of a file."""
    path.write_bytes(change(bytearray(source.read_bytes())))
    return path


def _zeroed(data: bytearray) -> bytearray:
    start = len(data) * 2 // 5
    data[start : start + 65_536] = bytes(65_536)
    return data


def _hollow(data: bytearray) -> bytearray:
    """Every picture overwritten, the header whole."""
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    return data


def _flipped(data: bytearray) -> bytearray:
    rng = random.Random(7)
    for _ in range(400):
        data[rng.randrange(len(data) // 10, len(data) * 9 // 10)] ^= 1 << rng.randrange(8)
    return data


# --- the collection -------------------------------------------------------------------------------------------------

_GOP30 = {"g": "30", "bf": "3", "x264-params": "scenecut=0"}
_GOP15 = {**_GOP30, "g": "15"}
_LARGE = {**_GOP15, "crf": "0"}
_AV1 = {"preset": "8", "g": "30", "crf": "16", "svtav1-params": "lp=1"}
_VFR = [n for n in range(FRAMES) if n % 7 not in (2, 3) and not 40 <= n < 56]
_FASTSTART = {"movflags": "faststart"}
_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
_ENCRYPTED = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "0" * 31 + "1", "encryption_kid": "0" * 32}
_LENGTHS = {
    "h264_gop250.mp4": 120,
    "h264_one_key_30s.mp4": 120,
    "mjpeg.avi": 30,
    "uhd.mp4": 2,
    "one_frame.mp4": 1,
    "h264_full_range.mp4": 6,
    "h264_wide_pixels.mp4": 6,
    "name with spaces, 🚗 and #1 %d.mp4": 12,
    **{f"h264_rotated_{degrees}.mp4": 12 for degrees in (90, 180, 270)},
    **{f"tiny.{ending}": 6 for ending in ("mp4", "mkv", "ts", "avi")},
}
_CUT_PACKET, _CUT_FRAME = 30, 42
_JUMP = [Fraction(n, FPS) + (5000 if n >= 45 else 0) for n in range(FRAMES)]

CLIPS: dict[str, Callable[[Path], object]] = {
    "h264_bframes.mp4": lambda p: make_clip(p, options=_GOP30, container_options=_FASTSTART, audio_s=(0, 3)),
    "h264_gop250.mp4": lambda p: make_clip(p, frames=120, options={**_GOP30, "g": "250"}),
    "h264_one_key_30s.mp4": lambda p: make_clip(p, frames=120, fps=4, options={**_GOP30, "g": "9999"}),
    "h264_open_gop.mp4": lambda p: make_clip(p, options={"g": "30", "bf": "3", "x264-params": "open-gop=1:scenecut=0"}),
    "h264_open_gop.ts": lambda p: remux(clip("h264_open_gop.mp4"), p, container="mpegts"),
    "h264_intra_refresh.ts": lambda p: make_clip(p, options={"g": "20", "x264-params": "intra-refresh=1"}),
    "h264.ts": lambda p: make_clip(p, options=_GOP30, audio_s=(0, 3)),
    "h264_large.mp4": lambda p: make_clip(p, options=_LARGE, container_options=_FASTSTART),
    "h264_large.ts": lambda p: remux(clip("h264_large.mp4"), p),
    "h264.avi": lambda p: make_clip(p, options={"g": "15", "bf": "0"}),
    "h264_bframes.avi": lambda p: make_clip(p, options=_GOP15),
    "h264.mkv": lambda p: make_clip(p, options=_GOP15),
    "h264.h264": lambda p: make_clip(p, options=_GOP30, container="h264"),
    "h264_fragmented.mp4": lambda p: make_clip(p, options=_GOP15, container_options=_FRAGMENTS),
    "h264_vfr.mp4": lambda p: make_clip(p, numbers=_VFR, options=_GOP15),
    "h264_vfr.ts": lambda p: make_clip(p, numbers=_VFR, options=_GOP15),
    "h264_edit_list.mp4": lambda p: remux(
        clip("h264_bframes.mp4"), p, first_packet=_CUT_PACKET, shift_s=Fraction(-_CUT_FRAME, FPS)
    ),
    "h264_jump.mp4": lambda p: make_clip(p, times_s=_JUMP, options=_GOP15),
    "h264_jump.ts": lambda p: make_clip(p, times_s=_JUMP, options=_GOP15),
    "h264_late_video.mp4": lambda p: make_clip(
        p, times_s=[Fraction(5, 2) + Fraction(n, FPS) for n in range(FRAMES)], options=_GOP15, audio_s=(0, 5.5)
    ),
    "h264_odd_444.mp4": lambda p: make_clip(p, size=(321, 181), pix_fmt="yuv444p", options=_GOP15),
    "h264_rotated_90.mp4": lambda p: make_clip(p, frames=12, rotation=90),
    "h264_rotated_180.mp4": lambda p: make_clip(p, frames=12, rotation=180),
    "h264_rotated_270.mp4": lambda p: make_clip(p, frames=12, rotation=270),
    "h264_full_range.mp4": lambda p: make_clip(p, frames=6, pix_fmt="yuvj420p", full_range=True),
    "h264_wide_pixels.mp4": lambda p: make_clip(p, frames=6, sample_aspect=Fraction(4, 3)),
    "hevc.mp4": lambda p: make_clip(p, codec="libx265", options={"g": "30"}),
    "hevc_large.mp4": lambda p: make_clip(p, codec="libx265", options={"g": "15", "crf": "4"}),
    "hevc_10bit.mp4": lambda p: make_clip(p, codec="libx265", pix_fmt="yuv420p10le", options={"g": "15"}),
    "hevc_open_gop.mkv": lambda p: make_clip(
        p, codec="libx265", options={"x265-params": "log-level=error:keyint=30:min-keyint=30:open-gop=1:bframes=4"}
    ),
    "av1.mp4": lambda p: make_clip(p, codec="libsvtav1", options=_AV1),
    "av1.mkv": lambda p: make_clip(p, codec="libsvtav1", options=_AV1),
    "mjpeg.avi": lambda p: make_clip(p, codec="mjpeg", pix_fmt="yuvj420p", frames=30, full_range=True),
    "mpeg2_interlaced.mpg": lambda p: make_clip(
        p, codec="mpeg2video", fps=25, options={"g": "15", "bf": "2", "flags": "+ildct+ilme", "b": "4M"}
    ),
    "mpeg2_interlaced.ts": lambda p: make_clip(
        p, codec="mpeg2video", fps=25, options={"g": "15", "bf": "2", "flags": "+ildct+ilme", "b": "4M"}
    ),
    "mpeg4.mp4": lambda p: make_clip(p, codec="mpeg4", options={"g": "30", "bf": "2", "b": "4M"}),
    "matroska.mp4": lambda p: remux(clip("h264_bframes.mp4"), p, container="matroska"),
    "name with spaces, 🚗 and #1 %d.mp4": lambda p: p.write_bytes(clip("h264_rotated_90.mp4").read_bytes()),
    "two_streams.mp4": _two_streams,
    "one_frame.mp4": lambda p: make_clip(p, frames=1),
    "uhd.mp4": lambda p: make_clip(p, frames=2, size=(3840, 2160), options={"preset": "ultrafast"}),
    **{f"tiny.{ending}": _tiny for ending in ("mp4", "mkv", "ts", "avi")},
    # cut off
    "cut_no_moov.mp4": lambda p: damage(clip("h264_gop250.mp4"), p, lambda d: d[: len(d) * 2 // 3]),
    "cut_faststart.mp4": lambda p: damage(clip("h264_bframes.mp4"), p, lambda d: d[: len(d) // 2]),
    "cut_fragmented.mp4": lambda p: damage(clip("h264_fragmented.mp4"), p, lambda d: d[: len(d) * 3 // 5]),
    "cut_mid_packet.ts": lambda p: damage(clip("h264.ts"), p, lambda d: d[: len(d) // 2 // 188 * 188 + 77]),
    "cut_beginning.ts": lambda p: damage(clip("h264.ts"), p, lambda d: d[len(d) // 2 // 188 * 188 + 77 :]),
    # damaged inside
    "zeroed.mp4": lambda p: damage(clip("h264_large.mp4"), p, _zeroed),
    "zeroed.ts": lambda p: damage(clip("h264_large.ts"), p, _zeroed),
    "zeroed_hevc.mp4": lambda p: damage(clip("hevc_large.mp4"), p, _zeroed),
    "flipped.mp4": lambda p: damage(clip("h264_gop250.mp4"), p, _flipped),
    "flipped.ts": lambda p: damage(clip("h264.ts"), p, _flipped),
    "hollow.mp4": lambda p: damage(clip("h264_vfr.mp4"), p, _hollow),
    # no videos
    "jpeg.mp4": _picture,
    "html.mp4": lambda p: p.write_text("<!DOCTYPE html><html><body>Not found</body></html>", encoding="utf-8"),
    "empty.mp4": lambda p: p.write_bytes(b""),
    "audio_only.mp4": _tone,
    "encrypted.mp4": lambda p: make_clip(p, frames=30, container_options=_ENCRYPTED),
    "black.mp4": lambda p: make_clip(p, frames=30, black=True),
}

#: A damaged clip → the clip whose frames, at the same times, it holds.
ORIGIN = {
    "cut_faststart.mp4": "h264_bframes.mp4",
    "cut_fragmented.mp4": "h264_fragmented.mp4",
    "cut_mid_packet.ts": "h264.ts",
    "cut_beginning.ts": "h264.ts",
    "zeroed.mp4": "h264_large.mp4",
    "zeroed.ts": "h264_large.ts",
    "zeroed_hevc.mp4": "hevc_large.mp4",
    "flipped.mp4": "h264_gop250.mp4",
    "flipped.ts": "h264.ts",
}
#: These give no pictures at all.
UNREADABLE = (
    "h264.h264",
    "cut_no_moov.mp4",
    "jpeg.mp4",
    "html.mp4",
    "empty.mp4",
    "audio_only.mp4",
    "encrypted.mp4",
    "hollow.mp4",
)
#: Without a number, or too big for every run.
OTHERS = ("black.mp4", "uhd.mp4")
#: Whole clips: every frame must come out.
WHOLE = tuple(name for name in CLIPS if name not in ORIGIN and name not in (*UNREADABLE, *OTHERS))


def codes(name: str) -> tuple[int, ...]:
    """Numbers in the pixels of a whole clip's frames, in order of time."""
    if "vfr" in name:
        return tuple(_VFR)
    if name == "h264_edit_list.mp4":
        return tuple(range(_CUT_FRAME, FRAMES))
    return tuple(range(_LENGTHS.get(name, FRAMES)))


@cache
def clip(name: str) -> Path:
    """The clip of that name, made if need be; several test processes may ask at once."""
    folder = _folder()
    path = folder / name
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as making:
            draft = Path(making) / name
            CLIPS[name](draft)
            draft.replace(path)
    return path


@cache
def _folder() -> Path:
    version = hashlib.sha256(Path(__file__).read_bytes() + av.__version__.encode()).hexdigest()[:12]
    owner = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir()) / f"vvlm-test-clips-{owner}-{version}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder

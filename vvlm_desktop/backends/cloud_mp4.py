"""Writing the MP4 that leaves: pictures copied without what cameras hide between them, or encoded; sound beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.video.stream import VideoStream

from vvlm_desktop.errors import ClipUnreadableError, JobCancelledError
from vvlm_desktop.video.container import MEDIA_ERRORS, choose_stream, open_container, packets
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.reader import FrameReader

#: Cameras write speed and position between the pictures (SEI messages; their numbers differ by codec).
COPIED_CODECS = {"h264": "filter_units=remove_types=6", "hevc": "filter_units=remove_types=39|40"}
_COPIED_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "opus"})
#: The first that this build has.
_ENCODERS = (("libx264", {"preset": "veryfast", "crf": "21"}), ("mpeg4", {"qscale": "3"}))
_MOST_TICKS_HZ = 90_000


@dataclass(frozen=True, slots=True)
class Write:
    """From which clip into which file; `progress` hears 0..1."""

    path: Path
    index: FrameIndex
    target: Path
    progress: Callable[[float], None] = lambda _: None
    cancelled: Callable[[], bool] = lambda: False

    def check(self) -> None:
        """Raise when it is no longer wanted."""
        if self.cancelled():
            raise JobCancelledError("Cancelled.")


def copy_pictures(write: Write) -> None:
    """Every picture as it is, in a new file that begins with the first of them.

    A camera may begin its pictures later than its sound. Whoever counts from the beginning of the file, as services do,
    would be so much late in every time.
    """
    with open_container(write.path) as source, av.open(str(write.target), "w", format="mp4") as out:
        stream = choose_stream(source, write.path, write.index.stream_index)
        copy = out.add_stream_from_template(stream)
        copy.metadata.clear()
        units = BitStreamFilterContext(COPIED_CODECS[write.index.codec], stream, copy)
        origin = write.index.pts[0] if stream.time_base == write.index.time_base else 0
        for packet in packets(source, stream):
            write.check()
            if packet.dts is None:
                raise ValueError("a packet without its place in decoding order")
            packet.dts -= origin
            packet.pts = None if packet.pts is None else packet.pts - origin
            for cleaned in units.filter(packet):
                cleaned.stream = copy
                out.mux(cleaned)
        for cleaned in units.filter(None):
            cleaned.stream = copy
            out.mux(cleaned)


def encode_pictures(write: Write, frame_indices: Sequence[int], *, size: tuple[int, int]) -> tuple[int, ...]:
    """Frames upright and at `size`, each at its time from the first of them.

    Returns:
        Those that could be decoded, ascending.

    Raises:
        ClipUnreadableError: none of them could be.
    """
    base = write.index.time_base
    tick = base if 1 / base <= _MOST_TICKS_HZ else Fraction(1, _MOST_TICKS_HZ)
    written: list[int] = []
    with FrameReader(write.path, write.index) as reader, av.open(str(write.target), "w", format="mp4") as out:
        stream = _picture_stream(out, size, tick)
        for i in _decodable(reader, frame_indices):
            write.check()
            written.append(i)
            picture = av.VideoFrame.from_ndarray(reader.rgb(i, width=size[0], height=size[1]), format="rgb24")
            frame = picture.reformat(format="yuv420p", dst_color_range=1)
            frame.pts = round((write.index.pts[i] - write.index.pts[written[0]]) * base / tick)
            frame.time_base = tick
            out.mux(stream.encode(frame))
            write.progress(len(written) / len(frame_indices))
        if not written:
            raise ClipUnreadableError(
                write.path, "none of its pictures can be decoded here", hint="Look at another part of the clip."
            )
        out.mux(stream.encode(None))
    return tuple(written)


def _decodable(reader: FrameReader, frame_indices: Sequence[int]) -> Iterator[int]:
    """Those of the frames that the reader can give, in one pass; the frame itself is then at hand."""
    wanted = frozenset(frame_indices)
    for i, _ in reader.walk(frame_indices[0]):
        if i in wanted:
            yield i
        if i >= frame_indices[-1]:
            return


def _picture_stream(out: OutputContainer, size: tuple[int, int], tick: Fraction) -> VideoStream:
    codec, options = next(each for each in _ENCODERS if each[0] in av.codecs_available)
    stream = out.add_stream(codec, rate=Fraction(30), options=dict(options))
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{codec} makes no pictures")
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    stream.codec_context.time_base = stream.time_base = tick
    stream.codec_context.color_range = 1
    return stream


def add_sound(write: Write, *, start: int, end: int) -> str | None:
    """Put the sound of these frames' time beside the pictures that were written; a sentence where that cannot be."""
    silent = write.target.with_name("silent.mp4")
    write.target.replace(silent)
    try:
        with open_container(write.path) as source:
            sound = source.streams.audio[0]
            form = sound.codec_context.codec.canonical_name
            if form in _COPIED_SOUND:
                _join(write, silent, sound, source.demux(sound), start=start, end=end)
                silent.unlink()
                return None
    except MEDIA_ERRORS as error:
        form = f"damaged: {type(error).__name__}"
    silent.replace(write.target)
    return f"The sound was not sent; it cannot be put into the file ({form})."


def _join(
    write: Write,
    silent: Path,
    sound: AudioStream,
    heard: Iterable[av.Packet[AudioStream]],
    *,
    start: int,
    end: int,
) -> None:
    index = write.index
    start_s, end_s = index.pts[start] * index.time_base, (index.pts[end] + index.frame_ticks) * index.time_base
    base = sound.time_base or Fraction(1, 48_000)
    with av.open(str(silent)) as pictures, av.open(str(write.target), "w", format="mp4") as out:
        shown = pictures.streams.video[0]
        shown_copy, sound_copy = out.add_stream_from_template(shown), out.add_stream_from_template(sound)
        sound_copy.metadata.clear()
        for picture in pictures.demux(shown):
            write.check()
            if picture.dts is not None:
                picture.stream = shown_copy
                out.mux(picture)
        for packet in heard:
            if packet.dts is not None and packet.pts is not None and start_s <= packet.pts * base < end_s:
                packet.pts, packet.dts = packet.pts - round(start_s / base), packet.dts - round(start_s / base)
                packet.stream = sound_copy
                out.mux(packet)

"""Opening a file as a video, whatever it really is, and reading its packets without giving up at the first fault."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from vvlm_desktop.errors import ClipUnreadableError

#: What PyAV raises for content it cannot digest: its own errors first, then what was seen on damaged files (IndexError
#: at the end of a Novatek TS, UnicodeDecodeError in metadata, OverflowError and MemoryError for absurd sizes).
MEDIA_ERRORS = (av.FFmpegError, OSError, IndexError, ValueError, OverflowError, MemoryError)

#: Containers only: a playlist could reach out to other files and to the network, and a picture is not a clip.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vvc,av1,obu,ivf,flv,asf,ogg,dv,mxf,"
    "nut,wtv,dhav,h263,mp3,wav,flac,aac,amr,gxf,rm,yuv4mpegpipe"
)
_OPEN_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}

#: More than any camera makes (16K × 8K); beyond it a damaged header would ask for gigabytes per frame.
_MAX_PIXELS = 1 << 27

#: How often reading goes on after a fault that gave no packet in between.
_MAX_FAULTS_IN_A_ROW = 8

_HEAD_BYTES = 4096
_COPY_AGAIN = "Copy it again from the camera's card. If it is the same there, the recording was lost."
_REPAIR = "Copy it again from the camera's card; if it is the same there, try to repair the recording."


def open_container(path: Path) -> InputContainer:
    """Open a file for demuxing.

    Raises:
        ClipUnreadableError: no such file, no permission, not a video, or damaged beyond its header.
    """
    head = _read_head(path)
    try:
        container = av.open(str(path.absolute()), container_options=_OPEN_OPTIONS, metadata_errors="replace")
    except MEDIA_ERRORS as error:
        raise _explain(path, head) from error
    if not video_streams_of(container):
        container.close()
        raise ClipUnreadableError(
            path,
            "there is no video in this file",
            hint="It holds only sound or data. Choose the video file of this recording.",
        )
    return container


def video_streams_of(container: InputContainer) -> list[VideoStream]:
    """The streams that are clips: cover pictures and one-picture previews beside a real video are none."""
    pictures = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    moving = [stream for stream in container.streams.video if not stream.disposition & pictures]
    real = [stream for stream in moving if not (stream.frames == 1 and codec_name(stream) in {"mjpeg", "png", "bmp"})]
    return real or [stream for stream in moving if codec_name(stream) not in {"png", "bmp"}]


def codec_name(stream: VideoStream) -> str:
    """The codec's own name (`av1`, not that of the decoder library); empty when this build cannot decode it."""
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else ""


def choose_stream(container: InputContainer, path: Path, stream_index: int) -> VideoStream:
    """The nth video stream, checked for what decoding would choke on."""
    streams = video_streams_of(container)
    if not 0 <= stream_index < len(streams):
        raise ClipUnreadableError(
            path,
            f"there is no video stream {stream_index}; the file has {len(streams)}",
            hint="Add the file again.",
        )
    stream = streams[stream_index]
    if not codec_name(stream):
        raise ClipUnreadableError(
            path,
            "the video is coded in a way that this program does not know",
            hint="Convert it to H.264 with the camera's own software.",
        )
    context = stream.codec_context
    if context.width * context.height > _MAX_PIXELS:
        raise ClipUnreadableError(
            path, f"the file claims pictures of {context.width} × {context.height} pixels", hint=_COPY_AGAIN
        )
    return stream


def packets(
    container: InputContainer, stream: VideoStream, faults: list[str] | None = None
) -> Iterator[Packet[VideoStream]]:
    """Packets that hold data, in file order; a fault is noted in `faults` and read past."""
    in_a_row = 0
    while True:
        try:
            for packet in container.demux(stream):
                # A stream that turns up late makes PyAV hand out packets of others, and fail at the end of the file.
                if packet.size and packet.stream_index == stream.index:
                    in_a_row = 0
                    yield packet
        except MEDIA_ERRORS as error:
            in_a_row += 1
            if faults is not None:
                faults.append(str(error))
            if in_a_row < _MAX_FAULTS_IN_A_ROW and not isinstance(error, IndexError):
                continue
        return


def _read_head(path: Path) -> bytes:
    """The first bytes, read with plain means so that the reason for a refusal is the system's own."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ClipUnreadableError(path, "this is a folder, not a video", hint="Choose the files inside it.")
        if not stat.S_ISREG(mode):  # opening a pipe or a device would wait for ever
            raise ClipUnreadableError(path, "this is not an ordinary file", hint="Choose a video file.")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError as error:
        raise ClipUnreadableError(path, "there is no such file", hint="Check the name and the folder.") from error
    except PermissionError as error:
        raise ClipUnreadableError(
            path, "the file may not be read", hint="Ask the owner of the file for the right to read it."
        ) from error
    except (OSError, ValueError) as error:
        raise ClipUnreadableError(path, f"the file cannot be read ({error})", hint=_COPY_AGAIN) from error
    if not head:
        raise ClipUnreadableError(path, "the file is empty", hint=_COPY_AGAIN)
    return head


_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\xff\xd8\xff", "this is a picture (JPEG), not a video", "Choose the video of this recording."),
    (b"\x89PNG", "this is a picture (PNG), not a video", "Choose the video of this recording."),
    (b"GIF8", "this is a picture (GIF), not a video", "Choose the video of this recording."),
    (b"BM", "this is a picture (BMP), not a video", "Choose the video of this recording."),
    (b"%PDF", "this is a PDF document, not a video", "Choose the video of this recording."),
    (b"PK\x03\x04", "this is an archive (ZIP), not a video", "Unpack it and add the folder."),
    (b"Rar!", "this is an archive (RAR), not a video", "Unpack it and add the folder."),
    (b"7z\xbc\xaf", "this is an archive (7z), not a video", "Unpack it and add the folder."),
    (b"\x1f\x8b", "this is an archive (gzip), not a video", "Unpack it and add the folder."),
)
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp", b"sidx", b"uuid"}


def _explain(path: Path, head: bytes) -> ClipUnreadableError:
    """Say what a file that could not be opened seems to be."""
    for signature, reason, hint in _SIGNATURES:
        if head.startswith(signature):
            return ClipUnreadableError(path, reason, hint=hint)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ClipUnreadableError(path, "this is a picture (WebP), not a video", hint=_SIGNATURES[0][2])
    if not head.strip(b"\0"):
        return ClipUnreadableError(path, "the file begins with nothing but zeros", hint=_COPY_AGAIN)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:256].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<svg")):
        return ClipUnreadableError(
            path, "this is a web page, not a video", hint="The download went wrong. Download the file again."
        )
    if head[4:8] in _BOXES:
        return ClipUnreadableError(
            path, "the recording was interrupted: the list of its pictures is missing", hint=_REPAIR
        )
    if _is_text(head):
        return ClipUnreadableError(path, "this is a text file, not a video", hint=_SIGNATURES[0][2])
    return ClipUnreadableError(path, "this is not a video that can be opened", hint=_COPY_AGAIN)


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", errors="strict" if len(head) < _HEAD_BYTES else "ignore")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\t\r\n" for char in text)

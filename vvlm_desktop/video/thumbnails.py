"""Small pictures for tables and the filmstrip, and single frames saved as PNG."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vvlm_desktop.errors import FrameUnreadableError, StorageFullError
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.reader import FrameReader, Picture
from vvlm_desktop.video.sampling import uniform

_JPEG_QUALITY = 80


def thumbnail(reader: FrameReader, i: int, *, width: int = 160) -> bytes:
    """One frame as a small upright JPEG.

    Raises:
        FrameUnreadableError: the frame cannot be decoded.
    """
    return _jpeg(reader, i, width=width, height=None)


def filmstrip(reader: FrameReader, count: int, *, height: int) -> list[tuple[int, bytes]]:
    """Frames spread evenly over the clip, as (frame index, JPEG); unreadable ones are left out."""
    strip: list[tuple[int, bytes]] = []
    for i in uniform(reader.index, count):
        try:
            strip.append((i, _jpeg(reader, i, width=None, height=height)))
        except FrameUnreadableError:  # a gap in the strip, not a strip less
            continue
    return strip


def save_png(reader: FrameReader, i: int, file: Path, *, source_sha256: str | None = None) -> None:
    """Save one frame at full size; its PTS, number and time stand in the picture's text. All or nothing.

    Raises:
        FrameUnreadableError: the frame cannot be decoded; nothing is written.
        StorageFullError: the file cannot be written.
    """
    write_png(reader.rgb(i), file, facts=frame_facts(reader.index, i, name=reader.path.name, sha256=source_sha256))


def frame_facts(index: FrameIndex, i: int, *, name: str, sha256: str | None) -> dict[str, str]:
    """What a saved frame says about itself: enough to find exactly this frame again."""
    facts = {
        "pts": str(index.pts[i]),
        "time_base": str(index.time_base),
        "frame_index": str(i),
        "time_s": f"{index.seconds(i):.6f}",
        "sample_aspect": str(index.sample_aspect),
        "source": name,
    }
    return facts if sha256 is None else {**facts, "source_sha256": sha256}


def write_png(pixels: Picture, file: Path, *, facts: Mapping[str, str]) -> None:
    """Write a picture with `facts` in its text, all or nothing.

    Args:
        pixels: uint8, shape [height, width, 3].

    Raises:
        StorageFullError: the file cannot be written.
    """
    text = PngInfo()
    for key, value in facts.items():
        text.add_itxt(key, value) if not value.isascii() else text.add_text(key, value)
    picture = Image.fromarray(pixels)
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", suffix=".png", delete=False) as draft:
            try:
                picture.save(draft, "PNG", pnginfo=text)
                draft.close()
                Path(draft.name).chmod(0o666 & ~_umask())
                Path(draft.name).replace(file)
            except OSError:
                Path(draft.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise StorageFullError(
            f"{file.name} cannot be written: {error.strerror or error}.", hint="Choose another folder, or make room."
        ) from error


def _jpeg(reader: FrameReader, i: int, *, width: int | None, height: int | None) -> bytes:
    buffer = BytesIO()
    Image.fromarray(reader.rgb(i, width=width, height=height)).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _umask() -> int:
    """The process's file mode mask; the system only tells it in exchange for another."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

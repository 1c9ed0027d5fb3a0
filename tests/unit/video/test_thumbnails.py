"""Small pictures and saved frames."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.clips import clip, read_code
from vvlm_desktop.errors import FrameUnreadableError, StorageFullError
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.probe import examine
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.video.thumbnails import filmstrip, save_png, thumbnail


@pytest.fixture
def reader():
    with FrameReader(clip("h264_rotated_90.mp4"), read_index(clip("h264_rotated_90.mp4"))) as opened:
        yield opened


def decoded(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data)) as image:
        assert image.format == "JPEG"
        return np.asarray(image)


def test_thumbnail_is_a_small_upright_jpeg_of_that_frame(reader: FrameReader) -> None:
    picture = decoded(thumbnail(reader, 7, width=90))
    assert picture.shape == (160, 90, 3)
    assert read_code(picture) == 7


def test_filmstrip_shows_the_frames_it_names(reader: FrameReader) -> None:
    strip = filmstrip(reader, 4, height=120)
    assert [i for i, _ in strip] == [1, 4, 7, 10]
    assert [read_code(decoded(data)) for _, data in strip] == [1, 4, 7, 10]
    assert {decoded(data).shape[0] for _, data in strip} == {120}


def test_filmstrip_of_a_damaged_clip_has_gaps() -> None:
    path = clip("zeroed.mp4")
    with FrameReader(path, read_index(path)) as reader:
        strip = filmstrip(reader, 30, height=45)
    assert 15 < len(strip) < 30


def test_png_holds_the_exact_pixels_and_says_which_frame_it_is(reader: FrameReader, tmp_path: Path) -> None:
    file = tmp_path / "frame ü.png"
    save_png(reader, 3, file, source_sha256="ab" * 32)
    with Image.open(file) as image:
        assert np.array_equal(np.asarray(image), reader.rgb(3))
        text = image.text
    assert text["pts"] == str(reader.index.pts[3])
    assert (text["frame_index"], text["time_s"], text["source_sha256"]) == ("3", "0.100000", "ab" * 32)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [file.name]


def test_failed_save_leaves_the_former_picture(tmp_path: Path) -> None:
    path = clip("zeroed.mp4")
    file = tmp_path / "frame.png"
    file.write_bytes(b"former")
    index, shown = read_index(path), set(examine(path).pts)
    lost = next(i for i, pts in enumerate(index.pts) if pts not in shown)
    with FrameReader(path, index) as reader, pytest.raises(FrameUnreadableError):
        save_png(reader, lost, file)
    assert file.read_bytes() == b"former"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [file.name]


def test_folder_that_is_not_there_is_told(reader: FrameReader, tmp_path: Path) -> None:
    with pytest.raises(StorageFullError, match="cannot be written"):
        save_png(reader, 0, tmp_path / "gone" / "frame.png")


def test_full_disk_leaves_nothing_behind(reader: FrameReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(StorageFullError, match="No space left"):
        save_png(reader, 0, tmp_path / "frame.png")
    assert not [path for path in tmp_path.iterdir() if path.is_file()]

"""Files that give no pictures: one plain sentence and a hint each, never another exception."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clips import clip
from vvlm_desktop.errors import ClipUnreadableError, FrameUnreadableError
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.probe import examine, video_streams
from vvlm_desktop.video.reader import FrameReader


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("h264.h264", "the pictures carry no times"),
        ("cut_no_moov.mp4", "the recording was interrupted"),
        ("jpeg.mp4", "a picture (JPEG), not a video"),
        ("html.mp4", "a web page, not a video"),
        ("empty.mp4", "the file is empty"),
        ("audio_only.mp4", "there is no video in this file"),
    ],
)
def test_reason_is_a_plain_sentence_with_a_hint(name: str, reason: str) -> None:
    with pytest.raises(ClipUnreadableError) as caught:
        read_index(clip(name))
    assert reason in caught.value.reason
    assert caught.value.hint
    assert str(caught.value).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "picture (PNG)"),
        (b"GIF89a" + bytes(50), "picture (GIF)"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(50), "picture (WebP)"),
        (b"%PDF-1.7 " + bytes(50), "PDF document"),
        (b"PK\x03\x04" + bytes(50), "archive (ZIP)"),
        (b"\xef\xbb\xbf  <HTML><head>", "web page"),
        (b"camera log\nline two\n", "text file"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:1/a.ts\n", "text file"),
        (b"ffconcat version 1.0\nfile h264.mp4\n", "text file"),
        (bytes(100_000), "nothing but zeros"),
        (b"\0\0\0\x18ftypmp42" + bytes(16), "the recording was interrupted"),
        (random.Random(3).randbytes(5000), "not a video that can be opened"),
    ],
)
def test_what_is_not_a_video_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(content)
    with pytest.raises(ClipUnreadableError) as caught:
        read_index(file)
    assert reason in caught.value.reason
    assert caught.value.hint


def test_playlist_never_opens_the_files_it_names(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(clip("h264.ts").read_bytes())
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\na.ts\n#EXT-X-ENDLIST\n", encoding="utf-8")
    with pytest.raises(ClipUnreadableError, match="not a video"):
        read_index(playlist)


def test_folder_missing_file_and_pipe_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ClipUnreadableError, match="a folder, not a video"):
        read_index(tmp_path)
    with pytest.raises(ClipUnreadableError, match="there is no such file"):
        read_index(tmp_path / "gone.mp4")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.mp4")
        with pytest.raises(ClipUnreadableError, match="not an ordinary file"):
            read_index(tmp_path / "pipe.mp4")


def test_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom nothing is forbidden
    with pytest.raises(ClipUnreadableError, match="may not be read"):
        read_index(clip("h264.ts"))


def test_name_with_anything_in_it_is_just_a_name(tmp_path: Path) -> None:
    for name in ("a b.mp4", "🚗 #1 %03d.mp4", "http:x.mp4", "concat:a|b.mp4", "-i.mp4", "a?b=c.mp4", "q'\".mp4"):
        file = tmp_path / name
        file.write_bytes(clip("tiny.mp4").read_bytes())
        assert len(read_index(file)) == 6


def truncate(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(len(data))]


def flip(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.randrange(1, 60)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return data


def spoil_header(data: bytearray, rng: random.Random) -> bytearray:
    start = max(0, data.find(b"moov"))
    for _ in range(rng.randrange(1, 40)):
        data[min(len(data) - 1, start + rng.randrange(1500))] = rng.choice([0, 127, 128, 255, rng.randrange(256)])
    return data


def drop(data: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(data))
    del data[start : start + rng.randrange(1, 2000)]
    return data


def insert(data: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(data))
    data[start:start] = rng.randbytes(rng.randrange(1, 1000))
    return data


@pytest.mark.parametrize("name", ["tiny.mp4", "tiny.mkv", "tiny.ts", "tiny.avi"])
@pytest.mark.parametrize("spoil", [truncate, flip, spoil_header, drop, insert])
def test_spoilt_file_plays_in_part_or_is_refused_in_words(
    name: str, spoil: Callable[[bytearray, random.Random], bytearray], tmp_path: Path
) -> None:
    whole = clip(name).read_bytes()
    file = tmp_path / name
    for seed in range(10):
        file.write_bytes(spoil(bytearray(whole), random.Random(f"{name} {spoil.__name__} {seed}")))
        check_hostile(file)


def check_hostile(file: Path) -> None:
    """Everything that is done with a new file; only the expected errors may come out."""
    try:
        assert video_streams(file) >= 1
        index = examine(file)
    except ClipUnreadableError as error:
        if not error.hint:
            pytest.fail(f"no hint: {error}")
        return
    if not len(index):
        assert index.problem
        return
    assert index.duration_s >= 0
    assert index.ms(len(index) - 1) >= index.ms(0) == 0
    with FrameReader(file, index) as reader:
        for i in {0, len(index) // 2, len(index) - 1}:
            try:
                frame = reader.frame(i)
            except FrameUnreadableError:
                continue
            assert frame.pts == index.pts[i]

"""A card is pulled out, or a file deleted, while the program works with it: an error like others, and no end."""

from __future__ import annotations

import threading
from pathlib import Path

import av
import pytest

from tests import clips
from vvlm_desktop.errors import ClipMissingError, ClipUnreadableError
from vvlm_desktop.video import proxy, transport
from vvlm_desktop.video.decode_thread import DecodeThread, FrameSource
from vvlm_desktop.video.frame_cache import FrameCache
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.proxy_thread import ProxyThread

WAIT_S = 10.0


def gone() -> FrameSource:
    raise ClipMissingError(Path("card/clip.mp4"))


def test_the_decode_thread_says_so_for_each_frame_and_goes_on() -> None:
    errors: list[tuple[int, ClipUnreadableError]] = []
    frames: list[int] = []
    thread = DecodeThread(
        gone,
        FrameCache(1 << 20),
        on_frame=lambda i, _frame, _exact: frames.append(i),
        on_error=lambda i, error: errors.append((i, error)),
    )
    for i in (3, 4):
        thread.request(i)
        assert thread.wait_idle(WAIT_S)
    thread.close()
    assert [i for i, _ in errors] == [3, 4]
    assert "no longer there" in str(errors[0][1])
    assert errors[0][1].hint
    assert frames == []


def test_small_copies_of_it_are_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "LONG_GOP_FRAMES", 60)
    died: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    thread = ProxyThread(gone, read_index(clips.clip("h264_one_key_30s.mp4")), tmp_path / "clip.zip")
    assert thread.wait(WAIT_S)
    assert died == []
    assert len(thread.pictures) == 0


def test_a_transport_stream_that_becomes_shorter_while_it_is_read_ends_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "card.ts"
    file.write_bytes(clips.clip("h264_large.ts").read_bytes())
    with av.open(str(file)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size and packet.pos is not None]
    counted = transport._gaps

    def pulled_out(*args: object) -> object:
        with file.open("r+b") as card:
            card.truncate(1000)
        return counted(*args)  # type: ignore[arg-type]  # whatever it was given

    monkeypatch.setattr(transport, "_gaps", pulled_out)
    monkeypatch.setattr(transport, "_BLOCK_PACKETS", 50)
    assert transport.damaged_packets(file, 0x100, places) == []

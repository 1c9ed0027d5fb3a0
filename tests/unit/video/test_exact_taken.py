"""What is taken from a clip for a model, a service, a table or a file holds exactly the wanted frames."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.clips import read_code
from tests.clips_awkward import AWKWARD, awkward
from tests.clips_reading import open_reader
from vvlm_desktop.backends.cloud_frames import read_jpegs
from vvlm_desktop.backends.cloud_media import Wish, make_excerpt, make_frames_video, same_times
from vvlm_desktop.backends.local.inputs import read_frames
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.rgb import RgbConverter
from vvlm_desktop.video.thumbnails import save_png, thumbnail

NAMES = (
    "open_gop.mkv",
    "plain.m2ts",
    "mbaff.ts",
    "h264_10bit.mp4",
    "hevc_open.ts",
    "hevc_layers.mp4",
    "vp8_hidden.webm",
    "av1.webm",
    "mpeg4_packed.avi",
    "late_media.mp4",
    "wrap.ts",
    "edits_backward.mp4",
)
#: In an order of their own: a model's frames are ascending, the reader behind them was elsewhere before.
WANTED = (1, 2, 9, 11, 12, 13, 19)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_and_a_service_get_exactly_the_chosen_frames(name: str) -> None:
    path, index = awkward(name), read_index(awkward(name))
    numbers = [AWKWARD[name].codes[i] for i in WANTED]
    batch = read_frames(path, index, WANTED, size=(index.width, index.height))
    assert [read_code(picture) for picture in batch.rgb] == numbers
    assert batch.pts == tuple(index.pts[i] for i in WANTED)
    sent, told = read_jpegs(path, index, WANTED, longest_side_px=160, cancelled=lambda: False)
    assert told == []
    assert [(frame.frame_index, frame.pts) for frame in sent] == [(i, index.pts[i]) for i in WANTED]
    assert [read_code(np.asarray(Image.open(io.BytesIO(frame.jpeg)))) for frame in sent] == numbers


def shown(path: Path) -> list[int]:
    index = read_index(path)
    with open_reader(path, index) as reader:
        return [read_code(reader.rgb(i)) for i in range(len(index))]


@pytest.mark.parametrize("name", ["open_gop.mkv", "hevc_open.ts", "mpeg4_packed.avi", "late_media.mp4", "wrap.ts"])
def test_the_film_that_leaves_has_every_frame_at_its_time(name: str, tmp_path: Path) -> None:
    path, index = awkward(name), read_index(awkward(name))
    made = make_excerpt(path, index, Wish(), folder=tmp_path)
    assert shown(made.path) == list(AWKWARD[name].codes)
    assert same_times(index, read_index(made.path), range(len(index)))
    target = tmp_path / "frames.mp4"
    assert make_frames_video(path, index, WANTED, target=target, longest_side_px=160) == WANTED
    assert shown(target) == [AWKWARD[name].codes[i] for i in WANTED]


@pytest.mark.parametrize("name", NAMES)
def test_saved_frames_equal_a_decoding_from_beginning_to_end_byte_for_byte(name: str, tmp_path: Path) -> None:
    path, index = awkward(name), read_index(awkward(name))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        everything = [frame for packet in container.demux(stream) for frame in packet.decode()]
    assert len(everything) == len(index)
    with open_reader(path, index) as reader:
        for i in (19, 2, 12):
            save_png(reader, i, tmp_path / f"{i}.png")
            saved = np.asarray(Image.open(tmp_path / f"{i}.png"))
            assert np.array_equal(saved, RgbConverter(index).upright(everything[i]))
            assert read_code(np.asarray(Image.open(io.BytesIO(thumbnail(reader, i))))) == AWKWARD[name].codes[i]

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from tests.ui.builders import clip
from vvlm_desktop.ui.words import breakable, clip_name, clock, count, file_name, sentences, shown, when


@pytest.mark.parametrize(("number", "words"), [(0, "0 clips"), (1, "1 clip"), (12_345, "12,345 clips")])
def test_count(number, words):
    assert count(number, "clip") == words


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00"), (7.6, "00:08"), (59.6, "01:00"), (3725, "1:02:05")])
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_name_with_bytes_that_are_no_text_can_be_shown():
    name = file_name("/clips/caf\udce9 \N{VIDEO CAMERA} #1.mp4")
    assert name.encode() == "caf? \N{VIDEO CAMERA} #1.mp4".encode()
    assert shown("two\nlines") == "two lines"


def test_when_is_local_and_short():
    now = datetime.fromisoformat("2026-11-21T12:00:00+00:00")
    local = datetime.fromisoformat("2026-11-21T09:30:00+00:00").astimezone()
    assert when("2026-11-21T09:30:00.000Z", now=now) == f"today {local:%H:%M}"
    assert when("2026-03-02T12:00:00.000Z", now=now).startswith("2 Mar ")
    assert when("2024-03-02T12:00:00.000Z", now=now) == "2 Mar 2024"
    assert when("", now=now) == ""


def test_long_words_can_be_broken_and_nothing_else_changes():
    assert breakable("A clip at /clips/van/clip_0001.mp4 is gone.") == "A clip at /clips/van/clip_0001.mp4 is gone."
    broken = breakable("x" * 100)
    assert broken.replace("\N{ZERO WIDTH SPACE}", "") == "x" * 100
    assert max(len(part) for part in broken.split("\N{ZERO WIDTH SPACE}")) == 40
    assert breakable("x" * 40) == "x" * 40


def test_sentences_end_as_sentences():
    assert sentences("No such file", "", "Choose another.") == "No such file. Choose another."


def test_two_cameras_of_one_file_have_two_names():
    front = clip(path="/drive/a b.mp4")
    rear = replace(front, stream_index=1)
    assert (clip_name(front), clip_name(rear)) == ("a b.mp4", "a b.mp4, camera 2")
    assert (clip_name(front, suffix=False), clip_name(rear, suffix=False)) == ("a b", "a b, camera 2")

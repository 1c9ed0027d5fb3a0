import dataclasses
import json

import pytest

from tests.clips import clip
from tests.unit.backends.conftest import DOCUMENT
from vvlm_desktop.backends.signals_events import attention
from vvlm_desktop.domain.analysis import EventCandidate
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.video.curves import load_npz
from vvlm_desktop.video.index import read_index


def test_the_raw_text_is_readable_and_gives_a_reason_for_every_answer(analyse):
    answer = analyse(clip("h264_bframes.mp4"))
    told = json.loads(answer.raw_text)
    assert set(told["judgements"]) == set(answer.labels)
    for key, judgement in told["judgements"].items():
        assert judgement["value"] == answer.labels[key]
        assert judgement["because"]
    assert told["measured"]["frames"] == {"expected": 90, "decoded": 90, "measured": 45}
    assert "\n" in answer.raw_text


def test_the_same_clip_gets_the_same_answer(analyse):
    first, second = (analyse(clip("h264_bframes.mp4")) for _ in range(2))
    assert dataclasses.replace(first, timings={}) == dataclasses.replace(second, timings={})


def test_curves_are_written_at_frames_of_the_clip(analyse, tmp_path):
    path = clip("h264_bframes.mp4")
    answer = analyse(path, curves=tmp_path / "c.npz")
    curves = load_npz(tmp_path / "c.npz")
    assert tuple(curves.pts.tolist()) == answer.frames_pts
    assert set(curves.pts.tolist()) <= set(read_index(path).pts)
    assert curves.sound is not None


def test_a_folder_that_cannot_be_written_to_is_told(analyse, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageFullError):
        analyse(clip("one_frame.mp4"), curves=tmp_path / "file" / "c.npz")


def test_frames_that_fail_are_told_in_words(analyse):
    whole = analyse(clip("h264_bframes.mp4"))
    assert whole.flags == ()
    (flag,) = analyse(clip("zeroed.mp4")).flags
    assert flag.endswith("could not be decoded and were left out.")
    assert " of 90 frames " in flag


def test_frames_that_fail_at_the_end_are_told_with_the_place(analyse):
    flags = analyse(clip("cut_mid_packet.ts")).flags
    assert flags == () or "the last one is at" in flags[0]


def test_a_clip_without_sound_is_a_normal_clip(analyse):
    answer = analyse(clip("h264_gop250.mp4"))
    assert answer.flags == ()
    assert json.loads(answer.raw_text)["measured"]["sound_dbfs"] is None


def test_the_second_camera_of_a_file_is_measured_by_itself(analyse):
    front, rear = (analyse(clip("two_streams.mp4"), stream_index=i) for i in (0, 1))
    assert len(front.frames_pts) > len(rear.frames_pts)


def test_what_a_fleet_s_schema_has_no_word_for_is_not_said(analyse):
    def fleet(*changes):
        document = DOCUMENT
        for old, new in changes:
            assert old in document
            document = document.replace(old, new)
        return parse_schema(document, source="fleet")

    path = clip("black.mp4")
    assert analyse(path).labels["camera_problem"] == ["picture_loss"]
    renamed = fleet(('key = "picture_loss"', 'key = "no_picture"'))
    assert "camera_problem" not in analyse(path, schema=renamed).labels
    other = fleet(('key = "camera_problem"', 'key = "lens"'))
    assert set(analyse(path, schema=other).labels) == {"visibility"}


def test_progress_rises_and_is_told_in_words(analyse):
    told = []
    analyse(clip("h264_bframes.mp4"), progress=lambda done, stage: told.append((done, stage)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {"reading the index", "measuring the sound", "judging"} <= {stage for _, stage in told}


def moment(kind, score):
    return EventCandidate(kind, 0, 1, 0, 1, score, "because")


def test_attention_rises_with_every_reason_and_stays_below_one():
    calm = attention((), camera_trouble=False, poor_sight=False)
    dark = attention((), camera_trouble=False, poor_sight=True)
    jolt = attention((moment("jolt", 0.5),), camera_trouble=False, poor_sight=False)
    many = attention(tuple(moment("jolt", 0.5) for _ in range(20)), camera_trouble=False, poor_sight=False)
    all_of_it = attention(
        (moment("jolt", 1.0), moment("sudden_stop", 1.0), moment("sound_peak", 1.0)),
        camera_trouble=True,
        poor_sight=True,
    )
    assert calm == 0.0
    assert 0.0 < dark < jolt == many < all_of_it < 1.0

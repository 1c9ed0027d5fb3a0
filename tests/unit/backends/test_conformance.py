"""What every backend of the catalogue must do; a new backend is checked by being in the catalogue.

Those that talk to a server are asked the same against stand-ins, in their own folders.
"""

import json

import pytest

from tests.clips import UNREADABLE, clip
from tests.unit.backends.conftest import SCHEMA
from vvlm_desktop.backends.base import Answer, analysis_from
from vvlm_desktop.backends.catalogue import BACKENDS, backend_info, resolve
from vvlm_desktop.domain.analysis import PROVENANCE
from vvlm_desktop.domain.labels import broken_rules, normalise
from vvlm_desktop.errors import BackendError, JobCancelledError, VvlmError
from vvlm_desktop.video.index import read_index

pytestmark = pytest.mark.filterwarnings("error")

_NEED_A_SERVER = {"gemini", "server"}


def _local_options():
    from tests.tiny_models import tiny_model

    return {"model": "tiny", "model_dir": str(tiny_model("internvl")), "device": "cpu", "sampling": {"frames": 4}}


_OPTIONS = {"local": _local_options}


@pytest.fixture(scope="module", params=sorted(set(BACKENDS) - _NEED_A_SERVER))
def backend(request):
    found = resolve(request.param)
    assert found.name == request.param
    return found


@pytest.fixture(scope="module")
def analyse_by(analyse, backend):
    """`analyse` by the backend in question, with the options that it cannot do without."""
    options = _OPTIONS.get(backend.name, dict)()
    return lambda path, **more: analyse(path, backend=backend, options=options, **more)


@pytest.fixture(
    scope="module",
    params=["h264_bframes.mp4", "h264_edit_list.mp4", "h264_vfr.mp4", "one_frame.mp4", "cut_faststart.mp4"],
)
def path(request):
    return clip(request.param)


@pytest.fixture(scope="module")
def answer(path, analyse_by):
    return analyse_by(path)


def test_the_answer_is_plain_json_and_survives_the_way(answer):
    line = json.dumps(answer.to_json(), allow_nan=False)
    assert Answer.from_json(json.loads(line)) == answer


def test_labels_are_in_the_schema_s_own_words_and_broken_rules_are_told(answer):
    labels, repairs = normalise(SCHEMA, answer.labels)
    assert (labels, repairs) == (dict(answer.labels), ())
    assert list(answer.labels) == [field.key for field in SCHEMA.fields if field.key in answer.labels]
    told = set(answer.flags) if answer.provenance == "model" else set()  # measurements contradict nothing
    assert set(broken_rules(SCHEMA, answer.labels)) <= told


def test_confidence_belongs_to_what_was_answered_and_says_what_it_is(answer):
    assert set(answer.confidence) <= set(answer.labels)
    known = [value for value in answer.confidence.values() if value is not None]
    assert all(0.0 <= value <= 1.0 for value in known)
    assert bool(answer.confidence_kind) or not known


def test_the_frames_seen_are_frames_of_the_clip(answer, path):
    assert answer.frames_pts
    assert list(answer.frames_pts) == sorted(set(answer.frames_pts))
    assert set(answer.frames_pts) <= set(read_index(path).pts)


def test_moments_lie_in_the_clip(answer, path):
    index = read_index(path)
    for moment in answer.candidates:
        assert index.pts[0] <= moment.start_pts <= moment.end_pts <= index.pts[-1]
        assert moment.start_ms <= moment.end_ms
        assert 0.0 <= moment.score <= 1.0
        assert moment.reason


def test_it_says_where_it_comes_from(answer):
    assert answer.model
    assert answer.raw_text
    assert answer.provenance in PROVENANCE
    assert answer.attention is None or 0.0 <= answer.attention <= 1.0


def test_the_record_takes_everything_over(answer):
    record = analysis_from(answer, clip_id="c", backend="b", schema=SCHEMA)
    for name in ("labels", "confidence", "frames_pts", "raw_text", "candidates", "attention", "flags", "provenance"):
        assert getattr(record, name) == getattr(answer, name), name
    assert record.schema_labels_sha == SCHEMA.labels_sha
    assert record.id != analysis_from(answer, clip_id="c", backend="b", schema=SCHEMA).id


@pytest.mark.parametrize("after", [0, 1, 20])
def test_cancelling_stops_it_within_a_few_looks(analyse_by, after, tmp_path):
    looks = []

    def cancelled():
        looks.append(1)
        return len(looks) > after

    with pytest.raises(JobCancelledError):
        analyse_by(clip("h264_bframes.mp4"), cancelled=cancelled, curves=tmp_path / "c.npz")
    # A thread that reads ahead looks for itself.
    assert len(looks) <= after + 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*UNREADABLE, "not there.mp4"])
def test_a_clip_without_pictures_is_an_error_a_reviewer_can_read(analyse_by, name, tmp_path):
    path = clip(name) if name in UNREADABLE else tmp_path / name
    with pytest.raises(VvlmError) as caught:
        analyse_by(path, curves=tmp_path / "c.npz")
    assert str(caught.value).startswith(name)
    assert caught.value.hint
    assert not (tmp_path / "c.npz").exists()


def test_a_name_that_is_not_in_the_catalogue_lists_those_that_are():
    with pytest.raises(BackendError) as caught:
        backend_info("gpt")
    assert "signals" in caught.value.hint


@pytest.mark.parametrize("spoil", [{"provenance": "oracle"}, {"frames_pts": 5}, {"surprise": 1}, {"candidates": [{}]}])
def test_an_answer_of_another_shape_is_refused(spoil):
    good = Answer(
        labels={}, confidence={}, confidence_kind=None, frames_pts=(1,), raw_text="x", model="m", provenance="model"
    )
    with pytest.raises(BackendError):
        Answer.from_json({**good.to_json(), **spoil})

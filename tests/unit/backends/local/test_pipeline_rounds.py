"""Several looks through the production path: what a round says decides what the next one sees."""

from dataclasses import replace

import pytest

from tests.clips import clip
from tests.tiny_models import copy_model
from tests.unit.backends.local.local_jobs import JobNotes, index_of, options, run, run_one
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.backends.local import looking
from vvlm_desktop.backends.local.backend import LocalBackend
from vvlm_desktop.backends.local.rounds import NOTHING_TO_ZOOM
from vvlm_desktop.video.sampling import over_spans, uniform

CLIP = "h264_gop250.mp4"  # 4 s


@pytest.fixture(autouse=True)
def _short_texts(monkeypatch):
    """A random model never ends a free text by itself."""
    monkeypatch.setattr(looking, "CLUE_TOKENS", 12)
    monkeypatch.setattr(looking, "QUESTION_TOKENS", 12)


@pytest.fixture(scope="module")
def backend():
    return LocalBackend()


@pytest.fixture(scope="module")
def videochat(tmp_path_factory):
    """A model that is known by its name to look again at clues."""
    return copy_model("qwen2_5_vl", tmp_path_factory.mktemp("models") / "VideoChat-R1_5-7B")


@pytest.fixture
def forced(monkeypatch):
    """Texts that are said instead of the model's own, look by look; None for its own."""
    texts = []
    real = looking.decode

    def decode(*args, **kw):
        said = real(*args, **kw)
        text = texts.pop(0) if texts else None
        return [each if text is None else replace(each, text=text) for each in said]

    monkeypatch.setattr(looking, "decode", decode)
    return texts


def pts(frames):
    index = index_of(CLIP)
    return tuple(index.pts[i] for i in frames)


def look_twice(backend, **changes):
    return run_one(backend, clip(CLIP), options=options(rounds=2, **changes))


def test_the_next_round_looks_closer_at_what_the_clue_names(backend, videochat, forced):
    forced += ["<think>Hm.</think><answer>Braking.</answer><glue>[(1.0, 2.0)]</glue>", None]
    answer = look_twice(backend, family="qwen2_5_vl", model_dir=str(videochat), frames=12)
    first, second = answer.rounds
    index = index_of(CLIP)
    assert (first.purpose, first.spans_ms, first.note) == ("uniform", (), "")
    assert first.frames_pts == pts(uniform(index, 12))
    assert "Braking." in first.raw_text
    assert (second.purpose, second.spans_ms) == ("clue", ((1000, 2000),))
    dense = over_spans(index, 12, [(1.0, 2.0)], density=1.5)
    assert second.frames_pts == answer.frames_pts == pts(dense)
    assert len(answer.frames_pts) == 12
    assert second.raw_text == answer.raw_text
    assert answer.labels
    assert answer.settings["rounds"] == 2


@pytest.mark.parametrize(
    ("text", "word"),
    [("no tags at all", "no time"), ("<glue>[(50, 60)]</glue>", "outside"), ("<glue>[]</glue>", "no stretch")],
)
def test_a_clue_that_cannot_be_used_falls_back_to_uniform_with_a_note(backend, videochat, forced, text, word):
    forced += [text, None]
    answer = look_twice(backend, family="qwen2_5_vl", model_dir=str(videochat))
    first, second = answer.rounds
    assert second.purpose == "uniform"
    assert word in second.note
    assert second.frames_pts == first.frames_pts
    assert answer.labels


def test_three_rounds_carry_only_the_latest_spans_over(backend, videochat, forced):
    forced += ["<glue>[(0.5, 1.0)]</glue>", "<glue>[(2.0, 3.0)]</glue>", None]
    path = clip(CLIP)
    answer = run_one(
        backend, path, options=options("qwen2_5_vl", model_dir=str(videochat), rounds=3), question="What happens?"
    )
    assert [each.spans_ms for each in answer.rounds] == [(), ((500, 1000),), ((2000, 3000),)]
    assert answer.kind == "question"
    assert answer.raw_text == answer.rounds[-1].raw_text


def test_other_models_zoom_into_the_event_that_the_first_look_names(backend, forced):
    coarse = '{"event_type":"collision","event_time":{"start_ms":1500,"end_ms":2000},"caption":"x"}'
    forced += [coarse, None]
    answer = look_twice(backend, frames=12)
    first, second = answer.rounds
    assert (first.purpose, first.raw_text) == ("uniform", coarse)
    assert (second.purpose, second.spans_ms) == ("zoom", ((1000, 2500),))
    index = index_of(CLIP)
    inside = [each for each in answer.frames_pts if 0.97 <= index.seconds(index.number(each)) < 2.5]
    assert len(inside) == 9, "three quarters"
    assert len(answer.frames_pts) == 12
    assert answer.timings["tokens"] > 0


def test_where_no_event_is_named_the_first_look_stands(backend, forced):
    forced += ['{"event_type":"no_incident","event_time":null,"caption":"x"}']
    answer = look_twice(backend)
    (only,) = answer.rounds
    assert only.note == NOTHING_TO_ZOOM
    assert answer.labels["event_type"] == "no_incident"
    assert answer.frames_pts == only.frames_pts


def test_clips_of_a_batch_go_their_own_ways(backend, forced):
    zoomed = '{"event_type":"collision","event_time":{"start_ms":1000,"end_ms":1500},"caption":"x"}'
    calm = '{"event_type":"no_incident","event_time":null,"caption":"x"}'
    notes = [JobNotes(clip(CLIP), options=options(rounds=2, batch=1)) for _ in range(2)]
    forced += [zoomed, calm, None]
    outcomes = run(backend, *notes)
    assert all(isinstance(each, Answer) for each in outcomes)
    assert sorted(len(each.rounds) for each in outcomes) == [1, 2]


def test_progress_counts_the_rounds(backend, forced):
    forced += ['{"event_type":"collision","event_time":{"start_ms":1000,"end_ms":1500},"caption":"x"}', None]
    notes = JobNotes(clip(CLIP), options=options(rounds=2))
    run(backend, notes)
    words = [stage for _, stage in notes.stages]
    assert any(stage.startswith("round 1 of 2") for stage in words)
    assert any(stage.startswith("round 2 of 2") for stage in words)

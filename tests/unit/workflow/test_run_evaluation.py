"""Measuring a run: who answers, one at a time, how far it is, how it ended."""

import json
import os
import shutil
import signal

import pytest

from tests.model_folders import write_adapter, write_model
from tests.unit.workflow.run_builders import finish, launched_pid, made_run, made_session, until, with_trainer
from vvlm_desktop.errors import UsageError
from vvlm_desktop.workflow.run_evaluation import answerers_of
from vvlm_desktop.workflow.runs import (
    EvaluationFollower,
    adopt_finished,
    evaluations,
    live_evaluation,
    named_adapters,
    start_evaluation,
    stop_evaluation,
)


@pytest.fixture
def session(tmp_path):
    with made_session(tmp_path) as opened:
        yield opened


@pytest.fixture
def run(session):
    made = made_run(session)
    finish(made)
    yield made
    live = live_evaluation(made)
    if live is not None:
        os.kill(launched_pid(live.folder), signal.SIGKILL)


def is_in(evaluation, state):
    watching = EvaluationFollower(evaluation.folder, look_every_s=0.0)
    until(lambda: watching.poll().state == state)
    return watching.progress


def test_base_and_adapter_answer_and_it_is_listed(session, run, monkeypatch):
    with_trainer(monkeypatch, "ends")
    begun = start_evaluation(session, run, split="val")
    assert begun.metrics == {}
    told = is_in(begun, "finished")
    assert (told.done, told.clips) == (3, 3)
    (found,) = evaluations(run)
    assert (found.split, found.answerers, found.folder) == ("val", ("base", "other"), begun.folder)
    seen = json.loads((begun.folder / "seen.json").read_text())["arguments"]
    assert seen[0] == "evaluate"
    assert f"--adapter=march-001={run.folder / 'adapter'}" in seen
    assert seen[seen.index("--split") + 1] == "val"
    until(lambda: live_evaluation(run) is None)
    assert start_evaluation(session, run, split="val").folder.name == "evaluation-val-2"


def test_only_one_is_made_at_a_time_and_it_can_be_stopped(session, run, monkeypatch):
    with_trainer(monkeypatch, "waits")
    begun = start_evaluation(session, run)
    told = is_in(begun, "answering")
    assert (told.done, told.clips, told.clip) == (1, 3, "a.mp4")
    with pytest.raises(UsageError, match="being measured already"):
        start_evaluation(session, run, split="val")
    stop_evaluation(begun)
    is_in(begun, "stopped")
    assert evaluations(run) == []


@pytest.mark.parametrize(
    ("mode", "state", "words"),
    [
        ("dies", "failed", "No module named 'peft'"),
        ("killed at once", "failed", "not begun"),
        ("dies later", "interrupted", "MemoryError"),
    ],
)
def test_one_that_dies_is_seen(session, run, monkeypatch, mode, state, words):
    with_trainer(monkeypatch, mode)
    assert words in is_in(start_evaluation(session, run), state).message


def test_a_killed_one_is_seen(session, run, monkeypatch):
    with_trainer(monkeypatch, "waits")
    begun = start_evaluation(session, run)
    is_in(begun, "answering")
    os.kill(launched_pid(begun.folder), signal.SIGKILL)
    assert "killed" in is_in(begun, "interrupted").message


def test_one_that_was_killed_after_its_numbers_and_before_its_last_word_has_finished(tmp_path):
    (tmp_path / "events.jsonl").write_text('{"kind": "started"}\n{"kind": "answering", "done": 3, "clips": 4}\n')
    follower = EvaluationFollower(tmp_path, look_every_s=0.0)
    assert follower.poll().state == "interrupted"
    (tmp_path / "metrics.json").write_text("{}")
    assert (follower.poll().state, follower.poll().done) == ("finished", 4)


def test_without_an_adapter_there_is_nothing_to_measure(session):
    with pytest.raises(UsageError, match="no adapter yet"):
        start_evaluation(session, made_run(session))


def test_a_part_that_no_set_has_is_refused(session, run):
    with pytest.raises(UsageError, match="no part"):
        start_evaluation(session, run, split="all")


def default(session, **changes):
    session.settings = session.settings.model_copy(update=changes)


def test_the_default_adapter_of_the_same_base_answers_too(session, run):
    folder = session.settings.models_folder() / "adapters" / "old"
    write_adapter(folder, base="m", card={"name": "old"})
    assert list(answerers_of(session, run, {})) == ["march-001"]
    default(session, local_adapter="old")
    assert answerers_of(session, run, {}) == {"march-001": run.folder / "adapter", "old": folder}
    # Of another base, gone, or none at all: it has no say here.
    write_model(session.settings.models_folder() / "n")
    default(session, local_model="n")
    assert list(answerers_of(session, run, {})) == ["march-001"]
    default(session, local_model="m", local_adapter="gone")
    assert list(answerers_of(session, run, {})) == ["march-001"]


def test_the_runs_own_adapter_does_not_answer_twice(session, run, tmp_path):
    adopt_finished(session)
    default(session, local_adapter="march-001")
    assert list(answerers_of(session, run, {})) == ["march-001"]
    copied = shutil.copytree(run.folder / "adapter", tmp_path / "copied")
    assert list(answerers_of(session, run, {"copied": copied})) == ["march-001"]


@pytest.mark.parametrize("name", ["base", "a=b", "march-001"])
def test_names_that_would_be_mistaken_are_refused(session, run, tmp_path, name):
    other = write_adapter(tmp_path / "other", base="m", card={"name": "other"})
    with pytest.raises(UsageError):
        answerers_of(session, run, {name: other})


def test_adapters_are_named_as_they_are_typed(session, run, tmp_path):
    folder = session.settings.models_folder() / "adapters" / "old"
    write_adapter(folder, base="m", card={"name": "old"})
    other = write_adapter(tmp_path / "other", base="m", card={"name": "x"})
    found = named_adapters(session, run, ["old", str(other), f"mine={other}"])
    assert found == {"old": folder, "other": other, "mine": other}
    with pytest.raises(UsageError, match="no adapter"):
        named_adapters(session, run, ["nothing"])


NONSENSE = (
    "",
    "[]",
    "{",
    "[" * 100_000,
    '{"scores": 5}',
    '{"scores": {"base": 5}}',
    '{"scores": {"base": {"fields": [1]}}}',
    '{"scores": {"base": {"fields": {"event_type": 1}}}}',
    '{"scores": {}, "paired": [1]}',
    '{"scores": {}, "paired": {"a": {"event_type": 1}}}',
    '{"scores": {}, "unreadable": [1]}',
)


def test_numbers_that_make_no_sense_are_none(run):
    for number, text in enumerate(NONSENSE):
        folder = run.folder / f"evaluation-test-{number}"
        folder.mkdir()
        (folder / "metrics.json").write_text(text)
    assert evaluations(run) == []

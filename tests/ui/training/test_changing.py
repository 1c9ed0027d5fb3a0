"""“Which clips would change?”: what is looked for, what is offered where answers are missing, what is said."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QWidget

from tests.ui.builders import FakeShell, clip
from tests.ui.library.would_change import BASE, TUNED, answer, four
from vvlm_desktop.errors import UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.sheet import Answer
from vvlm_desktop.ui.training.changing_facts import newest_run, pace_of, seconds_per_answer, sources_of_run
from vvlm_desktop.ui.training.changing_flow import ChangingFlow
from vvlm_desktop.ui.training.changing_words import about
from vvlm_desktop.workflow import adapters, model_shelf, models, runs
from vvlm_desktop.workflow.answerers import Source

RUN = SimpleNamespace(name="march-001", config=SimpleNamespace(model_dir="/models/M"))


@pytest.fixture(autouse=True)
def shelf(monkeypatch, tmp_path):
    """A model M with any adapter but those called "gone"."""
    here = SimpleNamespace(name="M", path=tmp_path / "M")

    def find_adapter(_settings, text, *, base):
        assert base is here
        if text == "gone":
            raise UsageError("There is no adapter gone.")
        return SimpleNamespace(name=text)

    def local_options(_settings, *, model, adapter):
        return SimpleNamespace(to_json=lambda: {"model": model, "adapter": adapter or None})

    monkeypatch.setattr(model_shelf, "find_model", lambda _settings, _text: here)
    monkeypatch.setattr(adapters, "find_adapter", find_adapter)
    monkeypatch.setattr(adapters, "adapter_named", lambda _settings, text: None if text == "gone" else text)
    monkeypatch.setattr(models, "local_options", local_options)


@pytest.fixture
def flow(qtbot, look, session):
    window = QWidget()
    qtbot.addWidget(window)
    shell = FakeShell(session, window)
    shell.listed = None
    made = ChangingFlow(shell, window)

    def start(run=RUN) -> FakeShell:
        made.start(run)
        qtbot.waitUntil(lambda: not made.busy)
        return shell

    yield SimpleNamespace(start=start, flow=made, shell=shell)
    made.close()


@pytest.mark.parametrize(
    ("settings", "now"),
    [
        (Settings(), None),
        (Settings(backend="local", local_model="M"), None),
        (Settings(backend="local", local_model="M", local_adapter="fleet"), "fleet"),
        (Settings(backend="local", local_model="other", local_adapter="fleet"), None),
        (Settings(backend="local", local_model="M", local_adapter="march-001"), None),
        (Settings(backend="gemini", local_model="M", local_adapter="fleet"), None),
    ],
)
def test_present_default_of_the_same_model_is_what_is_held_against(settings, now):
    assert sources_of_run(settings, RUN) == (Source("local", "M", now), TUNED)


def test_changing_clips_are_shown_and_the_missing_ones_offered(flow, session):
    four(session)
    shell = flow.start()
    assert shell.listed.title == "2 clips would change with march-001"
    assert shell.listed.sources == (BASE, TUNED)
    (question,) = shell.questions_asked
    assert question.facts == (
        ("M + march-001", "1 clip not answered"),
        ("Takes", "not known: this model has answered too little here"),
    )
    assert "3 clips compared so far, 2 would change" in question.sentence
    assert shell.analysed == []
    question.on_yes(Answer())
    assert [[each.id for each in clips] for clips in shell.analysed] == [[clip(4).id]]
    assert shell.analysed_with[0].options == {"model": "M", "adapter": "march-001"}


def test_both_are_asked_where_both_are_missing(flow, session):
    session.library.add_clip(clip(1))
    session.library.add_clip(clip(2))
    answer(session, 2)
    shell = flow.start()
    assert shell.listed is None
    (question,) = shell.questions_asked
    assert [value for _, value in question.facts[:2]] == ["1 clip not answered", "2 clips not answered"]
    question.on_yes(Answer())
    assert [choice.adapter for choice in shell.analysed_with] == ["", "march-001"]
    assert [len(clips) for clips in shell.analysed] == [1, 2]
    assert shell.listed.title == "0 clips would change with march-001"


def test_nothing_that_changes_is_said_and_no_empty_list_shown(flow, session):
    answer(session, 1)
    answer(session, 1, adapter="march-001")
    shell = flow.start()
    assert shell.listed is None
    assert [problem.sentence for problem in shell.problems] == [
        "No answer would change with M + march-001: 1 clip compared."
    ]


def test_answers_on_other_terms_are_no_comparison(flow, session):
    answer(session, 1)
    answer(session, 1, adapter="march-001", frames=(0, 1024))
    shell = flow.start()
    assert "were not asked alike" in shell.problems[0].sentence


def test_adapter_that_is_not_here_is_said(flow, session):
    shell = flow.start(SimpleNamespace(name="gone", config=RUN.config))
    assert str(shell.problems[0]) == "There is no adapter gone."
    assert shell.tasks.running == ()


def test_newest_run_with_an_adapter_counts(session, monkeypatch):
    listed = [SimpleNamespace(name="gone"), SimpleNamespace(name="march-001"), SimpleNamespace(name="older")]
    monkeypatch.setattr(runs, "list_runs", lambda _session: listed)
    assert newest_run(session) is listed[1]
    del listed[1:]
    with pytest.raises(UsageError, match="No fine-tune has made an adapter yet"):
        newest_run(session)


def test_pace_leaves_pauses_out_and_wants_a_few_answers():
    times = [f"2026-01-02T03:00:{second:02}.000Z" for second in (0, 4, 8, 12)]
    assert pace_of(times) is None
    assert pace_of([*times, "2026-01-02T03:00:16.000Z"]) == 4.0
    assert pace_of([*times, "2026-01-02T07:00:00.000Z", "2026-01-02T07:00:04.000Z"]) == 4.0
    assert pace_of([]) is None


def test_pace_is_of_the_model_with_whatever_adapter(session):
    for number in range(6):
        answer(session, number + 1, adapter="a" if number % 2 else None, at=f"{10 * number:02}")
    assert seconds_per_answer(session, TUNED) == 10.0
    assert seconds_per_answer(session, Source("local", "other")) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(30.0, "less than a minute"), (600.0, "about 10 min"), (9 * 3600.0, "about 9 hours")],
)
def test_time_is_told_no_more_exactly_than_it_is_known(seconds, words):
    assert about(seconds) == words

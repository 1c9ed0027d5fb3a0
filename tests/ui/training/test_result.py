"""The result of a run: the table, measuring, and what leads on."""

from __future__ import annotations

import csv
import io
import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from tests.ui.builders import FakeShell, clip
from tests.ui.training.run_folders import claim, evaluate, event, finish, metrics, run_in, share, tell
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.errors import UsageError
from vvlm_desktop.ui.training import result_work
from vvlm_desktop.ui.training.result import ResultView
from vvlm_desktop.ui.training.result_rows import Measured, difference_words, interval_words, p_words, result_table
from vvlm_desktop.ui.training.result_table import ResultTableView
from vvlm_desktop.workflow import runs
from vvlm_desktop.workflow.run_shelf import Evaluation, Run


@pytest.fixture
def library(session):
    return session.library.folder


@pytest.fixture
def run(library) -> Run:
    made = run_in(library, events=[event("finished", step=10)])
    finish(made)
    return made


@pytest.fixture
def schema(session) -> LabelSchema:
    return session.schema


@pytest.fixture
def shell(qtbot, session):
    window = QWidget()
    qtbot.addWidget(window)
    return FakeShell(session, window)


@pytest.fixture
def view(qtbot, look, shell, run):
    made = ResultView(shell)
    qtbot.addWidget(made)
    made.resize(1200, 600)
    made.show()
    yield made
    made.close_view()


def read(view, qtbot, run) -> ResultView:
    with qtbot.waitSignal(view._reading.done):
        view.show_run(run)
    return view


# --- the table


def test_rows_are_in_the_schema_s_order_then_times_then_what_concerns_all(run, schema):
    table = result_table(evaluate(run), schema)
    assert [row.title for row in table.rows] == [
        "Event",
        "Event time",
        "Event time, off by",
        "Valid JSON",
        "Calibration error",
    ]
    assert table.answerers == ("base", "march-001")
    assert table.unreadable == ("cut.mp4",)


def test_difference_and_verdict_are_of_the_adapter_to_the_base(run, schema):
    event_row = result_table(evaluate(run), schema).rows[0]
    assert event_row.difference == pytest.approx((33 - 20) / 40)
    assert event_row.p == pytest.approx(2 * 16 / 2**15)
    assert event_row.verdict == "better"
    assert difference_words(event_row) == "+32.5"
    assert "14 only the adapter has right, 1 only the base" in event_row.detail


@pytest.mark.parametrize(
    ("only_base", "only_adapter", "verdict"),
    [(1, 14, "better"), (14, 1, "worse"), (3, 4, "unclear"), (5, 5, "unclear")],
)
def test_verdict_needs_a_difference_that_chance_does_not_explain(run, schema, only_base, only_adapter, verdict):
    made = evaluate(run, only_base=only_base, only_adapter=only_adapter)
    assert result_table(made, schema).rows[0].verdict == verdict


def test_the_p_of_whole_lists_stands_beside_whole_lists_and_not_beside_f1(run, schema):
    told = metrics(run.name)
    f1 = {"value": 0.0, "low": 0.0, "high": 0.0}
    for name, right in (("base", 0), (run.name, 33)):
        told["scores"][name]["fields"]["objects"] = {
            "kind": "any_of",
            "clips": 33,
            "score": 0.0,
            "f1": f1,
            "exact": share(right, 33),
        }
    told["paired"][run.name]["objects"] = {"clips": 33, "only_base_right": 0, "only_adapter_right": 33, "p": 1e-9}
    rows = result_table(Evaluation(run.folder, run, "test", told), schema).rows
    whole, parts = (row for row in rows if row.key.startswith("objects"))
    assert (whole.title.rpartition(", ")[2], whole.difference, whole.p, whole.verdict) == (
        "whole list",
        1,
        1e-9,
        "better",
    )
    assert (parts.title.rpartition(", ")[2], parts.difference, parts.p, parts.verdict) == (
        "F1 of its values",
        0,
        None,
        "",
    )


def test_a_time_is_better_the_nearer_and_no_verdict_is_made_up(run, schema):
    row = result_table(evaluate(run), schema).rows[2]
    assert (row.unit, row.more_is_better, row.verdict) == ("seconds", False, "")
    assert difference_words(row) == "-0.60 s"
    assert interval_words(row.cells[0], row.unit) == "0.50–2.00 s"


def test_answerer_that_could_not_be_scored_is_a_dash(run, schema):
    told = metrics(run.name)
    del told["scores"]["base"]["fields"]["event_type"]
    row = result_table(Evaluation(run.folder, run, "test", told), schema).rows[0]
    assert row.cells[0] is None
    assert row.difference is None
    assert (p_words(None), p_words(0.0001), p_words(0.25)) == ("–", "< 0.001", "0.250")


def test_the_run_s_own_adapter_is_compared_where_several_answered(run, schema):
    told = metrics(run.name)
    told["scores"]["zebra-001"] = told["scores"]["base"]
    assert result_table(Evaluation(run.folder, run, "test", told), schema).candidate == run.name


def test_copied_numbers_are_not_rounded(run, schema):
    lines = list(csv.reader(io.StringIO(result_table(evaluate(run), schema).as_csv())))
    assert lines[0][3:6] == ["Base", "Base low", "Base high"]
    first = dict(zip(lines[0], lines[1], strict=True))
    assert float(first["march-001"]) == 33 / 40
    assert 0.6 < float(first["march-001 low"]) < 33 / 40
    assert float(first["p"]) == 2 * 16 / 2**15


def test_table_says_its_numbers_to_those_who_cannot_see_them(qtbot, look, run, schema):
    table = ResultTableView()
    qtbot.addWidget(table)
    table.show_table(result_table(evaluate(run), schema))
    role = Qt.ItemDataRole.AccessibleTextRole
    assert table.item(0, 3).data(role) == "82.5 %, 95 % interval 68–91 %"
    assert table.item(0, 6).data(role) == "better"
    table.resize(800, 300)
    table.show()
    assert not table.grab().isNull()


def test_measured_without_interval_has_no_words_for_one():
    assert interval_words(Measured(0.5), "share") == ""


# --- the page


def test_measured_run_shows_table_and_what_it_rests_on(view, qtbot, run):
    evaluate(run)
    read(view, qtbot, run)
    assert view.numbers.rowCount() == 5
    assert "40 clips" in view.about.text()
    assert "1 clip could not be read" in view.about.text()
    assert not view.choice.isVisible()


def test_run_without_an_adapter_cannot_be_measured(view, qtbot, library):
    read(view, qtbot, run_in(library, "young-001", events=[event("started", pid=1)]))
    assert view.unmeasured.isVisible()
    assert view.unmeasured.title.text() == "Not trained to its end"
    assert not view.unmeasured.buttons[0].isEnabled()


def test_measuring_is_followed_to_its_end(view, qtbot, run, monkeypatch):
    read(view, qtbot, run)
    folder = run.folder / "evaluation-test"

    def start(_session, run, *, split):
        folder.mkdir()
        claim(folder)
        tell(folder, event("started"), event("answering", done=2, clips=8, clip="van.mp4"))
        return Evaluation(folder, run, split, {})

    monkeypatch.setattr(runs, "start_evaluation", start)
    view.unmeasured.buttons[0].click()
    qtbot.waitUntil(lambda: view.measuring.bar.value() == 2)
    assert "Clip 3 of 8" in view.measuring.words.text()
    assert view.measuring.cancel.isEnabled()
    (folder / "metrics.json").write_text(json.dumps(metrics(run.name)), encoding="utf-8")
    tell(folder, event("finished"))
    view.measuring._watch.poll()
    qtbot.waitUntil(view.numbers.isVisible)
    qtbot.waitUntil(lambda: not view.measuring.isVisible())
    view.measuring.follow(Evaluation(folder, run, "test", {}))
    assert not view.measuring.isVisible(), "what was read before its end comes late"


def test_evaluation_of_another_program_is_followed(view, qtbot, run):
    folder = run.folder / "evaluation-test"
    folder.mkdir()
    claim(folder)
    tell(folder, event("started"), event("answering", done=1, clips=4, clip="van.mp4"))
    read(view, qtbot, run)
    qtbot.waitUntil(lambda: view.measuring.bar.maximum() == 4)
    view.measuring.cancel.click()
    assert (folder / "stop").exists()


def test_failed_evaluation_says_why(view, qtbot, run):
    read(view, qtbot, run)
    folder = run.folder / "evaluation-test"
    folder.mkdir()
    tell(folder, event("started"), event("failed", message="The GPU's memory ran out.", hint="Fewer frames."))
    view.measuring.follow(Evaluation(folder, run, "test", {}))
    qtbot.waitUntil(view.measuring.trouble.isVisible)
    assert view.measuring.trouble.cause.text() == "The GPU's memory ran out."
    assert view.unmeasured.buttons[0].isEnabled() or view._reading.busy


def test_refused_start_is_reported(view, qtbot, run, shell, monkeypatch):
    def start(*_args, **_named):
        raise UsageError("march-001 is being measured already.")

    read(view, qtbot, run)
    monkeypatch.setattr(runs, "start_evaluation", start)
    view.measure()
    qtbot.waitUntil(lambda: len(shell.problems) == 1)
    qtbot.waitUntil(view.unmeasured.buttons[0].isEnabled)


def test_older_measurements_can_be_chosen(view, qtbot, run):
    evaluate(run, at="2026-11-20T10:00:00.000Z", only_adapter=3)
    evaluate(run, name="evaluation-test-2")
    read(view, qtbot, run)
    assert view.choice.count() == 2
    assert view.facts.chosen.folder.name == "evaluation-test-2"
    with qtbot.waitSignal(view._reading.done):
        view.choice.activated.emit(1)
    assert view.facts.chosen.folder.name == "evaluation-test"


def test_numbers_are_copied(view, qtbot, run):
    evaluate(run)
    read(view, qtbot, run)
    view.copy.click()
    assert QGuiApplication.clipboard().text().startswith("measure,unit,clips,Base")


def test_what_leads_on(view, qtbot, run, shell, session):
    made = evaluate(run)
    known = clip(3)
    session.library.add_clip(known)
    lines = [{"answerer": name, "clip_id": each} for name in ("base", run.name) for each in (known.id, "gone")]
    (made.folder / "answers.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    read(view, qtbot, run)
    with qtbot.waitSignal(view.changes_pressed) as pressed:
        view.changes.click()
    assert pressed.args == [run]
    view.compare.click()
    qtbot.waitUntil(lambda: hasattr(shell, "compared"))
    assert shell.compared.chosen == (session.library.rowid_of(known.id),)


def test_answers_that_cannot_be_read_are_reported(view, qtbot, run, shell):
    evaluate(run)
    read(view, qtbot, run)
    view.compare.click()
    qtbot.waitUntil(lambda: len(shell.problems) == 1)
    assert "Measure the run again" in shell.problems[0].hint


def test_another_run_chosen_meanwhile_wins(view, qtbot, run, library):
    evaluate(run)
    other = run_in(library, "other-001", events=[event("started", pid=1)])
    view.show_run(run)
    with qtbot.waitSignal(view._reading.done):
        view.show_run(other)
    assert view.name.text() == "other-001"
    assert view.unmeasured.isVisible()


def test_errand_whose_answer_is_unwanted_tells_nothing(qtbot):
    errand = result_work.Errand("test")
    told = []
    errand.done.connect(told.append)
    errand.start(lambda: "old")
    with qtbot.waitSignal(errand.done):
        errand.start(lambda: "new")
    errand.close()
    assert told == ["new"]

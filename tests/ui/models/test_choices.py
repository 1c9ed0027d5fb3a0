"""What Analyse uses: chosen once on Models, or for this time from a menu; and what is asked before pictures leave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QWidget

from tests.clips import make_clip
from tests.ui.builders import FakeShell, clip
from tests.ui.models.fakes import FakeShelf
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.errors import UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.analysis_line import AnalysisLine
from vvlm_desktop.ui.choice import BUILT_IN, Choice, choice_of_batch, status_words, title_of
from vvlm_desktop.ui.models.batch_words import batch_title
from vvlm_desktop.ui.models.choice_menu import ChoiceMenu
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.batch_events import BatchEvent

LOCAL = Choice("local", "InternVL3-2B + fleet-3", {"model": "OpenGVLab/InternVL3-2B", "adapter": "fleet-3"})


@pytest.fixture
def shell(qtbot, session):
    holder = QWidget()
    qtbot.addWidget(holder)
    made = FakeShell(session, holder)
    made.holder = holder
    return made


@pytest.fixture
def make_line(shell):
    made: list[AnalysisLine] = []

    def make(choice=LOCAL) -> AnalysisLine:
        def find(_settings):
            if isinstance(choice, Exception):
                raise choice
            return choice

        made.append(AnalysisLine(shell, shell.holder, find_choice=find))
        return made[-1]

    yield make
    for line in made:
        line.close()


@pytest.fixture
def opened(monkeypatch):
    """Every batch that would be begun, instead of beginning it."""
    batches: list = []
    monkeypatch.setattr(AnalysisLine, "_open", lambda self, line: batches.append(line))
    return batches


def added(session, tmp_path: Path, count: int = 2):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(count):
        make_clip(folder / f"{number}.mp4", frames=10 + number, fps=10)
    return [item.clip for item in add_paths(session, [folder]).items]


def chosen(shell, **settings) -> None:
    shell.session.settings = shell.session.settings.model_copy(update=settings)


def test_words_of_what_is_chosen():
    assert title_of(Settings()) == "Built-in measurements"
    local = Settings(backend="local", local_model="OpenGVLab/InternVL3-8B-hf", local_adapter="fleet-3")
    assert status_words(local) == "InternVL3-8B-hf + fleet-3, on this computer"
    assert title_of(Settings(backend="local")) == "no model chosen"
    assert status_words(Settings(backend="gemini")) == "gemini-flash-latest, elsewhere"


def test_choice_of_a_batch_is_what_it_was_begun_with():
    again = choice_of_batch("local", LOCAL.options)
    assert again.title == LOCAL.title
    assert (again.model, again.adapter) == ("OpenGVLab/InternVL3-2B", "fleet-3")
    assert (BUILT_IN.model, BUILT_IN.adapter) == (None, None)
    assert choice_of_batch("local", {"model": "m"}).adapter == ""  # the model alone, not any adapter


def test_analyse_uses_what_the_settings_choose(shell, make_line, opened, qtbot, session, tmp_path):
    clips = added(session, tmp_path)
    chosen(shell, backend="local", local_model="OpenGVLab/InternVL3-2B")
    make_line().analyse(clips)
    qtbot.waitUntil(lambda: bool(opened))
    assert opened[0].choice is LOCAL
    assert opened[0].batch.backend.name == "local"


def test_choice_for_this_time_leaves_the_settings_alone(shell, make_line, opened, session, tmp_path):
    clips = added(session, tmp_path)
    make_line().analyse(clips, choice=LOCAL)
    assert opened[0].choice is LOCAL
    assert session.settings.backend == "signals"


def test_what_cannot_be_used_is_told_with_the_way_to_the_models(shell, make_line, opened, qtbot, session, tmp_path):
    clips = added(session, tmp_path, 1)
    chosen(shell, backend="local")
    make_line(UsageError("No local model is chosen.", hint="Choose a card.")).analyse(clips)
    qtbot.waitUntil(lambda: bool(shell.problems))
    problem = shell.problems[0]
    assert (problem.sentence, problem.hint) == ("No local model is chosen.", "Choose a card.")
    problem.do()
    assert shell.navigated == [("models", None)]
    assert opened == []


def test_the_same_clips_can_wait_for_two_models_but_not_twice_for_one(shell, make_line, session, tmp_path, monkeypatch):
    clips = added(session, tmp_path, 1)
    line = make_line()
    monkeypatch.setattr(AnalysisLine, "_open", lambda self, each: self._waiting.append(each))
    for choice in (LOCAL, BUILT_IN, LOCAL):
        line.analyse(clips, choice=choice)
    assert [each.choice for each in line._waiting] == [LOCAL, BUILT_IN]
    line._waiting.clear()


def test_analyse_new_asks_for_what_this_model_and_adapter_have_not_said(
    shell, make_line, opened, qtbot, session, tmp_path
):
    first, second = added(session, tmp_path)
    said = Analysis(
        id="a", clip_id=first.id, backend="local", model="OpenGVLab/InternVL3-2B", adapter="fleet-3",
        created_at="2026-01-02T03:05:00.000Z", schema_key=session.schema.key,
        schema_labels_sha=session.schema.labels_sha, schema_wording_sha=session.schema.wording_sha, prompt_sha=None,
        provenance="model", labels={}, confidence={}, confidence_kind=None, frames_pts=(), raw_text="",
    )  # fmt: skip
    session.library.add_analysis(said)
    session.library.add_analysis(replace(said, id="b", clip_id=second.id, adapter=None))
    chosen(shell, backend="local")
    make_line().analyse_new()
    qtbot.waitUntil(lambda: bool(opened))
    assert opened[0].batch.pending_ids == {second.id}  # what the model said without the adapter does not count


def test_batch_title_says_clip_model_and_pace():
    event = BatchEvent("progress", 11, 0, 80, 0.14, message="x", clips_per_minute=34.4)
    assert batch_title(event, title="InternVL3-8B") == "Analysing 12 of 80 · InternVL3-8B · 34 clips/min"
    slow = replace(event, clips_per_minute=0.42)
    assert batch_title(slow, title="m").endswith("0.4 clips/min")
    begun = BatchEvent("progress", 0, 0, 80, 0.0, message="loading the model")
    assert batch_title(begun, title="m") == "Analysing 1 of 80 · m · loading the model"
    assert batch_title(replace(begun, message="starting"), title="m") == "Analysing 1 of 80 · m"


def test_menu_offers_what_is_ready_and_analyses_once_with_it(shell, qtbot):
    shelf = FakeShelf()
    shelf.choice_list = (BUILT_IN, LOCAL)
    menu = ChoiceMenu(shell, shell.holder, shelf=shelf)
    shell.holder.show()
    menu.ask([clip(1), clip(2)])
    qtbot.waitUntil(lambda: menu.menu is not None and menu.menu.isVisible())
    texts = [action.text() for action in menu.menu.actions()]
    assert texts == ["Analyse 2 clips with", "Built-in measurements\tin use", LOCAL.title, "", "Draft with…"]
    menu.menu.actions()[2].trigger()
    menu.menu.hide()
    assert shell.analysed == [[clip(1), clip(2)]]
    assert shell.analysed_with == [LOCAL]


def test_drafts_are_offered_for_what_nobody_has_finished(shell, qtbot):
    shelf = FakeShelf()
    shelf.choice_list = (BUILT_IN, LOCAL)
    menu = ChoiceMenu(shell, shell.holder, shelf=shelf)
    shell.holder.show()
    menu.ask([clip(1), clip(2, status="reviewed")])
    qtbot.waitUntil(lambda: menu.menu is not None and menu.menu.isVisible())
    drafts = menu.menu.actions()[-1].menu()
    head, teacher = drafts.actions()
    assert "1 clip " in head.text()  # the reviewed one needs none, and what only measures is no teacher
    teacher.trigger()
    menu.menu.hide()
    assert shell.analysed == [[clip(1)]]
    (draft,) = shell.analysed_with
    assert draft.options["teacher"] is True
    assert draft.title == f"{LOCAL.title}, as a draft"


def test_menu_without_a_model_leads_to_the_models(shell, qtbot):
    menu = ChoiceMenu(shell, shell.holder, shelf=FakeShelf())
    shell.holder.show()
    menu.ask([clip(1)])
    qtbot.waitUntil(lambda: menu.menu is not None and menu.menu.isVisible())
    menu.menu.actions()[-1].trigger()
    menu.menu.hide()
    assert shell.navigated == [("models", None)]


def test_question_reaches_the_chosen_model_and_its_failure_is_kept(shell, make_line, qtbot, session, tmp_path):
    (asked_about,) = added(session, tmp_path, 1)
    chosen(shell, backend="local")
    questions = make_line(UsageError("No such model.", hint="Choose another.")).questions
    pending = questions.ask(asked_about, "Who?")
    qtbot.waitUntil(lambda: pending.failed)
    assert (pending.problem, pending.hint) == ("No such model.", "Choose another.")
    assert questions.of_clip(asked_about.id) == (pending,)
    questions.forget(pending)
    assert questions.of_clip(asked_about.id) == ()


def test_built_in_measurements_refuse_a_question_in_words(shell, make_line, session, tmp_path):
    (asked_about,) = added(session, tmp_path, 1)
    pending = make_line().questions.ask(asked_about, "Who?")
    assert "cannot be asked" in pending.problem


def test_answer_is_announced_and_no_longer_pending(shell, make_line, session, tmp_path, monkeypatch):
    (asked_about,) = added(session, tmp_path, 1)
    started: list = []

    class FakeAsking:
        finished = False

        def __init__(self, *_arguments, on_event, **named) -> None:
            self.on_event, self.named = on_event, named
            started.append(self)

        def start(self) -> None: ...

        def handle(self, message) -> None:
            self.on_event(message)

    monkeypatch.setattr("vvlm_desktop.workflow.ask.Asking", FakeAsking)
    questions = make_line().questions
    questions._find_choice = lambda go_on, _refuse: go_on(LOCAL)
    pending = questions.ask(asked_about, "Who?", range_ms=(0, 500))
    assert pending.by == LOCAL.title
    assert started[0].named["range_ms"] == (0, 500)
    questions.handle(SimpleNamespace(kind="progress", message="reading the frames"))
    assert pending.stage == "reading the frames"
    questions.handle(SimpleNamespace(kind="answered", message=""))
    assert questions.of_clip(asked_about.id) == ()
    assert shell.announced[-1].what == {"questions"}

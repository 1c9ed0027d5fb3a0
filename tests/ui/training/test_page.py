"""The page: its steps, keys and actions, runs that went on without it, and nothing heavy behind it."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest
from PySide6.QtCore import Qt

from tests.ui.builders import clip as made_up
from tests.ui.training.run_folders import beginning, claim, event, finish, run_in, step, tell
from tests.ui.training.setups import placed
from vvlm_desktop.domain.review import Change
from vvlm_desktop.ui.page_list import PAGES
from vvlm_desktop.ui.palette import find_actions
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.training.going_on import going_on
from vvlm_desktop.ui.training.page import TrainingPage

Key = Qt.Key


@pytest.fixture(autouse=True)
def _models_here(session, tmp_path):
    session.settings = session.settings.model_copy(update={"models_dir": str(tmp_path / "models")})


@pytest.fixture
def open_page(qtbot, look, session):
    made = []

    def make():
        shell, page = placed(qtbot, session, TrainingPage)
        made.append(page)
        shell.registry.add(page.actions_here())
        shell.registry.show_page("training")
        page.window().activateWindow()
        with qtbot.waitSignals([page.desk.listed, page.data.desk.looked]):
            page.activate()
        return shell, page

    yield make
    for page in made:
        page.close_page()


def alive(run) -> None:
    """As if this process trained it."""
    began_s = psutil.Process().create_time()
    (run.folder / "pid").write_text(f'{{"pid": {os.getpid()}, "began_s": {began_s}}}')


def press(qtbot, page, key, *modifier):
    page.setFocus()
    qtbot.keyClick(page, key, *modifier)


def test_it_stands_between_compare_and_models_with_an_icon_of_its_own():
    ids = [spec.id for spec in PAGES]
    assert ids.index("compare") + 1 == ids.index("training") == ids.index("models") - 1
    assert next(spec.icon for spec in PAGES if spec.id == "training") == "training"


def test_digits_and_letters_show_the_steps(open_page, qtbot):
    _, page = open_page()
    assert page.step == "data"
    for key, name in ((Key.Key_2, "run"), (Key.Key_3, "result"), (Key.Key_1, "data"), (Key.Key_H, "history")):
        press(qtbot, page, key)
        assert page.step == name
        assert [each for each, item in page.steps.buttons.items() if item.isChecked()] == (
            [name] if name in page.steps.buttons else []
        )
    assert page.list.isChecked()


def test_steps_can_be_pressed(open_page, qtbot):
    _, page = open_page()
    page.steps.buttons["result"].click()
    assert page.step == "result"
    page.show_history()
    page.steps.buttons["data"].click()
    assert page.step == "data"
    assert page.steps.buttons["data"].isChecked()


def test_every_action_is_in_the_palette(open_page):
    shell, page = open_page()
    found = {each.id for each in shell.registry.here() if each.id.startswith("training.")}
    assert found == {each.id for each in page.actions_here()}
    offered = find_actions(shell.registry)("training set")
    assert any("Make a training set" in each.title for each in offered)


def test_run_that_goes_on_is_shown_when_the_program_is_opened_again(open_page, session, qtbot):
    run = run_in(session.library.folder, "march-002", events=[*beginning(), step(3)])
    run_in(session.library.folder, "march-001", events=[*beginning(), event("stopped", step=3)])
    alive(run)
    _, page = open_page()
    assert page.step == "run"
    assert page.run.run.name == "march-002"
    assert page.about.text() == "march-002"
    assert page.list.text() == "Runs (2)"


def test_runs_that_have_ended_are_only_listed(open_page, session):
    run_in(session.library.folder, "march-001", events=[*beginning(), event("stopped", step=3)])
    _, page = open_page()
    assert page.step == "data"
    assert page.run.run is None


def test_chosen_run_is_shown_and_a_new_one_can_be_set_up(open_page, session, qtbot):
    run_in(session.library.folder, "march-001", events=[*beginning(), event("stopped", step=3)])
    _, page = open_page()
    page.history.chosen.emit(page.runs[0])
    assert (page.step, page.run.run) == ("run", page.runs[0])
    assert page.result.run == page.runs[0]
    page.new.click()
    assert page.run.run is None
    assert page.about.text() == ""
    assert page.step == "data"  # there is no set yet


def test_removing_asks_and_forgets_the_run(open_page, session, qtbot):
    run_in(session.library.folder, "march-001", events=[*beginning(), event("stopped", step=3)])
    shell, page = open_page()
    page.history.chosen.emit(page.runs[0])
    page.history.remove_pressed.emit(page.runs[0])
    question = shell.questions_asked[0]
    assert question.headline == "Remove the run march-001?"
    assert page.runs[0].folder.exists()
    folder = page.runs[0].folder
    with qtbot.waitSignal(page.desk.listed):
        question.on_yes(None)
    assert not folder.exists()
    assert page.runs == []
    assert page.run.run is None


def test_finished_run_is_said_with_the_way_to_its_result(open_page, session, qtbot):
    run = run_in(session.library.folder, "march-001", events=[*beginning(steps=4), step(1, of=4)])
    alive(run)
    shell, page = open_page()
    qtbot.waitUntil(lambda: page._was_live, timeout=10_000)
    tell(run.folder, step(4, of=4), event("finished", adapter="adapter", metrics={}))
    (run.folder / "pid").unlink()
    qtbot.waitUntil(lambda: any(each.offer == "Show the result" for each in shell.problems), timeout=10_000)
    said = next(each for each in shell.problems if each.offer)
    assert said.sentence == "march-001 is finished."
    page.new_run()
    said.do()
    assert shell.navigated == [("training", None)], "it is pressed on another page, too"
    assert (page.step, page.result.run.name) == ("result", "march-001")


def test_what_is_among_the_models_is_not_said_to_be_the_default(open_page):
    shell, page = open_page()
    page.desk.adopted.emit(["fleet-003"])
    said = shell.problems[-1].sentence
    assert said == "fleet-003 can be compared now; it becomes the default on the Result page."


def can(shell, name) -> bool:
    return shell.registry.action(f"training.{name}").available()


RUN_ACTS = ("stop", "resume", "measure", "promote", "rollback")


def test_what_a_run_can_do_is_offered_only_where_it_makes_sense(open_page, session, qtbot):
    stopped = run_in(session.library.folder, "march-001", events=[*beginning(), event("stopped", step=3)])
    shell, page = open_page()
    assert not any(can(shell, name) for name in RUN_ACTS), "no run is chosen"
    with qtbot.waitSignals([page.run.live.progressed, page.result._reading.done]):
        page.history.chosen.emit(stopped)
    assert [name for name in RUN_ACTS if can(shell, name)] == ["resume"]
    live = run_in(session.library.folder, "march-002", events=[*beginning(), step(3)])
    alive(live)
    with qtbot.waitSignals([page.run.live.progressed, page.result._reading.done]):
        page.history.chosen.emit(live)
    assert [name for name in RUN_ACTS if can(shell, name)] == ["stop"]
    with qtbot.waitSignal(page.run.live.stop_pressed):
        page.show_step("data")
        shell.registry.action("training.stop").trigger()
    assert page.step == "run"
    assert not can(shell, "stop"), "it was told"


def test_without_a_run_the_result_leads_to_the_runs(open_page):
    _, page = open_page()
    page.show_step("result")
    (runs,) = page.result.nothing.buttons
    assert runs.isVisible()
    runs.click()
    assert page.step == "history"


def test_side_by_side_and_back(open_page, session):
    for number in (1, 2):
        run_in(session.library.folder, f"march-00{number}", rank=8 * number, events=[*beginning(), step(number)])
    _, page = open_page()
    page.history.compare_chosen.emit(page.runs)
    assert page.step == "beside"
    page.beside.closed.emit()
    assert page.step == "history"


def test_choice_of_the_library_becomes_that_of_the_next_set(open_page, qtbot):
    _, page = open_page()
    page.show_step("run")
    page.show_scope(Scope("3 clips from the library", chosen=(1, 2, 3)))
    assert page.step == "data"
    assert page.data.form.chosen_scope.title == "3 clips from the library"


def test_reviews_are_looked_through_again_after_a_change(open_page, qtbot):
    _, page = open_page()
    page._refresh.setInterval(0)
    with qtbot.waitSignal(page.data.desk.looked):
        page.on_change(Change((), frozenset({"review"})))
    page.on_change(Change((), frozenset({"analyses"})))
    assert not page._stale


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_view_fits_at_1280_by_720_in_both_themes(open_page, look, theme):
    look.choose(theme)
    _, page = open_page()
    for name in ("data", "run", "result", "history"):
        page.show_step(name)
        assert not page.grab().toImage().isNull()
        assert page.width() <= 1216
        assert page.minimumSizeHint().width() <= 1216
    assert page.minimumSizeHint().height() <= 670


def test_nothing_heavy_is_imported():
    code = (
        "import sys, vvlm_desktop.ui.training.page\n"
        "print([m for m in ('torch', 'transformers', 'peft', 'training') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_selected_clips_of_the_library_become_a_set(window, session):
    session.library.add_clip(made_up(1))
    session.library.add_clip(made_up(2))
    opened = window()
    library = opened._pages["library"]
    library.table.selectAll()
    opened.registry.action("library.train").trigger()
    page = opened._pages["training"]
    assert opened.place[0] == "training"
    assert page.step == "data"
    assert len(page.data.form.chosen_scope.chosen) == 2


def test_run_that_goes_on_is_in_the_status_bar_of_a_new_window_and_leads_to_itself(window, session, qtbot):
    run = run_in(session.library.folder, "march-002", events=[*beginning(), step(40)])
    alive(run)
    opened = window()
    opened.navigate("library")
    status = opened.status
    qtbot.waitUntil(lambda: status.title.text() == "Training: march-002")
    assert opened.place[0] == "library"
    assert status.show_it.isVisible()
    status.show_it.click()
    page = opened._pages["training"]
    assert (opened.place[0], page.step, page.run.run.name) == ("training", "run", "march-002")


def test_measuring_that_goes_on_is_in_the_status_bar_of_a_new_window(window, session, qtbot):
    run = run_in(session.library.folder, "march-002", events=[*beginning(), event("finished", step=100)])
    finish(run)
    folder = run.folder / "evaluation-test"
    folder.mkdir()
    claim(folder)
    opened = window()
    qtbot.waitUntil(lambda: opened.status.title.text() == "Measuring march-002")
    opened.status.show_it.click()
    assert (opened.place[0], opened._pages["training"].step) == ("training", "result")


def test_without_a_run_that_goes_on_the_page_is_not_built_at_the_start(window, session, qtbot):
    run_in(session.library.folder, "march-001", events=[*beginning(), event("stopped", step=3)])
    opened = window()
    opened._run_finder.look()
    qtbot.waitUntil(lambda: not opened._run_finder._line.busy)
    assert going_on(session) is None
    assert "training" not in opened._pages

"""The first step: what can train, making a set, what is in it, its check, and what to do where there is too little."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QPushButton

from tests.ui.builders import broken_clip
from tests.ui.builders import clip as made_up
from tests.ui.training.setups import films, placed, reviewed
from vvlm_desktop.domain.review import NewEvent
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.training.data_step import DataStep
from vvlm_desktop.ui.training.set_bars import BalanceBars
from vvlm_desktop.ui.training.set_clips import ClipsByReason
from vvlm_desktop.ui.training.set_facts import Balance, facts_of
from vvlm_desktop.ui.widgets.empty_state import EmptyState
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.training_sets import list_training_sets, make_training_set


@pytest.fixture
def step(qtbot, look, session):
    """Makes the step, looked through."""
    made = []

    def make():
        shell, data = placed(qtbot, session, DataStep)
        made.append(data)
        with qtbot.waitSignal(data.desk.looked):
            data.look()
        return shell, data

    yield make
    for data in made:
        data.close_step()


@pytest.fixture(scope="module")
def seven_films(tmp_path_factory):
    return films(tmp_path_factory.mktemp("films"), 7)


@pytest.fixture
def six(session, seven_films):
    """Clips of seven recordings, six of them reviewed."""
    return reviewed(session, seven_films, leave=1)


def empty(data) -> EmptyState:
    state = data._stack.currentWidget()
    assert isinstance(state, EmptyState)
    return state


def settled(qtbot, data) -> None:
    qtbot.waitUntil(lambda: not data.desk.busy)


def make_set(qtbot, data) -> None:
    data.form.near_duplicates.setChecked(False)
    with qtbot.waitSignal(data.desk.facts_read, timeout=20_000):
        data.make()


def dismiss(session, clip) -> None:
    status = {"before": "needs_review", "after": "dismissed", "reason": "false_trigger", "words": None}
    payload = {**status, "broken_rules": []}
    session.library.append([NewEvent("status", clip.id, "Ada", session.schema.key, payload)])


def test_empty_library_offers_clips(step):
    shell, data = step()
    state = empty(data)
    assert state.title.text() == "No clips yet"
    state.buttons[0].click()
    state.buttons[1].click()
    assert shell.triggered == ["clips.add_folder"]
    assert shell.calls.samples == 1


def test_clips_without_reviews_lead_to_review(step, session):
    session.library.add_clip(made_up(1))
    session.library.add_clip(made_up(2))
    session.library.add_clip(broken_clip(3))  # nobody can review it
    shell, data = step()
    assert empty(data).title.text() == "Nothing has been reviewed yet"
    assert "2 clips wait" in empty(data).sentence.text()
    empty(data).buttons[0].click()
    assert shell.navigated == [("review", None)]


def test_reviewed_samples_alone_can_be_let_in(step, session, qtbot):
    sample = made_up(1, is_sample=True, status="needs_review")
    session.library.add_clip(sample)
    review.settle(session, sample.id, {"weather": "clear"})
    _, data = step()
    assert empty(data).title.text() == "None of the reviewed clips can train"
    with qtbot.waitSignal(data.desk.looked):
        empty(data).buttons[1].click()
    assert data.form.options.include_samples
    assert data.there.text() == "1 reviewed clip of 1 recording can train."
    assert data.advice.text().startswith("With 5 recordings or more")
    assert data.review.isVisibleTo(data)


def test_set_is_made_and_shown(step, six, session, qtbot):
    shell, data = step()
    assert data.there.text() == "6 reviewed clips of 6 recordings can train."
    assert not data.advice.isVisibleTo(data)
    assert data.form.make.property("kind") == "primary"
    chosen = []
    data.set_chosen.connect(chosen.append)
    make_set(qtbot, data)
    found = list_training_sets(session)
    assert [each.name for each in found] == ["fleet"]
    assert chosen[-1].id == found[0].id == data.chosen_set.id
    assert data.versions.item(0).text().startswith("fleet-001\n6 clips · ")
    facts = data.view.facts
    assert sum(clips for clips, _ in facts.parts.values()) == 6
    assert all(recordings == clips for clips, recordings in facts.parts.values())
    assert facts.balances[0].label == session.schema.fields[0].label
    assert shell.problems[-1].sentence == "The training set fleet-001 was made."
    assert data.form.make.property("kind") == "normal"


def test_same_reviews_make_no_new_version_and_it_is_said(step, six, qtbot, session):
    shell, data = step()
    make_set(qtbot, data)
    settled(qtbot, data)
    make_set(qtbot, data)
    assert len(list_training_sets(session)) == 1
    assert shell.problems[-1].sentence == "Nothing has changed since fleet-001 was made; it is shown."


def test_clips_that_are_left_out_lead_to_the_library(step, six, session, qtbot):
    dismiss(session, six[0])
    dismiss(session, six[6])
    shell, data = step()
    make_set(qtbot, data)
    group = next(each for each in data.view.findChildren(ClipsByReason) if "dismissed" in each.reason)
    assert group.head.text() == "2 · dismissed (false trigger)"
    group.head.click()
    every, *links = [each for each in group.findChildren(QPushButton) if each is not group.head]
    links[0].click()
    assert shell.navigated[-1] in {("library", six[0].id), ("library", six[6].id)}
    every.click()
    assert sorted(shell.listed_clips[0].chosen) == sorted(
        session.library.rowid_of(clip.id) for clip in (six[0], six[6])
    )


def test_cancelled_making_writes_nothing(step, six, session, qtbot):
    _, data = step()
    with qtbot.waitSignal(data.desk.make_ended, timeout=20_000):
        data.make()
        assert data.form.cancel.isVisibleTo(data)
        assert not data.form.make.isEnabled()
        data.form.cancel.click()
    assert list_training_sets(session) == []
    assert not data.form.cancel.isVisibleTo(data)
    assert data.form.make.isEnabled()


def test_only_what_was_chosen_in_the_library(step, six, session, qtbot):
    _, data = step()
    chosen = tuple(session.library.rowid_of(clip.id) for clip in six[:2])
    with qtbot.waitSignal(data.desk.looked):
        data.show_scope(Scope("2 clips from the library", chosen=chosen))
    assert data.form.scope.currentText() == "2 clips from the library"
    assert data.there.text() == "2 reviewed clips of 2 recordings can train."
    make_set(qtbot, data)
    assert data.view.facts.clip_ids == {clip.id for clip in six[:2]}


@pytest.mark.parametrize("name", ["", "Fleet", "a b", "-x"])
def test_name_that_is_none_is_said_at_the_field(step, six, name):
    _, data = step()
    data.form.name.setText(name)
    assert not data.form.make.isEnabled()
    assert data.form.name_help.text().startswith("This cannot be a name.")
    data.form.name.setText("night")
    assert data.form.make.isEnabled()


def test_check_reports_and_names_a_clip_that_is_gone(step, six, session, qtbot):
    made = make_training_set(session, "fleet")
    _, data = step()
    settled(qtbot, data)
    with qtbot.waitSignal(data.desk.check_ended, timeout=20_000):
        data.check()
        assert data.view.check.cancel.isVisibleTo(data)
    assert data.view.check.lines()[0].startswith("6 of 6 clips decode")
    assert data.view.check.lines()[-1] == "Nothing must be mended."
    next(made.training_set.folder.rglob("*.mp4")).unlink()
    qtbot.waitUntil(lambda: not data.desk.checks)
    with qtbot.waitSignal(data.desk.check_ended, timeout=20_000):
        data.check()
    lines = data.view.check.lines()
    assert any(line.startswith("Must be mended: film") for line in lines)
    assert "Nothing must be mended." not in lines


def test_withdrawn_clip_is_said(step, six, session, qtbot):
    make_training_set(session, "fleet")
    dismiss(session, six[0])
    _, data = step()
    settled(qtbot, data)
    assert data.view.facts.withdrawn_since == (six[0].id,)


def test_bars_say_their_numbers_in_words(qtbot, look):
    bars = BalanceBars(Balance("Weather", (("Rain", (12, 2, 0)), ("Clear", (3, 0, 1)))), headed=True)
    qtbot.addWidget(bars)
    assert bars.accessibleName() == "Weather"
    assert bars.accessibleDescription() == (
        "Rain: 12 training, 2 validation, 0 test; Clear: 3 training, 0 validation, 1 test"
    )
    bars.resize(400, bars.sizeHint().height())
    assert not bars.grab().toImage().isNull()


def test_everything_fits_at_1280_by_720(step, six, qtbot):
    _, data = step()
    make_set(qtbot, data)
    settled(qtbot, data)
    assert data.minimumSizeHint().width() <= 1216
    assert data.minimumSizeHint().height() <= 640


def test_a_test_part_that_is_too_small_for_the_rule_is_said(step, six, session, qtbot):
    make_training_set(session, "fleet")
    _, data = step()
    settled(qtbot, data)
    assert "the rule for promotion asks for 20" in data.view.facts.test_note
    session.settings = session.settings.model_copy(update={"promotion_least_clips": 1})
    assert facts_of(session, data.view.facts.training_set).test_note == ""


def test_keys_stay_on_the_page_while_a_set_is_made_and_then_go_on_with_it(step, six, qtbot):
    _, data = step()
    window = data.window()
    rail = QPushButton("Library", window)
    window.layout().insertWidget(0, rail)
    data.form.make.setFocus()
    make_set(qtbot, data)
    assert window.focusWidget() is data.view.train
    assert data.view.train.isVisible()

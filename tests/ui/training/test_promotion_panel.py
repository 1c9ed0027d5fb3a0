"""Promotion: the rule, what was seen, the one button, and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QWidget

from tests.ui.builders import FakeShell
from tests.ui.training.run_folders import AT, evaluate, event, finish, run_in
from vvlm_desktop.errors import PromotionRefusedError
from vvlm_desktop.ui.training.promotion_panel import PromotionPanel, PromotionView, looks_words
from vvlm_desktop.ui.training.result import ResultView
from vvlm_desktop.ui.training.result_seen import SeenResults
from vvlm_desktop.workflow import promotion
from vvlm_desktop.workflow.promotion import Check, Judgement, Promotion, PromotionRule

GOOD = Check("Better in the mean", "+12.0 points, +4.0 to +20.0", holds=True)
FEW = Check("Enough test clips", "12 of 20", holds=False)
RULE = PromotionRule()


def judgement(*checks: Check, rule: PromotionRule = RULE, looks: int = 1) -> Judgement:
    return Judgement("march-001", "base", rule, checks or (GOOD,), (0.12, 0.04, 0.2), 40, looks)


def promoted(adapter: str = "march-001") -> Promotion:
    return Promotion(AT, "Ada", "promoted", "tiny", adapter, ("local", "tiny", ""), {})


@pytest.fixture
def panel(qtbot, look, session):
    made = PromotionPanel(session.schema)
    qtbot.addWidget(made)
    made.resize(340, 600)
    made.show()
    return made


@pytest.fixture
def shell(qtbot, session):
    window = QWidget()
    qtbot.addWidget(window)
    return FakeShell(session, window)


@pytest.fixture
def run(session):
    made = run_in(session.library.folder, events=[event("finished", step=10)])
    finish(made)
    evaluate(made)
    return made


@pytest.fixture
def view(qtbot, look, shell, run, tmp_path, monkeypatch):
    monkeypatch.setenv("VVLM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(promotion, "judge", lambda _session, _evaluation, *, rule: judgement(rule=rule))
    made = ResultView(shell)
    qtbot.addWidget(made)
    made.resize(1200, 640)
    made.show()
    with qtbot.waitSignal(made._reading.done):
        made.show_run(run)
    yield made
    made.close_view()


def test_rule_is_a_sentence_and_every_check_has_a_shape(panel, session):
    panel.show_view(PromotionView(RULE, judgement(GOOD, FEW)))
    assert panel.rule_words.text() == RULE.sentence(session.schema)
    assert [line.title.mark.mark for line in panel.checks] == ["cross", "check"], "what stands in the way comes first"
    assert panel.checks[0].accessibleName() == "Enough test clips: does not hold. 12 of 20"


def test_button_is_there_for_what_the_rule_allows_and_else_says_why_not(panel):
    panel.show_view(PromotionView(RULE, judgement(GOOD, FEW)))
    assert not panel.promote.isEnabled()
    assert "Enough test clips: 12 of 20" in panel.promote.toolTip()
    assert "may not become the default" in panel.outcome.text()
    panel.show_view(PromotionView(RULE, judgement(GOOD)))
    assert panel.promote.isEnabled()
    assert len(panel.checks) == 1


def test_condition_that_does_not_hold_is_named_as_what_fails(panel):
    few = Check("Enough test clips", "17; the rule asks for 20.", holds=False, fails="Too few test clips")
    panel.show_view(PromotionView(RULE, judgement(few)))
    assert panel.checks[0].title.text() == "Too few test clips"
    assert panel.outcome.text().endswith("Too few test clips: 17; the rule asks for 20.")


def test_what_is_the_default_already_is_no_fault(panel):
    there = Check("Compared with what is in use", "march-001 is the default already.", holds=False, settled=True)
    panel.show_view(PromotionView(RULE, judgement(there, GOOD)))
    assert [line.title.mark.mark for line in panel.checks] == ["ring", "check"]
    assert panel.outcome.mark.mark == "check"
    assert panel.outcome.text() == "march-001 is the default already."
    assert not panel.promote.isEnabled()


def test_unmeasured_run_cannot_be_promoted(panel):
    panel.show_view(PromotionView(RULE, None))
    assert not panel.promote.isEnabled()
    assert "Measure it" in panel.outcome.text()


def test_default_can_be_rolled_back_instead(panel):
    panel.show_view(PromotionView(RULE, judgement(GOOD), default=promoted()))
    assert panel.outcome.text().startswith("Default since")
    assert panel.rollback.isVisible()
    assert not panel.promote.isVisible()


def test_looks_at_the_test_part_are_said():
    assert looks_words(1).startswith("The first look")
    assert "Look 4" in looks_words(4)


def test_notes_are_shown_with_the_looks(panel):
    panel.show_view(PromotionView(RULE, replace(judgement(GOOD), notes=("Measured with 8 frames.",))))
    assert "Measured with 8 frames." in panel.looks.text()


def test_form_gives_the_rule_that_was_put_into_it(panel):
    rule = PromotionRule("mcnemar", "ego_involved", 0.02, 33, no_worse=False)
    panel.form.show_rule(rule)
    assert panel.form.rule() == rule


def test_field_matters_only_for_one_field(panel):
    panel.form.show_rule(RULE)
    assert not panel.form.field.isEnabled()
    panel.form.test.setCurrentIndex(panel.form.test.findData("mcnemar"))
    assert panel.form.field.isEnabled()


def test_cancelled_edit_changes_nothing(panel, qtbot):
    panel.show_view(PromotionView(RULE, judgement(GOOD)))
    panel.edit.click()
    panel.form.least_clips.setValue(99)
    with qtbot.assertNotEmitted(panel.rule_saved):
        panel.form.cancel.click()
    panel.edit.click()
    assert panel.form.least_clips.value() == RULE.least_clips


def test_saved_rule_is_in_force_and_said_to_be_edited_after_the_result(view, qtbot, shell):
    assert not view.panel.edited.isVisible()
    view.panel.edit.click()
    view.panel.form.least_clips.setValue(7)
    with qtbot.waitSignal(view._reading.done):
        view.panel.form.save.click()
    assert shell.session.settings.promotion_least_clips == 7
    assert view.facts.judgement.rule.least_clips == 7
    assert view.panel.edited.isVisible()


def test_edit_after_the_result_is_known_after_a_restart(tmp_path, monkeypatch):
    monkeypatch.setenv("VVLM_DATA_DIR", str(tmp_path))
    looser = replace(RULE, level=0.1)
    assert not SeenResults().edited_after(tmp_path / "evaluation-test", RULE)
    assert SeenResults().edited_after(tmp_path / "evaluation-test", looser)
    assert not SeenResults().edited_after(tmp_path / "evaluation-test", RULE), "back to the first one is no edit"


def test_promotion_reaches_the_window_s_settings(view, qtbot, shell, monkeypatch):
    def promote(session, _evaluation):
        changed = session.settings.model_copy(
            update={"backend": "local", "local_model": "tiny", "local_adapter": "march-001"}
        )
        session.settings = changed
        return promoted()

    monkeypatch.setattr(promotion, "promote", promote)
    monkeypatch.setattr(promotion, "promotions", lambda _session: [promoted()])
    view.panel.promote.setFocus()
    view.panel.promote.click()
    qtbot.waitUntil(view.panel.rollback.isVisible)
    assert view.focusWidget() is view.panel.rollback, "the keys stay with what can be done next"
    assert shell.settings_tried[-1].local_adapter == "march-001"
    assert shell.problems[-1].tone == "good"
    assert view.facts.default == promoted()


def test_refused_promotion_is_reported_and_nothing_changes(view, qtbot, shell, monkeypatch):
    def promote(_session, _evaluation):
        raise PromotionRefusedError("Its weights are not the ones that were measured.")

    monkeypatch.setattr(promotion, "promote", promote)
    view.panel.promote.click()
    qtbot.waitUntil(lambda: len(shell.problems) == 1)
    assert shell.settings_tried == []
    qtbot.waitUntil(view.panel.promote.isEnabled)


def test_roll_back_is_asked_for_once(view, qtbot, shell, monkeypatch):
    back = []
    monkeypatch.setattr(
        promotion, "rollback", lambda _session: back.append(1) or replace(promoted(), kind="rolled_back")
    )
    monkeypatch.setattr(promotion, "promotions", lambda _session: [promoted()])
    shell.session.settings = shell.session.settings.model_copy(
        update={"backend": "local", "local_model": "tiny", "local_adapter": "march-001"}
    )
    with qtbot.waitSignal(view._reading.done):
        view.refresh()
    view.panel.rollback.click()
    (question,) = shell.questions_asked
    assert ("Then", "tiny alone") in question.facts
    assert back == []
    question.on_yes(None)
    qtbot.waitUntil(lambda: back == [1])
    qtbot.waitUntil(lambda: not view.acts.busy)

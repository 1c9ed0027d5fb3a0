"""That a test part is too small to decide anything is said before anybody trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vvlm_desktop.workflow.promotion import test_part_note as note_of
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_shelf import TrainingSet


def a_set(splits: Any) -> TrainingSet:
    return TrainingSet(Path("fleet-001-0123456789ab"), "fleet", 1, "0123456789ab", {"splits": splits})


@pytest.mark.parametrize(("clips", "said"), [(17, "17 test clips; "), (1, "1 test clip; "), (0, "No test clip; ")])
def test_a_test_part_that_is_too_small_is_told(session: Session, clips: int, said: str) -> None:
    note = note_of(session, a_set({"train": 70, "val": 10, "test": clips}))
    assert note.startswith(f"{said}the rule for promotion asks for 20.")


def test_the_number_asked_for_is_the_one_of_the_settings(session: Session) -> None:
    fleet = a_set({"test": 20})
    assert note_of(session, fleet) == ""
    session.settings = session.settings.model_copy(update={"promotion_least_clips": 40})
    assert "asks for 40" in note_of(session, fleet)


@pytest.mark.parametrize("splits", [None, {}, {"test": "many"}, {"test": True}, [17]])
def test_a_set_that_does_not_say_gets_no_note(session: Session, splits: Any) -> None:
    assert note_of(session, replace(a_set({}), manifest={"splits": splits})) == ""

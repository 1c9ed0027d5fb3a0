"""What an evaluation says, in the form that the rule weighs."""

from __future__ import annotations

from vvlm_desktop.workflow.measured import Answer, Measured, SetClip
from vvlm_desktop.workflow.session import Session


def test_answers_are_told_also_where_nobody_knows_the_truth(session: Session) -> None:
    field = next(field for field in session.schema.model_fields if field.has_values)
    open_one = SetClip("a", "a.mp4", "0" * 64, "test", "drive", {}, "a.mp4", measurable=True)
    said = {"a": Answer({field.key: "none"}, True)}
    measured = Measured({}, {"a": open_one}, {"base": said, "march-001": said}, "", "")
    (told,) = measured.told(session.schema, "march-001", without=frozenset())
    assert told.fields[field.key] == (None, "none")

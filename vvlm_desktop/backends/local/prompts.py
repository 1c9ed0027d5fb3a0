"""What a local model is told besides the frames. The labels' prompt is the schema's own, `domain.prompt`."""

from __future__ import annotations

from vvlm_desktop.domain.schema import LabelSchema

_QUESTION_FORM = (
    "Answer in a few plain sentences, from what the frames show. Say so when they do not show it. Where a moment"
    " matters, give its time in seconds from the first frame of the clip."
)
#: The form in which models with iterative perception were trained to point at stretches of time ("glue" is theirs).
_CLUE_FORM = (
    "First think within <think> </think> tags. Then give a short answer within <answer> </answer> tags. After it give,"
    " within <glue> </glue> tags, the exact time periods of the video, in seconds, on which the answer rests, as"
    " [(s1, e1), (s2, e2), ...]. For example:"
    " <think>...</think><answer>A near miss.</answer><glue>[(5.2, 10.4)]</glue>"
)


def question_prompt(question: str, *, range_s: tuple[float, float] | None = None) -> str:
    """A free question about the clip, or about a part of it."""
    part = f"The frames are from {range_s[0]:.1f} s to {range_s[1]:.1f} s of the clip.\n\n" if range_s else ""
    return f"{part}{question.strip()}\n\n{_QUESTION_FORM}\n"


def clue_prompt(question: str) -> str:
    """Ask for thoughts, an answer and the stretches of time that it rests on."""
    return f'Answer the question "{question.strip()}" according to the video.\n\n{_CLUE_FORM}\n'


def labels_question(schema: LabelSchema) -> str:
    """What the fields of a schema ask, as one question for a round that only points at times."""
    fields = schema.model_fields
    choices = [field for field in fields if field.kind == "one_of"]
    first = choices[0] if choices else None
    kinds = ", ".join(value.label.lower() for value in first.values) if first is not None else ""
    what = f"{first.label}: which of {kinds} happens" if first is not None else "What happens"
    others = ", ".join(field.label.lower() for field in fields if field is not first)
    return f"{what} in this clip, and when does it begin and end? Look also for: {others}." if others else f"{what}?"

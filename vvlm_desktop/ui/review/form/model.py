"""What the form shows, as plain data: one view for each field of the schema."""

from __future__ import annotations

from dataclasses import dataclass

from vvlm_desktop.domain.labels import format_value, hidden_fields
from vvlm_desktop.domain.review import PtsRange, Verdict
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.ui.review.sureness import distribution_text, value_words
from vvlm_desktop.ui.review.times import span_text
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.workflow.calibration import Calibration, Shown, shown_confidence
from vvlm_desktop.workflow.review_state import ReviewState

#: How an answer came to be → the word that stands beside what it said.
SOURCE_WORDS = {"model": "model", "measurement": "measured", "demo_script": "script", "teacher_draft": "draft"}


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """One stretch that shows why a value is true."""

    value: str | None
    span: PtsRange
    first_frame: int
    last_frame: int
    text: str


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field as it stands.

    Attributes:
        answered: whether it has a value if Enter were pressed now.
        text: the value for people.
        said: whether the analysis judged it, and `said_value`, `said_text` what it said.
        sureness: how sure the analysis was, as it may be said; None where it gave no number.
        by_rule: the value follows from other fields; nobody gave it.
        doubtful: worth a look.
        distribution: of a choice over its values, in words or tested percentages; empty where there is none.
        value_words: how sure the analysis was of each value of a list, as (value key, word).
        earlier: what was corrected, where another answer said it, and not the one that is shown; in words.
    """

    field: Field
    answered: bool
    value: LabelValue
    text: str
    said: bool
    said_value: LabelValue
    said_text: str
    sureness: Shown | None
    verdict: Verdict | None
    by_rule: bool
    doubtful: bool
    hidden: bool
    evidence: tuple[EvidenceView, ...] = ()
    distribution: str = ""
    value_words: tuple[tuple[str, str], ...] = ()
    earlier: str = ""

    @property
    def key(self) -> str:
        """The field's key."""
        return self.field.key

    @property
    def rejected(self) -> bool:
        """Wrong, and the right value is not known."""
        return self.verdict is not None and self.verdict.verdict == "rejected"

    @property
    def chosen(self) -> tuple[str, ...]:
        """Keys of the values that hold."""
        if isinstance(self.value, str):
            return (self.value,)
        return tuple(self.value) if isinstance(self.value, list) else ()

    @property
    def said_values(self) -> tuple[str, ...]:
        """Keys of the values that the analysis named."""
        if isinstance(self.said_value, str):
            return (self.said_value,)
        return tuple(self.said_value) if isinstance(self.said_value, list) else ()


@dataclass(frozen=True, slots=True)
class FormModel:
    """The whole form."""

    clip_id: str
    fields: tuple[FieldView, ...]
    source_word: str = "model"
    status: str = "needs_review"
    note: str = ""
    broken_rules: tuple[str, ...] = ()
    analysed: bool = True

    def view(self, key: str) -> FieldView:
        """One field; `KeyError` if the schema lacks it."""
        for view in self.fields:
            if view.key == key:
                return view
        raise KeyError(key)

    @property
    def rows(self) -> tuple[FieldView, ...]:
        """Fields that have a row of their own."""
        return tuple(view for view in self.fields if view.field.group in {"core", "event"} and not view.hidden)

    @property
    def context(self) -> tuple[FieldView, ...]:
        """Fields that are chips."""
        return tuple(view for view in self.fields if view.field.group == "context" and not view.hidden)

    @property
    def texts(self) -> tuple[FieldView, ...]:
        """Fields that are written."""
        return tuple(view for view in self.fields if view.field.group == "text" and not view.hidden)

    @property
    def order(self) -> tuple[str, ...]:
        """Keys in the order in which ↑ and ↓ go through them."""
        return tuple(view.key for view in (*self.rows, *self.context, *self.texts))


def form_model(
    schema: LabelSchema, state: ReviewState, index: FrameIndex | None, *, calibration: Calibration | None = None
) -> FormModel:
    """The form for a clip as it stands."""
    hidden = hidden_fields(schema, state.labels)
    return FormModel(
        clip_id=state.clip.id,
        fields=tuple(
            _view(schema, field, state, index, hidden=field.key in hidden, calibration=calibration)
            for field in schema.fields
        ),
        source_word=SOURCE_WORDS.get(state.analysis.provenance, "model") if state.analysis else "model",
        status=state.review.status,
        note=state.review.note,
        broken_rules=state.broken_rules,
        analysed=state.analysis is not None,
    )


def _view(
    schema: LabelSchema,
    field: Field,
    state: ReviewState,
    index: FrameIndex | None,
    *,
    hidden: bool,
    calibration: Calibration | None,
) -> FieldView:
    said, said_value = state.said(field.key)
    verdict = state.review.verdicts.get(field.key)
    answered = field.key in state.labels
    value = state.labels.get(field.key)
    rejected = verdict is not None and verdict.verdict == "rejected"
    by_rule = answered and verdict is None and (not said or said_value != value)
    analysis = state.analysis if said else None
    sureness = shown_confidence(calibration, analysis, field.key) if analysis is not None else None
    return FieldView(
        field=field,
        answered=answered,
        value=value,
        text=format_value(schema, field.key, value) if answered else "wrong, not known" if rejected else "not answered",
        said=said,
        said_value=said_value,
        said_text=format_value(schema, field.key, said_value) if said else "",
        sureness=sureness,
        verdict=verdict,
        by_rule=by_rule,
        doubtful=verdict is None and sureness is not None and sureness.word != "sure",
        hidden=hidden,
        evidence=_evidence(state, field.key, index),
        distribution=distribution_text(schema, analysis, field.key, calibration) if analysis is not None else "",
        value_words=value_words(analysis, field.key) if analysis is not None else (),
        earlier=_earlier(schema, field, verdict, said=said, said_value=said_value),
    )


def _earlier(schema: LabelSchema, field: Field, verdict: Verdict | None, *, said: bool, said_value: LabelValue) -> str:
    if verdict is None or verdict.verdict != "corrected" or not verdict.model_answered:
        return ""
    if said and said_value == verdict.model_value:
        return ""
    return format_value(schema, field.key, verdict.model_value)


def _evidence(state: ReviewState, field_key: str, index: FrameIndex | None) -> tuple[EvidenceView, ...]:
    if index is None or not len(index):
        return ()
    found = []
    for value, spans in state.review.evidence.get(field_key, {}).items():
        for span in spans:
            first, last = frame_of_pts(index, span.start_pts), frame_of_pts(index, span.end_pts)
            text = span_text(index.seconds(first), index.seconds(last))
            found.append(EvidenceView(value, span, first, last, text))
    return tuple(sorted(found, key=lambda each: each.first_frame))


def frame_of_pts(index: FrameIndex, pts: int) -> int:
    """The frame with this PTS; the one on screen at that moment where another program wrote the range."""
    try:
        return index.number(pts)
    except ValueError:
        return index.at_time(float((pts - index.pts[0]) * index.time_base))

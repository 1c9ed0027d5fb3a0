"""What the review page shows of one clip, put together from the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.clip_times import lies_within
from vvlm_desktop.domain.labels import (
    broken_rules,
    check_value,
    dependent_fields,
    derived_values,
    implied_values,
)
from vvlm_desktop.domain.review import Review
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import CANNOT_TELL, LabelValue
from vvlm_desktop.errors import LabelError
from vvlm_desktop.workflow.session import Session

#: Below this confidence a field counts as doubtful and is offered by `W`.
DOUBTFUL_BELOW = 0.75


@dataclass(frozen=True, slots=True)
class ReviewState:
    """All that the review page shows of one clip.

    Attributes:
        analysis: what the review starts from, None when there is none.
        analyses: every analysis, newest first.
        labels: values as they would stand if Enter were pressed now: verdicts, then what rules force, then the answer.
        broken_rules: sentences about `labels`.
        doubtful: fields worth a look, in schema order.
        others: other people who have settled this clip; what they said is not shown before one's own review.
    """

    clip: Clip
    analysis: Analysis | None
    analyses: tuple[Analysis, ...]
    review: Review
    labels: Mapping[str, LabelValue]
    broken_rules: tuple[str, ...]
    doubtful: tuple[str, ...]
    others: tuple[str, ...] = ()

    def said(self, field_key: str) -> tuple[bool, LabelValue]:
        """Whether the answer judged `field_key`, and what it said."""
        if self.analysis is None or field_key not in self.analysis.labels:
            return False, None
        return True, self.analysis.labels[field_key]

    @property
    def analysis_id(self) -> str | None:
        """Id of the answer that the review starts from."""
        return self.analysis.id if self.analysis else None


def open_review(session: Session, clip_id: str) -> ReviewState:
    """The clip with its analyses and this reviewer's review."""
    clip = session.library.clip(clip_id)
    analyses = tuple(session.library.analyses(clip_id))
    analysis = starting_point(analyses, session.schema)
    review = session.library.review(clip_id, reviewer=session.reviewer, schema_key=session.schema.key)
    labels = labels_if_accepted(session.schema, analysis, review, duration_s=clip.duration_s)
    return ReviewState(
        clip=clip,
        analysis=analysis,
        analyses=analyses,
        review=review,
        labels=labels,
        broken_rules=broken_rules(session.schema, labels),
        doubtful=_doubtful(session.schema, analysis, review),
        others=_others(session, clip_id),
    )


def _others(session: Session, clip_id: str) -> tuple[str, ...]:
    reviews = session.library.reviews(clip_id)
    key = session.schema.key
    return tuple(r.reviewer for r in reviews if r.schema_key == key and r.settled and r.reviewer != session.reviewer)


def starting_point(analyses: Sequence[Analysis], schema: LabelSchema) -> Analysis | None:
    """The newest answer of a model with this schema; measurements only where no model has answered."""
    fitting = [a for a in analyses if a.schema_key == schema.key]
    answers = [a for a in fitting if a.provenance != "measurement"]
    return next(iter(answers or fitting), None)


def labels_if_accepted(
    schema: LabelSchema, analysis: Analysis | None, review: Review, *, duration_s: float = 0.0
) -> dict[str, LabelValue]:
    """Values as they would stand if Enter were pressed now.

    What the reviewer set by hand holds. Under it come values on which a rule then leaves no choice, under those what
    Enter accepted earlier, under that the answer. Where the reviewer left open what something depends on (the event was
    rejected, or cannot be told), nothing is said of what depends on it. A time that the clip does not have is none.

    Args:
        duration_s: of the clip, 0 where it is not known.
    """
    labels = {key: value for key, value in (analysis.labels if analysis else {}).items() if _fits(schema, key, value)}
    labels.update({k: v.value for k, v in review.verdicts.items() if v.how != "explicit" and v.verdict == "accepted"})
    labels = {key: value for key, value in labels.items() if lies_within(value, duration_s)}
    explicit = {k: v.value for k, v in review.verdicts.items() if v.how == "explicit" and v.verdict != "rejected"}
    labels.update(implied_values(schema, explicit))
    unknown = frozenset(k for k, v in review.verdicts.items() if v.verdict == "rejected")
    open_keys = unknown | {k for k, value in explicit.items() if value in (CANNOT_TELL, [CANNOT_TELL])}
    for key in unknown | dependent_fields(schema, frozenset(open_keys)):
        labels.pop(key, None)
    labels.update(explicit)
    derived = derived_values(schema, labels)
    labels.update({key: value for key, value in derived.items() if key not in explicit and key not in unknown})
    return {f.key: labels[f.key] for f in schema.fields if f.key in labels}


def _fits(schema: LabelSchema, field_key: str, value: LabelValue) -> bool:
    """Whether a value is one of this schema; an imported answer, or an older one, may hold others."""
    try:
        if schema.field(field_key).kind == "text":
            return isinstance(value, str)
        check_value(schema, field_key, value)
    except LabelError:
        return False
    return True


def _doubtful(schema: LabelSchema, analysis: Analysis | None, review: Review) -> tuple[str, ...]:
    if analysis is None:
        return ()
    keys = []
    for field in schema.fields:
        confidence = analysis.confidence.get(field.key)
        if field.key in review.verdicts or field.key not in analysis.labels:
            continue
        if confidence is not None and confidence < DOUBTFUL_BELOW:
            keys.append(field.key)
    return tuple(keys)

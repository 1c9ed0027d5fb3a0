"""What the review page shows of one clip, put together from the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.labels import broken_rules, derived_values, implied_values
from vvlm_desktop.domain.review import Review
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue
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
    """

    clip: Clip
    analysis: Analysis | None
    analyses: tuple[Analysis, ...]
    review: Review
    labels: Mapping[str, LabelValue]
    broken_rules: tuple[str, ...]
    doubtful: tuple[str, ...]

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
    labels = labels_if_accepted(session.schema, analysis, review)
    return ReviewState(
        clip=clip,
        analysis=analysis,
        analyses=analyses,
        review=review,
        labels=labels,
        broken_rules=broken_rules(session.schema, labels),
        doubtful=_doubtful(session.schema, analysis, review),
    )


def starting_point(analyses: Sequence[Analysis], schema: LabelSchema) -> Analysis | None:
    """The newest answer of a model with this schema; measurements only where no model has answered."""
    fitting = [a for a in analyses if a.schema_key == schema.key]
    answers = [a for a in fitting if a.provenance != "measurement"]
    return next(iter(answers or fitting), None)


def labels_if_accepted(schema: LabelSchema, analysis: Analysis | None, review: Review) -> dict[str, LabelValue]:
    """Values as they would stand if Enter were pressed now."""
    known = {f.key for f in schema.fields}
    answered: dict[str, LabelValue] = dict(analysis.labels) if analysis else {}
    explicit = review.labels()
    unknown = {key for key, verdict in review.verdicts.items() if verdict.verdict == "rejected"}
    labels = {key: value for key, value in answered.items() if key in known and key not in unknown}
    labels.update(implied_values(schema, explicit))
    labels.update(explicit)
    derived = derived_values(schema, labels)
    labels.update({key: value for key, value in derived.items() if key not in review.verdicts})
    return {f.key: labels[f.key] for f in schema.fields if f.key in labels}


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

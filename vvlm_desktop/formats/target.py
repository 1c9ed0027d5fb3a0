"""What a model is taught to answer: only values that a person stands behind, in the form it is asked for."""

from __future__ import annotations

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.review import Review, Verdict
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.values import Labels, LabelValue
from vvlm_desktop.formats.json_text import compact_json

#: Analyses that never become training data, not even on request.
UNTRAINABLE = frozenset({"demo_script", "teacher_draft"})


def target_json(schema: LabelSchema, labels: Labels) -> str:
    """The answer that a model should have given: compact JSON, keys in schema order, people's fields left out.

    A field without a known value is not in it. Lists are in schema order and ranges start first, as in the JSON schema
    that constrains an answer.
    """
    return compact_json(
        {field.key: _ordered(field, labels[field.key]) for field in schema.model_fields if field.key in labels}
    )


def supervised_labels(schema: LabelSchema, review: Review) -> dict[str, LabelValue]:
    """Values of a settled review that may train: looked at, known, asked of a model; captions only if touched."""
    if not review.settled:
        return {}
    return {
        field.key: verdict.value
        for field in schema.model_fields
        if (verdict := review.verdicts.get(field.key)) is not None and trains(field, verdict)
    }


def trains(field: Field, verdict: Verdict) -> bool:
    """Whether a verdict may teach a model.

    Not `rejected` (its truth is unknown), not `bulk_unseen` (nobody looked), and no text that nobody touched.
    """
    if verdict.verdict == "rejected" or verdict.how == "bulk_unseen":
        return False
    if verdict.value is None and field.kind != "range":
        return False
    return field.kind != "text" or verdict.how == "explicit"


def analysis_labels(schema: LabelSchema, labels: Labels, *, analysis: Analysis | None) -> dict[str, LabelValue]:
    """Values of an analysis that may stand in for a review where that was asked for."""
    if analysis is None or analysis.provenance in UNTRAINABLE:
        return {}
    return {field.key: labels[field.key] for field in schema.model_fields if field.key in labels}


def preference_pair(schema: LabelSchema, review: Review) -> tuple[str, str] | None:
    """(chosen, rejected) answers where a person corrected what a model said, None where nobody did.

    Both name the same fields, those that the model answered and a person judged: they differ in truth, not in length.
    """
    good: dict[str, LabelValue] = {}
    bad: dict[str, LabelValue] = {}
    corrected = False
    for key, value in supervised_labels(schema, review).items():
        verdict = review.verdicts[key]
        if verdict.model_answered:
            good[key], bad[key] = value, verdict.model_value
            corrected |= verdict.verdict == "corrected" and verdict.model_value != value
    if not corrected:
        return None
    return target_json(schema, good), target_json(schema, bad)


def _ordered(field: Field, value: LabelValue) -> LabelValue:
    if isinstance(value, list):
        known = [key for key in field.value_keys if key in value]
        return [*known, *(item for item in value if item not in known)]
    if isinstance(value, dict):
        return {key: value[key] for key in ("start_ms", "end_ms") if key in value}
    return value

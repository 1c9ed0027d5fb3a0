"""Several answers to the same question, put to the vote: what most of them say, and how many say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.values import CANNOT_TELL, LabelValue

CONFIDENCE_KIND = "votes"


@dataclass(frozen=True, slots=True)
class Vote:
    """The outcome.

    Attributes:
        confidence: the share of all answers that agree with the label; None for texts, of which no two agree.
        value_confidence: for choices and lists the share of answers that named each value.
    """

    labels: Mapping[str, LabelValue]
    confidence: Mapping[str, float | None]
    value_confidence: Mapping[str, Mapping[str, float]]


def vote(schema: LabelSchema, answers: Sequence[Mapping[str, LabelValue]]) -> Vote:
    """Put answers to the vote, field by field.

    A field that an answer left out counts as a vote for nothing: the share is of all answers. On a tie the answer that
    came first wins. Texts are taken from the answer that agrees most with the others.
    """
    labels: dict[str, LabelValue] = {}
    confidence: dict[str, float | None] = {}
    values: dict[str, dict[str, float]] = {}
    total = len(answers)
    for field in schema.model_fields:
        given = [each[field.key] for each in answers if field.key in each]
        if not given or field.kind == "text":
            continue
        chosen = _chosen(field, given)
        labels[field.key] = chosen
        confidence[field.key] = round(sum(_agrees(chosen, each) for each in given) / total, 4)
        if field.has_values:
            counted = Counter(key for each in given for key in _keys(each))
            values[field.key] = {key: round(counted[key] / total, 4) for key in field.value_keys if counted[key]}
    _take_texts(schema, answers, labels, confidence)
    ordered = [field.key for field in schema.model_fields if field.key in labels]
    return Vote({key: labels[key] for key in ordered}, {key: confidence[key] for key in ordered}, values)


def _chosen(field: Field, given: Sequence[LabelValue]) -> LabelValue:
    if field.kind == "one_of":
        return Counter(_keys(each)[0] for each in given).most_common(1)[0][0]
    if field.kind == "any_of":
        return _majority_list(field, given)
    times = [each for each in given if isinstance(each, dict)]
    if 2 * len(times) < len(given) or not times:
        return None
    start_ms, end_ms = (median_low(each[name] for each in times) for name in ("start_ms", "end_ms"))
    return {"start_ms": start_ms, "end_ms": max(start_ms, end_ms)}


def _majority_list(field: Field, given: Sequence[LabelValue]) -> list[str]:
    counted = Counter(key for each in given for key in _keys(each))
    chosen = [key for key in field.value_keys if 2 * counted[key] > len(given)]
    return [CANNOT_TELL] if CANNOT_TELL in chosen else chosen


def _agrees(chosen: LabelValue, other: LabelValue) -> bool:
    """Times agree when they overlap: no two answers give the same millisecond."""
    if isinstance(chosen, dict) and isinstance(other, dict):
        return chosen["start_ms"] <= other["end_ms"] and other["start_ms"] <= chosen["end_ms"]
    return chosen == other


def _keys(value: LabelValue) -> list[str]:
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, list) else []


def _take_texts(
    schema: LabelSchema,
    answers: Sequence[Mapping[str, LabelValue]],
    labels: dict[str, LabelValue],
    confidence: dict[str, float | None],
) -> None:
    def agreement(answer: Mapping[str, LabelValue]) -> int:
        return sum(key in answer and _agrees(value, answer[key]) for key, value in labels.items())

    by_agreement = sorted(answers, key=agreement, reverse=True)
    for field in schema.model_fields:
        text = next((each[field.key] for each in by_agreement if field.key in each), None)
        if field.kind == "text" and text is not None:
            labels[field.key], confidence[field.key] = text, None

"""What is in a training set: how often each value occurs, how often to draw, where reviewers agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from vvlm_desktop.domain.review import Review
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.values import Labels, LabelValue
from vvlm_desktop.errors import UsageError
from vvlm_desktop.formats.base import ExportItem
from vvlm_desktop.formats.record import projection
from vvlm_desktop.formats.split import SPLITS
from vvlm_desktop.formats.target import supervised_labels

#: How a rare value is drawn at most, compared with the commonest one.
MOST_OFTEN = 5.0
_UNKNOWN = "(unknown)"

#: field → split → value → clips
ClassCounts = dict[str, dict[str, dict[str, int]]]


def class_counts(schema: LabelSchema, labelled: Sequence[tuple[str, Labels]]) -> ClassCounts:
    """How often each value of each field occurs in each split, for (split, labels) of every clip; no texts."""
    counts: ClassCounts = {}
    for field in schema.model_fields:
        if field.kind == "text":
            continue
        found: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
        for split, labels in labelled:
            found[split].update(_words(labels[field.key]) if field.key in labels else [_UNKNOWN])
        order = [*field.value_keys, "(none)", "(a time)", "(absent)", _UNKNOWN]
        counts[field.key] = {
            split: {value: tally[value] for value in order if value in tally} for split, tally in found.items()
        }
    return counts


def weights(schema: LabelSchema, items: Iterable[ExportItem], *, by: str) -> dict[str, float]:
    """How often each clip of the training part should be drawn, so that rare values of a field are seen, too.

    Raises:
        UsageError: the field has no values to balance.
    """
    field = schema.field(by)
    if not field.has_values or not field.ask_model:
        choices = ", ".join(each.key for each in schema.model_fields if each.has_values)
        raise UsageError(f"{field.label} has no values to balance.", hint=f"Choose one of: {choices}.")
    said = {item.clip.id: _words(projection(item).get(by)) for item in items if item.split == "train"}
    tally = Counter(value for values in said.values() for value in values)
    most = max(tally.values(), default=1)
    return {
        clip_id: round(max((min(MOST_OFTEN, most / tally[value]) for value in values), default=1.0), 4)
        for clip_id, values in said.items()
    }


def agreement(schema: LabelSchema, items: Iterable[ExportItem]) -> dict[str, Any]:
    """Where several reviewers settled the same clip: agreement and Fleiss' kappa by field, and which clips are gold.

    Gold is a clip on which at least two said the same in every field that they share. Kappa is null where chance alone
    explains everything, as when all said the same value of all clips.
    """
    several = {item.clip.id: reviews for item in items if len(reviews := _settled(item)) > 1}
    fields = {}
    disagreed: set[str] = set()
    for field in schema.model_fields:
        if field.kind == "text":
            continue
        said = {clip_id: _said(field, schema, reviews) for clip_id, reviews in several.items()}
        said = {clip_id: values for clip_id, values in said.items() if len(values) > 1}
        if said:
            fields[field.key] = {
                "clips": len(said),
                "agreed": sum(len(set(values)) == 1 for values in said.values()),
                "kappa": _kappa(list(said.values())),
            }
            disagreed |= {clip_id for clip_id, values in said.items() if len(set(values)) > 1}
    return {
        "clips_with_several_reviewers": len(several),
        "fields": fields,
        "gold": sorted(several.keys() - disagreed),
        "disagreed": sorted(disagreed),
    }


def _settled(item: ExportItem) -> list[Review]:
    return [review for review in item.reviews if review.settled]


def _said(field: Field, schema: LabelSchema, reviews: Sequence[Review]) -> list[str]:
    every = (supervised_labels(schema, review) for review in reviews)
    return [_word(labels[field.key]) for labels in every if field.key in labels]


def _word(value: LabelValue) -> str:
    """A value as one word; times that differ by less than half a second are the same to the eye."""
    if isinstance(value, dict):
        return f"{round(value['start_ms'] / 500)}–{round(value['end_ms'] / 500)}"
    return "+".join(sorted(value)) if isinstance(value, list) else str(value)


def _kappa(said: Sequence[Sequence[str]]) -> float | None:
    observed = [
        sum(a == b for a, b in combinations(values, 2)) / (len(values) * (len(values) - 1) / 2) for values in said
    ]
    tally = Counter(value for values in said for value in values)
    chance = sum((n / tally.total()) ** 2 for n in tally.values())
    if chance >= 1:
        return None
    return round((sum(observed) / len(observed) - chance) / (1 - chance), 4)


def _words(value: LabelValue) -> list[str]:
    if isinstance(value, list):
        return value or ["(none)"]
    if isinstance(value, dict):
        return ["(a time)"]
    return ["(absent)"] if value is None else [value]


def labelled(items: Iterable[ExportItem]) -> list[tuple[str, Mapping[str, LabelValue]]]:
    """(split, values that may train) of every clip."""
    return [(item.split, projection(item)) for item in items]

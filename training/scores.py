"""How good answers are, field by field, with how far chance alone could have moved each number. Plain Python."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.statistics import bootstrapped, mcnemar, wilson
from vvlm_desktop.domain.values import LabelValue

_ECE_BINS = 10
_NO_ANSWER = "(no answer)"


@dataclass(frozen=True, slots=True)
class Said:
    """What a model answered about one clip, beside what is known.

    Attributes:
        labels: empty where the answer was no valid JSON.
        confidence: 0..1 by field, where there is one.
    """

    clip_id: str
    name: str
    known: Mapping[str, LabelValue]
    labels: Mapping[str, LabelValue]
    confidence: Mapping[str, float | None]
    valid: bool
    raw_text: str = ""


def score(schema: LabelSchema, said: Sequence[Said]) -> dict[str, Any]:
    """Everything about a set of answers, as JSON."""
    fields = {}
    for field in schema.model_fields:
        rows = [each for each in said if field.key in each.known]
        if rows and field.kind != "text":
            fields[field.key] = {"kind": field.kind, "clips": len(rows), **_SCORERS[field.kind](field, rows)}
    sure = [pair for field in schema.model_fields if field.kind == "one_of" for pair in _sureness(field, said)]
    return {
        "clips": len(said),
        "valid_json": _share(sum(each.valid for each in said), len(said)),
        "fields": fields,
        "calibration": calibration(sure),
    }


def paired(schema: LabelSchema, base: Sequence[Said], adapter: Sequence[Said]) -> dict[str, dict[str, Any]]:
    """Base against adapter on the same clips: how often only one of them is right, and McNemar's exact p."""
    theirs = {each.clip_id: each for each in adapter}
    found = {}
    for field in schema.model_fields:
        rows = [(each, theirs[each.clip_id]) for each in base if field.key in each.known and each.clip_id in theirs]
        if not rows or field.kind not in {"one_of", "any_of"}:
            continue
        right = [(_is_right(field, one), _is_right(field, other)) for one, other in rows]
        only_base = sum(one and not other for one, other in right)
        only_adapter = sum(other and not one for one, other in right)
        found[field.key] = {
            "clips": len(rows),
            "both_right": sum(one and other for one, other in right),
            "only_base_right": only_base,
            "only_adapter_right": only_adapter,
            "p": mcnemar(only_base, only_adapter),
        }
    return found


# --- one kind of field each -----------------------------------------------------------------------------------------


def _score_choice(field: Field, rows: Sequence[Said]) -> dict[str, Any]:
    """Accuracy with Wilson's interval, macro F1, and what always saying the commonest value would get."""
    pairs = [(str(each.known[field.key]), _one(each.labels.get(field.key))) for each in rows]
    right = sum(truth == answer for truth, answer in pairs)
    commonest = max(Counter(truth for truth, _ in pairs).values())
    confusion = Counter(pairs)
    return {
        "score": right / len(pairs),
        "accuracy": _share(right, len(pairs)),
        "macro_f1": _bootstrapped(pairs, macro_f1),
        "commonest": commonest / len(pairs),
        "confusion": [
            {"truth": truth, "answer": answer, "clips": count} for (truth, answer), count in sorted(confusion.items())
        ],
        "calibration": calibration(_sureness(field, rows)),
    }


def _score_list(field: Field, rows: Sequence[Said]) -> dict[str, Any]:
    """F1 over all values of all clips, and how often the whole list is right."""
    pairs = [(_set(each.known[field.key]), _listed(each, field)) for each in rows]
    exact = sum(truth == answer for truth, answer in pairs)
    micro = _bootstrapped(pairs, micro_f1)
    return {"score": micro["value"], "f1": micro, "exact": _share(exact, len(pairs))}


def _score_range(field: Field, rows: Sequence[Said]) -> dict[str, Any]:
    """Error of the start in seconds where both name a time, overlap, and whether there is an event at all."""
    pairs = [(each.known[field.key], each.labels.get(field.key, "")) for each in rows]
    agree = sum((truth is None) == (answer is None) and answer != "" for truth, answer in pairs)
    both = [(truth, answer) for truth, answer in pairs if isinstance(truth, dict) and isinstance(answer, dict)]
    errors = [abs(truth["start_ms"] - answer["start_ms"]) / 1000 for truth, answer in both]
    overlap = sum(_overlaps(truth, answer) for truth, answer in both)
    return {
        "score": agree / len(pairs),
        "presence": _share(agree, len(pairs)),
        "both_name_a_time": len(both),
        "start_error_s": _bootstrapped(errors, statistics.median) if errors else None,
        "overlapping": _share(overlap, len(both)),
    }


_SCORERS: Mapping[str, Callable[[Field, Sequence[Said]], dict[str, Any]]] = {
    "one_of": _score_choice,
    "any_of": _score_list,
    "range": _score_range,
}


# --- numbers --------------------------------------------------------------------------------------------------------


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Mean over the true values of their F1."""
    values = sorted({truth for truth, _ in pairs})
    return statistics.fmean(_f1(*_counts(pairs, value)) for value in values)


def micro_f1(pairs: Sequence[tuple[frozenset[str], frozenset[str]]]) -> float:
    """F1 over all values of all lists; 1 where nothing was to be said and nothing was."""
    hits = sum(len(truth & answer) for truth, answer in pairs)
    return _f1(hits, sum(len(a - t) for t, a in pairs), sum(len(t - a) for t, a in pairs))


def calibration(pairs: Sequence[tuple[float, bool]]) -> dict[str, Any] | None:
    """Expected calibration error over ten bins, and the bins; None without confidences."""
    if not pairs:
        return None
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in pairs:
        bins.setdefault(min(_ECE_BINS - 1, int(confidence * _ECE_BINS)), []).append((confidence, right))
    rows = [
        {
            "from": number / _ECE_BINS,
            "answers": len(each),
            "confidence": statistics.fmean(confidence for confidence, _ in each),
            "accuracy": statistics.fmean(right for _, right in each),
        }
        for number, each in sorted(bins.items())
    ]
    error = sum(row["answers"] * abs(row["confidence"] - row["accuracy"]) for row in rows) / len(pairs)
    return {"ece": error, "answers": len(pairs), "bins": rows}


def _share(right: int, total: int) -> dict[str, Any]:
    low, high = wilson(right, total)
    return {"value": right / total if total else None, "right": right, "of": total, "low": low, "high": high}


def _bootstrapped(rows: Sequence[Any], measure: Callable[[Sequence[Any]], float]) -> dict[str, float]:
    value, low, high = bootstrapped(rows, measure)
    return {"value": value, "low": low, "high": high}


def _counts(pairs: Sequence[tuple[str, str]], value: str) -> tuple[int, int, int]:
    hits = sum(truth == answer == value for truth, answer in pairs)
    false = sum(answer == value != truth for truth, answer in pairs)
    missed = sum(truth == value != answer for truth, answer in pairs)
    return hits, false, missed


def _f1(hits: int, false: int, missed: int) -> float:
    return 2 * hits / (2 * hits + false + missed) if hits + false + missed else 1.0


def _sureness(field: Field, rows: Sequence[Said]) -> list[tuple[float, bool]]:
    """Confidence and rightness of each answer that has both."""
    return [
        (confidence, _is_right(field, each))
        for each in rows
        if field.key in each.known and (confidence := each.confidence.get(field.key)) is not None
    ]


def _is_right(field: Field, each: Said) -> bool:
    truth, answer = each.known[field.key], each.labels.get(field.key)
    return _set(truth) == _listed(each, field) if field.kind == "any_of" else truth == answer


def _one(value: LabelValue) -> str:
    return value if isinstance(value, str) else _NO_ANSWER


def _listed(each: Said, field: Field) -> frozenset[str]:
    """The answered list; who said nothing did not say that there is none."""
    return _set(each.labels[field.key]) if field.key in each.labels else frozenset({_NO_ANSWER})


def _set(value: LabelValue) -> frozenset[str]:
    return frozenset(value) if isinstance(value, list) else frozenset()


def _overlaps(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return one["start_ms"] <= other["end_ms"] and other["start_ms"] <= one["end_ms"]

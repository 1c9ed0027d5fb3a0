"""What an evaluation found, as a table: base against adapters, field by field, with how far chance could move it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vvlm_desktop.cli.output import counted, print_line, print_table, warn
from vvlm_desktop.workflow.run_events import number, table, text

if TYPE_CHECKING:
    from vvlm_desktop.workflow.runs import Evaluation

#: The number with an interval that stands for a field, by what kind of field has it.
_HEADLINES = ("accuracy", "f1", "presence")


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation for programs."""
    return {
        "run": evaluation.run.name,
        "folder": str(evaluation.folder),
        "answerers": list(evaluation.answerers),
        **evaluation.metrics,
    }


def print_evaluation(evaluation: Evaluation) -> None:
    """An evaluation for people."""
    scores = table(evaluation.metrics.get("scores"))
    paired = table(evaluation.metrics.get("paired"))
    names = list(scores)
    others = [name for name in names if name != "base"]
    print_line(f"{evaluation.run.name} on the part {evaluation.split}: {_clips(scores)}")
    fields = list(dict.fromkeys(key for name in names for key in table(table(scores[name]).get("fields"))))
    rows = [
        [
            key,
            str(next((_field(scores, name, key).get("clips", "") for name in names), "")),
            *(_with_interval(_field(scores, name, key)) for name in names),
            *(_p(table(table(paired.get(name)).get(key)).get("p")) for name in others),
        ]
        for key in fields
    ]
    rows.append(
        ["valid JSON", "", *(_of(table(scores[name]).get("valid_json")) for name in names), *("" for _ in others)]
    )
    print_table(["field", "clips", *names, *(f"p {name}" for name in others)], rows)
    print_line("Right answers in %, with the 95 % interval; p: how often chance alone would do as much (McNemar).")
    for name, reason in table(evaluation.metrics.get("unreadable")).items():
        warn(f"{name}: {text(reason)}")
    print_line(f"Every answer: {evaluation.folder / 'answers.jsonl'}")


def _clips(scores: dict[str, Any]) -> str:
    first = table(next(iter(scores.values()), {}))
    clips = first.get("clips")
    return counted(clips, "clip") if isinstance(clips, int) else "no clip"


def _field(scores: dict[str, Any], name: str, key: str) -> dict[str, Any]:
    return table(table(table(scores[name]).get("fields")).get(key))


def _with_interval(field: dict[str, Any]) -> str:
    headline = next((field[key] for key in _HEADLINES if key in field), None)
    if headline is not None:
        return _of(headline)
    score = number(field.get("score"))
    return "–" if score is None else f"{score:.0%}"


def _of(share: Any) -> str:
    found = table(share)
    value, low, high = (number(found.get(key)) for key in ("value", "low", "high"))
    if value is None:
        return "–"
    return f"{value:.0%}" if low is None or high is None else f"{value * 100:.0f} ({low * 100:.0f}–{high * 100:.0f})"


def _p(value: Any) -> str:
    p = number(value)
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"

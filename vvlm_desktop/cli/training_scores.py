"""What an evaluation found, as a table: base against adapters, field by field, with how far chance could move it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vvlm_desktop.cli.output import counted, print_line, print_table, warn
from vvlm_desktop.domain.statistics import p_in_words
from vvlm_desktop.workflow.run_events import number, table, text

if TYPE_CHECKING:
    from vvlm_desktop.workflow.runs import Evaluation

#: The measures of a field by what kind of field has them: key, what the row's name adds, whether p is about it.
_MEASURES = (
    ("accuracy", "", True),
    ("exact", ", whole list", True),
    ("f1", ", F1 of its values", False),
    ("presence", ", whether there is one", True),
)


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
    rows = [row for key in fields for row in _rows_of(scores, paired, key)]
    rows.append(
        ["valid JSON", "", *(_of(table(scores[name]).get("valid_json")) for name in names), *("" for _ in others)]
    )
    print_table(["field", "clips", *names, *(f"p {name}" for name in others)], rows)
    print_line("Clips with the right answer in %, with the 95 % interval; p: how often chance alone would do as much")
    print_line("(McNemar's exact test of right answers). F1 gives a list a part for a part, and has no p.")
    for name, reason in table(evaluation.metrics.get("unreadable")).items():
        warn(f"{name}: {text(reason)}")
    print_line(f"Every answer: {evaluation.folder / 'answers.jsonl'}")


def _clips(scores: dict[str, Any]) -> str:
    first = table(next(iter(scores.values()), {}))
    clips = first.get("clips")
    return counted(clips, "clip") if isinstance(clips, int) else "no clip"


def _field(scores: dict[str, Any], name: str, key: str) -> dict[str, Any]:
    return table(table(table(scores[name]).get("fields")).get(key))


def _rows_of(scores: dict[str, Any], paired: dict[str, Any], key: str) -> list[list[str]]:
    """A row for each measure of a field; p stands beside the one it is about, and nowhere else."""
    per = {name: _field(scores, name, key) for name in scores}
    clips = str(next((each["clips"] for each in per.values() if "clips" in each), ""))
    p_values = [_p(table(table(paired.get(name)).get(key)).get("p")) for name in scores if name != "base"]
    rows = [
        [
            f"{key}{words}",
            clips,
            *(_of(each.get(measure)) for each in per.values()),
            *(p if tested else "" for p in p_values),
        ]
        for measure, words, tested in _MEASURES
        if any(measure in each for each in per.values())
    ]
    shares = ("–" if (score := number(each.get("score"))) is None else f"{score:.0%}" for each in per.values())
    return rows or [[key, clips, *shares, *p_values]]


def _of(share: Any) -> str:
    found = table(share)
    value, low, high = (number(found.get(key)) for key in ("value", "low", "high"))
    if value is None:
        return "–"
    return f"{value:.0%}" if low is None or high is None else f"{value * 100:.0f} ({low * 100:.0f}–{high * 100:.0f})"


def _p(value: Any) -> str:
    p = number(value)
    return "" if p is None else p_in_words(p)

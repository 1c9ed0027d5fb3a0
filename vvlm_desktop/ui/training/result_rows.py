"""Numbers of an evaluation as rows of a table: base beside adapters, with intervals and how far apart. No widgets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.runs import Evaluation

Unit: TypeAlias = Literal["share", "seconds", "points"]
Verdict: TypeAlias = Literal["better", "worse", "unclear", ""]
BASE = "base"
#: Below it a difference is called clear.
CLEAR_P = 0.05


@dataclass(frozen=True, slots=True)
class Measured:
    """One number with its 95 % interval, where it has one.

    Attributes:
        commonest: what always saying the commonest value would get; None where that makes no sense.
    """

    value: float
    low: float | None = None
    high: float | None = None
    commonest: float | None = None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One measure of every answerer.

    Attributes:
        cells: in the order of the answerers; None where it could not be measured.
        difference: of the adapter to the base, in the row's unit; positive is better where `more_is_better`.
        p: that chance alone makes them so different, by McNemar's exact test.
        detail: what the measure is, in a sentence.
    """

    key: str
    title: str
    unit: Unit
    clips: int
    cells: tuple[Measured | None, ...]
    difference: float | None = None
    p: float | None = None
    more_is_better: bool = True
    detail: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether the adapter is clearly better or worse than the base."""
        if self.p is None or self.difference is None:
            return ""
        if self.p >= CLEAR_P or not self.difference:
            return "unclear"
        return "better" if (self.difference > 0) == self.more_is_better else "worse"


@dataclass(frozen=True, slots=True)
class ResultTable:
    """All rows of an evaluation, and who answered; `candidate` is whose difference to the base is shown."""

    answerers: tuple[str, ...]
    candidate: str
    rows: tuple[ResultRow, ...]
    clips: int
    unreadable: tuple[str, ...]

    def title_of(self, answerer: str) -> str:
        """The column's headline."""
        return "Base" if answerer == BASE else answerer

    def as_csv(self) -> str:
        """All numbers, unrounded."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        head = [f"{self.title_of(name)} {part}".strip() for name in self.answerers for part in ("", "low", "high")]
        writer.writerow(["measure", "unit", "clips", *head, "difference", "p"])
        for row in self.rows:
            cells = [(c.value, c.low, c.high) if c is not None else (None,) * 3 for c in row.cells]
            numbers = [number for cell in cells for number in cell]
            line = [row.title, row.unit, row.clips, *numbers, row.difference, row.p]
            writer.writerow(["" if each is None else each for each in line])
        return out.getvalue()


def result_table(evaluation: Evaluation, schema: LabelSchema) -> ResultTable:
    """The table of an evaluation; fields in the schema's order, then what concerns all of them."""
    scores: Mapping[str, Mapping[str, Any]] = evaluation.metrics.get("scores", {})
    answerers = tuple(sorted(scores, key=lambda name: name != BASE))
    others = [name for name in answerers if name != BASE]
    candidate = evaluation.run.name if evaluation.run.name in others else (others[-1] if others else "")
    maker = _Rows(scores, answerers, candidate, evaluation.metrics.get("paired", {}).get(candidate, {}))
    known = [key for key in (field.key for field in schema.fields) if key in maker.fields()]
    keys = [*known, *(key for key in maker.fields() if key not in known)]
    titles = {key: schema.field(key).label if key in schema else key for key in keys}
    rows = [row for key, title in titles.items() for row in maker.field(key, title)]
    rows += [row for key, title in titles.items() for row in maker.times(key, title)]
    rows += maker.of_all()
    clips = max((int(each.get("clips", 0)) for each in scores.values()), default=0)
    return ResultTable(answerers, candidate, tuple(rows), clips, tuple(evaluation.metrics.get("unreadable", {})))


class _Rows:
    def __init__(
        self,
        scores: Mapping[str, Mapping[str, Any]],
        answerers: Sequence[str],
        candidate: str,
        paired: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._scores, self._answerers, self._candidate, self._paired = scores, answerers, candidate, paired

    def fields(self) -> list[str]:
        """Keys of all fields that were scored."""
        found: dict[str, None] = {}
        for each in self._scores.values():
            found.update(dict.fromkeys(each.get("fields", {})))
        return list(found)

    def field(self, key: str, title: str) -> list[ResultRow]:
        """How often a field is right; of a list also how much of it, which no p is about."""
        per = [self._scores[name].get("fields", {}).get(key, {}) for name in self._answerers]
        kind = next((each["kind"] for each in per if each), "one_of")
        measure, adds, detail = {
            "one_of": ("accuracy", "", "Share of clips with the right value."),
            "any_of": ("exact", ", whole list", "Share of clips in which the whole list is right."),
            "range": ("presence", "", "Share of clips in which it is rightly said whether there is one."),
        }[kind]
        cells = tuple(_measured(each.get(measure), each.get("commonest")) for each in per)
        commonest = next((each["commonest"] for each in per if each.get("commonest") is not None), None)
        if commonest is not None:
            detail += f" Always saying the commonest value would get {100 * commonest:.0f} %."
        pair = self._paired.get(key, {})
        if pair:
            detail += (
                f" Of {count(int(pair['clips']), 'clip')}, {pair['only_adapter_right']:,} only the adapter has right,"
                f" {pair['only_base_right']:,} only the base."
            )
        clips = max((int(each.get("clips", 0)) for each in per), default=0)
        row = self._row(key, f"{title}{adds}", "share", clips, cells, p=pair.get("p"), detail=detail)
        if kind != "any_of":
            return [row]
        parts = tuple(_measured(each.get("f1")) for each in per)
        detail = (
            "F1 over all values of all clips: a list earns a part for a part. The p of right answers is not about it."
        )
        return [row, self._row(f"{key}:f1", f"{title}, F1 of its values", "share", clips, parts, detail=detail)]

    def times(self, key: str, title: str) -> list[ResultRow]:
        """How far off the start of an event is."""
        per = [self._scores[name].get("fields", {}).get(key, {}) for name in self._answerers]
        if not any(each.get("start_error_s") for each in per):
            return []
        cells = tuple(_measured(each.get("start_error_s")) for each in per)
        clips = max(int(each.get("both_name_a_time") or 0) for each in per)
        detail = "Median distance of the start, of clips in which both name a time; they need not be the same clips."
        return [self._row(f"{key}:start", f"{title}, off by", "seconds", clips, cells, detail=detail, more=False)]

    def of_all(self) -> list[ResultRow]:
        """Valid answers and calibration."""
        per = [self._scores[name] for name in self._answerers]
        clips = max((int(each.get("clips", 0)) for each in per), default=0)
        valid = tuple(_measured(each.get("valid_json")) for each in per)
        rows = [self._row("*valid", "Valid JSON", "share", clips, valid, detail="Answers that could be read at all.")]
        errors = tuple(Measured(float(each["calibration"]["ece"])) if each.get("calibration") else None for each in per)
        if any(errors):
            answers = max(int((each.get("calibration") or {}).get("answers", 0)) for each in per)
            detail = f"How far confidence is from being right, over {answers:,} answers; 0 is best."
            rows.append(self._row("*ece", "Calibration error", "points", clips, errors, detail=detail, more=False))
        return rows

    def _row(
        self,
        key: str,
        title: str,
        unit: Unit,
        clips: int,
        cells: tuple[Measured | None, ...],
        *,
        p: float | None = None,
        detail: str = "",
        more: bool = True,
    ) -> ResultRow:
        by_name = dict(zip(self._answerers, cells, strict=True))
        base, other = by_name.get(BASE), by_name.get(self._candidate)
        difference = other.value - base.value if base is not None and other is not None else None
        return ResultRow(key, title, unit, clips, cells, difference, p, more, detail)


def _measured(of: Mapping[str, Any] | None, commonest: float | None = None) -> Measured | None:
    if not of or of.get("value") is None:
        return None
    return Measured(float(of["value"]), of.get("low"), of.get("high"), commonest)


def value_words(measured: Measured | None, unit: Unit) -> str:
    """One number to be read."""
    if measured is None:
        return "–"
    if unit == "seconds":
        return f"{measured.value:.2f} s"
    return f"{100 * measured.value:.1f} %"


def interval_words(measured: Measured | None, unit: Unit) -> str:
    """Its interval; empty where it has none."""
    if measured is None or measured.low is None or measured.high is None:
        return ""
    if unit == "seconds":
        return f"{measured.low:.2f}–{measured.high:.2f} s"
    return f"{100 * measured.low:.0f}–{100 * measured.high:.0f} %"


def difference_words(row: ResultRow) -> str:
    """The difference with its sign; shares differ by points."""
    if row.difference is None:
        return "–"
    words = f"{row.difference:+.2f} s" if row.unit == "seconds" else f"{100 * row.difference:+.1f}"
    return words if any(digit in words for digit in "123456789") else words[1:]


def p_words(p: float | None) -> str:
    """How probable such a difference is by chance alone."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"

"""What is said of each field by those that are compared, as rows for the list; without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vvlm_desktop.domain.labels import format_value
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.ui.compare.sides import ALL_LETTERS, LETTERS
from vvlm_desktop.ui.review.sureness import spoken_text
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.calibration import UNCALIBRATED, Calibration, Shown, shown_confidence
from vvlm_desktop.workflow.comparing import Comparison, FieldComparison

#: A model rounds; what lies farther behind the last frame is not in the clip.
_SLACK_S = 0.25
_SILENT = "not answered"
_BEYOND = "after the clip’s end"


def is_beyond(end_s: float, duration_s: float) -> bool:
    """Whether a moment lies after the end of a clip."""
    return end_s > duration_s + _SLACK_S


@dataclass(frozen=True, slots=True)
class Side:
    """One of those that are compared.

    Attributes:
        place: which of the pair's two it is.
        pair: A with B, or with one beside them; None where that one has not answered about the clip.
    """

    place: int
    pair: Comparison | None
    calibration: Calibration | None


@dataclass(frozen=True, slots=True)
class SideView:
    """What one of them said about a field.

    Attributes:
        flaw: why it cannot be so, whatever the truth is.
    """

    text: str
    shown: Shown | None
    right: bool | None
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field, or the line under which those without a difference are folded."""

    key: str
    label: str
    sides: tuple[SideView, ...] = ()
    truth: str = ""
    note: str = ""
    fold: bool = False

    @property
    def lines(self) -> int:
        """How many lines it takes under its head."""
        return 0 if self.fold else len(self.sides) + bool(self.truth)

    def spoken(self) -> str:
        """As words."""
        said = [f"{letter}: {side_words(side)}" for letter, side in zip(ALL_LETTERS, self.sides, strict=False)]
        return ", ".join(part for part in (self.label, *said, self.truth, self.note) if part)


def side_words(side: SideView) -> str:
    """What one said, how sure it was, whether it is right."""
    sure = spoken_text(side.shown) if side.shown is not None else ""
    right = "" if side.right is None else "right" if side.right else "wrong"
    return " ".join(part for part in (side.text, side.flaw, sure, right) if part)


def field_rows(schema: LabelSchema, sides: Sequence[Side], *, unfolded: bool) -> list[FieldRow]:
    """What is shown of the answers about a clip: differing fields, a line that folds, and under it the others.

    A field differs where B says something else than A, or one beside them does.
    """
    pair = sides[0].pair
    if pair is None:
        return []
    others = [_by_key(side.pair) for side in sides[1:]]

    def differs(key: str) -> bool:
        return any(key in each and each[key].standing == "differs" for each in others)

    shown = [each for each in pair.fields if differs(each.field.key)]
    rest = [each for each in pair.fields if each not in shown and each.standing in {"one_sided", "same"}]
    rows = [_row(schema, each, sides) for each in shown]
    if not rows:
        rows.append(FieldRow("", "No field differs", fold=True))
    if rest:
        rows.append(FieldRow("", _fold_words(rest, unfolded=unfolded), fold=True))
    if unfolded:
        rows.extend(_row(schema, each, sides) for each in rest)
    return rows


def _by_key(pair: Comparison | None) -> dict[str, FieldComparison]:
    return {each.field.key: each for each in pair.fields} if pair is not None else {}


def _fold_words(rest: Sequence[FieldComparison], *, unfolded: bool) -> str:
    same = sum(each.standing == "same" for each in rest)
    one_sided = len(rest) - same
    parts = [f"{same} the same"] if same else []
    if one_sided:
        parts.append(f"{one_sided} answered by one only")
    return f"{'Hide' if unfolded else 'Show'} {count(len(rest), 'field')}: {', '.join(parts)}"


def _row(schema: LabelSchema, each: FieldComparison, sides: Sequence[Side]) -> FieldRow:
    key = each.field.key
    views = tuple(_view(schema, side, key) for side in sides)
    truth = f"reviewed: {format_value(schema, key, each.truth)}" if each.truth_known else ""
    return FieldRow(key, each.field.label, views, truth)


def _view(schema: LabelSchema, side: Side, key: str) -> SideView:
    each = _by_key(side.pair).get(key)
    if side.pair is None or each is None or not each.answered[side.place]:
        return SideView(_SILENT, None, None)
    said = each.said[side.place]
    answer = (side.pair.a, side.pair.b)[side.place]
    return SideView(
        text=format_value(schema, key, said),
        shown=shown_confidence(side.calibration, answer, key),
        right=each.right[side.place],
        flaw=_BEYOND if _lies_beyond(said, side.pair.clip.duration_s) else "",
    )


def _lies_beyond(said: LabelValue, duration_s: float) -> bool:
    return isinstance(said, dict) and is_beyond(said["end_ms"] / 1000, duration_s)


def truth_words(pair: Comparison | None) -> str:
    """Who says what is true of the clip."""
    if pair is None:
        return ""
    if pair.truth_by is None:
        return "Not reviewed yet: nobody has said what is true."
    known = sum(each.truth_known for each in pair.fields)
    return f"Reviewed by {pair.truth_by}: {count(known, 'field')} settled."


def footing(rows: Sequence[FieldRow]) -> str:
    """What the words and percentages rest on, once for all fields."""
    most = max([len(row.sides) for row in rows if row.sides], default=len(LETTERS))
    notes = [
        {side.shown.note for row in rows for side in row.sides[n : n + 1] if side.shown is not None}
        for n in range(most)
    ]
    said = [_footing(of_side) for of_side in notes]
    if len(set(said)) == 1:
        return said[0] and f"{'Both' if most == len(LETTERS) else 'All'} {said[0]}"
    return ". ".join(f"{letter} {words}" for letter, words in zip(ALL_LETTERS, said, strict=False) if words)


def _footing(notes: set[str]) -> str:
    tested = min((note for note in notes if note.startswith("calibrated")), default="")
    uncalibrated = any(note.startswith(UNCALIBRATED) for note in notes)  # a reason may follow
    return tested or ("uncalibrated: words, no percentages" if uncalibrated else "")

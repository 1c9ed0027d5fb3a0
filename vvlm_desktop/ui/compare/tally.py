"""How far two answers agree over many clips, and how often each is right; plain data, no window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.workflow.comparing import Comparison, FieldComparison

EVENT_TYPE = "event_type"
#: Stands for “not answered” in the matrix.
SILENT = ""


@dataclass(frozen=True, slots=True)
class ClipLine:
    """One clip of the list, small enough to be kept a hundred thousand times."""

    clip_id: str
    name: str
    differing: tuple[str, ...]
    event: tuple[str, str]
    reviewed: bool


@dataclass(slots=True)
class FieldTally:
    """One field over all clips: how often both answered, agreed, and were right.

    Attributes:
        judged: answers of each that a person has judged, and `right` those of them that were true.
    """

    key: str
    label: str
    both: int = 0
    agree: int = 0
    judged: list[int] = field(default_factory=lambda: [0, 0])
    right: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, pair: FieldComparison) -> None:
        """Count one clip."""
        if pair.answered == (True, True) and pair.field.kind != "text":
            self.both += 1
            self.agree += pair.standing == "same"
        for side in (0, 1):
            right = pair.right[side]
            if right is not None:
                self.judged[side] += 1
                self.right[side] += right


@dataclass(slots=True)
class Tally:
    """The agreement of two answers over a selection of clips."""

    fields: dict[str, FieldTally]
    matrix: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    lines: list[ClipLine] = field(default_factory=list)
    truths: int = 0  # clips that a person has settled
    unfair: int = 0  # clips of which the two did not see or were not told the same

    @classmethod
    def empty(cls, schema: LabelSchema) -> Tally:
        """Nothing counted yet."""
        return cls({each.key: FieldTally(each.key, each.label) for each in schema.fields if each.kind != "text"})

    def add(self, pair: Comparison, *, name: str, fair: bool) -> None:
        """Count one clip."""
        for each in pair.fields:
            if each.field.key in self.fields:
                self.fields[each.field.key].add(each)
        event = next((each for each in pair.fields if each.field.key == EVENT_TYPE), None)
        values = (_event(event, 0), _event(event, 1))
        self.matrix[values] += 1
        differing = tuple(each.field.key for each in pair.fields if each.standing == "differs")
        self.lines.append(ClipLine(pair.clip.id, name, differing, values, pair.truth_by is not None))
        self.truths += pair.truth_by is not None
        self.unfair += not fair

    def sort(self) -> None:
        """The clips that differ in the event first, then those that differ in most fields."""
        self.lines.sort(key=lambda line: (line.event[0] == line.event[1], -len(line.differing), line.name))

    @property
    def differing(self) -> int:
        """Clips of which the two do not say the same."""
        return sum(bool(line.differing) for line in self.lines)

    def rows(self) -> list[FieldTally]:
        """Fields that both answered somewhere, those with most differences first."""
        return sorted(
            (each for each in self.fields.values() if each.both or any(each.judged)),
            key=lambda each: (each.agree - each.both, each.label),
        )

    def events(self, schema: LabelSchema) -> list[str]:
        """Values of the matrix's rows and columns: those that occur, in the schema's order, the unanswered last."""
        occurring = {value for pair in self.matrix for value in pair}
        known = schema.field(EVENT_TYPE).value_keys if EVENT_TYPE in schema else ()
        ordered = [value for value in known if value in occurring]
        others = sorted(value for value in occurring if value not in known and value != SILENT)
        return [*ordered, *others, *([SILENT] if SILENT in occurring else [])]


def _event(pair: FieldComparison | None, side: int) -> str:
    said = pair.said[side] if pair is not None and pair.answered[side] else SILENT
    return said if isinstance(said, str) else SILENT


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which clips of the list are wanted, by a click on the table or the matrix."""

    field_key: str = ""
    event: tuple[str, str] | None = None
    words: str = ""

    def fits(self, line: ClipLine) -> bool:
        """Whether a clip is wanted."""
        if self.event is not None and line.event != self.event:
            return False
        return not self.field_key or self.field_key in line.differing


def narrowed(lines: Iterable[ClipLine], narrowing: Narrowing | None) -> list[ClipLine]:
    """The clips that are wanted, in their order."""
    return [line for line in lines if narrowing is None or narrowing.fits(line)]


def percent(part: int, whole: int) -> str:
    """A share with its numbers, since 1 of 1 is 100 %, too."""
    return f"{round(100 * part / whole)} % of {whole:,}" if whole else "–"

"""How far two answers agree over many clips, and which of the two is right more often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.statistics import mcnemar
from vvlm_desktop.workflow.comparing import Comparison, FieldComparison

EVENT_TYPE = "event_type"
#: Stands for “not answered” in the matrix.
SILENT = ""


@dataclass(slots=True)
class FieldAgreement:
    """One field over all compared clips.

    Attributes:
        n: clips in which both answered it; `agree` those in which they said the same.
        judged: of `n`, those of which is known for both whether they were right (`workflow.judging`); `a_right` and
            `b_right` are counted among them, so that the two shares are of the same clips.
        only_a, only_b: judged clips in which one was right and the other not, McNemar's discordant counts.
    """

    key: str
    label: str
    n: int = 0
    agree: int = 0
    judged: int = 0
    a_right: int = 0
    b_right: int = 0
    only_a: int = 0
    only_b: int = 0

    @property
    def p_value(self) -> float | None:
        """McNemar's exact test: how easily chance alone gives so uneven discordant counts; None without any."""
        return mcnemar(self.only_a, self.only_b) if self.only_a + self.only_b else None

    def add(self, pair: FieldComparison, *, judge: bool = True) -> None:
        """Count one clip; without `judge` only what was said, not who was right."""
        if pair.answered != (True, True):
            return
        self.n += 1
        self.agree += pair.standing == "same"
        a, b = pair.right
        if a is None or b is None or not judge:
            return
        self.judged += 1
        self.a_right += a
        self.b_right += b
        self.only_a += a and not b
        self.only_b += b and not a


@dataclass(frozen=True, slots=True)
class ClipLine:
    """One compared clip, small enough to be kept a hundred thousand times.

    Attributes:
        truth: the event that a person says it is, None where that is not known.
    """

    clip_id: str
    name: str
    differing: tuple[str, ...]
    event: tuple[str, str]
    reviewed: bool
    truth: str | None = None


@dataclass(slots=True)
class Tally:
    """The agreement of two answers over a selection of clips.

    Attributes:
        fields: all but texts, in schema order.
        matrix: how often A said one event and B the other.
        against_truth: of A and of B, how often the event was the one and it said the other.
        truths: clips that a person has settled.
        learnt: SHA-256 of the files that one of the two learnt from: who is right about them proves nothing.
        of_learnt: compared clips among them; counted in what was said, and in nothing about who was right.
        unfair: clips of which the two did not see or were not told the same; they are in `lines`, and in no number.
    """

    fields: dict[str, FieldAgreement]
    matrix: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    against_truth: tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]] = field(
        default_factory=lambda: (defaultdict(int), defaultdict(int))
    )
    lines: list[ClipLine] = field(default_factory=list)
    truths: int = 0
    unfair: int = 0
    learnt: frozenset[str] = frozenset()
    of_learnt: int = 0

    @classmethod
    def empty(cls, schema: LabelSchema, *, learnt: frozenset[str] = frozenset()) -> Tally:
        """Nothing counted yet."""
        fields = {each.key: FieldAgreement(each.key, each.label) for each in schema.fields if each.kind != "text"}
        return cls(fields, learnt=learnt)

    def add(self, pair: Comparison) -> None:
        """Count one clip."""
        event, differing = (SILENT, SILENT), []
        truth: str | None = None
        judge = pair.clip.sha256 not in self.learnt
        for each in pair.fields:
            if pair.counts and each.field.key in self.fields:
                self.fields[each.field.key].add(each, judge=judge)
            if each.field.key == EVENT_TYPE:
                event = (_event(each, 0), _event(each, 1))
                truth = each.truth if each.truth_known and isinstance(each.truth, str) else None
            if each.standing == "differs":
                differing.append(each.field.key)
        reviewed = pair.truth_by is not None
        if pair.counts:
            self.matrix[event] += 1
            self.of_learnt += not judge
            if judge:
                self._add_truth(truth, event)
        name = PurePath(pair.clip.path).name
        self.lines.append(ClipLine(pair.clip.id, name, tuple(differing), event, reviewed, truth))
        self.truths += reviewed
        self.unfair += not pair.counts

    def _add_truth(self, truth: str | None, event: tuple[str, str]) -> None:
        if truth is not None:
            for counts, said in zip(self.against_truth, event, strict=True):
                counts[truth, said] += 1

    def sort(self) -> None:
        """The clips that differ in the event first, then those that differ in most fields."""
        self.lines.sort(key=lambda line: (line.event[0] == line.event[1], -len(line.differing), line.name))

    @property
    def differing(self) -> int:
        """Clips of which the two do not say the same."""
        return sum(bool(line.differing) for line in self.lines)

    def rows(self) -> list[FieldAgreement]:
        """Fields that both answered somewhere, those with most differences first."""
        return sorted(
            (each for each in self.fields.values() if each.n), key=lambda each: (each.agree - each.n, each.label)
        )

    def events(self, schema: LabelSchema, counts: Mapping[tuple[str, str], int] | None = None) -> list[str]:
        """Values of a matrix's rows and columns: those that occur, in the schema's order, the unanswered last."""
        occurring = {value for pair in (self.matrix if counts is None else counts) for value in pair}
        known = schema.field(EVENT_TYPE).value_keys if EVENT_TYPE in schema else ()
        ordered = [value for value in known if value in occurring]
        others = sorted(value for value in occurring if value not in known and value != SILENT)
        return [*ordered, *others, *([SILENT] if SILENT in occurring else [])]


def agreement(schema: LabelSchema, pairs: Iterable[Comparison], *, learnt: frozenset[str] = frozenset()) -> Tally:
    """Count comparisons; the clips that differ most come first. `learnt` as in `Tally`."""
    tally = Tally.empty(schema, learnt=learnt)
    for pair in pairs:
        tally.add(pair)
    tally.sort()
    return tally


def _event(pair: FieldComparison, side: int) -> str:
    said = pair.said[side] if pair.answered[side] else SILENT
    return said if isinstance(said, str) else SILENT

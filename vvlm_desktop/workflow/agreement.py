"""How far two answers agree over many clips, and which of the two is right more often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TypeAlias

from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.statistics import mcnemar
from vvlm_desktop.workflow.comparing import Comparison, FieldComparison

EVENT_TYPE = "event_type"
#: Stands for “not answered” in the matrix.
SILENT = ""
#: Of one field of one clip: what A says, what B says, and what a person says it is, None where that is not known.
Said: TypeAlias = tuple[str, str, str | None]
_NOBODY: Said = (SILENT, SILENT, None)


def choices_of(schema: LabelSchema) -> tuple[Field, ...]:
    """Fields with one value of several, of which there can be a matrix: the event first, then in schema order."""
    choices = [each for each in schema.fields if each.kind == "one_of"]
    return tuple(sorted(choices, key=lambda each: each.key != EVENT_TYPE))


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
        said: of each choice (`choices_of`); clips of which the same was said share one tuple.
    """

    clip_id: str
    name: str
    differing: tuple[str, ...]
    said: tuple[Said, ...]
    reviewed: bool

    @property
    def event(self) -> tuple[str, str]:
        """What the two say of the event, or of the first choice in a schema without events."""
        return self.said[0][:2] if self.said else (SILENT, SILENT)


@dataclass(slots=True)
class Tally:
    """The agreement of two answers over a selection of clips.

    Attributes:
        fields: all but texts, in schema order.
        choices: fields that have a matrix, as in `choices_of`.
        said: of each of them how often which was said; without the truth of clips that one of the two learnt from.
        truths: clips that a person has settled.
        learnt: SHA-256 of the files that one of the two learnt from: who is right about them proves nothing.
        of_learnt: compared clips among them; counted in what was said, and in nothing about who was right.
        unfair: clips of which the two did not see or were not told the same; they are in `lines`, and in no number.
    """

    fields: dict[str, FieldAgreement]
    choices: tuple[Field, ...] = ()
    said: dict[str, Counter[Said]] = field(default_factory=dict)
    lines: list[ClipLine] = field(default_factory=list)
    truths: int = 0
    unfair: int = 0
    learnt: frozenset[str] = frozenset()
    of_learnt: int = 0
    _shared: dict[tuple[Said, ...], tuple[Said, ...]] = field(default_factory=dict)

    @classmethod
    def empty(cls, schema: LabelSchema, *, learnt: frozenset[str] = frozenset()) -> Tally:
        """Nothing counted yet."""
        fields = {each.key: FieldAgreement(each.key, each.label) for each in schema.fields if each.kind != "text"}
        choices = choices_of(schema)
        return cls(fields, choices=choices, said={each.key: Counter() for each in choices}, learnt=learnt)

    def add(self, pair: Comparison) -> None:
        """Count one clip."""
        by_key: dict[str, Said] = {}
        differing = []
        judge = pair.clip.sha256 not in self.learnt
        for each in pair.fields:
            if pair.counts and each.field.key in self.fields:
                self.fields[each.field.key].add(each, judge=judge)
            if each.field.key in self.said:
                by_key[each.field.key] = _said(each)
            if each.standing == "differs":
                differing.append(each.field.key)
        reviewed = pair.truth_by is not None
        if pair.counts:
            self.of_learnt += not judge
            for key, (a, b, truth) in by_key.items():
                self.said[key][a, b, truth if judge else None] += 1
        name = PurePath(pair.clip.path).name
        said = tuple(by_key.get(each.key, _NOBODY) for each in self.choices)
        said = self._shared.setdefault(said, said)
        self.lines.append(ClipLine(pair.clip.id, name, tuple(differing), said, reviewed))
        self.truths += reviewed
        self.unfair += not pair.counts

    def matrix(self, field_key: str) -> dict[tuple[str, str], int]:
        """How often A said one value of a choice and B the other; not where neither said anything."""
        counts: Counter[tuple[str, str]] = Counter()
        for (a, b, _), number in self.said.get(field_key, {}).items():
            if (a, b) != (SILENT, SILENT):
                counts[a, b] += number
        return dict(counts)

    def against_truth(self, field_key: str, side: int) -> dict[tuple[str, str], int]:
        """Of A (0) or of B (1): how often a person says the one of a choice, and it said the other."""
        counts: Counter[tuple[str, str]] = Counter()
        for (a, b, truth), number in self.said.get(field_key, {}).items():
            if truth is not None:
                counts[truth, (a, b)[side]] += number
        return dict(counts)

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

    def shown_choice(self, field_key: str = "") -> str:
        """Key of the field whose matrix is shown, "" where there is none: the wanted one, else one that was answered.

        A wanted field stays even if it has no matrix: then that is what is to be said.
        """
        if field_key in self.fields and self.fields[field_key].n:
            return field_key
        answered = (each.key for each in self.choices if self.fields[each.key].n)
        return next(answered, self.choices[0].key if self.choices else "")


def values_in(choice: Field, counts: Iterable[tuple[str, str]]) -> list[str]:
    """Values of a matrix's rows and columns: those that occur, in the schema's order, the unanswered last."""
    occurring = {value for pair in counts for value in pair}
    ordered = [value for value in choice.value_keys if value in occurring]
    others = sorted(value for value in occurring if value not in choice.value_keys and value != SILENT)
    return [*ordered, *others, *([SILENT] if SILENT in occurring else [])]


def agreement(schema: LabelSchema, pairs: Iterable[Comparison], *, learnt: frozenset[str] = frozenset()) -> Tally:
    """Count comparisons; the clips that differ most come first. `learnt` as in `Tally`."""
    tally = Tally.empty(schema, learnt=learnt)
    for pair in pairs:
        tally.add(pair)
    tally.sort()
    return tally


def _said(pair: FieldComparison) -> Said:
    a, b = (
        said if known and isinstance(said, str) else SILENT
        for said, known in zip(pair.said, pair.answered, strict=True)
    )
    return a, b, pair.truth if pair.truth_known and isinstance(pair.truth, str) else None

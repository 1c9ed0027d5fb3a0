"""When an adapter is better: the rule, and the arithmetic behind it. Plain Python, no I/O.

Answers about clips of one recording are alike, so a gain is judged by recording: what is resampled, and what is swapped
between the two answerers, are whole groups of clips.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.statistics import bootstrapped, mcnemar

Test: TypeAlias = Literal["bootstrap", "mcnemar"]

USUAL_FIELD = "event_type"
_RESAMPLES = 2000
_MOST_RESAMPLES = 20_000
#: So many resamples lie beyond each end of an interval, however small the level.
_BEYOND_EACH_END = 20
#: Up to so many groups every way of swapping is tried; beyond, chance draws some of them.
_MOST_EXACT = 12
_SWAPS = 20_000


@dataclass(frozen=True, slots=True)
class PromotionRule:
    """When an adapter may become the default; kept in the settings, shown and edited on the Training page.

    Attributes:
        test: `mcnemar` on `field` alone; `bootstrap`: the interval of the gain in the mean over all choice fields.
        field: that must get better, by McNemar; "event_type" as long as the schema has it.
        level: how often chance alone may pass, for example 0.05.
        least_clips: of the test part with a known answer, below which nothing is decided.
        no_worse: also refuse where any other field is worse at that level, or valid answers are fewer.
        looked: also refuse where the answers could have been given without looking: a model that learnt nothing but
            which values are common is better than one that never names them.
    """

    test: Test = "bootstrap"
    field: str = USUAL_FIELD
    level: float = 0.05
    least_clips: int = 20
    no_worse: bool = True
    looked: bool = True

    def sentence(self, schema: LabelSchema) -> str:
        """The rule for people."""
        if self.test == "mcnemar":
            key = self.field_in(schema)
            label = schema.field(key).label if key else self.field
            better = f"{label} is right more often, by McNemar's test and also where whole recordings are swapped"
        else:
            better = (
                "the choice fields are right more often on average, a list earning a part for a part, by an interval"
                " over resampled recordings"
            )
        worse = " No other field may be clearly worse, and no fewer answers may be valid." if self.no_worse else ""
        looked = " Its answers must tell clips apart, not only name common values." if self.looked else ""
        return (
            f"An adapter becomes the default if {better}, on at least {self.least_clips} test clips; chance alone may"
            f" pass {self.level:.1%} of the time.{worse}{looked}"
        )

    def field_in(self, schema: LabelSchema) -> str:
        """The field that McNemar's test is about: the rule's, else the schema's first choice; empty without any."""
        choices = [each.key for each in schema.model_fields if each.has_values]
        if self.field in choices:
            return self.field
        # Another schema than ours need not have it; a field that somebody named must be there.
        return choices[0] if choices and self.field == USUAL_FIELD else ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One clip as two answerers described it: who is the default now, and who would be.

    Attributes:
        group: clips that are alike: of one recording, or that look the same.
        right: by field, whether each said the truth; only fields whose truth is known.
        score: by choice field, how right each was, 0 to 1; a list earns a part for a part.
        valid: whether each gave an answer that can be read.
    """

    group: str
    right: Mapping[str, tuple[bool, bool]]
    score: Mapping[str, tuple[float, float]]
    valid: tuple[bool, bool] = (True, True)


@dataclass(slots=True)
class FieldTally:
    """One field over all clips in which its truth is known."""

    clips: int = 0
    only_now: int = 0
    only_candidate: int = 0

    @property
    def p_value(self) -> float:
        """McNemar's exact p, two-sided."""
        return mcnemar(self.only_now, self.only_candidate)

    @property
    def got_worse(self) -> bool:
        """Whether the candidate is right less often, by however little."""
        return self.only_now > self.only_candidate


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better the candidate is in the mean over the choice fields, 0.01 being one point in a hundred.

    Attributes:
        low, high: its interval over resampled groups.
        p_value: how often so large a gain, or loss, comes about where the two are swapped by chance, group by group.
        groups: that were resampled; `telling` those in which the two differ at all.
    """

    value: float
    low: float
    high: float
    p_value: float
    groups: int
    telling: int


def tally_fields(pairs: Iterable[Pair]) -> dict[str, FieldTally]:
    """Counts by field."""
    found: dict[str, FieldTally] = {}
    for pair in pairs:
        for key, (now, candidate) in pair.right.items():
            tally = found.setdefault(key, FieldTally())
            tally.clips += 1
            tally.only_now += now and not candidate
            tally.only_candidate += candidate and not now
    return found


def clearly_worse(tallies: Mapping[str, FieldTally], *, level: float) -> dict[str, float]:
    """Fields that are worse, with their p, after Holm: `level` is how often chance alone names any field at all."""
    ordered = sorted(tallies.items(), key=lambda each: each[1].p_value)
    worse = {}
    for number, (key, tally) in enumerate(ordered):
        if tally.p_value > level / (len(ordered) - number):
            break
        if tally.got_worse:
            worse[key] = tally.p_value
    return worse


def gain_of(pairs: Sequence[Pair], *, level: float) -> Gain:
    """The gain in the mean over the choice fields.

    Raises:
        ValueError: no clip has a choice field whose truth is known.
    """
    groups = _sums(pairs)
    resamples = min(_MOST_RESAMPLES, max(_RESAMPLES, math.ceil(2 * _BEYOND_EACH_END / level)))
    value, low, high = bootstrapped(groups, _mean_gain, level=level, resamples=resamples)
    shares = _shares(groups)
    return Gain(value, low, high, swapped_p(shares), len(groups), sum(abs(share) > 1e-12 for share in shares))


def swapped_in_field(pairs: Iterable[Pair], key: str) -> float:
    """McNemar's p with whole groups swapped: the same where every group has one clip, larger where clips are alike."""
    shares: dict[str, float] = {}
    for pair in pairs:
        if key in pair.right:
            now, candidate = pair.right[key]
            shares[pair.group] = shares.get(pair.group, 0.0) + candidate - now
    return swapped_p(list(shares.values()))


def swapped_p(shares: Sequence[float]) -> float:
    """Two-sided p of a sum under swapping signs: exact for few terms, else of many random swaps."""
    telling = [share for share in shares if abs(share) > 1e-12]
    if not telling:
        return 1.0
    seen = abs(sum(telling)) - 1e-9
    total = sum(telling)
    if len(telling) <= _MOST_EXACT:
        found = sum(abs(total - 2 * turned) >= seen for turned in _sums_of_subsets(telling))
        return float(found / 2 ** len(telling))
    chance = random.Random(0)  # noqa: S311 - resampling, not secrets
    tries = max(200, min(_SWAPS, 2_000_000 // len(telling)))
    # Thousands of times over: eight signs are looked up at once.
    tables = [_sums_of_subsets(telling[first : first + 8]) for first in range(0, len(telling), 8)]
    found = 0
    for _ in range(tries):
        signs = chance.getrandbits(len(telling)).to_bytes(len(tables), "little")
        turned = sum([table[eight] for table, eight in zip(tables, signs, strict=True)])
        found += abs(total - 2 * turned) >= seen
    return (found + 1) / (tries + 1)


def _sums_of_subsets(terms: Sequence[float]) -> list[float]:
    """The sum of each subset of `terms`; the bits of its number say which are in it."""
    sums = [0.0]
    for term in terms:
        sums += [term + before for before in sums]
    return sums


#: Of a group, field by field: the sums of the gains, and how many clips they are of.
_Sums: TypeAlias = tuple[tuple[float, ...], tuple[int, ...]]


def _sums(pairs: Sequence[Pair]) -> list[_Sums]:
    keys = sorted({key for pair in pairs for key in pair.score})
    gains: dict[str, list[float]] = {}
    clips: dict[str, list[int]] = {}
    for pair in pairs:
        of_gains = gains.setdefault(pair.group, [0.0] * len(keys))
        of_clips = clips.setdefault(pair.group, [0] * len(keys))
        for number, key in enumerate(keys):
            if key in pair.score:
                now, candidate = pair.score[key]
                of_gains[number] += candidate - now
                of_clips[number] += 1
    return [(tuple(gains[group]), tuple(clips[group])) for group in gains]


def _mean_gain(groups: Sequence[_Sums]) -> float:
    # Thousands of times over: transposing lets `sum` do the work.
    gains = zip(*(group[0] for group in groups), strict=True)
    clips = zip(*(group[1] for group in groups), strict=True)
    totals = [(sum(gain), count) for gain, of_clips in zip(gains, clips, strict=True) if (count := sum(of_clips))]
    means: list[float] = [gain / count for gain, count in totals]
    return sum(means) / len(means)


def _shares(groups: Sequence[_Sums]) -> list[float]:
    """What each group gives to the gain; their sum is the gain."""
    clips = [sum(of_clips) for of_clips in zip(*(group[1] for group in groups), strict=True)]
    return [sum(gain / count for gain, count in zip(group[0], clips, strict=True)) / len(clips) for group in groups]

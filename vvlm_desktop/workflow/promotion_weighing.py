"""Whether an adapter is better by the rule, each condition with what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vvlm_desktop.domain.promotion_rule import (
    FieldTally,
    Gain,
    Pair,
    PromotionRule,
    clearly_worse,
    gain_of,
    swapped_in_field,
    tally_fields,
)
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.telling_apart import Telling, Told, telling_apart


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of the rule: what was asked for, what was seen, and whether it holds.

    Attributes:
        title: what is asked for, by which a condition is known.
        fails: what is said instead where it does not hold: "Too few test clips" for "Enough test clips".
        settled: it does not hold because there is nothing to decide any more; no fault of the adapter.
    """

    title: str
    seen: str
    holds: bool
    fails: str = ""
    settled: bool = False

    @property
    def name(self) -> str:
        """What is the case, for people."""
        return self.title if self.holds else self.fails or self.title


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the clips say; `gain` None where no clip can."""

    checks: tuple[Check, ...]
    gain: Gain | None
    fields: dict[str, FieldTally]
    worse: dict[str, float]
    clips: int
    valid: tuple[int, int]
    telling: Telling | None = None


def weigh(
    schema: LabelSchema, pairs: Sequence[Pair], rule: PromotionRule, *, looks: int, told: Sequence[Told] = ()
) -> Outcome:
    """Apply the rule's arithmetic; each look at the test part gets an equal share of the level.

    Args:
        told: what the candidate said, with the truth; needed where the rule wants that it looked.
    """
    level = rule.level / looks
    share = _Share(rule.level, looks)
    key = rule.field_in(schema) if rule.test == "mcnemar" else ""
    telling = [pair for pair in pairs if pair.score and (key in pair.score if key else True)]
    fields = tally_fields(pairs)
    gain = gain_of([pair for pair in pairs if pair.score], level=level) if any(p.score for p in pairs) else None
    groups = len({pair.group for pair in telling})
    enough = len(telling) >= rule.least_clips
    checks = [
        Check(
            "Enough test clips",
            f"{len(telling)} with a known answer, of {groups} recordings; the rule asks for {rule.least_clips}.",
            enough and bool(telling),
            "Too few test clips",
        ),
        _better_in_field(schema, rule, fields, pairs, share=share)
        if rule.test == "mcnemar"
        else _better_in_mean(gain, share),
    ]
    others = {name: tally for name, tally in fields.items() if name != key}
    worse = clearly_worse(others, level=rule.level)
    valid = (sum(pair.valid[0] for pair in pairs), sum(pair.valid[1] for pair in pairs))
    if rule.no_worse:
        checks += [_no_worse(schema, others, worse, rule), _valid(valid, len(pairs))]
    apart = telling_apart(_only(told, key)) if rule.looked else None
    if rule.looked:
        checks.append(_looked(apart, share))
    return Outcome(tuple(checks), gain, fields, worse, len(telling), valid, apart)


def _only(told: Sequence[Told], key: str) -> list[Told]:
    """All fields, or the one that the rule is about."""
    return [Told(clip.group, {k: v for k, v in clip.fields.items() if not key or k == key}) for clip in told]


@dataclass(frozen=True, slots=True)
class _Share:
    """How often chance may pass in this look, and why it is not the whole of it."""

    whole: float
    looks: int

    @property
    def level(self) -> float:
        return self.whole / self.looks

    @property
    def in_words(self) -> str:
        allowed = f"{_percent(self.level)} are allowed"
        if self.looks == 1:
            return allowed
        return f"{allowed} ({_percent(self.whole)} shared by the {self.looks} adapters judged on this test part)"


def _missed(*parts: tuple[bool, str]) -> str:
    """Which parts of a condition with several fail."""
    said = " and ".join(words for missed, words in parts if missed)
    return f" Fails because {said}." if said else ""


_BY_CHANCE = "chance does as well more often than is allowed"


def _looked(apart: Telling | None, share: _Share) -> Check:
    title, fails = "Tells clips apart", "Does not clearly tell clips apart"
    if apart is None:
        seen = "No choice field has two values in the test clips, so there is nothing to tell apart."
        return Check(title, seen, False, fails)
    seen = (
        f"{_points(apart.value)} points over one answer for every clip, each value counting alike, in"
        f" {len(apart.fields)} fields; by chance in {_percent(apart.p_value)} of dealings of the answers to other"
        f" recordings, {share.in_words}."
    )
    no_more, chance = apart.value <= 0, apart.p_value > share.level
    seen += _missed((no_more, "one answer for every clip does as well"), (chance, _BY_CHANCE))
    return Check(title, seen, not (no_more or chance), fails)


def _better_in_mean(gain: Gain | None, share: _Share) -> Check:
    title, fails = "Better on average", "Not clearly better on average"
    if gain is None:
        return Check(title, "No choice field of any test clip has a known answer.", False, fails)
    seen = (
        f"{_points(gain.value)} points over all choice fields, lists earning a part for a part,"
        f" {1 - share.level:.1%} interval {_points(gain.low)} to {_points(gain.high)}; by chance in"
        f" {_percent(gain.p_value)} of swaps of whole recordings, {share.in_words}."
        f" They differ in {gain.telling} of {gain.groups} recordings."
    )
    reaches, chance = gain.low <= 0, gain.p_value > share.level
    where = "below zero" if gain.low < 0 else "zero"
    seen += _missed((reaches, f"the interval reaches {where}"), (chance, _BY_CHANCE))
    return Check(title, seen, not (reaches or chance), fails)


def _better_in_field(
    schema: LabelSchema, rule: PromotionRule, fields: dict[str, FieldTally], pairs: Sequence[Pair], *, share: _Share
) -> Check:
    key = rule.field_in(schema)
    label = schema.field(key).label if key else rule.field
    title, fails = f"Better in {label}", f"Not clearly better in {label}"
    tally = fields.get(key)
    if tally is None:
        return Check(title, f"No test clip tells: {label} is never known, or no field.", False, fails)
    # Clips of one recording are alike: twenty of one drive are no twenty witnesses.
    p_value = max(tally.p_value, swapped_in_field(pairs, key))
    seen = (
        f"Right only now in {tally.only_now} clips, only with the adapter in {tally.only_candidate};"
        f" by chance in {_percent(p_value)}, whole recordings being swapped, {share.in_words}."
    )
    no_more, chance = tally.only_candidate <= tally.only_now, p_value > share.level
    seen += _missed((no_more, "it is not right more often"), (chance, _BY_CHANCE))
    return Check(title, seen, not (no_more or chance), fails)


def _no_worse(
    schema: LabelSchema, others: dict[str, FieldTally], worse: dict[str, float], rule: PromotionRule
) -> Check:
    title = "No field worse"
    if not worse:
        return Check(title, f"None of {len(others)} fields is clearly worse.", True)
    told = [
        f"{schema.field(key).label}: right only now in {others[key].only_now}, only with the adapter in"
        f" {others[key].only_candidate} ({_percent(p)} by chance)"
        for key, p in worse.items()
    ]
    return Check(
        title,
        f"{'; '.join(told)}. Of {len(others)} fields, {_percent(rule.level)} in all are allowed.",
        False,
        "A field is worse" if len(told) == 1 else f"{len(told)} fields are worse",
    )


def _valid(valid: tuple[int, int], clips: int) -> Check:
    seen = f"{valid[1]} of {clips} can be read, {valid[0]} now."
    return Check("Answers that can be read", seen, valid[1] >= valid[0], "Fewer answers can be read")


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _percent(share: float) -> str:
    if 0 <= share < 0.0001:
        return "less than 0.01%"
    return f"{share:.2%}" if share < 0.01 else f"{share:.1%}"

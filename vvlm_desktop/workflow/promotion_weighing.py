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
    """One condition of the rule: what was asked for, what was seen, and whether it holds."""

    title: str
    seen: str
    holds: bool


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
    key = rule.field_in(schema) if rule.test == "mcnemar" else ""
    telling = [pair for pair in pairs if pair.score and (key in pair.score if key else True)]
    fields = tally_fields(pairs)
    gain = gain_of([pair for pair in pairs if pair.score], level=level) if any(p.score for p in pairs) else None
    groups = len({pair.group for pair in telling})
    enough = len(telling) >= rule.least_clips
    checks = [
        Check(
            "Enough test clips",
            f"{len(telling)} with a known answer, of {groups} recordings; {rule.least_clips} are asked for.",
            enough and bool(telling),
        ),
        _better_in_field(schema, rule, fields, pairs, level=level)
        if rule.test == "mcnemar"
        else _better_in_mean(gain, level),
    ]
    others = {name: tally for name, tally in fields.items() if name != key}
    worse = clearly_worse(others, level=rule.level)
    valid = (sum(pair.valid[0] for pair in pairs), sum(pair.valid[1] for pair in pairs))
    if rule.no_worse:
        checks += [_no_worse(schema, others, worse, rule), _valid(valid, len(pairs))]
    apart = telling_apart(_only(told, key)) if rule.looked else None
    if rule.looked:
        checks.append(_looked(apart, level))
    return Outcome(tuple(checks), gain, fields, worse, len(telling), valid, apart)


def _only(told: Sequence[Told], key: str) -> list[Told]:
    """All fields, or the one that the rule is about."""
    return [Told(clip.group, {k: v for k, v in clip.fields.items() if not key or k == key}) for clip in told]


def _looked(apart: Telling | None, level: float) -> Check:
    title = "Tells clips apart"
    if apart is None:
        return Check(
            title, "No choice field has two values in the test clips, so there is nothing to tell apart.", False
        )
    seen = (
        f"{_points(apart.value)} points over one answer for every clip, each value counting alike, in"
        f" {len(apart.fields)} fields; by chance in {_percent(apart.p_value)} of dealings of the answers to other"
        f" recordings, {_percent(level)} are allowed."
    )
    return Check(title, seen, apart.value > 0 and apart.p_value <= level)


def _better_in_mean(gain: Gain | None, level: float) -> Check:
    title = "Better on average"
    if gain is None:
        return Check(title, "No choice field of any test clip has a known answer.", False)
    seen = (
        f"{_points(gain.value)} points over all choice fields, lists earning a part for a part,"
        f" {1 - level:.1%} interval {_points(gain.low)} to {_points(gain.high)}; by chance in"
        f" {_percent(gain.p_value)} of swaps of whole recordings, {_percent(level)} are allowed."
        f" They differ in {gain.telling} of {gain.groups} recordings."
    )
    return Check(title, seen, gain.low > 0 and gain.p_value <= level)


def _better_in_field(
    schema: LabelSchema, rule: PromotionRule, fields: dict[str, FieldTally], pairs: Sequence[Pair], *, level: float
) -> Check:
    key = rule.field_in(schema)
    label = schema.field(key).label if key else rule.field
    tally = fields.get(key)
    if tally is None:
        return Check(f"Better in {label}", f"No test clip tells: {label} is never known, or no field.", False)
    # Clips of one recording are alike: twenty of one drive are no twenty witnesses.
    p_value = max(tally.p_value, swapped_in_field(pairs, key))
    seen = (
        f"Right only now in {tally.only_now} clips, only with the adapter in {tally.only_candidate};"
        f" by chance in {_percent(p_value)}, whole recordings being swapped, {_percent(level)} are allowed."
    )
    return Check(f"Better in {label}", seen, tally.only_candidate > tally.only_now and p_value <= level)


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
        title, f"{'; '.join(told)}. Of {len(others)} fields, {_percent(rule.level)} in all are allowed.", False
    )


def _valid(valid: tuple[int, int], clips: int) -> Check:
    seen = f"{valid[1]} of {clips} can be read, {valid[0]} now."
    return Check("Answers that can be read", seen, valid[1] >= valid[0])


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _percent(share: float) -> str:
    if 0 <= share < 0.0001:
        return "less than 0.01%"
    return f"{share:.2%}" if share < 0.01 else f"{share:.1%}"

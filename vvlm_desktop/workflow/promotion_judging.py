"""Whether an evaluation lets an adapter become the default: the rule applied, with everything that was counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vvlm_desktop.domain.promotion_rule import PromotionRule
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.evaluation_files import BASE
from vvlm_desktop.workflow.measured import Measured, read_measured
from vvlm_desktop.workflow.promotion_checks import (
    candidate_of,
    check_against,
    check_complete,
    check_same_set,
    check_unseen,
    check_weights,
    looks_at,
    withdrawn,
)
from vvlm_desktop.workflow.promotion_weighing import Check, Outcome, weigh
from vvlm_desktop.workflow.runs import Evaluation
from vvlm_desktop.workflow.session import Session


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an evaluation lets an adapter become the default.

    Attributes:
        candidate, against: names as in the evaluation; `against` is "base", or the adapter that is the default now.
        gain: of the mean over the choice fields, with its interval (value, low, high); zeros where no clip tells.
        clips: with a known answer in the choice fields, or in the field that the rule is about.
        looks: how often this test part has been used for a judgement, this one included; each look spends some of it.
        notes: sentences that decide nothing and should be read.
        numbers: all that was counted, as it is written into the log.
    """

    candidate: str
    against: str
    rule: PromotionRule
    checks: tuple[Check, ...]
    gain: tuple[float, float, float]
    clips: int
    looks: int
    notes: tuple[str, ...] = ()
    numbers: dict[str, Any] | None = None

    @property
    def allowed(self) -> bool:
        """Whether every condition holds."""
        return all(check.holds for check in self.checks)

    @property
    def failing(self) -> tuple[Check, ...]:
        """Conditions that do not hold."""
        return tuple(check for check in self.checks if not check.holds)

    @property
    def sentence(self) -> str:
        """The outcome for people."""
        other = "the model alone" if self.against == BASE else self.against
        value, low, high = (100 * number for number in self.gain)
        gain = f"{value:+.1f} points against {other} on {self.clips} test clips, {low:+.1f} to {high:+.1f}"
        if self.allowed:
            return f"{self.candidate} may become the default: {gain}."
        first = self.failing[0]
        if first.settled:
            return first.seen
        return f"{self.candidate} may not become the default. {first.name}: {first.seen}"


def rule_of(settings: Settings) -> PromotionRule:
    """The rule in force."""
    return PromotionRule(
        test=settings.promotion_test,
        field=settings.promotion_field,
        level=settings.promotion_level,
        least_clips=settings.promotion_least_clips,
        no_worse=settings.promotion_no_worse,
        looked=settings.promotion_looked,
    )


def judge(session: Session, evaluation: Evaluation, *, rule: PromotionRule | None = None) -> Judgement:
    """Apply the rule to an evaluation of the test part.

    Raises:
        UsageError: it is of another part, of another schema, or its files were changed since.
    """
    return judged(session, evaluation, rule or rule_of(session.settings))[0]


def judged(session: Session, evaluation: Evaluation, rule: PromotionRule) -> tuple[Judgement, Measured]:
    """The judgement, and what it was read from.

    Raises:
        UsageError: as `judge`.
    """
    measured, run = read_measured(session, evaluation), evaluation.run
    candidate = candidate_of(measured, run)
    against, in_use = check_against(session, measured, run)
    gone, changed = withdrawn(session, [measured.clips[clip_id] for clip_id in measured.answered])
    looks = looks_at(session, measured, candidate)
    pairs = measured.pairs(session.schema, against, candidate, without=gone)
    told = measured.told(session.schema, candidate, without=gone)
    outcome = weigh(session.schema, pairs, rule, looks=looks, told=told)
    sound = (
        check_weights(measured, run, candidate),
        check_same_set(measured, run),
        check_unseen(measured, run),
        check_complete(session, measured, run),
    )
    gain = (outcome.gain.value, outcome.gain.low, outcome.gain.high) if outcome.gain is not None else (0.0, 0.0, 0.0)
    judgement = Judgement(
        candidate=candidate,
        against=against,
        rule=rule,
        checks=(in_use, *outcome.checks, *sound),
        gain=gain,
        clips=outcome.clips,
        looks=looks,
        notes=tuple(_notes(session, evaluation, measured, rule=rule, looks=looks, gone=len(gone), changed=changed)),
        numbers=_numbers(outcome, evaluation, measured, against=against, looks=looks, gain=gain),
    )
    return judgement, measured


def _notes(
    session: Session,
    evaluation: Evaluation,
    measured: Measured,
    *,
    rule: PromotionRule,
    looks: int,
    gone: int,
    changed: int,
) -> list[str]:
    notes = []
    if looks > 1:
        notes.append(
            f"This test part has judged {looks} adapters, so what chance may pass is divided by {looks}:"
            f" {rule.level / looks:.2%} instead of {rule.level:.1%}. Newly reviewed recordings make it fresh."
        )
    if gone:
        notes.append(f"Left out of every number: {gone} test clips whose review was taken back or erased since.")
    if changed:
        notes.append(f"Of {changed} test clips the review says something else by now; a new training set asks anew.")
    learnt_gone, _ = withdrawn(session, measured.part("train", "val"))
    if learnt_gone:
        notes.append(f"The adapter learnt from {len(learnt_gone)} clips whose review was taken back or erased since.")
    config, settings = evaluation.run.config, session.settings
    if config.frames != settings.frames:
        notes.append(f"Measured with {config.frames} frames; Analyse shows a model {settings.frames}.")
    if settings.precision not in {"auto", config.precision}:
        notes.append(f"Measured in {config.precision}; Analyse runs in {settings.precision}.")
    return notes


def _numbers(
    outcome: Outcome,
    evaluation: Evaluation,
    measured: Measured,
    *,
    against: str,
    looks: int,
    gain: tuple[float, float, float],
) -> dict[str, Any]:
    return {
        "run": evaluation.run.name,
        "evaluation": evaluation.folder.name,
        "measured_at": measured.started_at,
        "training_set": measured.fingerprint,
        "against": against,
        "clips": outcome.clips,
        "looks": looks,
        "gain": dict(zip(("value", "low", "high"), gain, strict=True)),
        "p": outcome.gain.p_value if outcome.gain is not None else None,
        "telling_apart": asdict(outcome.telling) if outcome.telling is not None else None,
        "valid": {"now": outcome.valid[0], "candidate": outcome.valid[1]},
        "fields": {key: {**asdict(tally), "p": tally.p_value} for key, tally in outcome.fields.items()},
    }

"""Which adapter is the default: only one that was shown to be better on clips that never trained, and back again.

Promotions and rollbacks are events of the library's log: who, when, which weights, by which rule, with which numbers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.domain.promotion_rule import PromotionRule, Test
from vvlm_desktop.errors import ModelFolderError, PromotionRefusedError, UsageError
from vvlm_desktop.settings import Settings, save_settings
from vvlm_desktop.workflow.adapter_gate import weights_sha256
from vvlm_desktop.workflow.adapters import Adapter, adapter_named, find_adapter
from vvlm_desktop.workflow.evaluation_files import BASE
from vvlm_desktop.workflow.measured import Measured, read_measured
from vvlm_desktop.workflow.model_shelf import InstalledModel, find_model
from vvlm_desktop.workflow.promotion_checks import (
    base_of_run,
    candidate_of,
    check_against,
    check_complete,
    check_same_set,
    check_unseen,
    check_weights,
    looks_at,
    withdrawn,
)
from vvlm_desktop.workflow.promotion_log import (
    Default,
    Promotion,
    default_in_use,
    read_promotions,
    record_promotion,
    record_refusal,
    record_rollback,
    standing,
    unfinished_rollback,
    with_default,
)
from vvlm_desktop.workflow.promotion_outlook import test_part_note
from vvlm_desktop.workflow.promotion_weighing import Check, Outcome, weigh
from vvlm_desktop.workflow.run_adoption import adopt_again
from vvlm_desktop.workflow.runs import Evaluation, Run, adopted_name
from vvlm_desktop.workflow.session import Session

__all__ = [
    "Check",
    "Judgement",
    "Promotion",
    "PromotionRule",
    "Test",
    "judge",
    "promote",
    "promotions",
    "rollback",
    "rule_of",
    "test_part_note",
]


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
    return _judge(session, evaluation, rule or rule_of(session.settings))[0]


def _judge(session: Session, evaluation: Evaluation, rule: PromotionRule) -> tuple[Judgement, Measured]:
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


def promote(session: Session, evaluation: Evaluation) -> Promotion:
    """Make the run's adapter the default of this library and of Analyse, and write that down.

    Raises:
        PromotionRefusedError: the rule does not hold; it says which condition.
        UsageError: the evaluation cannot be used, or the model is not on this computer.
    """
    rule = rule_of(session.settings)
    judgement, measured = _judge(session, evaluation, rule)
    sha256 = weights_sha256(RunFiles(evaluation.run.folder).adapter_dir)
    if not judgement.allowed:
        first = judgement.failing[0]
        record_refusal(
            session,
            adapter=judgement.candidate,
            weights_sha256=sha256,
            numbers={**(judgement.numbers or {}), "failing": [check.title for check in judgement.failing]},
            clips=measured.answered,
        )
        raise PromotionRefusedError(judgement.sentence, hint=_way_out(first))
    model = base_of_run(session, evaluation.run)
    adapter = _adopted(session, evaluation.run, model, sha256)
    promotion = record_promotion(
        session,
        model=model,
        adapter=adapter.name,
        weights_sha256=sha256,
        numbers=judgement.numbers,
        rule=rule,
        clips=measured.answered,
    )
    _use(session, promotion.after)
    return promotion


def _way_out(check: Check) -> str:
    if check.title == "The whole test part":
        return (
            "Put the files back where they were, and measure the run again on the test part. If a clip is gone for"
            " good, take back its review: then it is no part of the test any more."
        )
    if "Measure again" in check.seen or "measured" in check.title:
        return "Measure the run again on the test part."
    if check.title == "Enough test clips":
        return "Review clips of more recordings, make a new training set, and train again."
    return "The default stays as it is. More reviewed clips, or other settings of the run, may help."


def _adopted(session: Session, run: Run, model: str, sha256: str) -> Adapter:
    """The run's adapter among the models, where Analyse finds it; it has to be the one that was measured.

    Raises:
        PromotionRefusedError: there is another one of its name.
    """
    base = find_model(session.settings, model)
    if adapter_named(session.settings, adopted_name(run) or run.name) is None:
        adopt_again(session, run)
    found = _adapter(session.settings, adopted_name(run) or run.name, base)
    if weights_sha256(found.path) != sha256:
        raise PromotionRefusedError(
            f"The adapter {found.name} in the models folder is not the one that was measured.",
            hint=f"Remove it there (vvlm models remove {found.name}); the run's own is then taken again.",
        )
    return found


def rollback(session: Session) -> Promotion:
    """Back to what was the default before the last promotion that is in force.

    Raises:
        UsageError: nothing was promoted, or what was before is no longer on this computer.
    """
    every, now = read_promotions(session), default_in_use(session.settings)
    begun = unfinished_rollback(every, now)
    if begun is not None:  # the program ended between the log and the settings
        _require_here(session, begun.after, every)
        _use(session, begun.after)
        return begun
    last = next((each for each in reversed(standing(every)) if each.after == now), None)
    if last is None:
        raise _no_step(now, every)
    _require_here(session, last.before, every)
    done = record_rollback(session, last)
    _use(session, done.after)
    return done


def _no_step(now: Default, every: list[Promotion]) -> UsageError:
    """Why there is no step back. The default is the computer's, promotions are a library's."""
    words, elsewhere = in_words(now), ""
    if now[2]:
        elsewhere = "If another library promoted it, go back there: vvlm rollback --library FOLDER. Or choose: "
    hint = f"{elsewhere}vvlm models use NAME, or on the Models page."
    if standing(every):
        return UsageError(
            f"In use is {words}, which no promotion in this library made the default, so there is no step back here.",
            hint=f"`vvlm promotions` lists them. {hint}",
        )
    what = (
        "No step is left: every promotion in this library was taken back"
        if every
        else "Nothing was promoted in this library"
    )
    return UsageError(f"{what}. In use: {words}.", hint=hint)


def _require_here(session: Session, default: Default, every: list[Promotion]) -> None:
    """Refuse to go back to something that is gone, or that is not what it was.

    Raises:
        UsageError: with what is missing.
    """
    backend, model, adapter = default
    if backend != "local" or not model:
        return
    try:
        base = _model(session.settings, model)
        found = _adapter(session.settings, adapter, base) if adapter else None
    except (UsageError, ModelFolderError) as error:
        raise UsageError(
            f"What was the default before is not here any more: {error}",
            hint="Put it back, or choose another model: vvlm models use NAME. Nothing was changed.",
        ) from error
    known = next((each for each in reversed(every) if each.after == default and each.weights_sha256), None)
    if found is not None and known is not None and weights_sha256(found.path) != known.weights_sha256:
        raise UsageError(
            f"The adapter {found.name} is not the one that was the default before: its weights are others.",
            hint="Put it back, or choose another model: vvlm models use NAME. Nothing was changed.",
        )


def _model(settings: Settings, name: str) -> InstalledModel:
    """The model of exactly this name or folder.

    Raises:
        UsageError: there is none.
        ModelFolderError: it cannot be used.
    """
    found = find_model(settings, name)
    if name not in (found.name, str(found.path)):
        raise UsageError(f"{name} was removed from this computer.")
    return found


def _adapter(settings: Settings, name: str, base: InstalledModel) -> Adapter:
    """The adapter of exactly this name or folder: one with a similar name is another one.

    Raises:
        UsageError: there is none.
        ModelFolderError: it cannot be used with this model.
    """
    if adapter_named(settings, name) is None:
        raise UsageError(f"The adapter {name} is not on this computer.", hint="`vvlm models adapters` lists them.")
    return find_adapter(settings, name, base=base)


def _use(session: Session, default: Default) -> None:
    settings = with_default(session.settings, default)
    save_settings(settings)
    session.settings = settings


def in_words(default: Default) -> str:
    """What is in use, for people."""
    backend, model, adapter = default
    if backend == "local":
        return f"{model or 'no model'} + {adapter}" if adapter else f"{model or 'no model'} alone"
    return "the built-in measurements" if backend == "signals" else backend.capitalize()


def outside(session: Session) -> str:
    """A sentence where an adapter is in use that no promotion of this library made the default; else empty."""
    now = default_in_use(session.settings)
    if not now[2] or any(each.after == now for each in standing(read_promotions(session))):
        return ""
    return (
        f"In use: {in_words(now)}. No promotion in this library made it the default: another library did, or somebody"
        " chose it. The default is this computer's, for all libraries."
    )


def promotions(session: Session) -> list[Promotion]:
    """All changes of the default in this library, the newest first."""
    return read_promotions(session)[::-1]

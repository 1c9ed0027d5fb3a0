"""Which adapter is the default: only one that was shown to be better on clips that never trained, and back again.

Promotions and rollbacks are events of the library's log: who, when, which weights, by which rule, with which numbers.
"""

from __future__ import annotations

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.domain.promotion_rule import PromotionRule, Test
from vvlm_desktop.errors import ModelFolderError, PromotionRefusedError, UsageError
from vvlm_desktop.settings import Settings, save_settings
from vvlm_desktop.workflow.adapter_gate import weights_sha256
from vvlm_desktop.workflow.adapters import Adapter, adapter_named, find_adapter
from vvlm_desktop.workflow.model_shelf import InstalledModel, find_model
from vvlm_desktop.workflow.promotion_checks import (
    base_of_run,
)
from vvlm_desktop.workflow.promotion_judging import Judgement, judge, judged, rule_of
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
from vvlm_desktop.workflow.promotion_weighing import Check
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


def promote(session: Session, evaluation: Evaluation) -> Promotion:
    """Make the run's adapter the default of this library and of Analyse, and write that down.

    Raises:
        PromotionRefusedError: the rule does not hold; it says which condition.
        UsageError: the evaluation cannot be used, or the model is not on this computer.
    """
    rule = rule_of(session.settings)
    judgement, measured = judged(session, evaluation, rule)
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

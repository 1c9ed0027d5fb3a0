"""`vvlm promote`, `rollback`, `promotions` and `changes`: which adapter is the default, why, and what would change."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vvlm_desktop.cli.output import (
    EXIT_SOME_FAILED,
    JsonOption,
    LibraryOption,
    ReviewerOption,
    counted,
    local_time,
    opened,
    print_json,
    print_line,
    print_table,
)
from vvlm_desktop.errors import UsageError

if TYPE_CHECKING:
    from vvlm_desktop.workflow.changing import Changing
    from vvlm_desktop.workflow.promotion import Judgement, Promotion
    from vvlm_desktop.workflow.runs import Evaluation, Run
    from vvlm_desktop.workflow.session import Session

#: With more clips than this the list is cut; `--json` has them all.
_SHOWN = 40


def promote(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run, or the adapter that it made.")],
    evaluation: Annotated[
        str | None,
        typer.Option("--evaluation", metavar="NAME", help="Folder of the evaluation; default: the newest one."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the rule says.")] = False,
    library: LibraryOption = None,
    reviewer: ReviewerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a run's adapter the default, if it was better on the frozen test part; exit code 1 where it was not."""
    from vvlm_desktop.errors import PromotionRefusedError
    from vvlm_desktop.workflow.promotion import judge, promote
    from vvlm_desktop.workflow.promotion_checks import is_default

    done: Promotion | None = None
    refused: PromotionRefusedError | None = None
    with opened(library, reviewer=reviewer) as session:
        found = _run(session, run)
        if is_default(session, found):
            _say_default(found, as_json=as_json)
            return
        measured = _evaluation(found, evaluation)
        judgement = judge(session, measured)
        rule = judgement.rule.sentence(session.schema)
        if not dry_run:
            try:
                done = promote(session, measured)
            except PromotionRefusedError as error:
                refused = error
    if as_json:
        print_json({**_judgement_json(judgement), "rule_in_words": rule, "promoted": done is not None})
    else:
        _print_judgement(judgement, rule, evaluation=measured)
        if done is not None:
            print_line(f"Analyse now uses {done.model} + {done.adapter}. One step back: vvlm rollback")
        elif refused is not None and refused.hint:
            print_line(refused.hint)
    if refused is not None or not judgement.allowed:
        raise typer.Exit(EXIT_SOME_FAILED)


def rollback(library: LibraryOption = None, reviewer: ReviewerOption = None, as_json: JsonOption = False) -> None:
    """Go back to what was the default before the last promotion; each call goes one step."""
    from vvlm_desktop.workflow.promotion import in_words, rollback

    with opened(library, reviewer=reviewer) as session:
        done = rollback(session)
    if as_json:
        print_json(_promotion_json(done))
    else:
        print_line(f"Analyse now uses {in_words(done.after)}; before: {in_words(done.before)}.")


def promotions(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """List every change of the default in this library, the newest first."""
    from vvlm_desktop.workflow.promotion import in_words, outside, promotions

    with opened(library) as session:
        found, elsewhere = promotions(session), outside(session)
    if as_json:
        print_json([_promotion_json(each) for each in found])
    elif not found:
        print_line("Nothing was promoted in this library.")
    else:
        columns = ("when", "by", "what", "in use from then on", "before", "gain in points")
        print_table(columns, [_row(each, in_words(each.after), in_words(each.before)) for each in found])
    if elsewhere and not as_json:
        print_line(elsewhere)


def changes(
    adapter: Annotated[str, typer.Argument(metavar="ADAPTER", help="That would be used.")],
    model: Annotated[str | None, typer.Option("--model", metavar="ID", help="Its model; default: its own.")] = None,
    now: Annotated[
        str | None, typer.Option("--now", metavar="ADAPTER", help="That is used; “base” is the model alone.")
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the clips whose answer would change with another adapter, those with another event first."""
    from vvlm_desktop.workflow.changing import changing

    with opened(library) as session:
        base, name = _base_and_name(session, adapter, model)
        current = _in_use(session, base) if now is None else "" if now == "base" else _answered(session, base, now)
        if current == name:
            raise UsageError(
                f"{name} would be compared with itself: it is {'in use' if now is None else 'named twice'}.",
                hint=f"To see what it changes against the model alone: vvlm changes {name} --now base",
            )
        found = changing(session, model=base, adapter=name, now=current)
        rows = [(row.rowid, row.clip.id, row.clip.path) for row in session.library.clip_rows(found.changed)]
        labels = {key: session.schema.field(key).label for key in found.by_field}
    if as_json:
        print_json(_changing_json(found, rows))
    else:
        _print_changing(found, rows, labels)


# --- looking up -----------------------------------------------------------------------------------------------------


def _run(session: Session, text: str) -> Run:
    from vvlm_desktop.workflow.runs import adopted_name, find_run, list_runs

    adopted = [run for run in list_runs(session) if adopted_name(run) == text.strip()]
    if len(adopted) == 1:
        return adopted[0]
    try:
        return find_run(session, text)
    except UsageError:
        _refuse_without_run(session, text)
        raise


def _refuse_without_run(session: Session, text: str) -> None:
    """Say why an adapter that is here cannot be promoted: there is no run of it whose evaluation could be judged."""
    from vvlm_desktop.workflow.adapter_gate import standing_of
    from vvlm_desktop.workflow.adapters import adapter_named

    found = adapter_named(session.settings, text)
    if found is None:
        return
    model = shlex.quote(found.base_model or "MODEL")
    use = f"vvlm models use {model} --adapter {shlex.quote(found.name)} --unmeasured"
    # What was trained or judged here is not to be let in by the back door because its run was deleted.
    imported = standing_of(session, found).admission == "elsewhere"
    raise UsageError(
        f"{found.name} was made by no run that this library has, so it cannot be shown here that it never saw the"
        " test clips; only what was trained here is promoted.",
        hint=f"Train one here, or use it unproven, which is written down: {use}" if imported else "Train it anew.",
    )


def _evaluation(run: Run, name: str | None) -> Evaluation:
    from vvlm_desktop.workflow.runs import evaluations

    ended = evaluations(run)
    found = [each for each in ended if (each.split == "test" if name is None else each.folder.name == name)]
    if found:
        return found[0]
    names = ", ".join(each.folder.name for each in ended)
    if name is None:
        raise UsageError(f"{run.name} was not measured on the test part yet.", hint=f"vvlm evaluate {run.name}")
    raise UsageError(f"{run.name} has no evaluation {name!r}.", hint=f"Evaluations: {names or 'none yet'}.")


def _base_and_name(session: Session, adapter: str, model: str | None) -> tuple[str, str]:
    """Model and adapter as answers name them; an adapter that was removed can still be asked for with its model."""
    from vvlm_desktop.workflow.adapters import adapter_named, installed_adapters
    from vvlm_desktop.workflow.model_shelf import find_model

    settings = session.settings
    wanted = find_model(settings, model).name if model is not None else ""
    fitting = [each for each in installed_adapters(settings) if adapter.lower() in each.name.lower()]
    found = adapter_named(settings, adapter) or (fitting[0] if len(fitting) == 1 else None)
    if found is not None and (wanted or found.base_model):
        return wanted or str(found.base_model), found.name
    if wanted:
        return wanted, _answered(session, wanted, adapter)
    raise UsageError(f"There is no adapter {adapter!r} on this computer.", hint="`vvlm models adapters` lists them.")


def _answered(session: Session, base: str, adapter: str) -> str:
    """The adapter as answers name it: one that is here, or that answered here before it was removed.

    Raises:
        UsageError: it is neither.
    """
    from vvlm_desktop.workflow.adapters import adapter_named
    from vvlm_desktop.workflow.answerers import find_answerers

    found = adapter_named(session.settings, adapter)
    if found is not None:
        return found.name
    names = sorted({each.adapter for each in find_answerers(session).clips if each.model == base and each.adapter})
    if adapter in names:
        return adapter
    raise UsageError(
        f"There is no adapter {adapter!r} on this computer, and none of that name has answered about these clips.",
        hint=f"Answered with {base}: {', '.join(names) or 'only the model alone'}. All: vvlm models adapters",
    )


def _in_use(session: Session, base: str) -> str:
    settings = session.settings
    return settings.local_adapter if settings.backend == "local" and settings.local_model == base else ""


# --- telling --------------------------------------------------------------------------------------------------------


def _print_judgement(judgement: Judgement, rule: str, *, evaluation: Evaluation) -> None:
    print_line(f"{rule}\n")
    rows = [["holds" if check.holds else "DOES NOT HOLD", check.title, check.seen] for check in judgement.checks]
    print_table(("", "condition", "what was seen"), rows, title=f"{judgement.candidate}, {evaluation.folder.name}")
    for note in judgement.notes:
        print_line(note)
    print_line(f"\n{judgement.sentence}")


def _say_default(run: Run, *, as_json: bool) -> None:
    if as_json:
        print_json({"candidate": run.name, "promoted": False, "default_already": True})
    else:
        print_line(f"The adapter of {run.name} is the default already; nothing was changed.")


def _judgement_json(judgement: Judgement) -> dict[str, Any]:
    value, low, high = judgement.gain
    return {
        "candidate": judgement.candidate,
        "against": judgement.against,
        "allowed": judgement.allowed,
        "rule": asdict(judgement.rule),
        "checks": [asdict(check) for check in judgement.checks],
        "gain": {"value": value, "low": low, "high": high},
        "clips": judgement.clips,
        "looks": judgement.looks,
        "notes": list(judgement.notes),
        "numbers": judgement.numbers,
    }


def _promotion_json(promotion: Promotion) -> dict[str, Any]:
    backend, model, adapter = promotion.before
    return {**asdict(promotion), "before": {"backend": backend, "model": model, "adapter": adapter}}


def _row(promotion: Promotion, after: str, before: str) -> list[str]:
    what = "rolled back" if promotion.kind == "rolled_back" else "promoted" if promotion.proven else "NOT MEASURED HERE"
    gain = promotion.numbers.get("gain")
    told = f"{100 * gain['value']:+.1f} ({100 * gain['low']:+.1f} to {100 * gain['high']:+.1f})" if gain else ""
    return [local_time(promotion.at), promotion.reviewer, what, after, before, told]


def _changing_json(found: Changing, rows: list[tuple[int, str, str]]) -> dict[str, Any]:
    right, wrong, learnt = set(found.settled_right), set(found.settled_wrong), set(found.learnt)
    ways = {rowid: "right" if rowid in right else "wrong" if rowid in wrong else None for rowid, _, _ in rows}
    return {
        "now": asdict(found.now),
        "then": asdict(found.then),
        "compared": found.compared,
        "changed": [
            {"clip": clip, "path": path, "towards": ways[rowid], "learnt_from": rowid in learnt}
            for rowid, clip, path in rows
        ],
        "learnt_from": len(learnt),
        "by_field": found.by_field,
        "not_compared": {"missing": len(found.missing), "other_footing": len(found.unfair)},
    }


def _print_changing(found: Changing, rows: list[tuple[int, str, str]], labels: dict[str, str]) -> None:
    right, wrong = set(found.settled_right), set(found.settled_wrong)
    words = {**dict.fromkeys(right, "right then"), **dict.fromkeys(wrong, "right now, wrong then")}
    words |= dict.fromkeys(found.learnt, "learnt from")
    table = [[clip, path, words.get(rowid, "")] for rowid, clip, path in rows[:_SHOWN]]
    if table:
        print_table(("clip", "path", "by a person's word"), table)
    if len(rows) > _SHOWN:
        print_line(f"… and {len(rows) - _SHOWN:,} more; --json lists them all.")
    for key, clips in found.by_field.items():
        print_line(f"{labels[key]}: {counted(clips, 'clip')}")
    print_line(
        f"{len(found.changed):,} of {counted(found.compared, 'clip')} would change from {found.now.title} to"
        f" {found.then.title}: {len(right):,} towards what a person said, {len(wrong):,} away from it."
    )
    if found.learnt:
        print_line(
            f"{len(found.learnt):,} of {counted(found.compared, 'clip')} are clips that one of them learnt from; who is"
            " right about these is not counted."
        )
    if found.unfair:
        print_line(f"{counted(len(found.unfair), 'clip')} left out: asked in another way, or shown other frames.")
    if found.missing:
        print_line(f"{counted(len(found.missing), 'clip')} not answered by both yet: {_to_answer(found)}")


def _to_answer(found: Changing) -> str:
    """The command that has both answer; of two adapters each is asked for by itself."""
    names = [source.adapter for source in (found.now, found.then) if source.adapter]
    command = "vvlm compare --model" if len(names) == 1 else "vvlm analyse --model"
    return "; ".join(f"{command} {shlex.quote(found.then.model)} --adapter {shlex.quote(name)}" for name in names)

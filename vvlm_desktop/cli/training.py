"""`vvlm train` and `vvlm evaluate`: fine-tune on a training set, and measure what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vvlm_desktop.cli.output import (
    EXIT_SOME_FAILED,
    JsonOption,
    LibraryOption,
    note,
    opened,
    print_json,
    print_line,
    print_table,
    stopped,
    warn,
)
from vvlm_desktop.errors import JobError, UsageError, VvlmError

if TYPE_CHECKING:
    from vvlm_desktop.workflow.runs import Evaluation, EvaluationProgress, Run, RunProgress
    from vvlm_desktop.workflow.session import Session

RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="Name, a part of it that fits only one, or its folder.")
]


def train(
    set_: Annotated[
        str | None, typer.Argument(metavar="[SET]", help="Training set: name, NAME-NUMBER, id or folder.")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[key=value…]", help="Any value of the config; see --explain.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="ID_OR_FOLDER", help="Base model; default: Settings.")
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Of the run and its adapter.")] = "",
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="P", help="8gb, 16gb, 24gb, 80gb or none; default: what is free.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="RUN", help="Go on with one that was stopped or broke off.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Everything up to one real step, and no training.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start it and come back at once.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="List every value of the config and what it does.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fine-tune a local model on a training set, in a process of its own that outlives this one.

    Ctrl-C asks it to stop with a checkpoint; `vvlm train --resume RUN` goes on from there, also with other values
    for cache, cache_dir, cache_limit_gb, keep_checkpoints, eval_clips and device: they change nothing that is learnt.
    """
    if explain:
        _explain(as_json=as_json)
        return
    if set_ is not None and "=" in set_ and not Path(set_).expanduser().is_dir():
        values, set_ = [set_, *(values or [])], None  # what stands first is a value, too
    chosen = _pairs(values or [], preset=preset)
    with opened(library, must_exist=resume is not None) as session:
        run = _run_of(session, set_, chosen, model=model, name=name, resume=resume, quiet=as_json)
        from vvlm_desktop.workflow.runs import start_run

        others = chosen if resume is not None else {}
        if detach:
            start_run(run, check_only=check, values=others)
            _say_detached(run, as_json=as_json)
            return
        progress, asked = _trained(run, others, check=check, as_json=as_json)
        report_end(session, run, progress, asked=asked, as_json=as_json)


def _trained(run: Run, values: dict[str, str], *, check: bool, as_json: bool) -> tuple[RunProgress, bool]:
    """Start a run and follow it to its end; whether Ctrl-C ended it."""
    from vvlm_desktop.cli.training_follow import follow_run
    from vvlm_desktop.workflow.runs import command_of, start_run, stop_run

    try:
        start_run(run, check_only=check, values=values)
        if not as_json:
            note(f"{run.name} in {run.folder}")
            note(f"The same by hand: {command_of(run, check_only=check, values=values)}")
        return follow_run(run)
    except KeyboardInterrupt:  # in the moment before it is followed
        stop_run(run)
        return follow_run(run, asked=True)[0], True


def _run_of(
    session: Session,
    set_: str | None,
    values: dict[str, str],
    *,
    model: str | None,
    name: str,
    resume: str | None,
    quiet: bool,
) -> Run:
    """The run that is meant: one that is there, or a new one."""
    from vvlm_desktop.workflow.promotion_outlook import test_part_note
    from vvlm_desktop.workflow.run_planning import preset_note
    from vvlm_desktop.workflow.runs import create_run, find_run, plan_run, suggested, trainable_model
    from vvlm_desktop.workflow.training_sets import find_training_set, withdrawn_since

    if resume is not None:
        if set_ is not None or model is not None or name:
            raise UsageError(
                "A run goes on with the values that it began with.",
                hint=f"Leave out the set, --model and --name beside --resume {resume}, or make another run.",
            )
        run = find_run(session, resume)
        say_moved(run)
        return run
    if set_ is None:
        raise UsageError("Which training set?", hint="`vvlm trainset list` lists them; `vvlm trainset make` makes one.")
    training_set = find_training_set(session, set_)
    config = plan_run(session, training_set, model=model, name=name, values=values)
    if not quiet and not {"preset", "precision"} & values.keys():
        note(suggested(trainable_model(session, model)).sentence)
    large = "" if quiet else preset_note(values.get("preset", ""))
    if large:
        note(large)
    gone = withdrawn_since(session, training_set)
    if gone:
        warn(f"{len(gone)} of its clips may train no more; `vvlm trainset make {training_set.name}` leaves them out.")
    small = test_part_note(session, training_set)
    if small:
        note(small)
    return create_run(session, config)


def say_moved(run: Run) -> None:
    """What is used from elsewhere than the run was begun with."""
    from vvlm_desktop.workflow.run_moved import sentences

    for sentence in sentences(run.moved):
        note(sentence)


def _pairs(typed: list[str], *, preset: str | None) -> dict[str, str]:
    values = {"preset": preset} if preset is not None else {}
    for pair in typed:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"“{pair}” is not of the form key=value.", hint="`vvlm train --explain` lists every key.")
        values[key.strip()] = value.strip()
    return values


def _explain(*, as_json: bool) -> None:
    from vvlm_desktop.backends.train_config import PRESETS, explanations
    from vvlm_desktop.workflow.run_planning import GIVEN

    rows = [row for row in explanations() if row[0] not in GIVEN]
    if as_json:
        keys = [{"key": key, "default": default, "explanation": words} for key, default, words in rows]
        print_json({"values": keys, "presets": PRESETS})
        return
    print_table(("value", "default", "what it does"), [list(row) for row in rows])
    print_line()
    presets = [
        [name, ", ".join(f"{key}={value}" for key, value in its.items())] for name, its in PRESETS.items() if its
    ]
    print_table(("preset", "for a model of 8 billion parameters"), presets)


def _say_detached(run: Run, *, as_json: bool) -> None:
    if as_json:
        print_json(run_json(run))
        return
    print_line(f"{run.name} is being trained, whatever happens to this terminal.")
    print_line(f"Look at it: vvlm runs follow {run.name}. Stop it: vvlm runs stop {run.name}")


def report_end(session: Session, run: Run, progress: RunProgress, *, asked: bool, as_json: bool) -> None:
    """How it ended: what is said, and the exit code."""
    if progress.state == "finished":
        adopt(session)
    if as_json:
        print_json(run_json(run, progress))
    else:
        for sentence in progress.notes:
            note(sentence)
        print_line(_ending(run, progress))
    if progress.state in ("failed", "interrupted"):
        if as_json:
            raise typer.Exit(EXIT_SOME_FAILED)
        raise JobError(progress.message, hint=progress.hint)
    if progress.state == "stopped":
        raise (
            stopped(f"{run.name} goes on with: vvlm train --resume {run.name}")
            if asked
            else typer.Exit(EXIT_SOME_FAILED)
        )


def _ending(run: Run, progress: RunProgress) -> str:
    from vvlm_desktop.workflow.run_events import number

    where = f"{run.name}: {progress.state}"
    if progress.state == "finished":
        loss = f", loss {progress.loss[-1][1]:.4f}" if progress.loss else ""
        return f"{where} after {progress.step} steps{loss}. Measure it: vvlm evaluate {run.name}"
    if progress.state == "checked":
        took = number(progress.first_step.get("whole_s"))
        seconds = f" The whole training would take about {_duration(took)}." if took is not None else ""
        batch = f"One batch as the model sees it: {run.folder / 'check'}"
        return f"{where}.{seconds} {batch}\nTrain it: vvlm train --resume {run.name}"
    return f"{where} at step {progress.step} of {progress.steps}." if progress.steps else f"{where}."


def _duration(seconds: float) -> str:
    from vvlm_desktop.workflow.gpu import duration_in_words

    return duration_in_words(seconds)


def adopt(session: Session) -> None:
    """An adapter that cannot be taken to the models is not lost: it lies in the run's folder."""
    from vvlm_desktop.workflow.runs import adopt_finished

    try:
        adopt_finished(session)
    except VvlmError as error:
        warn(f"The adapter stays in the run's folder: {error} {error.hint}".rstrip())


def run_json(run: Run, progress: RunProgress | None = None) -> dict[str, Any]:
    """A run for programs."""
    from dataclasses import asdict

    told = asdict(progress) if progress is not None else {}
    return {
        "name": run.name,
        "folder": str(run.folder),
        "created_at": run.created_at,
        **told,
        "config": run.config.model_dump(),
    }


def evaluate(
    run_: RunArgument,
    split: Annotated[str, typer.Option("--split", metavar="S", help="test, val or train.")] = "test",
    adapters: Annotated[
        list[str] | None,
        typer.Option("--adapter", metavar="A", help="Also this one: its name, folder, or NAME=FOLDER; repeatable."),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Start it and come back at once.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the base, the run's adapter and the one in use answer the same clips, and compare them field by field."""
    from vvlm_desktop.cli.training_follow import follow_evaluation
    from vvlm_desktop.workflow.runs import (
        find_run,
        live_evaluation,
        named_adapters,
        start_evaluation,
        stop_evaluation,
    )

    with opened(library, must_exist=True) as session:
        run = find_run(session, run_)
        others = named_adapters(session, run, adapters or [])
        say_moved(run)
        if detach:
            _say_evaluation(start_evaluation(session, run, split=split, adapters=others), as_json=as_json)
            return
        evaluation: Evaluation | None = None
        try:
            evaluation = start_evaluation(session, run, split=split, adapters=others)
            progress, asked = follow_evaluation(evaluation)
        except KeyboardInterrupt:  # in the moment before it is followed
            evaluation = evaluation or live_evaluation(run)
            if evaluation is None:
                raise
            stop_evaluation(evaluation)
            progress, asked = follow_evaluation(evaluation)[0], True
    report_measured(run, evaluation, progress, asked=asked, as_json=as_json)


def report_measured(
    run: Run, evaluation: Evaluation, progress: EvaluationProgress, *, asked: bool, as_json: bool
) -> None:
    """How an evaluation ended: its numbers, or why there are none, and the exit code."""
    from vvlm_desktop.cli.training_scores import evaluation_json, print_evaluation
    from vvlm_desktop.workflow.runs import evaluations

    if progress.state == "stopped":
        sentence = "The evaluation was stopped; nothing of it is kept."
        if as_json:
            print_json({"error": sentence, "hint": "", "kind": "stopped"})
        raise stopped(sentence) if asked else typer.Exit(EXIT_SOME_FAILED)
    if progress.state != "finished":
        raise JobError(progress.message, hint=progress.hint)
    ended = next((each for each in evaluations(run) if each.folder == evaluation.folder), None)
    if ended is None:
        raise JobError(f"The evaluation's numbers cannot be read: {evaluation.folder}", hint="Measure it again.")
    if as_json:
        print_json(evaluation_json(ended))
    else:
        print_evaluation(ended)


def _say_evaluation(evaluation: Evaluation, *, as_json: bool) -> None:
    if as_json:
        print_json({"run": evaluation.run.name, "split": evaluation.split, "folder": str(evaluation.folder)})
    else:
        name = evaluation.run.name
        print_line(f"{name} is being measured: {evaluation.folder}")
        print_line(
            f"Look at it: vvlm runs follow {name}. Stop it: vvlm runs stop {name}. Its numbers: vvlm runs show {name}"
        )

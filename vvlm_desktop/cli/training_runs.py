"""`vvlm runs list|show|follow|log|stop|command|remove|compare`: the fine-tunes of a library."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vvlm_desktop.cli.output import (
    EXIT_SOME_FAILED,
    JsonOption,
    LibraryOption,
    local_time,
    note,
    opened,
    print_json,
    print_line,
    print_table,
    warn,
)
from vvlm_desktop.cli.training import RunArgument, adopt, report_end, report_measured, run_json
from vvlm_desktop.cli.training_follow import evaluation_words, follow_evaluation, follow_run, run_words
from vvlm_desktop.cli.training_scores import evaluation_json, print_evaluation
from vvlm_desktop.cli.training_words import main_values, set_of
from vvlm_desktop.errors import UsageError

if TYPE_CHECKING:
    from vvlm_desktop.workflow.runs import Evaluation, Run, RunProgress

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Fine-tunes: how far they are, what they wrote, side by side. Without a command: the list.",
)


@app.callback()
def runs(context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Fine-tunes; without a command, the list of them."""
    if context.invoked_subcommand is None:
        list_(library=library, as_json=as_json)


@app.command("list")
def list_(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """All runs of the library, the newest first."""
    from vvlm_desktop.workflow.runs import evaluations, list_runs

    with opened(library, must_exist=library is not None) as session:
        adopt(session)
        found = [(run, _progress(run), evaluations(run)) for run in list_runs(session)]
    if as_json:
        print_json([_summary(run, progress, measured) for run, progress, measured in found])
        return
    if not found:
        print_line("No runs yet. `vvlm train SET` makes one.")
        return
    rows = [
        [
            run.name,
            local_time(run.created_at),
            set_of(run.config),
            run.config.model_id,
            run_words(progress),
            _measured_now(run, measured),
        ]
        for run, progress, measured in found
    ]
    print_table(("run", "made", "training set", "base", "state", "measured: mean of the fields"), rows)


@app.command()
def show(run_: RunArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """How a run is, what it found out before it began, and what was measured of its adapter."""
    from vvlm_desktop.workflow.run_moved import sentences
    from vvlm_desktop.workflow.runs import adopted_name, evaluations, find_run

    with opened(library, must_exist=True) as session:
        adopt(session)
        run = find_run(session, run_)
    progress, measured = _progress(run), evaluations(run)
    if as_json:
        evaluated = [evaluation_json(each) for each in measured]
        print_json({**run_json(run, progress), "adapter": adopted_name(run), "evaluations": evaluated})
        return
    print_line(f"Run {run.name}: {run_words(progress)}")
    for sentence in (progress.message, progress.hint, *progress.notes, *sentences(run.moved)):
        if sentence:
            print_line(sentence)
    config = run.config
    print_line(f"Base: {config.model_id or config.model_dir}, {config.precision}, {config.frames} frames")
    print_line(f"Learns by: {main_values(config)}")
    print_line(f"Training set: {set_of(config)}, in {config.train_set}")
    if adopted_name(run):
        print_line(f"Adapter: {adopted_name(run)}")
    print_line(f"Folder: {run.folder}")
    if progress.resumable:
        print_line(f"It goes on with: vvlm train --resume {run.name}")
    for sentence in _newest_measurement(run):
        print_line(sentence)
    for each in measured:
        print_line()
        print_evaluation(each)


@app.command()
def log(
    run_: RunArgument,
    lines: Annotated[int, typer.Option("--lines", metavar="N", min=1, max=100_000, help="Of its end.")] = 200,
    library: LibraryOption = None,
) -> None:
    """The end of what a run's process wrote."""
    from vvlm_desktop.workflow.runs import find_run, log_tail

    with opened(library, must_exist=True) as session:
        run = find_run(session, run_)
    print_line(log_tail(run, lines=lines) or "It wrote nothing.")


@app.command()
def follow(run_: RunArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Watch a run, or how it is measured, until that ends; Ctrl-C stops watching, not the run."""
    from vvlm_desktop.workflow.runs import find_run, newest_evaluation

    with opened(library, must_exist=True) as session:
        run = find_run(session, run_)
        newest = newest_evaluation(run)
        if newest is not None and not _progress(run).live:
            measured, _ = follow_evaluation(newest[0], asked=True)
            report_measured(run, newest[0], measured, asked=False, as_json=as_json)
            return
        progress, _ = follow_run(run, asked=True)
        report_end(session, run, progress, asked=False, as_json=as_json)


@app.command()
def stop(run_: RunArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Ask a run to make a checkpoint at the next step and to end; waits until it has."""
    from vvlm_desktop.workflow.runs import find_run, live_evaluation, stop_evaluation, stop_run

    with opened(library, must_exist=True) as session:
        run = find_run(session, run_)
    measuring = live_evaluation(run)
    if measuring is not None:
        stop_evaluation(measuring)
        note(f"Its evaluation is asked to stop: {measuring.folder}")
    if not _progress(run).live:
        if measuring is None:
            raise UsageError(f"{run.name} is not being trained.", hint=f"vvlm runs show {run.name} says how it is.")
        return
    stop_run(run)
    progress, _ = follow_run(run)
    if as_json:
        print_json(run_json(run, progress))
    else:
        print_line(f"{run.name}: {run_words(progress)}")
    if progress.state in ("failed", "interrupted"):
        warn(f"{progress.message} {progress.hint}".rstrip())
        raise typer.Exit(EXIT_SOME_FAILED)


@app.command()
def command(
    run_: RunArgument,
    check: Annotated[bool, typer.Option("--check", help="The one that only checks.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """The exact command by which a run is trained, to be copied."""
    from vvlm_desktop.workflow.runs import command_of, find_run

    with opened(library, must_exist=True) as session:
        text = command_of(find_run(session, run_), check_only=check)
    if as_json:
        print_json({"command": text})
    else:
        print_line(text)


@app.command()
def remove(
    run_: RunArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a run with its checkpoints; an adapter that was taken to the models stays there."""
    from vvlm_desktop.workflow.runs import adopt_finished, find_run, holds_last_copy, remove_run

    with opened(library, must_exist=True) as session:
        run = find_run(session, run_)
        adopt_finished(session)  # an adapter that nobody has taken yet would be lost
        question = f"Delete {run.name} with its checkpoints, curves and evaluations?"
        if holds_last_copy(session, run):
            question += " Its adapter is not among the models any more: this is its last copy."
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError(question, hint="Say so with --yes.")
            if not typer.confirm(question):
                raise typer.Exit(EXIT_SOME_FAILED)
        remove_run(session, run)
    if as_json:
        print_json({"name": run.name, "removed": True})
    else:
        print_line(f"{run.name} is gone.")


@app.command()
def compare(
    first: RunArgument, second: RunArgument, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """Two runs side by side: the values in which they differ, how they ended, what was measured."""
    from vvlm_desktop.workflow.runs import evaluations, find_run, runs_apart

    with opened(library, must_exist=True) as session:
        pair = [find_run(session, first), find_run(session, second)]
    apart = runs_apart(pair)
    if as_json:
        both = [_summary(run, _progress(run), evaluations(run)) for run in pair]
        print_json({"runs": both, "apart": [{"title": title, "values": list(values)} for title, values in apart]})
        return
    rows = [[title, *values] for title, values in apart]
    rows += [["State", *(run_words(_progress(run)) for run in pair)]]
    rows += [["Measured, mean of the fields", *(_measured(evaluations(run)) for run in pair)]]
    print_table(("", *(run.name for run in pair)), rows)


def _progress(run: Run) -> RunProgress:
    from vvlm_desktop.workflow.runs import RunFollower

    return RunFollower(run.folder).poll()


def _newest_measurement(run: Run) -> list[str]:
    """How the evaluation that was begun last is, where there are no numbers of it."""
    from vvlm_desktop.workflow.runs import newest_evaluation

    newest = newest_evaluation(run)
    if newest is None or newest[1].state == "finished":
        return []
    evaluation, progress = newest
    words = f"Measured on the part {evaluation.split}: {evaluation_words(progress)}."
    if progress.live:
        return [f"{words} Look at it: vvlm runs follow {run.name}"]
    return [f"{words} {progress.message} {progress.hint}".rstrip()]


def _measured_now(run: Run, measured: list[Evaluation]) -> str:
    """What was measured, or that it is being measured or that the last attempt failed."""
    from vvlm_desktop.workflow.runs import newest_evaluation

    newest = newest_evaluation(run)
    if newest is None or newest[1].state == "finished":
        return _measured(measured)
    now = f"{newest[0].split}: {evaluation_words(newest[1])}"
    return f"{_measured(measured)}; {now}" if measured else now


def _summary(run: Run, progress: RunProgress, measured: list[Evaluation]) -> dict[str, Any]:
    curves = {"loss", "validation", "learning_rate", "fields", "preflight", "answers", "metrics", "first_step"}
    short = {key: value for key, value in run_json(run, progress).items() if key not in curves}
    loss = progress.loss[-1][1] if progress.loss else None
    folders = [{"split": each.split, "folder": str(each.folder)} for each in measured]
    return {**short, "loss": loss, "evaluations": folders}


def _measured(measured: list[Evaluation]) -> str:
    """The newest evaluation in a few words: mean of the fields' scores of each answerer."""
    from vvlm_desktop.workflow.run_events import number, table

    if not measured:
        return "–"
    means = []
    for name, scores in table(measured[0].metrics.get("scores")).items():
        found = [number(table(field).get("score")) for field in table(table(scores).get("fields")).values()]
        known = [score for score in found if score is not None]
        if known:
            means.append(f"{name} {sum(known) / len(known):.0%}")
    return f"{measured[0].split}: {', '.join(means)}"

"""`vvlm analyse`."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vvlm_desktop.cli.asking import range_ms_of
from vvlm_desktop.cli.choosing import (
    AdapterOption,
    AllowUploadOption,
    AroundOption,
    Asked,
    BackendOption,
    BatchOption,
    Chosen,
    FpsOption,
    FramesOption,
    ModelOption,
    PerMinuteOption,
    PrecisionOption,
    RangeOption,
    RoundsOption,
    UrlOption,
    VotesOption,
    WidthOption,
    choose,
    flag_lines,
    warn_of_processor,
)
from vvlm_desktop.cli.finding import Found, find_wanted, row_of
from vvlm_desktop.cli.leaving import allowed, tidy_up
from vvlm_desktop.cli.output import (
    EXIT_SOME_FAILED,
    JsonOption,
    LibraryOption,
    Steps,
    counted,
    is_terminal,
    note,
    opened,
    print_json,
    print_line,
    progress_bar,
    stopped,
    warn,
)
from vvlm_desktop.cli.spent import spent_in_words, spent_on
from vvlm_desktop.errors import BackendError, VvlmError

if TYPE_CHECKING:
    from vvlm_desktop.workflow.analyse import BatchEvent
    from vvlm_desktop.workflow.session import Session


def analyse(
    clips: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLIP…]", help="Default: all clips that this backend and model have not answered yet."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="All clips, also those that have an answer; for other settings.")
    ] = False,
    backend: BackendOption = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    frames: FramesOption = None,
    rounds: RoundsOption = None,
    precision: PrecisionOption = None,
    batch: BatchOption = None,
    fps: FpsOption = None,
    around: AroundOption = None,
    part: RangeOption = None,
    width: WidthOption = None,
    votes: VotesOption = None,
    url: UrlOption = None,
    per_minute: PerMinuteOption = None,
    as_teacher: Annotated[
        bool, typer.Option("--as-teacher", help="Draft reviews for people to check; drafts are never truth.")
    ] = False,
    allow_upload: AllowUploadOption = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Analyse clips with what Settings chose (`vvlm models use NAME`), or with --backend signals: the measurements.

    It runs in a child process. Killed in the middle, the same command goes on where it was.
    """
    typed = (backend, model, adapter, frames, rounds, precision, batch, fps, around, width, votes, url, per_minute)
    asked = Asked(*typed, range=range_ms_of(part))
    with opened(library) as session:
        chosen = choose(session, asked)
        if as_teacher:
            chosen = _as_teacher(chosen)
        found = find_wanted(session, clips, chosen, as_teacher=as_teacher, again=again)
        run = _Run(session, chosen, as_json=as_json, rows=list(found.failed), goes_on=not clips and not again)
        run.chosen = allowed(session, chosen, found.clips, allow_upload=allow_upload)
        run.go(found)
    _report(run, found, as_json=as_json)


def _as_teacher(chosen: Chosen) -> Chosen:
    from vvlm_desktop.workflow.drafts import teacher_options

    return replace(chosen, options=teacher_options(chosen.backend, chosen.options))


@dataclass(slots=True)
class _Run:
    """One run over clips: a row for each that is settled, told at once where nobody sees a bar.

    Attributes:
        goes_on: whether the same command, given again, takes only what is left.
        halted: why the rest was not begun; it waits in the library.
        elsewhere: clips that another running program is analysing.
        pace: clips a minute.
    """

    session: Session
    chosen: Chosen
    as_json: bool
    rows: list[dict[str, Any]]
    goes_on: bool
    elsewhere: int = 0
    pace: float | None = None
    told: set[str] = field(default_factory=set)
    around: dict[str, str] = field(default_factory=dict)
    halted: VvlmError | None = None

    def go(self, found: Found) -> None:
        """Analyse what is to be analysed here."""
        from vvlm_desktop.workflow.analyse import analyse as run
        from vvlm_desktop.workflow.sharing import begin_batch

        chosen, wanted = self.chosen, found.clips
        batch_id, todo, taken = begin_batch(self.session, wanted, backend=chosen.backend, options=chosen.options)
        self.elsewhere = len(taken)
        done_before = len(wanted) - len(todo) - len(taken)
        if done_before:
            note(f"Going on with an interrupted batch: {done_before} of {len(wanted)} were done before.")
        warn_of_processor(self.session, chosen, clips=len(todo))
        self.around = _events_of(self.session, chosen, [clip.id for clip in todo])
        if not todo:
            return
        try:
            with progress_bar("analysing") as bar:
                run(
                    self.session,
                    todo,
                    backend=chosen.backend,
                    options=chosen.options,
                    on_event=lambda event: self._on_event(event, bar),
                    batch_id=batch_id,
                    secrets=chosen.secrets,
                )
        except KeyboardInterrupt:
            raise stopped(self._stopped(len(todo))) from None
        tidy_up(self.session, chosen.backend, chosen.secrets)  # where a worker was killed

    def _on_event(self, event: BatchEvent, bar: Steps) -> None:
        self.pace = event.clips_per_minute or self.pace
        bar.show(event.fraction, progress_words(event))
        if event.kind == "stopped":
            self.halted = BackendError(event.message, hint=event.hint)
        if event.kind not in ("analysed", "failed") or event.clip is None:
            return
        problem = f"{event.message} {event.hint}".strip() if event.kind == "failed" else None
        row = row_of(event.clip, event.kind, problem, event.flags)
        if event.kind == "analysed":
            row |= spent_on(self.session, event.clip, self.chosen)
            if event.clip.id in self.around:
                row["around"] = self.around[event.clip.id]
        self.rows.append(row)
        if not is_terminal():
            say = note if self.as_json else print_line
            say(f"{event.done + event.failed} of {event.total}  {Path(event.clip.path).name}: {event.kind}")
            for line in self.lines_of(row):
                say(line)

    def lines_of(self, row: dict[str, Any]) -> list[str]:
        """What there is to say of one clip."""
        name = Path(row["path"]).name
        if row["problem"]:
            return [f"{name}: {row['problem']}"]
        lines = [f"{name}: looked {row['around']}."] if "around" in row else []
        lines += flag_lines(name, row["flags"], told=self.told)
        return [*lines, f"{name}: {spent_in_words([row])}"] if "tokens_in" in row else lines

    def _stopped(self, total: int) -> str:
        done = sum(row["outcome"] == "analysed" for row in self.rows)
        stored = f"Stopped. {done} of {counted(total, 'clip')} {'is' if done == 1 else 'are'} analysed and stored"
        if done == total:
            return f"{stored}."
        if self.goes_on:
            return f"{stored}; the same command goes on with the rest."
        return f"{stored}. To go on, name those that are left; the same command would begin anew."


def _events_of(session: Session, chosen: Chosen, clip_ids: list[str]) -> dict[str, str]:
    """Where each clip will be looked at, and who says so; read before the answers, which may say otherwise."""
    from vvlm_desktop.workflow.around import AROUND, event_of

    found = {}
    for clip_id in clip_ids if chosen.options.get(AROUND) else ():
        with contextlib.suppress(BackendError):  # told as that clip's failure
            found[clip_id] = event_of(session, session.library.clip(clip_id)).sentence
    return found


def progress_words(event: BatchEvent) -> str:
    """What the bar says beside itself."""
    name = Path(event.clip.path).name if event.clip else ""
    words = [f"{event.done + event.failed} of {event.total}", f"{name} {event.message}".strip()]
    if event.clips_per_minute is not None and event.total > 1:
        words.append(f"{event.clips_per_minute:.1f} clips/min")
    return " · ".join(word for word in words if word)


def _report(run: _Run, found: Found, *, as_json: bool) -> None:
    rows = run.rows
    if run.halted is not None and not rows:
        raise run.halted
    failed = [row for row in rows if row["outcome"] == "failed"]
    if as_json:
        print_json(rows)
    else:
        for row in rows if is_terminal() else found.failed:
            for line in run.lines_of(row):
                print_line(line)
    say = note if as_json else print_line
    if rows or not run.elsewhere:
        say(found.why_none or _summary(run, len(rows) - len(failed), len(failed)))
    if run.elsewhere:
        one = run.elsewhere == 1
        say(f"{counted(run.elsewhere, 'clip')} {'is' if one else 'are'} being analysed by another run.")
    if any("tokens_in" in row for row in rows) and not as_json:
        print_line(f"In all {spent_in_words(rows)}.")
    if run.halted is not None:
        warn(f"{run.halted} {run.halted.hint}")
    if failed or run.halted is not None:
        raise typer.Exit(EXIT_SOME_FAILED)


def _summary(run: _Run, done: int, failed: int) -> str:
    speed = f" ({run.pace:.1f} clips/min)" if run.pace is not None and done > 1 else ""
    told = f"{done} analysed by {run.chosen.title}{speed}"
    return f"{told}, {failed} failed." if failed else f"{told}."

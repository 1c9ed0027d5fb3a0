"""`vvlm analyse`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    RoundsOption,
    UrlOption,
    VotesOption,
    WidthOption,
    choose,
    flag_lines,
    warn_of_processor,
)
from vvlm_desktop.cli.leaving import allowed, tidy_up
from vvlm_desktop.cli.output import (
    EXIT_SOME_FAILED,
    JsonOption,
    LibraryOption,
    opened,
    print_json,
    print_line,
    progress_bar,
    warn,
)
from vvlm_desktop.cli.spent import spent_in_words, spent_on

if TYPE_CHECKING:
    from vvlm_desktop.domain.clip import Clip
    from vvlm_desktop.workflow.analyse import BatchEvent
    from vvlm_desktop.workflow.session import Session


def analyse(
    clips: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLIP…]", help="Default: all clips without an analysis by this backend and model."),
    ] = None,
    backend: BackendOption = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    frames: FramesOption = None,
    rounds: RoundsOption = None,
    precision: PrecisionOption = None,
    batch: BatchOption = None,
    fps: FpsOption = None,
    around: AroundOption = None,
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
    """Analyse clips in a child process. Killed in the middle, the same command goes on where it was."""
    asked = Asked(backend, model, adapter, frames, rounds, precision, batch, fps, around, width, votes, url, per_minute)
    rows: list[dict[str, Any]] = []
    with opened(library) as session:
        chosen = choose(session, asked)
        if as_teacher:
            chosen = _as_teacher(chosen)
        wanted, failed = _wanted(session, clips, chosen, as_teacher=as_teacher)
        rows += failed
        chosen = allowed(session, chosen, wanted, allow_upload=allow_upload)
        pace = _run(session, wanted, chosen, rows)
    _report(rows, pace=pace, as_json=as_json)


def _as_teacher(chosen: Chosen) -> Chosen:
    from vvlm_desktop.workflow.drafts import teacher_options

    return replace(chosen, options=teacher_options(chosen.backend, chosen.options))


def _run(session: Session, wanted: list[Clip], chosen: Chosen, rows: list[dict[str, Any]]) -> float | None:
    """Analyse; a row for each clip that is settled. Returns clips a minute."""
    from vvlm_desktop.workflow.analyse import analyse as run
    from vvlm_desktop.workflow.interrupted import continue_or_begin

    pace: float | None = None
    batch_id, todo = continue_or_begin(session, wanted, backend=chosen.backend, options=chosen.options)
    if batch_id is not None and len(todo) < len(wanted):
        warn(f"Going on with an interrupted batch: {len(wanted) - len(todo)} of {len(wanted)} were done before.")
    warn_of_processor(session, chosen, clips=len(todo))

    def on_event(event: BatchEvent) -> None:
        nonlocal pace
        pace = event.clips_per_minute or pace
        bar.show(event.fraction, progress_words(event))
        if event.kind in ("analysed", "failed") and event.clip:
            problem = f"{event.message} {event.hint}".strip() if event.kind == "failed" else None
            row = _row(event.clip, event.kind, problem, event.flags)
            rows.append({**row, **spent_on(session, event.clip, chosen)} if event.kind == "analysed" else row)

    with progress_bar("analysing") as bar:
        run(
            session,
            todo,
            backend=chosen.backend,
            options=chosen.options,
            on_event=on_event,
            batch_id=batch_id,
            secrets=chosen.secrets,
        )
    tidy_up(session, chosen.backend, chosen.secrets)  # where a worker was killed
    return pace


def progress_words(event: BatchEvent) -> str:
    """What the bar says beside itself."""
    name = Path(event.clip.path).name if event.clip else ""
    words = [f"{event.done + event.failed} of {event.total}", f"{name} {event.message}".strip()]
    if event.clips_per_minute is not None and event.total > 1:
        words.append(f"{event.clips_per_minute:.1f} clips/min")
    return " · ".join(word for word in words if word)


def _wanted(
    session: Session, clips: list[str] | None, chosen: Chosen, *, as_teacher: bool
) -> tuple[list[Clip], list[dict[str, Any]]]:
    from vvlm_desktop.workflow.drafts import awaiting_a_draft

    if not clips:
        left = session.library.clips_without(chosen.backend, model=chosen.model, adapter=chosen.adapter)
        return awaiting_a_draft(left) if as_teacher else left, []
    found = list({c.id: c for c in (session.library.find_clip(text) for text in clips)}.values())
    failed = [_row(c, "failed", c.problem or "no picture can be decoded") for c in found if not c.readable]
    return [c for c in found if c.readable], failed


def _row(clip: Clip, outcome: str, problem: str | None, flags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"clip": clip.id, "path": clip.path, "outcome": outcome, "problem": problem, "flags": list(flags)}


def _report(rows: list[dict[str, Any]], *, pace: float | None, as_json: bool) -> None:
    failed = [row for row in rows if row["outcome"] == "failed"]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            name = Path(row["path"]).name
            for line in [f"{name}: {row['problem']}"] if row["problem"] else flag_lines(name, row["flags"]):
                print_line(line)
            if "tokens_in" in row:
                print_line(f"{name}: {spent_in_words([row])}")
        print_line(_summary(len(rows) - len(failed), len(failed), pace))
        if any("tokens_in" in row for row in rows):
            print_line(f"In all {spent_in_words(rows)}.")
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _summary(done: int, failed: int, pace: float | None) -> str:
    if not done + failed:
        return "Nothing to analyse."
    speed = f" ({pace:.1f} clips/min)" if pace is not None and done > 1 else ""
    return f"{done} analysed{speed}, {failed} failed." if failed else f"{done} analysed{speed}."

"""`vvlm analyse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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

if TYPE_CHECKING:
    from vvlm_desktop.domain.clip import Clip
    from vvlm_desktop.workflow.session import Session


def analyse(
    clips: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLIP…]", help="Default: all clips without an analysis by this backend."),
    ] = None,
    backend: Annotated[str, typer.Option("--backend", metavar="NAME", help="What analyses.")] = "signals",
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Analyse clips in a child process. Killed in the middle, the same command goes on where it was."""
    from vvlm_desktop.backends.catalogue import backend_info
    from vvlm_desktop.workflow.analyse import BatchEvent
    from vvlm_desktop.workflow.analyse import analyse as run
    from vvlm_desktop.workflow.interrupted import continue_or_begin

    backend_info(backend)
    rows: list[dict[str, Any]] = []
    with opened(library) as session, progress_bar("analysing") as bar:
        wanted, failed = _wanted(session, clips, backend)
        rows += failed
        batch_id, todo = continue_or_begin(session, wanted, backend=backend, options={})
        if batch_id is not None and len(todo) < len(wanted):
            warn(f"Going on with an interrupted batch: {len(wanted) - len(todo)} of {len(wanted)} were done before.")

        def on_event(event: BatchEvent) -> None:
            name = Path(event.clip.path).name if event.clip else ""
            bar.show(event.fraction, f"{event.done + event.failed} of {event.total} · {name} {event.message}")
            if event.kind in ("analysed", "failed") and event.clip:
                problem = f"{event.message} {event.hint}".strip() if event.kind == "failed" else None
                rows.append(_row(event.clip, event.kind, problem))

        run(session, todo, backend=backend, on_event=on_event, batch_id=batch_id)
    _report(rows, as_json=as_json)


def _wanted(session: Session, clips: list[str] | None, backend: str) -> tuple[list[Clip], list[dict[str, Any]]]:
    if not clips:
        return session.library.clips_without(backend), []
    found = list({c.id: c for c in (session.library.find_clip(text) for text in clips)}.values())
    failed = [_row(c, "failed", c.problem or "no picture can be decoded") for c in found if not c.readable]
    return [c for c in found if c.readable], failed


def _row(clip: Clip, outcome: str, problem: str | None) -> dict[str, Any]:
    return {"clip": clip.id, "path": clip.path, "outcome": outcome, "problem": problem}


def _report(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    failed = [row for row in rows if row["outcome"] == "failed"]
    if as_json:
        print_json(rows)
    else:
        for row in failed:
            print_line(f"{Path(row['path']).name}: {row['problem']}")
        done = len(rows) - len(failed)
        print_line(
            f"{done} analysed" + (f", {len(failed)} failed." if failed else ".") if rows else "Nothing to analyse."
        )
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)

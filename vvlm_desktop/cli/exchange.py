"""`vvlm export`, `import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


def export(
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="ours, llamafactory, ms-swift, internvl, qwen-vl, videofolder, …")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New or empty folder.")],
    unreviewed: Annotated[
        bool, typer.Option("--unreviewed", help="Also clips that nobody has reviewed; each record says so.")
    ] = False,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the clips instead of linking them.")] = False,
    samples: Annotated[bool, typer.Option("--samples", help="Let sample clips into training formats.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Add the event log; it holds the reviewers' names.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export reviewed clips as a training set or for another program."""
    from vvlm_desktop.workflow.exporting import export as run

    with opened(library) as session, progress_bar("exporting") as bar:
        report = run(
            session,
            format_name,
            out,
            unreviewed=unreviewed,
            copy=copy,
            include_samples=samples,
            with_log=log,
            progress=lambda done, total, name: bar.show(done / max(1, total), f"{done} of {total} · {name}"),
        )
    if as_json:
        print_json(report.to_json())
    else:
        splits = ", ".join(f"{count} {name}" for name, count in report.splits.items())
        print_line(f"{report.records} records ({splits}) written to {report.out}")
        for note in report.notes:
            print_line(note)
        by_reason: dict[str, list[str]] = {}
        for row in report.left_out:
            by_reason.setdefault(row.reason, []).append(row.name)
        for reason, names in by_reason.items():
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            print_line(f"left out, {reason}: {', '.join(names[:3])}{more}")
    for row in report.failed:
        warn(f"{row.name}: {row.reason}")
    if report.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="An export of ours, prompt/text or metadata rows, or a CSV (Nexar, url)."),
    ],
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import reviews that were exported before, or labels of another program. Importing twice changes nothing."""
    from vvlm_desktop.workflow.importing import import_file

    with opened(library) as session:
        report = import_file(session, file)
    if as_json:
        print_json(report.to_json())
    else:
        print_line(f"{report.imported} reviews imported, {report.known} known already.")
        for note in report.notes:
            print_line(note)
    for problem in report.problems:
        warn(problem)
    if report.problems:
        raise typer.Exit(EXIT_SOME_FAILED)

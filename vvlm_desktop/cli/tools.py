"""`vvlm verify`, `rebuild`, `schema`, `doctor`, `demo`, `app`."""

from __future__ import annotations

import os
from enum import StrEnum
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
    print_table,
    progress_bar,
    warn,
)
from vvlm_desktop.errors import UsageError


class SchemaForm(StrEnum):
    """In what form the label schema is printed."""

    JSON_SCHEMA = "json-schema"
    GEMINI = "gemini"
    PROMPT = "prompt"
    FORM = "form"


def verify(
    heads: Annotated[
        Path | None,
        typer.Option("--heads", metavar="FILE", help="manifest.json of an earlier export to check against."),
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that no event was changed, removed or added behind the program's back."""
    from dataclasses import asdict

    from vvlm_desktop.workflow.audit import verify as run

    with opened(library) as session:
        report = run(session, heads_file=heads)
    if as_json:
        print_json(asdict(report))
    else:
        for problem in report.problems:
            print_line(problem)
        state = "unbroken" if report.ok else "BROKEN"
        print_line(f"{report.events} events in {report.origins} chains: {state}.")
        if not report.signed:
            print_line("The chains are not signed: no system keychain was found and VVLM_SIGNING_KEY is not set.")
    if not report.ok:
        raise typer.Exit(EXIT_SOME_FAILED)


def rebuild(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Make all reviews anew from the event log."""
    with opened(library) as session:
        count = session.library.rebuild()
    if as_json:
        print_json({"reviews": count})
    else:
        print_line(f"{count} reviews made anew from the log.")


def schema(
    form: Annotated[SchemaForm, typer.Option("--as", help="What to print.")] = SchemaForm.FORM,
    file: Annotated[Path | None, typer.Option("--file", metavar="F.toml", help="Another schema file.")] = None,
    use: Annotated[
        str | None,
        typer.Option(
            "--use",
            metavar="F.toml",
            help="Use this one from now on; “default” is the one that comes with the program.",
        ),
    ] = None,
    library: LibraryOption = None,
) -> None:
    """Print the label schema as JSON schema, for Gemini, as prompt or as form; also checks a file, or chooses one."""
    if use is not None:
        if file is not None:
            raise UsageError("Say either --file or --use.", hint="--file prints another one, --use chooses it.")
        from vvlm_desktop.workflow.schema_choice import choose_schema

        for sentence in choose_schema(use, library_dir=library.expanduser() if library else None).sentences:
            print_line(sentence)
        return
    from vvlm_desktop.domain.form import form_document
    from vvlm_desktop.domain.prompt import build_prompt
    from vvlm_desktop.domain.schema_json import gemini_schema, json_schema
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.session import load_schema

    chosen = load_settings().schema_file
    loaded = load_schema(file or (Path(chosen).expanduser() if chosen else None))
    if form is SchemaForm.PROMPT:
        print_line(build_prompt(loaded))
    elif form is SchemaForm.JSON_SCHEMA:
        print_json(json_schema(loaded))
    elif form is SchemaForm.GEMINI:
        print_json(gemini_schema(loaded))
    else:
        print_json(form_document(loaded))


def doctor(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Versions, GPU, folders; what is missing, and the command that mends it."""
    from dataclasses import asdict

    from vvlm_desktop.workflow.doctor import examine

    checks = examine(library)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        print_table(["", "what", "found", "to mend it"], [[c.mark, c.name, c.found, c.mend] for c in checks])
    if any(check.state == "broken" for check in checks):
        raise typer.Exit(EXIT_SOME_FAILED)


def demo(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where everything goes; new, empty or an earlier demo's."),
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """The main job without a window: samples, analysis, one correction, export, pictures of the window.

    It has a library of its own in DIR, unless --library names another.
    """
    from vvlm_desktop import paths
    from vvlm_desktop.workflow.demo import clear_folder, run_demo

    folder = (out or paths.data_dir() / "demo").expanduser().absolute()
    clear_folder(folder)
    with opened(library or folder / "library") as session, progress_bar("demo") as bar:
        report = run_demo(session, folder, progress=bar.show)
        bar.show(0.95, "pictures of the window")
        pictures = _render(session.library.folder, folder / "pictures")
    if as_json:
        print_json({**report.to_json(), "pictures": [str(p) for p in pictures]})
    else:
        print_table(
            report.columns, report.rows, title="The sample clips: what was scripted or reviewed, what was measured"
        )
        print_line("(– means not judged: what cannot be measured honestly stays unanswered.)\n")
        print_table(["", *report.columns[1:3]], [report.before, report.after], title="One correction")
        for line in (*report.notes, f"Pictures of the window: {folder / 'pictures'} ({len(pictures)} files)"):
            print_line(line)
        print_line("\nNext: vvlm add FOLDER for your own clips, or vvlm app where there is a display.")
    for problem in report.failed:
        warn(problem)
    if report.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def open_app(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH…]", help="Files and folders to add.")] = None,
    library: LibraryOption = None,
) -> None:
    """Open the window."""
    from vvlm_desktop.app import run

    raise typer.Exit(run(library_dir=library, add=paths or []))


def _render(library: Path, folder: Path) -> list[Path]:
    """Pictures of the window, made without a display."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from vvlm_desktop.app import render_pictures

    return render_pictures(library, folder)

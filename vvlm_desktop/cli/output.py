"""What the command line prints: tables for people, JSON for programs, errors with the way out, exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from vvlm_desktop.errors import SettingsError, UsageError, VvlmError

if TYPE_CHECKING:
    from vvlm_desktop.workflow.session import Session

EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_STOPPED = 130

LibraryOption = Annotated[
    Path | None,
    typer.Option("--library", metavar="DIR", envvar="VVLM_LIBRARY", help="Library folder; made if it does not exist."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ClipArgument = Annotated[
    str, typer.Argument(metavar="CLIP", help="Id, path, or a part of the name that fits one clip.")
]
ReviewerOption = Annotated[
    str | None, typer.Option("--reviewer", metavar="NAME", help="Who reviews; default: Settings.")
]

# File names may hold bytes that no terminal encoding has; a question mark is better than a crash.
for _stream in (sys.stdout, sys.stderr):
    with contextlib.suppress(AttributeError, ValueError):
        _stream.reconfigure(errors="replace")  # type: ignore[union-attr]

_errors = Console(stderr=True, highlight=False)


def print_json(data: Any) -> None:
    """`data` as JSON on stdout, non-ASCII kept."""
    text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
    # A file name that is not valid text holds lone surrogates, which UTF-8 cannot.
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")


def print_line(text: str = "") -> None:
    """One line on stdout, as it is."""
    Console(highlight=False, soft_wrap=True).print(Text(text))


def warn(text: str) -> None:
    """One line on stderr."""
    _errors.print(Text(f"warning: {text}", style="yellow"), soft_wrap=True)


def note(text: str) -> None:
    """One line on stderr that is no warning."""
    _errors.print(Text(text), soft_wrap=True)


def is_terminal() -> bool:
    """Whether a bar is seen; a log gets a line for each thing done instead."""
    return sys.stderr.isatty()


def stopped(sentence: str) -> typer.Exit:
    """How a command ends that was stopped by Ctrl-C; raise it."""
    warn(sentence)
    return typer.Exit(EXIT_STOPPED)


def error_json(error: VvlmError) -> dict[str, str]:
    """An error for programs."""
    kind = type(error).__name__.removesuffix("Error")
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind)
    return {"error": str(error), "hint": error.hint or "", "kind": words.lstrip("_") or "error"}


def complain(error: VvlmError) -> None:
    """An error and its hint on stderr."""
    _errors.print(Text(f"error: {error}", style="bold red"), soft_wrap=True)
    if error.hint:
        _errors.print(Text(f"       {error.hint}"), soft_wrap=True)


def local_time(utc: str) -> str:
    """A stored time on this computer's clock, to the minute; as it is where it is none."""
    try:
        return f"{datetime.fromisoformat(utc).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return utc


def counted(number: int, word: str) -> str:
    """`1 clip`, `2,000 clips`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None) -> None:
    """A table on stdout; cells are text as it is, long ones are wrapped."""
    table = Table(title=title, title_justify="left", header_style="bold", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # A log has no width; a table that is folded to 80 columns cannot be read in one.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
    Console(highlight=False, width=width).print(table)


@dataclass(slots=True)
class Steps:
    """A progress bar on stderr, silent where stderr is no terminal."""

    bar: Progress
    task: Any

    def show(self, fraction: float, text: str) -> None:
        """`fraction` 0..1, `text` what is being done."""
        self.bar.update(self.task, completed=fraction, description=Text(text).plain.replace("[", "(").replace("]", ")"))


@contextlib.contextmanager
def progress_bar(text: str) -> Iterator[Steps]:
    """A progress bar for as long as the block runs."""
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=_errors, transient=True, disable=not sys.stderr.isatty()) as bar:
        yield Steps(bar, bar.add_task(text, total=1.0))


@contextlib.contextmanager
def opened(library: Path | None, *, reviewer: str | None = None, must_exist: bool = False) -> Iterator[Session]:
    """The session that a command works on.

    Args:
        library: the one that was typed; None for the settings' one.
        reviewer: who acts; None for the settings' one.
        must_exist: for commands about what a library has: none is made for them.

    Raises:
        UsageError: there is no library where one must be.
        VvlmError: the library, the schema or the settings cannot be used.
    """
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.session import open_session

    folder = library.expanduser() if library else None
    place = folder or load_settings().library_folder()
    is_new = not place.exists()
    if is_new and must_exist:
        raise UsageError(f"There is no library in {place}.", hint="Name another one: --library FOLDER")
    with open_session(library_dir=folder, reviewer=reviewer) as session:
        if is_new:
            note(f"A new library was made in {place}.")
        yield session


def exit_code(error: VvlmError) -> int:
    """2 for what was asked wrongly, 1 for what went wrong."""
    return EXIT_USAGE if isinstance(error, UsageError | SettingsError) else EXIT_SOME_FAILED

"""`vvlm add`, `clips`, `frame`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vvlm_desktop.cli.output import (
    EXIT_SOME_FAILED,
    ClipArgument,
    JsonOption,
    LibraryOption,
    opened,
    print_json,
    print_line,
    print_table,
    progress_bar,
)
from vvlm_desktop.errors import ClipNotFoundError, UsageError

if TYPE_CHECKING:
    from vvlm_desktop.video.index import FrameIndex
    from vvlm_desktop.workflow.session import Session


def add(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Video files and folders.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add clips to the library. Files are never changed; adding twice changes nothing."""
    from vvlm_desktop.workflow.add import add_paths

    with opened(library) as session, progress_bar("adding") as bar:
        report = add_paths(
            session,
            paths,
            progress=lambda p: bar.show(p.share, f"{p.done} of {p.total} · {p.path.name}"),
        )
    if as_json:
        print_json(
            [
                {"path": str(i.path), "id": i.clip.id if i.clip else None, "outcome": i.outcome, "problem": i.problem}
                for i in report.items
            ]
        )
    else:
        for item in report.problems:
            print_line(f"{item.path.name}: {item.problem}")
        counts = (
            (report.count("added"), "added"),
            (report.count("known"), "known already"),
            (report.count("moved"), "moved"),
            (report.count("copy"), "identical to a clip that is there already"),
        )
        parts = [f"{count} {word}" for count, word in counts if count] or ["nothing added"]
        if report.problems:
            parts.append(f"{len(report.problems)} with a problem")
        print_line(", ".join(parts) + ".")
    if any(i.clip is None or not i.clip.readable for i in report.items):
        raise typer.Exit(EXIT_SOME_FAILED)
    if not report.items:
        raise UsageError("There is no video file in what was named.", hint="Name a file or a folder that holds videos.")


def clips(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """List the clips of the library, in the order in which they were added."""
    from vvlm_desktop.cli.shapes import clip_json, problem_file_json

    with opened(library) as session:
        found = [row.clip for row in session.library.clip_rows(session.library.clip_rowids())]
        closed = session.library.problem_files()
    if as_json:
        print_json([clip_json(c) for c in found] + [problem_file_json(p.path, p.problem) for p in closed])
        return
    rows = [
        [
            c.id[:8],
            Path(c.path).name,
            c.status.replace("_", " "),
            str(c.frames),
            f"{c.duration_s:.2f}",
            f"{c.fps:.2f}" if c.fps else "–",
            f"{c.width}×{c.height}" if c.width else "–",
            c.codec or "–",
            c.problem or "",
        ]
        for c in found
    ]
    rows += [["–", Path(p.path).name, "–", "0", "–", "–", "–", "–", p.problem] for p in closed]
    if not rows:
        print_line("The library is empty. Add clips with: vvlm add FOLDER")
        return
    print_table(["id", "name", "status", "frames", "seconds", "fps", "size", "codec", "problem"], rows)


def frame(
    clip: ClipArgument,
    out: Annotated[Path, typer.Option("--out", metavar="F.png", help="PNG file; with several frames -N is added.")],
    index: Annotated[str | None, typer.Option("--index", metavar="N[,N…]", help="Frame numbers, from 0.")] = None,
    time_s: Annotated[float | None, typer.Option("--time", metavar="S", help="Seconds from the first frame.")] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save exact frames at full size; prints frame number, PTS and seconds."""
    from vvlm_desktop.video.reader import FrameReader
    from vvlm_desktop.video.thumbnails import save_png

    if (index is None) == (time_s is None):
        raise UsageError(
            "Say which frame: either --index or --time.", hint="For example: --index 0,30,60 or --time 7.84."
        )
    with opened(library) as session:
        file, frame_index = _file_and_index(session, clip)
    numbers = (
        _frame_numbers(index, length=len(frame_index)) if index is not None else [frame_index.at_time(time_s or 0.0)]
    )
    rows: list[dict[str, Any]] = []
    with FrameReader(file, frame_index) as reader:
        for number in numbers:
            target = out if len(numbers) == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}")
            save_png(reader, number, target)
            rows.append(
                {
                    "index": number,
                    "pts": frame_index.pts[number],
                    "time_s": round(frame_index.seconds(number), 6),
                    "file": str(target),
                }
            )
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print_line(f"frame {row['index']}  PTS {row['pts']}  {row['time_s']:.6f} s  {row['file']}")


def _frame_numbers(text: str, *, length: int) -> list[int]:
    numbers = []
    for part in text.split(","):
        try:
            number = int(part)
        except ValueError:
            raise UsageError(
                f"“{part}” is not a frame number.", hint="Frame numbers are whole, from 0: 0,30,60."
            ) from None
        if not 0 <= number < length:
            raise UsageError(f"There is no frame {number}.", hint=f"The clip has frames 0 to {length - 1}.")
        numbers.append(number)
    return numbers


def _file_and_index(session: Session, text: str) -> tuple[Path, FrameIndex]:
    """File and frame index of a clip of the library, or of a file that is not in it."""
    from vvlm_desktop.video.probe import examine
    from vvlm_desktop.workflow.clip_files import existing_path
    from vvlm_desktop.workflow.frame_index import index_of

    try:
        found = session.library.find_clip(text)
    except ClipNotFoundError:
        file = Path(text).expanduser()
        if not file.is_file():
            raise
        return file, examine(file)
    return existing_path(session, found), index_of(session, found)

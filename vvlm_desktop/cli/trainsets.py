"""`vvlm trainset make|list|show|check`: what a model is fine-tuned on."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
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
    print_table,
    progress_bar,
    warn,
)
from vvlm_desktop.errors import UsageError

if TYPE_CHECKING:
    from vvlm_desktop.workflow.training_check import CheckReport
    from vvlm_desktop.workflow.training_sets import TrainingSet

app = typer.Typer(no_args_is_help=True, help="Training sets: immutable, versioned, split so that nothing leaks.")

SetArgument = Annotated[
    str,
    typer.Argument(metavar="SET", help="Name (the version made last), NAME-NUMBER, a piece of its id, or a folder."),
]


@app.command("make")
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits, - and _.")] = "fleet",
    clips: Annotated[
        list[str] | None, typer.Option("--clip", metavar="CLIP", help="Only this clip; may be given several times.")
    ] = None,
    frames: Annotated[
        int, typer.Option("--frames", metavar="N", min=1, max=512, help="Frames of each clip that a model is shown.")
    ] = 16,
    balance: Annotated[
        str | None, typer.Option("--balance", metavar="FIELD", help="Draw rare values of this field more often.")
    ] = None,
    samples: Annotated[bool, typer.Option("--samples", help="Let sample clips in.")] = False,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the clips instead of linking them.")] = False,
    near_duplicates: Annotated[
        bool, typer.Option("--near-duplicates/--no-near-duplicates", help="Keep clips that look the same together.")
    ] = True,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the next version of a training set from what has been reviewed."""
    from vvlm_desktop.workflow.promotion_outlook import test_part_note
    from vvlm_desktop.workflow.training_sets import SetOptions, make_training_set

    options = SetOptions(
        frames=frames, balance=balance, include_samples=samples, near_duplicates=near_duplicates, copy=copy
    )
    with opened(library) as session, progress_bar("making") as bar:
        chosen = [session.library.find_clip(text) for text in clips] if clips else None
        made = make_training_set(session, name, clips=chosen, options=options, progress=bar.show)
        small = test_part_note(session, made.training_set)
    if as_json:
        print_json({**made.training_set.to_json(), "is_new": made.is_new, "report": made.report.to_json()})
    else:
        _print_set(made.training_set)
        if not made.is_new:
            means = f"“{made.training_set.name}” now stands for it"
            print_line(f"The reviews give this version again; no new one was made. {means}.")
        for note in (*made.report.notes, small):
            if note:
                print_line(note)
        reasons: dict[str, int] = {}
        for row in made.report.left_out:
            reasons[row.reason] = reasons.get(row.reason, 0) + 1
        for reason, count in reasons.items():
            print_line(f"left out, {reason}: {count}")
    for row in made.report.failed:
        warn(f"{row.name}: {row.reason}")
    if made.report.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


@app.command("list")
def list_(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """List the training sets of the library."""
    from vvlm_desktop.workflow.training_sets import list_training_sets

    with opened(library) as session:
        found = list_training_sets(session)
    if as_json:
        print_json([each.to_json() for each in found])
        return
    rows = [
        [each.title, each.id, str(each.manifest.get("created_at", "")), *_split_cells(each), _stands_for_name(each)]
        for each in found
    ]
    print_table(["set", "id", "made", "clips", "train", "val", "test", ""], rows)


@app.command("show")
def show(set_: SetArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Show what is in a training set: parts, values, agreement of reviewers, withdrawn clips."""
    from vvlm_desktop.workflow.promotion_outlook import test_part_note
    from vvlm_desktop.workflow.training_sets import find_training_set, withdrawn_since
    from vvlm_desktop.workflow.training_withdrawn import told_withdrawn, withdrawn_before

    with opened(library) as session:
        found = find_training_set(session, set_)
        since = withdrawn_since(session, found)
        before = withdrawn_before(session, found)
        lately = told_withdrawn(session, since, include_samples=True)
        small = test_part_note(session, found)
        order = [field.key for field in session.schema.fields]
    if as_json:
        print_json({**found.to_json(), "withdrawn_since": since})
        return
    _print_set(found)
    if small:
        print_line(small)
    _print_counts(_sorted_by(order, found.about.get("class_counts", {})))
    agreement = found.about.get("agreement", {})
    if agreement.get("fields"):
        rows = [
            [key, str(row["clips"]), str(row["agreed"]), "–" if row["kappa"] is None else f"{row['kappa']:.2f}"]
            for key, row in _sorted_by(order, agreement["fields"]).items()
        ]
        print_table(["field", "clips", "agreed", "kappa"], rows, title="Several reviewers")
    for row in before:
        print_line(f"withdrawn: {row.name}, {row.reason}")
    for row in lately:
        print_line(f"withdrawn since it was made: {row.name}, {row.reason}")
    if lately:
        print_line(f"Make the next version before you train: vvlm trainset make {found.name}")


@app.command("check")
def check(
    set_: SetArgument,
    answer_tokens: Annotated[
        int, typer.Option("--answer-tokens", metavar="N", min=8, help="The longest answer that is trained on.")
    ] = 1024,
    tokenizer: Annotated[
        Path | None, typer.Option("--tokenizer", metavar="FOLDER", help="Model folder whose tokenizer counts.")
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decode every clip of a set, measure the answers, look for leaks. Exit code 1 if something must be mended."""
    from vvlm_desktop.workflow.promotion_outlook import test_part_note
    from vvlm_desktop.workflow.training_check import check_training_set
    from vvlm_desktop.workflow.training_sets import find_training_set

    folder, small = Path(set_).expanduser(), ""
    if not (folder / "manifest.json").is_file():
        with opened(library) as session:
            found = find_training_set(session, set_)
            folder, small = found.folder, test_part_note(session, found)
    count_tokens = _token_counter(tokenizer) if tokenizer else None
    with progress_bar("checking") as bar:
        report = check_training_set(folder, answer_tokens=answer_tokens, count_tokens=count_tokens, progress=bar.show)
    if as_json:
        print_json(report.to_json())
    else:
        _print_report(report)
        if small:
            print_line(small)
    if not report.ok:
        raise typer.Exit(EXIT_SOME_FAILED)


def _print_report(report: CheckReport) -> None:
    parts = ", ".join(f"{count} {name}" for name, count in report.splits.items())
    print_line(f"{report.decoded} of {report.clips} clips decode ({parts}); {report.frames} frames were decoded")
    unit = "tokens" if report.exact_tokens else "bytes, which bound its tokens"
    print_line(f"longest answer: {report.longest[1]} {unit} ({report.longest[0]})")
    _print_counts(report.class_counts)
    for finding in report.findings:
        (warn if finding.level == "warning" else _tell_error)(finding.sentence)
    if report.ok:
        print_line("Nothing must be mended.")


def _tell_error(sentence: str) -> None:
    warn(f"must be mended: {sentence}")


def _token_counter(folder: Path) -> Callable[[str], int]:
    """Counts tokens as the model in `folder` does.

    Raises:
        UsageError: it has no tokenizer, or what reads one is not installed.
    """
    file = folder.expanduser() / "tokenizer.json" if folder.is_dir() else folder
    if not file.is_file():
        raise UsageError(f"There is no tokenizer.json in {folder}.", hint="Name the folder of a model.")
    try:
        tokenizers = importlib.import_module("tokenizers")
    except ImportError as error:
        raise UsageError(
            "Counting tokens needs the package for local models.", hint="Install it, or leave --tokenizer out."
        ) from error
    try:
        counter: Any = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the library has no class of its own for a file that it cannot read
        raise UsageError(f"{file} cannot be read as a tokenizer: {error}") from error
    return lambda text: len(counter.encode(text, add_special_tokens=False).ids)


def _print_set(found: TrainingSet) -> None:
    clips, train, val, test = _split_cells(found)
    print_line(f"Training set {found.title} ({found.id}): {clips} clips; {train} train, {val} val, {test} test")
    print_line(f"in {found.folder}")


def _stands_for_name(found: TrainingSet) -> str:
    return f"is “{found.name}”" if found.is_current else ""


def _split_cells(found: TrainingSet) -> list[str]:
    splits = found.manifest.get("splits") or {}
    return [str(found.manifest.get("clips", "")), *(str(splits.get(name, 0)) for name in ("train", "val", "test"))]


def _sorted_by(order: Sequence[str], by_field: Mapping[str, Any]) -> dict[str, Any]:
    """By field, as the schema has them; a manifest has them by the alphabet."""
    place = {key: number for number, key in enumerate(order)}
    return {key: by_field[key] for key in sorted(by_field, key=lambda key: (place.get(key, len(place)), key))}


def _print_counts(counts: dict[str, dict[str, dict[str, int]]]) -> None:
    rows = []
    for key, by_split in counts.items():
        values = dict.fromkeys(value for tally in by_split.values() for value in tally)
        if values.keys() <= {"(unknown)"}:  # a field that nobody judged says nothing
            continue
        rows += [
            [key, value, *(str(by_split.get(split, {}).get(value, 0)) for split in ("train", "val", "test"))]
            for value in values
        ]
    if rows:
        print_table(["field", "value", "train", "val", "test"], rows)

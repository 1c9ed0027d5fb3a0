"""`vvlm show`: one clip with its answers under each other, its review, its questions; readable at 80 columns."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vvlm_desktop.cli.asking import seconds_in_words
from vvlm_desktop.cli.output import ClipArgument, JsonOption, LibraryOption, counted, opened, print_json, print_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vvlm_desktop.domain.analysis import Analysis
    from vvlm_desktop.domain.clip import Clip
    from vvlm_desktop.domain.review import Review
    from vvlm_desktop.workflow.session import Session

_MARKS = {"measurement": "measured", "teacher_draft": "draft", "demo_script": "script"}
#: What a log has, that has no width.
_WIDTH = 80


def show(
    clip: ClipArgument,
    every: Annotated[
        bool, typer.Option("--all", help="All answers; else the newest of each model, adapter and kind.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one clip: its answers, its review, its questions; with --json also what happened to it."""
    from vvlm_desktop.cli.shapes import show_json

    with opened(library) as session:
        found = session.library.find_clip(clip)
        analyses = session.library.analyses(found.id)
        questions = session.library.questions(found.id)
        reviews = session.library.reviews(found.id)
        review = session.library.truth(found.id, schema_key=session.schema.key) or next(
            iter(sorted(reviews, key=lambda r: r.updated_at, reverse=True)),
            session.library.review(found.id, reviewer=session.reviewer, schema_key=session.schema.key),
        )
        if as_json:
            events = session.library.history(found.id)
            print_json(
                show_json(found, analyses=analyses, questions=questions, review=review, reviews=reviews, events=events)
            )
            return
        _print_head(found)
        shown = analyses if every else _newest_of_each(analyses)
        for analysis in shown:
            _print_answer(session, found, analysis)
        if len(shown) < len(analyses):
            print_line(f"\n{counted(len(analyses) - len(shown), 'earlier answer')} not shown; --all shows them.")
        _print_review(session, review)
        for question in questions:
            _print_question(question)
        if not (analyses or questions or review.verdicts):
            print_line("\nNo answer yet: vvlm analyse")


def _newest_of_each(analyses: Sequence[Analysis]) -> list[Analysis]:
    """`analyses` the newest first, as the library gives them."""
    newest: dict[tuple[str, str, str | None, str], Analysis] = {}
    for each in analyses:
        newest.setdefault((each.backend, each.model, each.adapter or None, each.provenance), each)
    return list(newest.values())


def _print_head(clip: Clip) -> None:
    print_line(f"{Path(clip.path).name}  ({clip.id})")
    print_line(f"{clip.path}")
    print_line(
        f"{counted(clip.frames, 'frame')}, {clip.duration_s:.2f} s, {clip.width}×{clip.height} {clip.codec}, "
        f"{'with' if clip.has_audio else 'no'} sound, status {clip.status.replace('_', ' ')}"
    )
    if clip.problem:
        print_line(f"Problem: {clip.problem}")


def _print_answer(session: Session, clip: Clip, analysis: Analysis) -> None:
    from vvlm_desktop.domain.clip_times import lies_within
    from vvlm_desktop.domain.labels import format_value
    from vvlm_desktop.workflow.calibration import load_calibration, shown_confidence

    print_line(f"\n{_who(analysis)} · {_when(analysis)}{_how(analysis)}")
    calibration = load_calibration(session, analysis)
    rows = {}
    for field in session.schema.fields:
        if field.key not in analysis.labels:
            continue
        words = format_value(session.schema, field.key, analysis.labels[field.key])
        sure = shown_confidence(calibration, analysis, field.key)
        if sure is not None:
            words += f" ({f'{sure.percent} %' if sure.percent is not None else sure.word})"
        if not lies_within(analysis.labels[field.key], clip.duration_s):
            words += ": not within the clip"
        rows[field.label] = words
    _print_rows(rows)
    _print_wrapped(f"! {flag}" for flag in analysis.flags)
    _print_wrapped(f"{each.start_ms / 1000:.2f} s  {each.reason}" for each in analysis.candidates)


def _who(analysis: Analysis) -> str:
    name = analysis.model or analysis.backend
    on_top = f" + {analysis.adapter}" if analysis.adapter else ""
    mark = _MARKS.get(analysis.provenance)
    return f"{name}{on_top} ({mark})" if mark else f"{name}{on_top}"


def _when(analysis: Analysis) -> str:
    return f"{analysis.created_at[:16].replace('T', ' ')} UTC"


def _how(analysis: Analysis) -> str:
    """Precision and what was looked at, as far as the answer says."""
    if analysis.provenance == "measurement":
        return ""
    settings: Mapping[str, object] = analysis.settings
    rounds = settings.get("rounds")
    parts = [
        str(settings.get("precision") or ""),
        counted(len(analysis.frames_pts), "frame") if analysis.frames_pts else "",
        f"{rounds} looks" if isinstance(rounds, int) and rounds > 1 else "",
    ]
    return "".join(f" · {part}" for part in parts if part)


def _print_review(session: Session, review: Review) -> None:
    from vvlm_desktop.domain.labels import format_value

    if not review.verdicts and not review.note:
        return
    print_line(f"\nReview by {review.reviewer}, {review.status.replace('_', ' ')}")
    rows = {}
    for field in session.schema.fields:
        verdict = review.verdicts.get(field.key)
        if verdict is not None:
            rejected = verdict.verdict == "rejected"
            value = "wrong" if rejected else format_value(session.schema, field.key, verdict.value)
            rows[field.label] = f"{value} ({verdict.verdict})"
    _print_rows(rows)
    _print_wrapped(f"! {rule}" for rule in review.broken_rules)
    _print_wrapped([f"Note: {review.note}"] if review.note else [])


def _print_question(question: Analysis) -> None:
    range_ms = question.settings.get("range_ms")
    part = f" of {seconds_in_words(range_ms)}" if range_ms else ""
    print_line(f"\n“{question.question}”")
    _print_wrapped(question.raw_text.strip().splitlines())
    seen = counted(len(question.frames_pts), "frame")
    _print_wrapped([f"– {_who(question)}, {_when(question)}, from {seen}{part}"])
    _print_wrapped(f"! {flag}" for flag in question.flags)


def _print_rows(rows: Mapping[str, str]) -> None:
    """Label and value, a line each; long values go on under themselves."""
    width = max((len(label) for label in rows), default=0)
    for label, words in rows.items():
        print_line(
            textwrap.fill(
                words, _columns(), initial_indent=f"  {label.ljust(width)}  ", subsequent_indent=" " * (width + 4)
            )
        )


def _print_wrapped(lines: Iterable[str]) -> None:
    for line in lines:
        print_line(textwrap.fill(line, _columns(), initial_indent="  ", subsequent_indent="    "))


def _columns() -> int:
    return max(40, shutil.get_terminal_size((_WIDTH, 24)).columns)

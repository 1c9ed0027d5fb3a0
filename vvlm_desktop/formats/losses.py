"""LOSSES.md: what is in an export, what its format cannot carry, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vvlm_desktop.formats.base import ExportContext, ExportFormat, LeftOut

LOSSES_FILE = "LOSSES.md"
#: More clips than this under one reason are counted, not listed.
_LISTED = 20

_REVIEWED = (
    "Only clips whose labels a person has settled. Left out of the answers: fields that were rejected (what is true"
    " instead is unknown), fields accepted without having seen the event, captions that nobody edited or accepted."
)
_UNREVIEWED = (
    '**This export was made with unreviewed clips.** Records with `"source": "analysis"` hold what a program said and'
    " no person has settled; training on them teaches a model its own mistakes."
)
_SAMPLES = (
    "**Sample clips are in this export.** They come from a simulator and show the mechanism; leave them out of a real"
    " training set."
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What an export came to hold, for its LOSSES.md."""

    records: int
    clips: int
    splits: dict[str, int]
    left_out: Sequence[LeftOut]
    failed: Sequence[LeftOut]
    notes: Sequence[str]


def losses_document(fmt: ExportFormat, contents: Contents, *, context: ExportContext) -> Iterator[str]:
    """Text of LOSSES.md, in pieces."""
    yield f"# {fmt.title}: what this export holds, and what it does not\n\n"
    yield f"{fmt.description}\n\n"
    parts = ", ".join(f"{count} {split}" for split, count in contents.splits.items())
    yield f"Made {context.created_at}. Records: {contents.records} ({parts}). Clips: {contents.clips}.\n"
    yield "Clips of one recording are all in the same part, and adding clips never moves others.\n"
    yield "A recording with a review that began from a teacher's draft is never in the test part: it goes to val.\n\n"
    yield (_UNREVIEWED if context.unreviewed else _REVIEWED) + "\n"
    if context.include_samples:
        yield f"\n{_SAMPLES}\n"
    yield from _section("Lost in this format", fmt.losses)
    yield from _section("Notes", contents.notes)
    yield from _section("Failed", [f"{_escaped(row.name)}: {_escaped(row.reason)}" for row in contents.failed])
    yield from _section("Left out", _grouped(contents.left_out))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield f"\n## {title}\n\n"
        yield from (f"* {line}\n" for line in lines)


def _grouped(rows: Sequence[LeftOut]) -> Iterator[str]:
    for reason, count in Counter(row.reason for row in rows).items():
        names = [_escaped(row.name) for row in rows if row.reason == reason]
        more = f" and {count - _LISTED} more" if count > _LISTED else ""
        yield f"{count} × {_escaped(reason)}: {', '.join(names[:_LISTED])}{more}"


def _escaped(text: str) -> str:
    """Text that stays text in Markdown, on one line."""
    flat = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in flat)

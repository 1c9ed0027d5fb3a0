"""What the ask box shows, as plain data: questions about a clip with their answers, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.ui.asked import Pending
from vvlm_desktop.ui.review.times import clock_text
from vvlm_desktop.ui.words import count, sentences, shown, when


@dataclass(frozen=True, slots=True)
class AskEntry:
    """One question.

    Attributes:
        key: id of the stored answer, or of the question that waits.
        answer: what was said; empty while nothing was.
        detail: by whom, about which part, when.
        frames: how many frames it saw; 0 where there are none to be shown.
        state: `answered`, `asking` or `failed`.
        frames_shown: whether they are on the timeline now.
    """

    key: str
    question: str
    answer: str
    detail: str
    frames: int = 0
    state: str = "answered"
    frames_shown: bool = False

    @property
    def in_words(self) -> str:
        """The entry for whoever cannot see it."""
        return sentences(f"Question: {self.question}", self.answer or self.detail)


def entry_of_answer(analysis: Analysis, *, frames_shown: bool = False) -> AskEntry:
    """A question that was answered."""
    name = shown(PurePath(analysis.model).name) or analysis.backend
    by = f"{name} + {shown(analysis.adapter)}" if analysis.adapter else name
    span = range_words(analysis.settings.get("range_ms"))
    parts = (by, span, when(analysis.created_at), *analysis.flags)
    return AskEntry(
        key=analysis.id,
        question=shown(analysis.question or ""),
        answer=analysis.raw_text.strip() or "It said nothing.",
        detail=" · ".join(part for part in parts if part),
        frames=len(analysis.frames_pts),
        frames_shown=frames_shown,
    )


def entry_of_pending(pending: Pending) -> AskEntry:
    """A question that waits, or that will not be answered."""
    span = range_words(pending.range_ms)
    if pending.failed:
        said = sentences(pending.problem, pending.hint)
        return AskEntry(pending_key(pending), pending.question, said, span, state="failed")
    detail = " · ".join(part for part in (pending.by, span, f"{pending.stage}…") if part)
    return AskEntry(pending_key(pending), pending.question, "", detail, state="asking")


def pending_key(pending: Pending) -> str:
    """A name for a question that has no record yet."""
    return f"pending-{id(pending)}"


def range_words(span: Any) -> str:
    """The part of the clip that was asked about; empty for all of it."""
    if not isinstance(span, Sequence) or isinstance(span, str) or len(span) != 2:
        return ""
    start, end = (clock_text(ms / 1000) for ms in span)
    return f"{start} – {end}"


def frames_words(entry: AskEntry) -> str:
    """What the button that shows an answer's frames says."""
    return f"{'Hide' if entry.frames_shown else 'Show'} {count(entry.frames, 'frame')}"

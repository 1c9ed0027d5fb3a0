"""Which clips `vvlm analyse` takes, and in words why it takes no others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vvlm_desktop.cli.output import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vvlm_desktop.cli.choosing import Chosen
    from vvlm_desktop.domain.clip import Clip
    from vvlm_desktop.workflow.session import Session

#: More names than these are a number.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be analysed.

    Attributes:
        failed: a row for each clip that was named and cannot be analysed.
        why_none: a sentence for where nothing is to be analysed, empty otherwise.
    """

    clips: list[Clip]
    failed: list[dict[str, Any]] = field(default_factory=list)
    why_none: str = ""


def find_wanted(
    session: Session, names: Sequence[str] | None, chosen: Chosen, *, as_teacher: bool, again: bool
) -> Found:
    """The clips that were named, or all that have no answer by this model yet; with `again` all there are."""
    if names:
        return _named(session, names)
    readable = [clip for clip in session.library.all_clips() if clip.readable]
    unreadable = session.library.count_clips() - len(readable)
    left = readable if again else _without_answer(session, chosen, as_teacher=as_teacher)
    if as_teacher:
        from vvlm_desktop.workflow.drafts import awaiting_a_draft

        left = awaiting_a_draft(left)
    if left:
        return Found(left)
    return Found([], why_none=_why_none(readable, unreadable, chosen, as_teacher=as_teacher, again=again))


def row_of(clip: Clip, outcome: str, problem: str | None, flags: Sequence[str] = ()) -> dict[str, Any]:
    """What `--json` says of one clip."""
    return {"clip": clip.id, "path": clip.path, "outcome": outcome, "problem": problem, "flags": list(flags)}


def _named(session: Session, names: Sequence[str]) -> Found:
    found = list({c.id: c for c in (session.library.find_clip(text) for text in names)}.values())
    failed = [row_of(c, "failed", c.problem or "no picture can be decoded") for c in found if not c.readable]
    return Found([c for c in found if c.readable], failed)


def _without_answer(session: Session, chosen: Chosen, *, as_teacher: bool) -> list[Clip]:
    """A draft is no answer and an answer is no draft; nor is what was said under other labels than those in use."""
    return session.library.clips_without(
        chosen.backend,
        model=chosen.model,
        adapter=chosen.adapter,
        schema_labels_sha=session.schema.labels_sha,
        drafts=as_teacher if chosen.asks_model else None,
    )


def _why_none(readable: list[Clip], unreadable: int, chosen: Chosen, *, as_teacher: bool, again: bool) -> str:
    closed = f" {counted(unreadable, 'clip')} cannot be read (`vvlm clips` says why)." if unreadable else ""
    if not readable:
        return f"Nothing to analyse: the library has no clip that can be read.{closed} Add clips: vvlm add FOLDER"
    if again:
        return "Nothing to analyse: people have finished with every clip, so no draft can help."
    what = "a draft" if as_teacher else "an answer"
    names = [Path(clip.path).name for clip in readable]
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
    reviewed = ", or a person has finished with them" if as_teacher else ""
    has = "has" if len(readable) == 1 else "have"
    return (
        f"Nothing to analyse: {counted(len(readable), 'clip')} ({listed}) {has} {what} by {chosen.title} already"
        f"{reviewed}.{closed} To ask again, also with other settings: name the clips, or add --again."
    )

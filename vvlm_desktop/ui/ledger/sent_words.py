"""What the status bar says of what left this computer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from vvlm_desktop.ui.widgets.marks import Mark
from vvlm_desktop.ui.words import count, when

if TYPE_CHECKING:
    from vvlm_desktop.workflow.ledger import Transmission

NOTHING_SENT = "No clip data sent by this app"


@dataclass(frozen=True, slots=True)
class SentView:
    """The line, its shape and colour, and what the tooltip adds."""

    words: str
    mark: Mark
    ink: str
    tip: str


LOOKING = SentView("Looking at the ledger…", "ring", "muted", "Whether anything was ever sent is being looked up.")
_OPENS = "Press to see the ledger: every transmission and every consent."


def sent_view(transmissions: Sequence[Transmission], *, now: datetime | None = None) -> SentView:
    """How many clips left this computer, today and in all; what may have left counts as left."""
    left = [each for each in transmissions if each.left]
    if not left:
        return SentView(NOTHING_SENT, "diamond", "good", _OPENS)
    today = (now or datetime.now().astimezone()).astimezone().date()
    clips = {each.clip_id for each in left}
    clips_today = {each.clip_id for each in left if _day(each.at) == today}
    last = max(left, key=lambda each: each.at)
    words = f"{count(len(clips), 'clip')} sent"
    if len(clips_today) == len(clips):
        words += " today"
    elif clips_today:
        words = f"{count(len(clips_today), 'clip')} sent today, {len(clips):,} in all"
    remaining = sum(each.remains for each in left)
    hosts = ", ".join(sorted({each.host for each in left}))
    tip = [f"To {hosts}; the last {when(last.at)}."]
    if remaining:
        tip.append(f"{count(remaining, 'file')} may still lie there.")
    return SentView(words, "warning" if remaining else "up", "doubtful", "\n".join([*tip, _OPENS]))


def _day(utc: str) -> object:
    try:
        return datetime.fromisoformat(utc).astimezone().date()
    except ValueError:
        return None

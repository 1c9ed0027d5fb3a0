"""What the status bar says of a batch that is being analysed."""

from __future__ import annotations

from vvlm_desktop.workflow.batch_events import BatchEvent

#: How stages begin that say no more than that nothing is done yet.
_AT_REST = ("starting", "waiting")


def batch_title(event: BatchEvent, *, title: str) -> str:
    """What the status bar says of a batch: which clip, by what, how fast; before the first is done, what goes on."""
    number = min(event.total, event.done + event.failed + 1)
    parts = [f"Analysing {number:,} of {event.total:,}", title]
    rate = event.clips_per_minute
    if rate is not None:
        parts.append(f"{rate:,.0f} clips/min" if rate >= 9.5 else f"{rate:.1f} clips/min")
    elif event.kind == "progress" and event.message and not event.message.startswith(_AT_REST):
        parts.append(event.message)
    return " · ".join(parts)

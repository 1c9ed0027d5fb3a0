"""What the first step shows where there is nothing to learn from yet, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.training.set_outlook import ENOUGH_RECORDINGS, Outlook, by_reason
from vvlm_desktop.ui.widgets.empty_state import EmptyState, Offer
from vvlm_desktop.ui.words import count

_WHAT_A_SET_IS = "A training set is made of what people have reviewed: their answers are what a model learns."


def reading() -> EmptyState:
    """The library is being read."""
    return EmptyState("training", "One moment", "Looking through the reviews…")


def no_set() -> EmptyState:
    """There are reviews, and no set yet."""
    return EmptyState(
        "training",
        "No training set yet",
        "Make one at the left. It is a version that never changes: split by recording, so that what a model is measured"
        " on is never what it has learnt from.",
    )


def too_little(shell: Shell, outlook: Outlook, *, let_samples_in: Callable[[], object]) -> EmptyState:
    """No clip could train."""
    if outlook.clips == 0:
        return EmptyState(
            "training",
            "No clips yet",
            f"{_WHAT_A_SET_IS} Add dashcam clips first, or try six made-up ones.",
            [
                Offer("Open a folder…", lambda: shell.registry.action("clips.add_folder").trigger(), "add-folder"),
                Offer("Try six sample clips", shell.add_samples, "sample"),
            ],
        )
    go = Offer("Review clips", lambda: shell.navigate("review"), "review")
    if outlook.reviewed == 0:
        return EmptyState(
            "training",
            "Nothing has been reviewed yet",
            f"{count(outlook.clips, 'clip waits', 'clips wait')} for a review. {_WHAT_A_SET_IS} Clips of"
            f" {ENOUGH_RECORDINGS} recordings are enough to begin with and to measure what was learnt.",
            [go],
        )
    reason, rows = by_reason(outlook.left_out)[0] if outlook.left_out else ("nothing was judged", [])
    offers = [go]
    if outlook.samples:
        offers.append(Offer("Let the sample clips in", let_samples_in, "sample"))
    return EmptyState(
        "training",
        "None of the reviewed clips can train",
        f"{count(outlook.reviewed, 'reviewed clip')}, 0 of which can train. {count(len(rows), 'clip')}: {reason}.",
        offers,
    )

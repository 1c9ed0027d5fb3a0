"""What the page shows where there is no clip to look at."""

from __future__ import annotations

from collections.abc import Callable

from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.widgets.empty_state import EmptyState, Offer
from vvlm_desktop.ui.words import count


def nothing_to_review(shell: Shell, *, done: int, export: Callable[[], object]) -> EmptyState:
    """Why there is no clip to look at, and what can be done."""
    library = shell.session.library
    if library.count_clips() == 0:
        return no_clips(shell)
    unreadable = library.count_clips(ClipFilter(readable=False))
    return queue_done(shell, done=done, unreadable=unreadable, export=export)


def no_clips(shell: Shell) -> EmptyState:
    """The library is empty."""
    return EmptyState(
        "review",
        "Nothing to review yet",
        "Add dashcam clips, or try six made-up ones: two of their answers are wrong on purpose.",
        [
            Offer("Try six sample clips", shell.add_samples, "sample"),
            Offer("Open a folder…", lambda: _trigger(shell, "clips.add_folder"), "add-folder"),
        ],
    )


def queue_done(shell: Shell, *, done: int, unreadable: int, export: Callable[[], object]) -> EmptyState:
    """Every readable clip has been settled."""
    sentence = f"{count(done, 'clip')} settled."
    if unreadable:
        sentence += f" {count(unreadable, 'file')} could not be read; the library says why."
    return EmptyState(
        "check",
        "The queue is done",
        f"{sentence} Your corrections are stored and can be exported for training.",
        [
            Offer("Export…", export, "folder"),
            Offer("Open the library", lambda: shell.navigate("library"), "library"),
        ],
    )


def _trigger(shell: Shell, action_id: str) -> None:
    try:
        shell.registry.action(action_id).trigger()
    except KeyError:
        shell.navigate("library")

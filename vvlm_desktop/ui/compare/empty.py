"""What the Compare page shows where there is nothing to compare, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.widgets.empty_state import EmptyState, Offer
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.answerers import Answerers


def nothing_to_compare(shell: Shell, answerers: Answerers, *, run: Callable[[], object]) -> EmptyState:
    """No clip has two answers."""
    library, registry = shell.session.library, shell.registry
    clips = library.count_clips(ClipFilter(readable=True))
    if clips == 0:
        return EmptyState(
            "compare",
            "No clips yet",
            "Add dashcam clips, or try six made-up ones. When two models have answered, they are compared here.",
            [
                Offer("Open a folder…", lambda: registry.action("clips.add_folder").trigger(), "add-folder"),
                Offer("Try six sample clips", shell.add_samples, "sample"),
            ],
        )
    if not answerers.clips:
        return EmptyState(
            "compare",
            "No clip has been analysed",
            f"{count(clips, 'clip')} wait for a first answer. A comparison needs two: of a model and its adapter, "
            "of two models, or of a model and the built-in measurements.",
            [
                Offer("Run model and adapter…", run, "analyse"),
                Offer("Open the library", lambda: shell.navigate("library")),
            ],
        )
    best = max(answerers.clips, key=lambda source: answerers.clips[source])
    return EmptyState(
        "compare",
        "Nothing to compare yet",
        f"Each clip has one answer only, most of them by {best.title}. Have another model answer about the same clips, "
        "or let a model answer with and without its adapter.",
        [Offer("Run model and adapter…", run, "analyse"), Offer("Open the library", lambda: shell.navigate("library"))],
    )


def none_in_scope(scope: str, *, show_all: Callable[[], object]) -> EmptyState:
    """The two have answered about other clips than those that are wanted."""
    return EmptyState(
        "filter",
        "None of these clips has both answers",
        f"The two have answered about clips in common, but not about any of: {scope.lower()}.",
        [Offer("All clips", show_all)],
    )


def none_in_choice(scope: str, *, run: Callable[[], object], show_all: Callable[[], object]) -> EmptyState:
    """No two answers about any of the clips that were chosen in the library."""
    return EmptyState(
        "compare",
        "None of these clips has two answers",
        f"{scope}: a comparison needs two answers about the same clip, of a model and its adapter or of two models.",
        [Offer("Run model and adapter…", run, "analyse"), Offer("All clips", show_all)],
    )


def reading() -> EmptyState:
    """The library is being read."""
    return EmptyState("compare", "One moment", "Looking through the answers…")

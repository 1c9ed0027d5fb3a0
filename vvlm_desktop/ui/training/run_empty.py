"""What the second step shows where nothing can be run yet, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.widgets.empty_state import EmptyState, Offer


def looking() -> EmptyState:
    """The models folder and the GPU are looked at."""
    return EmptyState("training", "One moment", "Looking for models and at this computer…")


def no_set(*, show_data: Callable[[], object]) -> EmptyState:
    """There is nothing to train on."""
    return EmptyState(
        "training",
        "No training set is chosen",
        "A model is trained on a version of a training set. Make one in the first step.",
        [Offer("Go to Data", show_data)],
    )


def no_model(shell: Shell) -> EmptyState:
    """No model is on this computer."""
    return EmptyState(
        "models",
        "No model to train",
        "An adapter is trained on top of a local model, and none is on this computer that could be trained. Download or"
        " import one: a small one is enough to see how it goes, also without a GPU.",
        [Offer("Show the models", lambda: shell.navigate("models"), "models")],
    )


def no_packages(shell: Shell, missing: Sequence[str]) -> EmptyState:
    """What local models need is not installed."""
    return EmptyState(
        "download",
        "Training needs more packages",
        f"Not installed: {', '.join(missing)}. The Models page installs them; then come back.",
        [Offer("Show the models", lambda: shell.navigate("models"), "models")],
    )

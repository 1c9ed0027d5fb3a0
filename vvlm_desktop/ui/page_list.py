"""Which pages there are. Each is imported when it is first shown, so that the window comes up at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vvlm_desktop.ui.page import Page, Shell


@dataclass(frozen=True, slots=True)
class PageSpec:
    """A page; in the rail, `at_end` puts it at the bottom.

    Attributes:
        in_rail: it has a button there, and the key of its number.
        action: what the palette calls going there, where that is not "Go to" and its title.
    """

    id: str
    title: str
    icon: str
    build: Callable[[Shell], Page]
    at_end: bool = False
    in_rail: bool = True
    action: str = ""


def _library(shell: Shell) -> Page:
    from vvlm_desktop.ui.library.page import LibraryPage

    return LibraryPage(shell)


def _review(shell: Shell) -> Page:
    from vvlm_desktop.ui.review.page import ReviewPage

    return ReviewPage(shell)


def _compare(shell: Shell) -> Page:
    from vvlm_desktop.ui.compare.page import ComparePage

    return ComparePage(shell)


def _training(shell: Shell) -> Page:
    from vvlm_desktop.ui.training.page import TrainingPage

    return TrainingPage(shell)


def _models(shell: Shell) -> Page:
    from vvlm_desktop.ui.models.page import ModelsPage

    return ModelsPage(shell)


def _settings(shell: Shell) -> Page:
    from vvlm_desktop.ui.settings.page import SettingsPage

    return SettingsPage(shell)


def _ledger(shell: Shell) -> Page:
    from vvlm_desktop.ui.ledger.page import LedgerPage

    return LedgerPage(shell)


PAGES: tuple[PageSpec, ...] = (
    PageSpec("library", "Library", "library", _library),
    PageSpec("review", "Review", "review", _review),
    PageSpec("compare", "Compare", "compare", _compare),
    PageSpec("training", "Training", "training", _training),
    PageSpec("models", "Models", "models", _models),
    PageSpec("settings", "Settings", "settings", _settings, at_end=True),
    PageSpec("ledger", "Ledger", "shield", _ledger, in_rail=False, action="Show what left this computer (the ledger)"),
)

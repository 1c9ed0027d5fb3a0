"""Which pages there are. Each is imported when it is first shown, so that the window comes up at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vvlm_desktop.ui.page import Page, Shell


@dataclass(frozen=True, slots=True)
class PageSpec:
    """A page of the rail; `at_end` puts it at the bottom."""

    id: str
    title: str
    icon: str
    build: Callable[[Shell], Page]
    at_end: bool = False


def _library(shell: Shell) -> Page:
    from vvlm_desktop.ui.library.page import LibraryPage

    return LibraryPage(shell)


def _review(shell: Shell) -> Page:
    from vvlm_desktop.ui.review.page import ReviewPage

    return ReviewPage(shell)


def _compare(shell: Shell) -> Page:
    from vvlm_desktop.ui.compare.page import ComparePage

    return ComparePage(shell)


def _models(shell: Shell) -> Page:
    from vvlm_desktop.ui.models.page import ModelsPage

    return ModelsPage(shell)


def _settings(shell: Shell) -> Page:
    from vvlm_desktop.ui.settings.page import SettingsPage

    return SettingsPage(shell)


PAGES: tuple[PageSpec, ...] = (
    PageSpec("library", "Library", "library", _library),
    PageSpec("review", "Review", "review", _review),
    PageSpec("compare", "Compare", "compare", _compare),
    PageSpec("models", "Models", "models", _models),
    PageSpec("settings", "Settings", "settings", _settings, at_end=True),
)

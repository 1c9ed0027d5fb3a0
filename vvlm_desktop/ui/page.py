"""What a page is, and what it may ask of the window around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vvlm_desktop.ui.actions import Action, ActionRegistry
from vvlm_desktop.ui.tasks import Tasks

if TYPE_CHECKING:
    from vvlm_desktop.domain.clip import Clip
    from vvlm_desktop.domain.review import Change
    from vvlm_desktop.errors import VvlmError
    from vvlm_desktop.settings import Settings
    from vvlm_desktop.ui.asked import Asked
    from vvlm_desktop.ui.choice import Choice
    from vvlm_desktop.ui.errors_view import Problem
    from vvlm_desktop.ui.scope import Scope
    from vvlm_desktop.ui.sheet import Question
    from vvlm_desktop.workflow.keys import Keys
    from vvlm_desktop.workflow.session import Session


class Shell(Protocol):
    """The window, as its pages see it."""

    @property
    def session(self) -> Session:
        """The open library, schema, settings and reviewer; ask each time, it can be replaced."""

    @property
    def registry(self) -> ActionRegistry:
        """All actions, for their keys."""

    @property
    def tasks(self) -> Tasks:
        """Long work, shown in the status bar."""

    @property
    def place(self) -> tuple[str, str | None]:
        """The page that is shown, and the clip that is looked at there."""

    @property
    def questions(self) -> Asked:
        """What was asked about clips; ask each time, it is replaced with the session."""

    def navigate(self, page_id: str, clip_id: str | None = None) -> None:
        """Show a page, on a clip."""

    def report(self, problem: Problem | VvlmError) -> None:
        """Present something that went wrong, or is worth saying, in the one place for it."""

    @property
    def keys(self) -> Keys:
        """Keys for servers, as long as the window lives."""

    def ask(self, question: Question) -> None:
        """Ask something over the whole window that must be answered first."""

    def announce(self, change: Change) -> None:
        """Tell every page what a write changed."""

    def change_settings(self, settings: Settings) -> bool:
        """Save and apply other settings; False when that failed, which was then reported."""

    def try_settings(self, settings: Settings) -> VvlmError | None:
        """Save and apply other settings; the reason where they were refused, which the caller shows."""

    def add_paths(self, paths: Sequence[Path]) -> None:
        """Add files and folders in the background."""

    def add_samples(self) -> None:
        """Make and add the sample clips in the background, then open the first in Review."""

    def analyse(self, clips: Sequence[Clip], *, choice: Choice | None = None) -> None:
        """Analyse `clips` in the background, with `choice` or with what the settings choose."""

    def compare(self, scope: Scope) -> None:
        """Compare answers over some of the clips."""

    def train_on(self, scope: Scope) -> None:
        """Make the next training set of only some of the clips."""

    def list_clips(self, scope: Scope) -> None:
        """Show only some of the clips in the library."""

    def analyse_with(self, clips: Sequence[Clip]) -> None:
        """Let the user choose what to analyse `clips` with, for this time."""

    def show_surroundings(self, visible: bool) -> None:
        """Show or hide what stands around the page: rail and status bar."""

    def show_keys(self, *, all_pages: bool = False) -> None:
        """Show the keys of the current page, or of all."""


class Page(QWidget):
    """One page of the window. It is built when it is first shown."""

    page_id: ClassVar[str]

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    def actions_here(self) -> Sequence[Action]:
        """Actions that exist while this page is shown."""
        return ()

    def activate(self, clip_id: str | None = None) -> None:
        """The page is now shown, on `clip_id` where one was asked for."""

    @property
    def shown_clip_id(self) -> str | None:
        """The clip that is looked at; None on a page for many, or where none is open."""
        return None

    def deactivate(self) -> None:
        """Another page is now shown."""

    def start_search(self) -> None:
        """Put the focus into the page's search, where it has one."""

    def show_scope(self, scope: Scope) -> None:
        """Be about these clips, where the page is about many."""

    def on_change(self, change: Change) -> None:
        """Something was written; refresh if it is concerned. Also called while the page is hidden."""

    def on_settings(self, settings: Settings) -> None:
        """Other settings are in force."""

    def close_page(self) -> None:
        """The window closes, or the library is replaced: let go of threads and files."""

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        """A page that is a window of its own, as in tests, closes as one in the window does."""
        self.close_page()
        super().closeEvent(event)

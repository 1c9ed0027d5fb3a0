"""Analyse with something else, for this time: a menu of everything that could be used now."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu, QWidget

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.ui import icons
from vvlm_desktop.ui.choice import BUILT_IN, Choice, title_of
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.words import count, menu_text
from vvlm_desktop.ui.work_line import Job, WorkLine

if TYPE_CHECKING:
    from vvlm_desktop.ui.models.shelf import Shelf

_ICONS = {"signals": "analyse", "local": "models", "gemini": "cloud", "server": "server"}


class ChoiceMenu(QObject):
    """Asks with what to analyse clips; what the settings choose stays chosen."""

    def __init__(self, shell: Shell, window: QWidget, *, shelf: Shelf | None = None) -> None:
        super().__init__(window)
        self._shell, self._window, self._shelf = shell, window, shelf
        self._line = WorkLine(shell.tasks, self)
        self.menu: QMenu | None = None

    def ask(self, clips: Sequence[Clip]) -> None:
        """Show the menu as soon as it is known what there is."""
        if self._line.busy or not clips:
            return
        settings = self._shell.session.settings
        shelf = self._shelf or _real_shelf()
        self._line.add(
            Job(
                "find-choices",
                lambda _report, _cancelled: shelf.choices(settings),
                on_success=partial(self._show, list(clips)),
                on_failure=self._shell.report,
            )
        )

    def close(self) -> None:
        """Ask nothing any more."""
        self._line.close()

    def _show(self, clips: list[Clip], choices: Sequence[Choice]) -> None:
        menu = self.menu = QMenu(self._window)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.setAccessibleName(f"Analyse {count(len(clips), 'clip')} with")
        head = menu.addAction(f"Analyse {count(len(clips), 'clip')} with")
        head.setEnabled(False)
        now = title_of(self._shell.session.settings)
        for choice in choices:
            words = f"{menu_text(choice.title)}\tin use" if choice.title == now else menu_text(choice.title)
            menu.addAction(icons.icon(_ICONS[choice.backend]), words, partial(self._analyse, clips, choice))
        self._add_drafts(menu, clips, choices)
        if list(choices) == [BUILT_IN]:
            menu.addSeparator()
            go = partial(self._shell.navigate, "models")
            menu.addAction(icons.icon("models"), "No model is ready: show the models", go)
        menu.popup(self._place(menu))

    def _add_drafts(self, menu: QMenu, clips: list[Clip], choices: Sequence[Choice]) -> None:
        """What can fill in a draft for people; a measurement cannot."""
        from vvlm_desktop.workflow.drafts import awaiting_a_draft, teacher_options

        teachers = [choice for choice in choices if choice.info.answers_questions]
        if not teachers:
            return
        unfinished = awaiting_a_draft(clips)
        menu.addSeparator()
        drafts = menu.addMenu(icons.icon("note"), "Draft with…")
        head = drafts.addAction(f"Drafts for {count(len(unfinished), 'clip')} that nobody has finished")
        head.setEnabled(False)
        for choice in teachers:
            options = teacher_options(choice.backend, choice.options)
            draft = Choice(choice.backend, f"{choice.title}, as a draft", options)
            words = menu_text(choice.title)
            made = drafts.addAction(
                icons.icon(_ICONS[choice.backend]), words, partial(self._analyse, unfinished, draft)
            )
            made.setEnabled(bool(unfinished))

    def _analyse(self, clips: list[Clip], choice: Choice) -> None:
        self._shell.analyse(clips, choice=choice)

    def _place(self, menu: QMenu) -> QPoint:
        """In the middle of the window, where it is seen whatever key or button asked for it."""
        hint = menu.sizeHint()
        middle = self._window.rect().center()
        return self._window.mapToGlobal(QPoint(middle.x() - hint.width() // 2, middle.y() - hint.height() // 2))


def _real_shelf() -> Shelf:
    from vvlm_desktop.ui.models.local_shelf import LocalShelf

    return LocalShelf()

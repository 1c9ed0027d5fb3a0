"""What the model reads and what it should answer; words that it learns from are underlined and stronger."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent
from PySide6.QtGui import QFont, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.check_batch import Piece

#: The end of a prompt says what is asked; its beginning is the same for all.
_PROMPT_END_CHARS = 1_400


class PromptEnd(QPlainTextEdit):
    """The end of a prompt, as it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setFont(theme.font("mono"))
        self.setAccessibleName("End of the prompt")

    def show_prompt(self, prompt: str) -> None:
        """Show another one, scrolled to its end."""
        cut = len(prompt) > _PROMPT_END_CHARS
        self.setPlainText(("… " if cut else "") + prompt[-_PROMPT_END_CHARS:])
        self.moveCursor(QTextCursor.MoveOperation.End)
        self.ensureCursorVisible()


class AnswerText(QPlainTextEdit):
    """An answer in pieces."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setFont(theme.font("mono"))
        self.setAccessibleName("Answer")
        self._pieces: tuple[Piece, ...] = ()
        self._drawing = False

    def show_pieces(self, pieces: Sequence[Piece]) -> None:
        """Show another answer."""
        self._pieces = tuple(pieces)
        learnt = " … ".join(piece.text for piece in pieces if piece.learnt)
        self.setAccessibleDescription(f"Learnt from: {learnt}" if learnt else "Nothing of it is learnt")
        self._draw()

    def _draw(self) -> None:
        self._drawing = True
        self.clear()
        cursor = self.textCursor()
        for piece in self._pieces:
            cursor.insertText(piece.text, _format(learnt=piece.learnt))  # letter for letter, never as markup
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        self.setTextCursor(cursor)
        self._drawing = False

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        # The colours of what is written do not follow the theme by themselves.
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and not self._drawing:
            self._draw()


def _format(*, learnt: bool) -> QTextCharFormat:
    result = QTextCharFormat()
    result.setForeground(theme.colour("text" if learnt else "muted"))
    result.setFontUnderline(learnt)
    result.setFontWeight(QFont.Weight.DemiBold if learnt else QFont.Weight.Normal)
    return result

"""The card of Gemini or of a VLM server: what leaves, to whom, and everything that has to be set for it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.cloud_view import CLOUD_MARKS, CloudView
from vvlm_desktop.ui.models.key_box import KeyBox
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.widgets.marks import MarkLabel
from vvlm_desktop.ui.words import breakable, shown

_ICONS = {"gemini": "cloud", "server": "server"}
_ALLOW = "Clips may leave this computer"
_MEANS = (
    "One switch for Gemini and for servers. Off: nothing is sent to anybody. "
    "On: each batch and each question still says what would leave, to whom, and asks."
)


class CloudCard(QFrame):
    """Shows a `CloudView`; emits what the user did."""

    used = Signal(str)  # backend
    test_pressed = Signal(str)
    model_entered = Signal(str, str)  # backend, name
    address_entered = Signal(str, str)
    key_entered = Signal(str, str, bool)  # backend, key, in the keychain
    key_forgotten = Signal(str)
    allowed = Signal(bool)

    def __init__(self, view: CloudView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self.setProperty("surface", "card")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._build()
        self.show_view(view)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        self.icon = IconView(_ICONS[self.view.backend], size_px=20)
        self.title = ElidedLabel(self.view.title, "strong")
        self.chosen = MarkLabel("check", "In use", ink="accent")
        head.addWidget(self.icon)
        head.addWidget(self.title, 1)
        head.addWidget(self.chosen)
        column.addLayout(head)
        column.addWidget(label(self.view.who_for, "muted", wrap=True))
        self.state = MarkLine()
        self.leaves = label("", wrap=True)
        self.allow = QCheckBox(_ALLOW)
        self.allow.setAccessibleName(f"{_ALLOW}. {_MEANS}")
        self.allow.toggled.connect(self.allowed)
        for item in (self.state, self.leaves, self.allow, label(_MEANS, "small", wrap=True)):
            column.addWidget(item)
        column.addSpacing(4)
        column.addLayout(self._form())
        self.result = MarkLine()
        column.addWidget(self.result)
        column.addStretch(1)
        column.addWidget(self._buttons())

    def _form(self) -> QGridLayout:
        form = QGridLayout()
        form.setHorizontalSpacing(theme.PAD)
        form.setVerticalSpacing(theme.GAP)
        form.setColumnStretch(1, 1)
        title = self.view.title
        self.address = QLineEdit()
        self.address.setPlaceholderText("http://10.0.0.7:8000/v1")
        self.address.setAccessibleName(f"Address of the {title}")
        self.address.editingFinished.connect(self._on_address)
        self.problem = label("", "bad", wrap=True)
        if self.view.address is not None:
            form.addWidget(_name("Address", self.address), 0, 0)
            form.addWidget(self.address, 0, 1)
            form.addWidget(self.problem, 1, 1)
        self.model = _Models()
        self.model.setAccessibleName(f"Model of {title}")
        self.model.line.editingFinished.connect(self._on_model)
        self.model.activated.connect(self._on_model)
        form.addWidget(_name("Model", self.model), 2, 0)
        form.addWidget(self.model, 2, 1)
        self.key = KeyBox(title, needed=self.view.backend == "gemini")
        self.key.entered.connect(self._on_key)
        self.key.forgotten.connect(self._on_forget)
        form.addWidget(_name("Key", self.key.line), 3, 0)
        form.addWidget(self.key, 3, 1)
        return form

    def _buttons(self) -> QWidget:
        box = QWidget()
        row = FlowLayout(box, gap=theme.GAP)
        self.use = button("Use", self._on_use, kind="primary", icon="check")
        self.use.setAccessibleName(f"Use: {self.view.title}")
        self.test = button("Test the connection", self._on_test)
        self.test.setAccessibleName(f"Test the connection: {self.view.title}")
        row.addWidget(self.use)
        row.addWidget(self.test)
        return box

    def show_view(self, view: CloudView) -> None:
        """Show it as it is now; what is just being typed stays."""
        self.view = view
        word, mark, ink = CLOUD_MARKS[view.state]
        self.icon.show_icon(_ICONS[view.backend], "accent" if view.chosen else "muted")
        self.chosen.setVisible(view.chosen)
        self.state.show_mark(mark, word, ink=ink)
        self.leaves.setText(breakable(shown(view.leaves)))
        self.leaves.setVisible(bool(view.leaves))
        with QSignalBlocker(self.allow):
            self.allow.setChecked(view.allowed)
        if not self.address.hasFocus():
            self.address.setText(view.address or "")
            self.address.setCursorPosition(0)
        self.problem.setText(breakable(shown(view.problem)))
        self.problem.setVisible(bool(view.problem))
        self._show_models(view)
        self.key.show_key(view.key)
        self.result.setVisible(view.test is not None and view.state in {"ready", "unreachable"})
        if view.test is not None:
            good = view.test.good
            self.result.show_mark(
                "check" if good else "warning", breakable(shown(view.test.sentence)), ink="muted" if good else "bad"
            )
        self._show_use(view)
        self.test.setEnabled(view.usable)  # also while it asks: Qt would carry the focus off to another card
        self.test.setText("Asking…" if view.state == "testing" else "Test the connection")
        self.setAccessibleName(shown(view.in_words))
        self.update()

    def _show_use(self, view: CloudView) -> None:
        self.use.setEnabled(view.usable)
        if view.chosen and self.use.hasFocus():
            self.test.setFocus()  # before it is hidden, or the focus and the page with it go somewhere far off
        self.use.setVisible(not view.chosen)

    def _show_models(self, view: CloudView) -> None:
        names = view.models
        with QSignalBlocker(self.model):
            if names != self.model.names:
                typed = self.model.currentText()
                self.model.offer(names)
                self.model.setEditText(typed)
            if not self.model.line.hasFocus():
                self.model.setEditText(view.model)
        empty = "The first that the server offers" if view.backend == "server" else "gemini-flash-latest"
        self.model.line.setPlaceholderText(empty)

    # -- what the user does

    def _on_use(self) -> None:
        self.used.emit(self.view.backend)

    def _on_test(self) -> None:
        if self.view.state == "testing":
            return
        self.test_pressed.emit(self.view.backend)

    def _on_model(self) -> None:
        name = self.model.currentText().strip()
        if name != self.view.model:
            self.model_entered.emit(self.view.backend, name)

    def _on_address(self) -> None:
        address = self.address.text().strip()
        if address != self.view.address:
            self.address_entered.emit(self.view.backend, address)

    def _on_key(self, key: str, in_keychain: bool) -> None:
        self.key_entered.emit(self.view.backend, key, in_keychain)

    def _on_forget(self) -> None:
        self.key_forgotten.emit(self.view.backend)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not (self.hasFocus() or self.view.chosen):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("accent"), 2 if self.hasFocus() else 1))
        inset = 1.0 if self.hasFocus() else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 6, 6)


class _Models(QComboBox):
    """Names to choose from, or to type; the wheel scrolls the page, not through models."""

    def __init__(self) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()
        self.line = QLineEdit()
        self.setEditable(True)
        self.setLineEdit(self.line)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMinimumContentsLength(16)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def offer(self, names: tuple[str, ...]) -> None:
        """Offer these."""
        self.names = names
        self.clear()
        self.addItems([shown(name) for name in names])

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def _name(text: str, buddy: QWidget) -> QLabel:
    made = label(text, "muted")
    made.setBuddy(buddy)
    return made

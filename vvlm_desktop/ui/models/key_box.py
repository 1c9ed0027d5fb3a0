"""The line of a card where a key is entered, kept and forgotten; what was typed is never shown."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.cloud_view import KeyView
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout
from vvlm_desktop.ui.widgets.labels import ElidedLabel


class KeyBox(QWidget):
    """Says where the key comes from, or takes one."""

    entered = Signal(str, bool)  # the key, whether it is kept in the keychain
    forgotten = Signal()

    def __init__(self, title: str, *, needed: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._needed = needed
        column = FlowLayout(self, gap=theme.GAP)
        self.origin = ElidedLabel("")
        self.origin.setMinimumSize(theme.px(220), theme.px(28))
        self.forget = button("Forget", self.forgotten.emit, icon="trash")
        self.forget.setAccessibleName(f"Forget the key for {title}")
        self.line = QLineEdit()
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        self.line.setMinimumWidth(theme.px(230))
        self.line.setPlaceholderText("Paste the key here" if needed else "None needed by most servers")
        self.line.setAccessibleName(f"Key for {title}")
        self.line.textChanged.connect(self._on_text)
        self.line.returnPressed.connect(self._on_keep)
        self.keep = button("Keep in the keychain", self._on_keep)
        self.keep.setAccessibleName(f"Keep the key for {title} in the system's keychain")
        self.session = button("This session only", self._on_session)
        self.session.setAccessibleName(f"Use the key for {title} until the window closes")
        for item in (self.origin, self.forget, self.line, self.keep, self.session):
            column.addWidget(item)
        self._entered = False
        self.show_key(KeyView())

    def show_key(self, key: KeyView) -> None:
        """Show where the key comes from; without one, the line to enter it."""
        there = bool(key.source)
        origin = key.origin[:1].upper() + key.origin[1:] if there else "Looking…"
        self.origin.setText(origin)
        self.origin.setVisible(there or not key.known)
        forgotten = self.forget.hasFocus() and not key.can_forget
        if not forgotten:
            self.forget.setVisible(key.can_forget)
        if there and self._entered:
            self._entered = False
            if self.window().isActiveWindow():  # what had the focus goes away, and Qt would choose something far off
                (self.forget if key.can_forget else self).setFocus()
        entering = key.known and not there
        self.line.setVisible(entering)
        if forgotten:  # the focus goes on before its place is hidden, or Qt would choose something far off
            (self.line if entering else self).setFocus()
            self.forget.hide()
        if not entering:
            self.line.clear()
        self._on_text()

    def _on_text(self) -> None:
        typed = self.line.isVisibleTo(self) and bool(self.line.text().strip())
        for item in (self.keep, self.session):
            item.setVisible(typed)
        self.updateGeometry()

    def _on_keep(self) -> None:
        self._enter(in_keychain=True)

    def _on_session(self) -> None:
        self._enter(in_keychain=False)

    def _enter(self, *, in_keychain: bool) -> None:
        value = self.line.text().strip()
        if value:
            self._entered = True
            self.line.setFocus()
            self.line.clear()
            self.entered.emit(value, in_keychain)

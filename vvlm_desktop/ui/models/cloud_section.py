"""Gemini and the VLM server on the Models page: two cards, and what they do to settings, keys and connections."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget
from typing_extensions import override

from vvlm_desktop.settings import Settings
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.choice import title_of
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.models.cloud_card import CloudCard
from vvlm_desktop.ui.models.cloud_desk import AskConnection, CloudDesk, ask_in_worker
from vvlm_desktop.ui.models.cloud_view import CLOUD, MODEL_SETTING
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.widgets.labels import label

_NARROW_PX = 760


class CloudSection(QWidget):
    """Both cards side by side; one over the other where there is no room."""

    def __init__(self, shell: Shell, parent: QWidget | None = None, *, ask: AskConnection = ask_in_worker) -> None:
        super().__init__(parent)
        self._shell = shell
        self.desk = CloudDesk(shell, self, ask=ask)
        self.cards = {backend: CloudCard(self.desk.view(backend)) for backend in CLOUD}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.PAD)
        self._grid.addWidget(label("On other computers", "strong"), 0, 0, 1, 2)
        self._columns = 0
        self._place()
        self.desk.changed.connect(self.show_views)
        for card in self.cards.values():
            card.used.connect(self._on_use)
            card.test_pressed.connect(self.desk.test)
            card.model_entered.connect(self._on_model)
            card.address_entered.connect(self._on_address)
            card.key_entered.connect(self._on_key)
            card.key_forgotten.connect(self.desk.forget_key)
            card.allowed.connect(self._on_allowed)

    def show_views(self) -> None:
        """Show what is set and known now."""
        for backend, card in self.cards.items():
            card.show_view(self.desk.view(backend))

    def close_section(self) -> None:
        """The page goes."""
        self.desk.close()

    def _place(self) -> None:
        columns = 1 if self.width() < theme.px(_NARROW_PX) else 2
        if columns == self._columns:
            return
        self._columns = columns
        for number, card in enumerate(self.cards.values()):
            self._grid.addWidget(card, 1 + number // columns, number % columns)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1 if columns == 2 else 0)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    # -- what the user does

    def _on_use(self, backend: str) -> None:
        settings = self._change(backend=backend)
        if settings is not None:
            self._shell.report(Problem(f"Analyse now uses {title_of(settings)}.", tone="good"))

    def _on_allowed(self, on: bool) -> None:
        self._change(allow_upload=on)
        said = "Clips may leave this computer, each time after your yes." if on else "Nothing leaves this computer now."
        self._shell.report(Problem(said, tone="good"))

    def _on_model(self, backend: str, name: str) -> None:
        self.desk.forget_verdict(backend)
        default = str(Settings.model_fields[MODEL_SETTING[backend]].default)
        self._change(**{MODEL_SETTING[backend]: name or default})

    def _on_address(self, backend: str, address: str) -> None:
        self.desk.forget_test(backend)
        self._change(server_url=address)
        self.desk.look()  # the key belongs to the address

    def _on_key(self, backend: str, key: str, in_keychain: bool) -> None:
        self.desk.keep_key(backend, key, in_keychain=in_keychain)

    def _change(self, **changes: object) -> Settings | None:
        settings = self._shell.session.settings.model_copy(update=changes)
        done = self._shell.change_settings(settings)
        self.show_views()  # a refused change shows what holds
        return settings if done else None

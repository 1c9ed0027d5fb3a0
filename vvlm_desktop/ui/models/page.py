"""The Models page: what can analyse clips, whether it is here, whether it fits now, and what is in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.choice import title_of
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.models import install
from vvlm_desktop.ui.models.adapters import AdapterList
from vvlm_desktop.ui.models.card_grid import CardGrid
from vvlm_desktop.ui.models.card_view import AdapterView, CardView, Transfer
from vvlm_desktop.ui.models.choosing import (
    unmeasured_question,
    with_adapter,
    with_card,
    without_adapter,
    without_card,
)
from vvlm_desktop.ui.models.cloud_section import CloudSection
from vvlm_desktop.ui.models.downloads import Downloads
from vvlm_desktop.ui.models.gpu_line import GpuLine
from vvlm_desktop.ui.models.importing import import_question
from vvlm_desktop.ui.models.install_card import InstallCard
from vvlm_desktop.ui.models.installer import Installer
from vvlm_desktop.ui.models.shelf import Shelf, Stock
from vvlm_desktop.ui.models.stock_keeper import StockKeeper
from vvlm_desktop.ui.page import Page, Shell
from vvlm_desktop.ui.tasks import Task
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.words import shown
from vvlm_desktop.ui.work_line import Job, WorkLine

#: Cards that have just been filled are laid out over a few turns of the event loop.
_REVEAL_MS = 600


class ModelsPage(Page):
    """Cards in a grid, the GPU over them, adapters under them; it holds nothing that is not on disk or in settings."""

    page_id = "models"

    def __init__(self, shell: Shell, shelf: Shelf | None = None) -> None:
        super().__init__(shell)
        if shelf is None:
            from vvlm_desktop.ui.models.local_shelf import LocalShelf

            shelf = LocalShelf(lambda: shell.session)
        self._shelf = shelf
        self.keeper = StockKeeper(shell, shelf, self)
        self.downloads = Downloads(shell, shelf, self)
        self._line = WorkLine(shell.tasks, self)
        self._wanted: str | None = None
        self._reveal = QTimer(self)
        self._reveal.setSingleShot(True)
        self._reveal.setInterval(_REVEAL_MS)
        self._build()
        self.installer = Installer(shell, self.install_card, self)
        self.installer.done.connect(self.keeper.look)
        self.keeper.changed.connect(self._on_stock)
        self.keeper.failed.connect(shell.report)
        self.downloads.changed.connect(self._on_download_changed)
        self.downloads.fetched.connect(self._on_fetched)
        self.downloads.given_up.connect(self._on_given_up)

    # -- building

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        head.setSpacing(theme.GAP)
        head.addWidget(label("Models", "title"))
        head.addStretch(1)
        head.addWidget(button("Gemini or a server", partial(self.activate, "gemini"), icon="cloud"))
        head.addWidget(button("Open the folder", self._on_open_folder, icon="folder"))
        self.import_button = button("Import a model…", self.ask_for_model, icon="add-folder")
        head.addWidget(self.import_button)
        column.addLayout(head)
        column.addWidget(rule())
        body = QWidget()
        rows = QVBoxLayout(body)
        rows.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        rows.setSpacing(theme.MARGIN)
        self.gpu = GpuLine()
        self.install_card = InstallCard(install.command_to_copy(), can_install=install.can_install())
        self.grid = CardGrid()
        self.grid.pressed.connect(self._on_card)
        self.grid.card_focused.connect(self._on_card_focused)
        self.adapters = AdapterList()
        self.adapters.pressed.connect(self._on_adapter)
        self.adapters.import_pressed.connect(self.ask_for_adapter)
        self.cloud = CloudSection(self.shell)
        self.cloud.desk.changed.connect(self._on_cloud_changed)
        for item in (self.gpu, self.install_card, self.grid, self.adapters, self.cloud):
            rows.addWidget(item)
        rows.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(body)
        self.area.verticalScrollBar().rangeChanged.connect(self._show_focused)
        column.addWidget(self.area, 1)

    # -- what the window asks of a page

    @override
    def actions_here(self) -> Sequence[Action]:
        def act(name: str, words: str, run: Callable[[], object], *keys: str, icon: str) -> Action:
            return Action(f"models.{name}", words, run, keys, "models", "Models", icon)

        return (
            act("import", "Import a model…", self.ask_for_model, "Ctrl+I", icon="add-folder"),
            act("import_adapter", "Import an adapter…", self.ask_for_adapter, "Ctrl+Shift+I", icon="adapter"),
            act("built_in", "Use the built-in measurements", self.use_built_in, icon="analyse"),
            act("look", "Look at the GPU and the folder again", self.keeper.look, "F5", icon="redo"),
            act("folder", "Open the models folder", self._on_open_folder, icon="folder"),
            Action(
                "models.install",
                "Install the packages for local models",
                self.installer.start,
                (),
                "models",
                "Models",
                "download",
                enabled=lambda: self.installer.possible,
            ),
        )

    @override
    def activate(self, clip_id: str | None = None) -> None:
        """Show what there is; with a card's key, that card has the focus."""
        self.installer.look()
        self._wanted = clip_id or ""
        self.cloud.show_views()
        self.cloud.desk.look()
        self.keeper.watch(True)
        self._focus_wanted()

    def _focus_wanted(self) -> None:
        """The focus is on the card that was asked for, else on the one in use; once for each time the page is shown."""
        chosen = next((card for card in self.grid.cards.values() if card.view.chosen), None)
        elsewhere = self.cloud.cards.get(self._wanted or self.shell.session.settings.backend)
        card = self.grid.cards.get(self._wanted or "") or elsewhere or chosen
        if self._wanted is not None and card is not None and self.keeper.stock is not None:
            self._wanted = None
            card.setFocus(Qt.FocusReason.OtherFocusReason)
            self._reveal.start()
            self._show_focused()

    def _show_focused(self) -> None:
        """Scroll to what was asked for, until the cards above it have found their places."""
        focused = self.window().focusWidget()
        if self._reveal.isActive() and focused is not None and self.area.isAncestorOf(focused):
            self._on_card_focused(focused)

    def _on_cloud_changed(self) -> None:
        """What a test found makes a card taller: the button that was pressed stays in view."""
        focused = self.window().focusWidget()
        if focused is not None and self.cloud.isAncestorOf(focused):
            self._reveal.start()
            self._show_focused()

    @override
    def deactivate(self) -> None:
        self._wanted = None
        self.keeper.watch(False)

    @override
    def on_settings(self, settings: Settings) -> None:
        self.cloud.show_views()
        self.keeper.look()

    @override
    def close_page(self) -> None:
        self.keeper.close()
        self.downloads.close()
        self.installer.close()
        self.cloud.close_section()
        self._line.close()

    # -- showing

    def _on_stock(self, stock: Stock) -> None:
        self.gpu.show_view(stock.gpu)
        self.adapters.show_views(stock.adapters)
        self._show_cards()

    def _show_cards(self) -> None:
        stock = self.keeper.stock
        if stock is not None:
            self.grid.show_views([self._as_it_is(card) for card in stock.cards])
            self._focus_wanted()

    def _as_it_is(self, card: CardView) -> CardView:
        """A card with the download that runs for it, which a look at the folder does not know of."""
        transfer = self.downloads.transfer(card.key)
        if transfer is None:
            return card
        if not transfer.total_bytes and card.size_bytes:
            transfer = Transfer(transfer.done_bytes, card.size_bytes, transfer.seconds_left)
        return replace(card, state="downloading", transfer=transfer, reason="", verbs=None)

    def _on_download_changed(self, key: str) -> None:
        self._show_cards()
        if self.downloads.transfer(key) is None:
            self.keeper.look()

    def _on_card_focused(self, card: QWidget) -> None:
        self.area.ensureWidgetVisible(card, 0, theme.PAD)

    def _card(self, key: str) -> CardView | None:
        cards = self.keeper.stock.cards if self.keeper.stock is not None else ()
        return next((card for card in cards if card.key == key), None)

    # -- what the user does

    def use_built_in(self) -> None:
        """Analyse uses the built-in measurements."""
        settings = self.shell.session.settings
        self._choose(settings.model_copy(update={"backend": "signals"}))

    def _choose(self, settings: Settings) -> None:
        if self.shell.change_settings(settings):
            self.shell.report(Problem(f"Analyse now uses {title_of(settings)}.", tone="good"))
            self.keeper.look()

    def _on_card(self, key: str, verb: str) -> None:
        card = self._card(key)
        if card is None:
            return
        if verb == "use":
            self._choose(with_card(self.shell.session.settings, card))
        elif verb in {"download", "resume"}:
            self.downloads.start(key, card.title)
        elif verb == "pause":
            self.downloads.pause(key)
        elif verb == "cancel":
            self.downloads.give_up(key)
        elif verb == "remove":
            self._remove(card)
        elif verb == "set_up":
            self.activate(card.backend)

    def _remove(self, card: CardView) -> None:
        settings, shelf = self.shell.session.settings, self._shelf

        def removed(_result: object) -> None:
            now = self.shell.session.settings
            without = without_card(now, card.key)
            if without != now and self.shell.change_settings(without):
                hint = "Choose another card, or go on with it."
                sentence = f"{card.title} was removed. Analyse now uses {title_of(without)}."
                self.shell.report(Problem(sentence, hint=hint, tone="doubtful"))
            else:
                self.shell.report(Problem(f"{card.title} was removed.", tone="good"))
            self.keeper.look()

        self._do(f"Removing {card.title}", lambda _report, _cancelled: shelf.remove(settings, card.key), removed)

    def _on_given_up(self, key: str) -> None:
        settings, shelf = self.shell.session.settings, self._shelf
        card = self._card(key)
        title = card.title if card is not None else key
        self._do(
            f"Removing the part of {title}",
            lambda _report, _cancelled: shelf.remove(settings, key),
            lambda _result: self.keeper.look(),
        )

    def _on_fetched(self, key: str) -> None:
        card = self._card(key)
        title = card.title if card is not None else key
        self.shell.report(Problem(f"{title} is here, complete and checked.", tone="good"))

    def _on_adapter(self, key: str, verb: str) -> None:
        stock, settings = self.keeper.stock, self.shell.session.settings
        adapter = next((each for each in stock.adapters if each.key == key), None) if stock is not None else None
        if adapter is None:
            return
        if verb == "use":
            if adapter.admission == "elsewhere":
                self.shell.ask(unmeasured_question(adapter, on_yes=lambda _a: self._use(adapter, unmeasured=True)))
            else:
                self._use(adapter)
        elif verb == "stop_using":
            self._choose(without_adapter(settings))
        elif verb == "remove":
            shelf = self._shelf

            def removed(_result: object) -> None:
                now = self.shell.session.settings
                if now.local_adapter == key:
                    self.shell.change_settings(without_adapter(now))
                self.shell.report(Problem(f"The adapter {adapter.title} was removed.", tone="good"))
                self.keeper.look()

            self._do(
                f"Removing {adapter.title}", lambda _report, _cancelled: shelf.remove_adapter(settings, key), removed
            )

    def _use(self, adapter: AdapterView, *, unmeasured: bool = False) -> None:
        """The library's log is asked in a thread, and told first; only then do the settings change."""
        session, shelf = self.shell.session, self._shelf
        self._do(
            f"Looking up {shown(adapter.title)}",
            lambda _report, _cancelled: shelf.admit(session, adapter, unmeasured=unmeasured),
            lambda _result: self._choose(with_adapter(self.shell.session.settings, adapter)),
        )

    def ask_for_model(self) -> None:
        """Let the user choose a folder with weights."""
        self._import("Choose the folder of a model (config.json and .safetensors files)")

    def ask_for_adapter(self) -> None:
        """Let the user choose a folder with an adapter."""
        self._import("Choose the folder of an adapter (adapter_config.json)")

    def _import(self, title: str) -> None:
        name = QFileDialog.getExistingDirectory(self, title)
        if name:
            folder = Path(name)
            self.shell.ask(import_question(folder, on_yes=lambda answer: self.take_in(folder, copy=answer.ticked)))

    def take_in(self, folder: Path, *, copy: bool = False) -> None:
        """Import a folder in the background; its weights are copied or stay where they are."""
        settings, shelf = self.shell.session.settings, self._shelf
        title = f"Importing {shown(folder.name)}"

        def on_progress(transfer: Transfer, task: Task) -> None:
            task.update(title, fraction=transfer.fraction, seconds_left=transfer.seconds_left)

        def taken_in(name: str) -> None:
            self.shell.report(Problem(f"{shown(name)} was imported.", tone="good"))
            self.keeper.look()

        self._do(
            title,
            lambda report, cancelled: shelf.take_in(settings, folder, copy=copy, report=report, cancelled=cancelled),
            taken_in,
            on_progress=on_progress,
        )

    def _do(
        self,
        title: str,
        function: Callable[[Callable[[object], None], Callable[[], bool]], object],
        on_success: Callable[..., object],
        *,
        on_progress: Callable[..., object] | None = None,
    ) -> None:
        def failed(error: VvlmError) -> None:
            if not isinstance(error, JobCancelledError):
                self.shell.report(error)
            self.keeper.look()

        def ended(result: object) -> None:
            on_success(result)

        def progressed(progress: object, task: Task) -> None:
            if on_progress is not None:
                on_progress(progress, task)

        self._line.add(
            Job("models", function, on_success=ended, on_failure=failed, title=title, on_progress=progressed)
        )

    def _on_open_folder(self) -> None:
        folder = self.shell.session.settings.models_folder()
        while not folder.is_dir() and folder != folder.parent:  # before the first download there is none yet
            folder = folder.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

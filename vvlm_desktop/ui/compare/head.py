"""The line at the top: whose answers are compared, over which clips, and having both made."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.compare.letters import SideLetter
from vvlm_desktop.ui.compare.more import MoreAnswers
from vvlm_desktop.ui.compare.sides import LETTERS
from vvlm_desktop.ui.scope import SCOPES, Scope
from vvlm_desktop.ui.widgets.buttons import IconButton, button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.answerers import Answerers, Source


class CompareHead(QWidget):
    """Says that other answers, or other clips, are wanted."""

    changed = Signal()
    run_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._answerers = Answerers({}, {})
        self.choices = tuple(self._choice(f"Answer {letter}") for letter in LETTERS)
        self.scope = self._choice("Clips")
        # Few and short, but for what was chosen in the library: that must be read as a whole, too.
        self.scope.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._offer_scopes(SCOPES, chosen=0)
        self.swap = IconButton("swap", "Swap A and B", self._on_swap)
        self.run = button("Run both", self.run_pressed.emit, icon="analyse")
        self.more = MoreAnswers()
        self.more.changed.connect(self._on_more)
        self.add = IconButton("plus", "Another answer beside these", self.more.add)
        for widget in (self.swap, self.run, self.add):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        column.addLayout(row)
        column.addWidget(self.more)
        row.setSpacing(theme.GAP)
        row.addWidget(label("Compare", "title"))
        row.addSpacing(theme.GAP)
        letters = [SideLetter(number) for number in range(len(LETTERS))]
        for number, choice in enumerate(self.choices):
            if number:
                row.addWidget(self.swap)
            row.addWidget(letters[number])
            row.addWidget(choice, 3)
        row.addWidget(self.add)
        row.addWidget(self.scope)
        row.addStretch(0)
        row.addWidget(self.run)
        self._choosing = (*letters, *self.choices, self.swap, self.scope)

    def _choice(self, name: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        box.setMinimumContentsLength(8)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.currentIndexChanged.connect(self._on_changed)
        return box

    @property
    def sources(self) -> tuple[Source, Source] | None:
        """Whose answers are chosen."""
        one, other = (choice.currentData() for choice in self.choices)
        return (one, other) if isinstance(one, Source) and isinstance(other, Source) else None

    @property
    def chosen_scope(self) -> Scope:
        """Which clips are wanted."""
        scope = self.scope.currentData()
        return scope if isinstance(scope, Scope) else SCOPES[0]

    def choose_scope(self, scope: Scope) -> None:
        """Choose which clips are wanted; what came from the library is offered after the others, the last of it only.

        Says nothing: whoever chooses it reads anew.
        """
        offered = SCOPES if scope in SCOPES else (*SCOPES, scope)
        self._offer_scopes(offered, chosen=offered.index(scope))

    def _offer_scopes(self, scopes: Sequence[Scope], *, chosen: int) -> None:
        with QSignalBlocker(self.scope):
            self.scope.clear()
            for scope in scopes:
                self.scope.addItem(scope.title, scope)
            self.scope.setCurrentIndex(chosen)
            self.scope.setToolTip(scopes[chosen].title)

    def show_answerers(self, answerers: Answerers, *, wanted: tuple[Source, Source] | None = None) -> None:
        """Offer these; what is `wanted`, or else was chosen before, is chosen where it exists."""
        there = [pair for pair in (wanted, self.sources) if pair is not None and answerers.shared_by(*pair)]
        kept = there[0] if there else answerers.suggested()
        self._answerers = answerers
        self._fill(kept)
        for widget in self._choosing:
            widget.setVisible(kept is not None)
        self._offer_more(kept)

    def _offer_more(self, pair: tuple[Source, Source] | None) -> None:
        self.more.show_answerers(self._answerers, pair)
        self.add.setVisible(self.more.can_add)

    def _on_more(self) -> None:
        self.add.setVisible(self.more.can_add)
        self.changed.emit()

    def choose(self, one: Source, other: Source) -> None:
        """Choose whose answers are compared."""
        self._fill((one, other))
        self._offer_more((one, other))
        self.changed.emit()

    def _fill(self, chosen: tuple[Source, Source] | None) -> None:
        offered = (self._answerers.comparable, self._answerers.partners(chosen[0]) if chosen is not None else [])
        for number, (box, sources) in enumerate(zip(self.choices, offered, strict=True)):
            with QSignalBlocker(box):
                box.clear()
                self._offer(box, sources, partner=chosen[0] if chosen is not None and number else None)
                if chosen is not None and chosen[number] in sources:
                    box.setCurrentIndex(sources.index(chosen[number]))
                box.setToolTip(box.currentText())

    def _offer(self, box: QComboBox, sources: Sequence[Source], *, partner: Source | None) -> None:
        for source in sources:
            clips = self._answerers.shared_by(partner, source) if partner else self._answerers.clips[source]
            box.addItem(f"{source.title} · {count(clips, 'clip')}", source)

    def _on_changed(self) -> None:
        sources = self.sources
        if self.sender() is self.choices[0] and sources is not None:
            one = sources[0]
            partners = self._answerers.partners(one)
            other = sources[1] if sources[1] in partners else next(iter(partners), None)
            self._fill((one, other) if other is not None else None)
        self._offer_more(self.sources)
        self.changed.emit()

    def _on_swap(self) -> None:
        if self.sources is not None:
            one, other = self.sources
            self.choose(other, one)

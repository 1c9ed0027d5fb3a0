"""A third and a fourth answer beside the two: chosen in a line of their own, which is there once one is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.compare.letters import SideLetter
from vvlm_desktop.ui.compare.sides import ALL_LETTERS, LETTERS
from vvlm_desktop.ui.widgets.buttons import IconButton
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.answerers import Answerers, Source

_FIRST = len(LETTERS)
_MOST = len(ALL_LETTERS) - _FIRST


class MoreAnswers(QWidget):
    """Says that others are wanted beside A and B."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sources: tuple[Source, ...] = ()
        self._answerers = Answerers({}, {})
        self._pair: tuple[Source, Source] | None = None
        self.boxes: list[QComboBox] = []
        self._parts: list[QWidget] = []
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(theme.GAP)
        self.hide()

    @property
    def can_add(self) -> bool:
        """Whether there is another that has answered about A's clips."""
        return len(self.sources) < _MOST and bool(self._others())

    def show_answerers(self, answerers: Answerers, pair: tuple[Source, Source] | None) -> None:
        """Offer those that share clips with A; what is gone, or is now A or B, is no longer beside them."""
        self._answerers, self._pair = answerers, pair
        there = frozenset(answerers.partners(pair[0])) - frozenset(pair) if pair is not None else frozenset()
        self._put(tuple(source for source in self.sources if source in there))

    def add(self) -> None:
        """Another beside them, the one with most clips in common."""
        if self.can_add:
            # What a model said last, before measurements, scripts and older answers.
            best = min(self._others(), key=lambda source: (source.provenance != "model", source.back))
            self._put((*self.sources, best))
            self.changed.emit()

    def choose(self, sources: Sequence[Source]) -> None:
        """Have just these beside them."""
        self._put(tuple(sources)[:_MOST])
        self.changed.emit()

    def _others(self, *, but: int | None = None) -> list[Source]:
        if self._pair is None:
            return []
        taken = {*self._pair, *(source for number, source in enumerate(self.sources) if number != but)}
        return [source for source in self._answerers.partners(self._pair[0]) if source not in taken]

    def _put(self, sources: tuple[Source, ...]) -> None:
        self.sources = sources
        for part in self._parts:
            part.hide()  # it may be the one whose click this is
            part.deleteLater()
        while self.row.takeAt(0) is not None:
            pass
        self.boxes, self._parts = [], []
        for number in range(len(sources)):
            self._add_box(number)
        if sources:
            self.row.addStretch(1)
        self.setVisible(bool(sources))

    def _add_box(self, number: int) -> None:
        box = QComboBox()
        letter = ALL_LETTERS[_FIRST + number]
        box.setAccessibleName(f"Answer {letter}")
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        box.setMinimumContentsLength(8)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        offered = self._others(but=number)
        with QSignalBlocker(box):
            for source in offered:
                clips = self._answerers.shared_by(self._pair[0], source) if self._pair is not None else 0
                box.addItem(f"{source.title} · {count(clips, 'clip')}", source)
            box.setCurrentIndex(offered.index(self.sources[number]))
        box.setToolTip(box.currentText())
        box.currentIndexChanged.connect(partial(self._on_chosen, number))
        remove = IconButton("close", f"Take answer {letter} away", partial(self._on_removed, number))
        remove.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        parts: tuple[tuple[QWidget, int], ...] = ((SideLetter(_FIRST + number), 0), (box, 1), (remove, 0))
        for part, stretch in parts:
            self.row.addWidget(part, stretch)
            self._parts.append(part)
        self.boxes.append(box)

    def _on_chosen(self, number: int, index: int) -> None:
        source = self.boxes[number].itemData(index)
        if not isinstance(source, Source):
            return
        sources = list(self.sources)
        sources[number] = source
        self._put(tuple(sources))
        self.changed.emit()

    def _on_removed(self, number: int) -> None:
        self._put(tuple(source for place, source in enumerate(self.sources) if place != number))
        self.changed.emit()

"""What is in one training set: its parts, the balance of its values, who is left out and why, where reviewers agree."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vvlm_desktop.formats.base import LeftOut
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.training.set_bars import BalanceBars
from vvlm_desktop.ui.training.set_check import SetCheck
from vvlm_desktop.ui.training.set_clips import ClipsByReason
from vvlm_desktop.ui.training.set_facts import PARTS, SetFacts, frames_of_set
from vvlm_desktop.ui.training.set_outlook import by_reason
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import breakable, count, shown, when

_PART_WORDS = {
    "train": "learnt from",
    "val": "watched while it learns",
    "test": "never shown; an adapter has to be better on it",
}


class SetView(QScrollArea):
    """A scroll of cards about one set."""

    clip_chosen = Signal(str)
    clips_listed = Signal(str, list)  # title, ids
    train_pressed = Signal()
    check_pressed = Signal()
    check_cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.facts: SetFacts | None = None
        self.train = button("Train on this set", self.train_pressed.emit, kind="primary")
        self.check = SetCheck()
        self.check.check_pressed.connect(self.check_pressed)
        self.check.cancel_pressed.connect(self.check_cancelled)
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        self._column.setSpacing(theme.PAD)
        self._title = label("", "title")
        self._meta = label("", "small", wrap=True)
        head = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._meta)
        head.addLayout(words, 1)
        head.addWidget(self.train, alignment=Qt.AlignmentFlag.AlignTop)
        self._column.addLayout(head)
        self._parts_card, self._parts = _card()
        self._column.addWidget(self._parts_card)
        self._column.addWidget(self.check)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(theme.PAD)
        self._column.addLayout(self._cards)
        self._column.addStretch(1)
        self.setWidget(body)

    def show_facts(self, facts: SetFacts, *, left_out: Sequence[LeftOut] = ()) -> None:
        """Show a set, and who is not in it."""
        self.facts = facts
        made = when(str(facts.training_set.manifest.get("created_at", "")))
        frames = frames_of_set(facts.training_set)
        about = ("made " + made if made else "", count(frames, "frame") + " a clip" if frames else "")
        self._title.setText(facts.title)
        self._meta.setText(" · ".join((*(part for part in about if part), f"id {facts.training_set.id}")))
        self._show_parts(facts)
        self._clear(self._cards)
        self._show_warnings(facts)
        self._show_balances(facts)
        outside = [row for row in left_out if row.clip_id not in facts.clip_ids]
        self._show_clips("Not in it", "Clips that somebody has looked at, by what keeps them out.", by_reason(outside))
        sentence = "Clips of earlier sets that may train no more, by the reason."
        self._show_clips("Withdrawn", sentence, by_reason(facts.withdrawn))
        self._show_agreement(facts)

    # -- cards

    def _show_parts(self, facts: SetFacts) -> None:
        grid = self._parts
        while (item := grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for place, (part, title) in enumerate(PARTS.items()):
            clips, recordings = facts.parts[part]
            grid.addWidget(label(title, "strong"), 0, place)
            words = f"{count(clips, 'clip')} of {count(recordings, 'recording')}" if clips else "empty"
            grid.addWidget(label(words, "body" if clips else "doubtful"), 1, place)
            grid.addWidget(label(_PART_WORDS[part], "small", wrap=True), 2, place)
            grid.setColumnStretch(place, 1)

    def _show_warnings(self, facts: SetFacts) -> None:
        said = []
        if not facts.parts["test"][0]:
            said.append("The test part is empty: nobody can say whether a model got better. More recordings fill it.")
        elif facts.test_note:
            said.append(facts.test_note)
        if facts.withdrawn_since:
            clips = count(len(facts.withdrawn_since), "clip of it may", "clips of it may")
            said.append(f"{clips} train no more since it was made. Make the next version before you train.")
        for words in said:
            line = MarkLine()
            line.show_mark("warning", words, ink="doubtful")
            self._cards.addWidget(line)

    def _show_balances(self, facts: SetFacts) -> None:
        if not facts.balances:
            return
        card, column = _column_card("How often each value occurs")
        for number, balance in enumerate(facts.balances):
            column.addWidget(BalanceBars(balance, headed=number == 0))
        self._cards.addWidget(card)

    def _show_clips(self, title: str, sentence: str, groups: Sequence[tuple[str, list[LeftOut]]]) -> None:
        if not groups:
            return
        card, column = _column_card(title)
        column.addWidget(label(sentence, "small", wrap=True))
        for reason, clips in groups:
            line = ClipsByReason(reason, clips)
            line.chosen.connect(self.clip_chosen)
            line.listed.connect(self.clips_listed)
            column.addWidget(line)
        self._cards.addWidget(card)

    def _show_agreement(self, facts: SetFacts) -> None:
        if not facts.agreements:
            return
        card, column = _column_card("Where several reviewers looked")
        words = f"{count(facts.several, 'clip')} with several reviewers; on {facts.gold:,} they agree in everything."
        column.addWidget(label(words, "small", wrap=True))
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.MARGIN)
        grid.setColumnStretch(0, 1)
        for place, title in enumerate(("Field", "Agreed", "Kappa")):
            grid.addWidget(label(title, "small"), 0, place)
        for line, row in enumerate(facts.agreements, start=1):
            grid.addWidget(label(breakable(shown(row.label))), line, 0)
            grid.addWidget(label(f"{row.agreed:,} of {row.clips:,}"), line, 1)
            grid.addWidget(label("–" if row.kappa is None else f"{row.kappa:.2f}"), line, 2)
        column.addLayout(grid)
        self._cards.addWidget(card)

    @staticmethod
    def _clear(layout: QVBoxLayout) -> None:
        while (item := layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()


def _card() -> tuple[QFrame, QGridLayout]:
    frame = QFrame()
    frame.setProperty("surface", "card")
    grid = QGridLayout(frame)
    grid.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
    grid.setHorizontalSpacing(theme.MARGIN)
    grid.setVerticalSpacing(2)
    return frame, grid


def _column_card(title: str) -> tuple[QFrame, QVBoxLayout]:
    frame = QFrame()
    frame.setProperty("surface", "card")
    column = QVBoxLayout(frame)
    column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
    column.setSpacing(theme.GAP)
    column.addWidget(label(title, "strong"))
    return frame, column

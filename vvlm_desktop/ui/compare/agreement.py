"""How far two agree over a selection: a table by field and a matrix of one of them; a click opens those clips."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.statistics import p_in_words
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.compare.matrix import Matrix
from vvlm_desktop.ui.compare.narrowing import Narrowing
from vvlm_desktop.ui.compare.numbers import numbers_text
from vvlm_desktop.ui.compare.sides import ALL_LETTERS, LETTERS
from vvlm_desktop.ui.widgets.buttons import IconButton
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label, rule
from vvlm_desktop.ui.widgets.line_table import as_line_table
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.agreement import FieldAgreement, Tally
from vvlm_desktop.workflow.answerers import Source

_BOTH = "Both answered"
_BOTH_OF_MORE = f"{LETTERS[0]} and {LETTERS[1]} answered"
_COLUMNS = ("Field", _BOTH, "Agree", f"{LETTERS[0]} right", f"{LETTERS[1]} right")
#: The columns that say who was right.
_RIGHT = frozenset({3, 4})
_NOTHING = (
    "None of these pairs is counted, since the two were not asked on equal terms; clip by clip they can be compared "
    "above. “Run both” has a model answer with and without its adapter on the same frames and with the same prompt."
)
_ROW_PX = 24
_ANY_WIDTH = 16_777_215  # Qt's word for no limit
#: What the matrix holds against what.
_AGAINST: tuple[tuple[str, int | None], ...] = (
    (f"{LETTERS[0]} against {LETTERS[1]}", None),
    (f"{LETTERS[0]} against the truth", 0),
    (f"{LETTERS[1]} against the truth", 1),
)


class AgreementTable(QTableWidget):
    """A line for each field, one of them chosen; a click, or Enter, asks for the clips in which it differs."""

    narrowed = Signal(object)  # Narrowing
    field_chosen = Signal(str)  # key

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self._rows: list[FieldAgreement] = []
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        as_line_table(self, "Agreement by field", row_px=_ROW_PX, padded=False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.currentCellChanged.connect(self._on_current)
        self.cellClicked.connect(self._on_chosen)
        self.cellActivated.connect(self._on_chosen)

    def show_tally(self, tally: Tally, more: Sequence[Tally] = (), *, field_key: str = "") -> None:
        """Show other numbers, with a field chosen; `more` are of A and those beside A and B."""
        with QSignalBlocker(self):  # lines move and go: nobody has chosen another
            self._fill(tally, more)
            line = next((number for number, row in enumerate(self._rows) if row.key == field_key), None)
            if line is not None:
                self.setCurrentCell(line, 0)

    def _fill(self, tally: Tally, more: Sequence[Tally]) -> None:
        self._rows = tally.rows()
        self.setRowCount(len(self._rows))
        beside = ALL_LETTERS[2 : 2 + len(more)]
        of_two = [_BOTH_OF_MORE if more and title == _BOTH else title for title in _COLUMNS]
        columns = [*of_two, *(f"{letter} {what}" for letter in beside for what in ("as A", "right"))]
        self.setColumnCount(len(columns))
        self.setHorizontalHeaderLabels(columns)
        # With many columns the table scrolls instead.
        first = QHeaderView.ResizeMode.ResizeToContents if more else QHeaderView.ResizeMode.Stretch
        self.horizontalHeader().setSectionResizeMode(0, first)
        for number, row in enumerate(self._rows):
            cells = (
                row.label,
                f"{row.n:,}",
                percent(row.agree, row.n),
                percent(row.a_right, row.judged),
                percent(row.b_right, row.judged),
                *(cell for each in more for cell in _beside(each.fields.get(row.key))),
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                apart = row.n - row.agree
                shows = f"Show the {count(apart, 'clip')} in which {row.label} differs" if apart else ""
                item.setToolTip(judged_words(row) if column in _RIGHT and row.judged else shows)
                self.setItem(number, column, item)

    @property
    def needed_width(self) -> int:
        """At which all columns are in view, with room for a scroll bar."""
        bar = self.verticalScrollBar().sizeHint().width()
        return self.horizontalHeader().length() + 2 * self.frameWidth() + bar

    def _on_current(self, row: int) -> None:
        if 0 <= row < len(self._rows):
            self.field_chosen.emit(self._rows[row].key)

    def _on_chosen(self, row: int) -> None:
        chosen = self._rows[row]
        self.field_chosen.emit(chosen.key)
        if chosen.agree < chosen.n:
            self.narrowed.emit(Narrowing(field_key=chosen.key, words=f"{chosen.label} differs"))


class AgreementPanel(QWidget):
    """Table and matrix side by side, with what they rest on in one line."""

    narrowed = Signal(object)  # Narrowing

    def __init__(self, schema: LabelSchema, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.summary = ElidedLabel("", "muted")
        self.table = AgreementTable()
        self.matrix = Matrix(schema)
        self._field_key = ""  # chosen by hand
        self.matrix_of = ElidedLabel("", "strong")
        self.matrix_of.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._shown: tuple[Tally, tuple[Source, ...], tuple[Tally, ...]] | None = None
        self.against = QComboBox()
        self.against.setAccessibleName("What the matrix shows")
        self.against.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for words, side in _AGAINST:
            self.against.addItem(words, side)
        self.against.currentIndexChanged.connect(lambda _index: self.matrix.show_against(self.against.currentData()))
        self.copy = IconButton("copy", "Copy numbers", self.copy_numbers)
        self.copy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.table.field_chosen.connect(self.show_field)
        self.table.narrowed.connect(self.narrowed)
        self.matrix.narrowed.connect(self.narrowed)
        body = self.body = QHBoxLayout()
        body.setSpacing(theme.MARGIN)
        body.addWidget(self.table, 3)
        body.addWidget(self.matrix, 2)
        self.nothing = label(_NOTHING, "muted", wrap=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.nothing.hide()
        body.addWidget(self.nothing, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(rule())
        inner = QVBoxLayout()
        inner.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        inner.setSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(theme.GAP)
        head.addWidget(self.summary, 3)
        head.addWidget(self.matrix_of, 1)
        head.addWidget(self.against)
        head.addWidget(self.copy)
        inner.addLayout(head)
        inner.addLayout(body, 1)
        column.addLayout(inner, 1)

    def show_tally(self, tally: Tally, *, sources: Sequence[Source] = (), more: Sequence[Tally] = ()) -> None:
        """Show other numbers; `more` are of A and those beside A and B."""
        self._shown = (tally, tuple(sources), tuple(more))
        self.table.show_tally(tally, more, field_key=tally.shown_choice(self._field_key))
        self.matrix.show_tally(tally, self._field_key)
        self._say_field()
        self._share_width()
        some = bool(tally.rows())
        for part in (self.table, self.matrix, self.matrix_of, self.against, self.copy):
            part.setVisible(some)
        self.nothing.setVisible(not some)
        self.summary.setText(summary(tally, of_more=bool(more)))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """Beside a table of many columns the matrix takes what they leave; with too little of it, the table scrolls."""
        wide = self._shown is not None and bool(self._shown[2])
        self.body.setStretch(0, 1 if wide else 3)
        self.body.setStretch(1, 0 if wide else 2)
        left = self.width() - 3 * theme.MARGIN - self.table.needed_width
        self.matrix.setMaximumWidth(max(self.matrix.minimumSizeHint().width(), left) if wide else _ANY_WIDTH)

    def show_field(self, field_key: str) -> None:
        """Show the matrix of another field."""
        self._field_key = field_key
        self.matrix.show_field(field_key)
        self._say_field()

    def _say_field(self) -> None:
        field = self.matrix.field
        self.matrix_of.setText(field.label if field is not None else "")
        self.against.setEnabled(field is not None and field.kind == "one_of")

    def copy_numbers(self) -> None:
        """Put what is shown on the clipboard, as a spreadsheet takes it."""
        if self._shown is not None:
            tally, sources, more = self._shown
            QGuiApplication.clipboard().setText(numbers_text(tally, sources, more, field_key=self._field_key))

    def show_reading(self, fraction: float) -> None:
        """Say that other numbers are on their way."""
        if fraction > 0:
            self.summary.setText(f"Counting again, {fraction:.0%}…")


def percent(part: int, whole: int) -> str:
    """A share with its numbers, since 1 of 1 is 100 %, too."""
    return f"{round(100 * part / whole)} % of {whole:,}" if whole else "–"


def _beside(row: FieldAgreement | None) -> tuple[str, str]:
    """Of one that stands beside A and B: how often it says what A says, and how often it is right."""
    return (percent(row.agree, row.n), percent(row.b_right, row.judged)) if row is not None else ("–", "–")


def judged_words(row: FieldAgreement) -> str:
    """What the two shares rest on, and whether chance alone could make them so unequal."""
    a, b = LETTERS
    said = f"Of the {count(row.judged, 'clip')} of which both are known to be right or wrong: "
    said += f"{row.only_a:,} where only {a} was right, {row.only_b:,} where only {b} was."
    if row.p_value is None:
        return said
    chance = p_in_words(row.p_value)
    p_value = f"p {chance}" if chance.startswith("<") else f"p = {chance}"
    return f"{said} Chance alone makes them so unequal with {p_value} (McNemar's exact test)."


def summary(tally: Tally, *, of_more: bool = False) -> str:
    """What the numbers rest on; the clips are those of A and B, whoever stands beside them."""
    who = f"{LETTERS[0]} and {LETTERS[1]}" if of_more else "both"
    parts = [f"{count(len(tally.lines), 'clip')} that {who} have answered, {tally.truths:,} of them reviewed"]
    if tally.of_learnt:
        parts.append(f"{tally.of_learnt:,} that one of them learnt from: who is right about these is not counted")
    if tally.unfair:
        parts.append(f"{tally.unfair:,} left out of the counts: not the same frames, prompt or settings")
    if not tally.truths:
        parts.append("review some to see who is right")
    return " · ".join(parts)

"""What one said of a field against what the other said, or against the truth, as a grid; a click opens the clips."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.compare.narrowing import Narrowing
from vvlm_desktop.ui.compare.sides import LETTERS
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.agreement import SILENT, Tally, values_in

_STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
_CHOOSE = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space})
_OWN_KEYS = frozenset(_STEPS) | _CHOOSE


class Matrix(QWidget):
    """Counts of one choice, one in rows and one in columns; the diagonal is agreement. Arrows and Enter work, too."""

    narrowed = Signal(object)  # Narrowing

    def __init__(self, schema: LabelSchema, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._schema = schema
        self._values: list[str] = []
        self._counts: dict[tuple[str, str], int] = {}
        self._cell = (0, 0)
        self._tally: Tally | None = None
        self._side: int | None = None
        self._wanted = ""
        self._field: Field | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    @property
    def names(self) -> tuple[str, str]:
        """What stands in rows, and what in columns."""
        return (LETTERS[0], LETTERS[1]) if self._side is None else ("Truth", LETTERS[self._side])

    @property
    def field(self) -> Field | None:
        """Of which field it is; one with lists has no matrix, and None is a schema with neither."""
        return self._field

    def show_tally(self, tally: Tally, field_key: str = "") -> None:
        """Show other numbers; of the event, or the first choice, where no field is named."""
        self._tally, self._wanted = tally, field_key
        self._show()

    def show_field(self, field_key: str) -> None:
        """Show another field."""
        self._wanted = field_key
        self._show()

    def show_against(self, side: int | None) -> None:
        """Hold one side against the truth; None for the two against each other."""
        self._side = side
        self._show()

    def _show(self) -> None:
        tally = self._tally
        if tally is None:
            return
        key = tally.shown_choice(self._wanted)
        self._field = self._schema.field(key) if key in self._schema else None
        self._counts = tally.matrix(key) if self._side is None else tally.against_truth(key, self._side)
        self._values = values_in(self._field, self._counts) if self._field is not None else []
        self._cell = (0, 0)
        one, other = self.names
        name = self._field.label if self._field is not None else "Matrix"
        self.setAccessibleName(f"{name}: {one} in rows, {other} in columns" if self._values else f"{name}: none")
        said = sorted(self._counts.items())
        spoken = [f"{one} {self._label(a)}, {other} {self._label(b)}: {n}" for (a, b), n in said if n]
        self.setAccessibleDescription(". ".join(spoken) or self.why_empty)
        self.updateGeometry()
        self.update()

    @property
    def why_empty(self) -> str:
        """Why there is no matrix; empty where there is one."""
        if self._values:
            return ""
        if self._field is None:
            return "No field of this label schema has one value of several: there is no matrix."
        label = self._field.label
        if self._field.kind != "one_of":
            kind = "list" if self._field.kind == "any_of" else "time"
            return f"{label} is a {kind}, and {kind}s have no matrix. Choose a field with one value in the table."
        if self._side is None:
            return f"Neither has said anything of {label} in these clips."
        return f"Nobody has said of any of these clips what {label} is. Review some to see who is right."

    def count_at(self, row: int, column: int) -> int:
        """How many clips a cell holds."""
        return self._counts.get((self._values[row], self._values[column]), 0)

    def _label(self, value: str) -> str:
        if value == SILENT:
            return "Not answered"
        return self._field.label_of(value) if self._field is not None else value

    def _measures(self) -> tuple[float, float, float, float]:
        """Left and top of the cells, their width and height."""
        metrics = QFontMetricsF(theme.font("small"))
        names = [self._label(value) for value in self._values]
        left = max((metrics.horizontalAdvance(name) for name in names), default=40.0) + theme.px(30)
        top = metrics.height() * 2 + 8
        number = max(1, len(self._values))
        width = max((metrics.horizontalAdvance(name) for name in names), default=40.0) + 12
        width = max(40.0, min(width, (self.width() - left - 2) / number))
        height = max(theme.px(20), min(theme.px(34), (self.height() - top - 2) / number))
        return left, top, width, height

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a cell is."""
        left, top, width, height = self._measures()
        return QRectF(left + column * width, top + row * height, width - 2, height - 2)

    @override
    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(theme.font("small"))
        names = [self._label(value) for value in self._values]
        widest = max((metrics.horizontalAdvance(name) for name in names), default=60.0)
        number = max(1, len(self._values))
        width = int(widest + theme.px(30) + number * (widest + 12) + 4)
        return QSize(min(width, theme.px(520)), int(metrics.height() * 2 + 12 + number * theme.px(26)))

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(240), 0)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        left, top, width, _ = self._measures()
        metrics = painter.fontMetrics()
        most = max(self._counts.values(), default=0)
        painter.setPen(theme.colour("muted"))
        if not self._values:
            painter.drawText(self.rect().toRectF(), int(Qt.TextFlag.TextWordWrap), self.why_empty)
            return
        rows, columns = ("Truth" if name == "Truth" else f"{name} says" for name in self.names)
        painter.drawText(QRectF(left, 0, self.width() - left, metrics.height()), 0, columns)
        painter.drawText(QRectF(0, top - metrics.height() - 4, left - 8, metrics.height()), 0, rows)
        for number, value in enumerate(self._values):
            name = self._label(value)
            head = QRectF(left + number * width, metrics.height() + 3, width - 6, metrics.height())
            painter.setPen(theme.colour("muted"))
            painter.drawText(head, 0, metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(head.width())))
            side = self.cell_rect(number, 0)
            area = QRectF(0, side.top(), left - 8, side.height())
            painter.drawText(
                area,
                Qt.AlignmentFlag.AlignVCenter,
                metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(area.width())),
            )
            for column in range(len(self._values)):
                self._paint_cell(painter, number, column, most)

    def _paint_cell(self, painter: QPainter, row: int, column: int, most: int) -> None:
        number = self.count_at(row, column)
        rect = self.cell_rect(row, column)
        same = row == column
        strength = 0.12 + 0.4 * number / most if number and most else 0.0
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("raised"))
        painter.drawRoundedRect(rect, 3, 3)
        if strength:
            painter.setBrush(theme.colour("good" if same else "doubtful", alpha=strength))
            painter.drawRoundedRect(rect, 3, 3)
        if self.hasFocus() and (row, column) == self._cell:
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 3, 3)
        painter.setPen(theme.colour("text" if number else "muted"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, f"{number:,}")

    def _cell_at(self, x: float, y: float) -> tuple[int, int] | None:
        for row in range(len(self._values)):
            for column in range(len(self._values)):
                if self.cell_rect(row, column).contains(x, y):
                    return row, column
        return None

    def _choose(self, cell: tuple[int, int]) -> None:
        self._cell = cell
        self.update()
        if self.count_at(*cell):
            event = (self._values[cell[0]], self._values[cell[1]])
            one, other = self.names
            words = f"{one} {self._label(event[0]).lower()}, {other} {self._label(event[1]).lower()}"
            truth = None if self._side is None else (self._side, *event)
            place, key = self._place
            said = event if truth is None else None
            self.narrowed.emit(Narrowing(event=said, truth=truth, words=words, place=place, marked=key))

    @property
    def _place(self) -> tuple[int, str]:
        """Of the field among the tally's choices, and its key."""
        keys = [each.key for each in self._tally.choices] if self._tally is not None else []
        key = self._field.key if self._field is not None else ""
        return keys.index(key), key

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().x(), event.position().y())
        if cell is not None:
            self._choose(cell)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        last = len(self._values) - 1
        if step is not None and last >= 0:
            self._cell = (max(0, min(self._cell[0] + step[0], last)), max(0, min(self._cell[1] + step[1], last)))
            self.update()
        elif event.key() in _CHOOSE and last >= 0:
            self._choose(self._cell)
        else:
            super().keyPressEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _OWN_KEYS:
            event.accept()  # or the page would take them
            return True
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self._cell_at(event.pos().x(), event.pos().y())
            if cell is not None:
                one, other = (self._label(self._values[place]).lower() for place in cell)
                said = [f"{'truth' if name == 'Truth' else name + ' says'} " for name in self.names]
                words = f"{count(self.count_at(*cell), 'clip')}: {said[0]}{one}, {said[1]}{other}"
                QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

"""A field of the form: one line, or opened with its values, their definition, evidence and reason."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.domain.form import CANNOT_TELL_SHORTCUT, NONE_SEEN_SHORTCUT
from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.domain.schema import Field
from vvlm_desktop.domain.values import CANNOT_TELL
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.form.evidence import ChipRow, TimeChip
from vvlm_desktop.ui.review.form.field_header import FieldHeader
from vvlm_desktop.ui.review.form.model import FieldView
from vvlm_desktop.ui.review.form.value_row import ValueRow
from vvlm_desktop.ui.review.sureness import note_of
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import plain_tip

#: Stands for "none seen" of a list, and for "absent" of a range.
NOTHING = ""
START, END = "start", "end"
_CHIP_LETTERS = 56

REASON_WORDS = {
    "false_alarm": "false alarm",
    "missed_event": "missed event",
    "wrong_time": "wrong time",
    "wrong_value": "wrong value",
    "not_visible": "not visible",
    "ambiguous": "ambiguous",
    "definition_unclear": "definition unclear",
}


class FieldCard(QWidget):
    """Shows a `FieldView`; says what was pressed."""

    opened = Signal(str)  # field key
    value_pressed = Signal(str, str)  # field key, value key or NOTHING
    edge_pressed = Signal(str, str)  # field key of a range, START or END: take it from the picture
    span_pressed = Signal(object)  # PtsRange to go to
    time_pressed = Signal(object)  # milliseconds to go to
    evidence_removed = Signal(str, object, object)  # field key, value, PtsRange
    evidence_pressed = Signal(str)  # field key: stamp the frame that is shown
    reason_pressed = Signal(str)  # field key

    def __init__(self, view: FieldView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field = view.field
        self._view = view
        self._source = "model"
        self._open = False
        self.header = FieldHeader(view)
        self.header.clicked.connect(self._on_header_clicked)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.header)
        self._body: QWidget | None = None
        self.rows: dict[str, ValueRow] = {}

    @property
    def key(self) -> str:
        """The field's key."""
        return self._field.key

    @property
    def is_open(self) -> bool:
        """Whether its values are shown."""
        return self._open

    def show_view(self, view: FieldView, *, source: str, is_open: bool) -> None:
        """Show a field as it stands, opened or as one line."""
        self._view, self._source, self._open = view, source, is_open
        self.header.show_view(view, source=source, is_open=is_open)
        self.header.updateGeometry()
        if is_open and self._body is None:
            self._body = self._make_body(view.field)
            self._column.addWidget(self._body)
        if self._body is not None:
            self._body.setVisible(is_open)
        if is_open:
            self._show_body()
        self.update()

    # -- the opened part -----------------------------------------------------------------------------------------

    def _make_body(self, field: Field) -> QWidget:
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(theme.PAD, 0, theme.PAD, theme.PAD)
        column.setSpacing(2)
        for value_key, text, key in _choices(field):
            row = ValueRow(value_key, text, key, parent=body)
            row.clicked.connect(self._on_row_clicked)
            row.hovered.connect(self._on_hovered)
            self.rows[value_key] = row
            column.addWidget(row)
        self.definition = label("", "small", wrap=True)
        self.definition.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.definition.setContentsMargins(4, 5, 4, 3)
        column.addWidget(self.definition)
        self.sureness = label("", "small", wrap=True)
        self.sureness.setContentsMargins(4, 0, 4, 3)
        column.addWidget(self.sureness)
        self.times = ChipRow(body)
        self.times.setContentsMargins(0, 0, 0, 0)
        column.addSpacing(2)
        column.addWidget(self.times)
        return body

    def _show_body(self) -> None:
        view = self._view
        verdict = view.verdict.verdict if view.verdict else ""
        words = dict(view.value_words)
        for value_key, row in self.rows.items():
            said = self._source if _said(view, value_key) else ""
            if said and value_key in words:
                said = f"{said}, {words[value_key]}"
            row.show_state(chosen=_holds(view, value_key), said=said, verdict=verdict)
            if view.field.kind == "range" and value_key in {START, END}:
                row.setText(_edge_text(view, value_key))
        self._show_definition(None)
        sure = sureness_line(view, source=self._source)
        self.sureness.setText(sure)
        self.sureness.setVisible(bool(sure))
        self._show_times()

    def _show_definition(self, hovered: str | None) -> None:
        self.definition.setText(_definition(self._view, hovered))
        self._fit_definition()

    def _fit_definition(self) -> None:
        """Room for the longest definition, so that nothing moves under the mouse."""
        metrics = self.definition.fontMetrics()
        width = max(80, self.width() - 2 * theme.PAD - 8)
        texts = [_definition(self._view, key) for key in self.rows] or [self._field.help]
        wrap = Qt.TextFlag.TextWordWrap
        heights = [metrics.boundingRect(0, 0, width, 1000, wrap, text).height() for text in texts if text]
        lines = min(max(heights, default=metrics.height()), 3 * metrics.lineSpacing())
        self.definition.setMinimumHeight(lines + 8)

    def _show_times(self) -> None:
        self.times.clear()
        view = self._view
        for evidence in view.evidence:
            chip = TimeChip(evidence.text, ink="good", removable=True)
            chip.clicked.connect(lambda _=False, span=evidence.span: self.span_pressed.emit(span))
            chip.removed.connect(
                lambda value=evidence.value, span=evidence.span: self.evidence_removed.emit(self.key, value, span)
            )
            self.times.add(chip)
        if view.field.kind == "range" and view.said and isinstance(view.said_value, dict):
            self._add_said_time(view.said_text, view.said_value)
        if view.answered or view.rejected:
            stamp = TimeChip("This frame proves it" if not view.evidence else "Add", ink="muted", mark="dot", key="E")
            stamp.setAccessibleName("Stamp this frame as evidence (E)")
            stamp.clicked.connect(lambda: self.evidence_pressed.emit(self.key))
            self.times.add(stamp)
        if view.verdict is not None and view.verdict.reason is not None:
            words = reason_words(view)
            reason = TimeChip(_shortened(words), ink="muted", mark="flag", key="R")
            reason.setAccessibleName(f"Reason: {words} (R)")
            reason.setToolTip(plain_tip(words))
            reason.clicked.connect(lambda: self.reason_pressed.emit(self.key))
            self.times.add(reason)

    def _add_said_time(self, text: str, said: dict[str, int]) -> None:
        chip = TimeChip(text, ink="model")
        chip.setToolTip(f"What the {self._source} says; click to go there")
        chip.clicked.connect(lambda: self.time_pressed.emit(said["start_ms"]))
        self.times.add(chip)

    # -- what was done -------------------------------------------------------------------------------------------

    def _on_header_clicked(self) -> None:
        self.opened.emit(self.key)

    def _on_row_clicked(self) -> None:
        row = self.sender()
        if isinstance(row, ValueRow):
            if row.value_key in {START, END}:
                self.edge_pressed.emit(self.key, row.value_key)
            else:
                self.value_pressed.emit(self.key, row.value_key)

    def _on_hovered(self, value_key: object) -> None:
        self._show_definition(value_key if isinstance(value_key, str) else None)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._open:
            self._fit_definition()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._open:
            painter.fillRect(self.rect(), theme.colour("raised", alpha=0.45))
            painter.fillRect(QRectF(0, 0, 3, self.height()), theme.colour("accent"))
        painter.fillRect(QRectF(0, self.height() - 1, self.width(), 1), theme.colour("line"))


def _choices(field: Field) -> list[tuple[str, str, str]]:
    """Value key, label and key of each row."""
    if field.kind == "range":
        rows = [(START, "Start", "I"), (END, "End", "O")]
        return [*rows, (NOTHING, "Absent", NONE_SEEN_SHORTCUT)] if field.may_be_absent else rows
    rows = [(value.key, value.label, str(number)) for number, value in enumerate(field.values, start=1)]
    if field.kind == "any_of":
        rows.append((NOTHING, "None seen", NONE_SEEN_SHORTCUT))
    if field.has_values:
        rows.append((CANNOT_TELL, "Cannot tell", CANNOT_TELL_SHORTCUT))
    return rows


def _holds(view: FieldView, value_key: str) -> bool:
    if not view.answered:
        return False
    if view.field.kind == "range":
        return view.value is None if value_key == NOTHING else view.value is not None
    return view.value == [] if value_key == NOTHING else value_key in view.chosen


def _said(view: FieldView, value_key: str) -> bool:
    if not view.said:
        return False
    if view.field.kind == "range":
        return value_key == NOTHING and view.said_value is None
    return view.said_value == [] if value_key == NOTHING else value_key in view.said_values


def _edge_text(view: FieldView, edge: str) -> str:
    word = "Start" if edge == START else "End"
    if isinstance(view.value, dict):
        from vvlm_desktop.domain.clock import format_time

        return f"{word}  {format_time(view.value['start_ms' if edge == START else 'end_ms'])}"
    return f"{word}: set to this frame"


def _definition(view: FieldView, hovered: str | None) -> str:
    """The meaning of the value under the mouse, else of the one that holds, else what the field is about."""
    field = view.field
    key = hovered if hovered is not None else next(iter(view.chosen), None)
    if key and field.has_values and key in field.value_keys:
        return field.value(key).means
    return field.help


def sureness_line(view: FieldView, *, source: str) -> str:
    """How the answer spread over the values, and what its percentages rest on; most fields have neither."""
    note = note_of(view.sureness) if view.sureness is not None else ""
    spread = f"{source[:1].upper()}{source[1:]}: {view.distribution}." if view.distribution else ""
    return " ".join(part for part in (spread, note) if part)


def reason_words(view: FieldView) -> str:
    """Why a value was not accepted; what was wrong about another answer is not said of the one that is shown."""
    reason = view.verdict.reason if view.verdict is not None and view.verdict.reason is not None else ""
    words = REASON_WORDS.get(reason, reason.replace("_", " "))
    if not view.earlier:
        return words
    corrected = f"corrected from “{view.earlier}” (an earlier answer)"
    return corrected if reason == "wrong_value" else f"{words}, {corrected}"


def _shortened(words: str) -> str:
    """The end tells whose answer it was, so that a long list gives way in its middle."""
    half = _CHIP_LETTERS // 2
    return words if len(words) <= _CHIP_LETTERS else f"{words[:half]}…{words[-half:]}"


def as_span(first_pts: int, last_pts: int) -> PtsRange:
    """A stretch of evidence, whichever end was marked first."""
    return PtsRange(min(first_pts, last_pts), max(first_pts, last_pts))

"""What was done to a clip, by whom and when, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from vvlm_desktop.domain.labels import format_value
from vvlm_desktop.domain.review import Event
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.form.field_card import REASON_WORDS
from vvlm_desktop.ui.widgets.marks import STATUS_MARKS
from vvlm_desktop.ui.words import when

_HOW = {"bulk": "with Enter", "bulk_unseen": "with Enter, event not seen"}


class HistoryTab(QWidget):
    """Shows the events of a clip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setAccessibleName("History of this clip")
        self.list.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GAP, theme.GAP, 0, theme.GAP)
        column.addWidget(self.list)

    def show_events(self, schema: LabelSchema, events: Sequence[Event]) -> None:
        """Show these, given oldest first."""
        self.list.clear()
        for event in reversed(events):
            item = QListWidgetItem(
                f"{event_words(schema, event)}\n{when(event.at)} · {event.reviewer or 'this program'}"
            )
            item.setToolTip(f"{event.origin} #{event.seq}\n{event.hash}")
            self.list.addItem(item)
        if not events:
            self.list.addItem(QListWidgetItem("Nothing has been done to this clip yet."))


def event_words(schema: LabelSchema, event: Event) -> str:
    """One event as a sentence."""
    if event.payload is None:
        return "Erased for privacy; the chain still verifies"
    sentence = _words(schema, event.kind, event.payload)
    return f"Taken back: {sentence}" if event.undoes else sentence


def _words(schema: LabelSchema, kind: str, payload: Mapping[str, Any]) -> str:
    if kind == "verdict":
        return _verdict_words(schema, payload)
    if kind == "evidence":
        count = len(payload.get("after") or ())
        return f"{_label(schema, payload.get('field', ''))}: {count} evidence {'time' if count == 1 else 'times'}"
    if kind == "status":
        before, after = (
            STATUS_MARKS.get(payload.get(k) or "", (str(payload.get(k)), "", ""))[0] for k in ("before", "after")
        )
        why = f" ({str(payload['reason']).replace('_', ' ')})" if payload.get("reason") else ""
        return f"{before} → {after}{why}"
    return "Note changed" if kind == "note" else kind.capitalize()


def _verdict_words(schema: LabelSchema, payload: Mapping[str, Any]) -> str:
    key = payload.get("field", "")
    after = payload.get("after")
    if after is None:
        return f"{_label(schema, key)}: verdict taken back"
    said = _value(schema, key, after.get("model_value")) if after.get("model_answered") else "not answered"
    if after["verdict"] == "accepted":
        words = f"{_label(schema, key)}: {_value(schema, key, after.get('value'))} accepted"
    elif after["verdict"] == "rejected":
        words = f"{_label(schema, key)}: {said} is wrong, right value not known"
    else:
        words = f"{_label(schema, key)}: {said} → {_value(schema, key, after.get('value'))}"
    extra = [REASON_WORDS.get(after.get("reason") or "", ""), _HOW.get(after.get("how") or "", "")]
    extra = [word for word in extra if word]
    return f"{words} ({', '.join(extra)})" if extra else words


def _label(schema: LabelSchema, key: str) -> str:
    return schema.field(key).label if key in schema else key


def _value(schema: LabelSchema, key: str, value: Any) -> str:
    return format_value(schema, key, value) if key in schema else str(value)

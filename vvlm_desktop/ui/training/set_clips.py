"""Clips under a reason that they share, folded in; each leads to the library."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vvlm_desktop.formats.base import LeftOut
from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import menu_text, plain_tip, shown

#: More are counted: a wall of buttons helps nobody.
_MOST_CLIPS = 60
_NAME_CHARS = 36


class ClipsByReason(QWidget):
    """A line that folds out into the clips it is about."""

    chosen = Signal(str)  # id of a clip
    listed = Signal(str, list)  # reason, ids: all of them

    def __init__(self, reason: str, clips: Sequence[LeftOut], *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reason = reason
        self._clips = tuple(clips)
        self.head = button(menu_text(f"{len(clips):,} · {shown(reason)}"), kind="plain")
        self.head.setCheckable(True)
        self.head.setIcon(icons.icon("chevron-right"))
        self.head.setStyleSheet("text-align: left;")
        self.head.setAccessibleDescription("Shows or hides the clips")
        self.head.toggled.connect(self._on_toggled)
        self._body: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addWidget(self.head, alignment=Qt.AlignmentFlag.AlignLeft)

    def _on_toggled(self, on: bool) -> None:
        self.head.setIcon(icons.icon("chevron-down" if on else "chevron-right"))
        if on and self._body is None:
            self._body = self._made()
            self._column.addWidget(self._body)
        if self._body is not None:
            self._body.setVisible(on)

    def _on_list(self) -> None:
        self.listed.emit(self.reason, [clip.clip_id for clip in self._clips])

    def _made(self) -> QWidget:
        body = QWidget()
        flow = FlowLayout(body, gap=2)
        flow.setContentsMargins(theme.px(24), 0, 0, theme.GAP)
        if len(self._clips) > 1:
            every = button("Show all in the library", self._on_list, icon="library")
            every.setAccessibleName(f"Show all in the library: {shown(self.reason)}")
            flow.addWidget(every)
        for clip in self._clips[:_MOST_CLIPS]:
            name = shown(clip.name)
            short = name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}…"
            link = button(menu_text(short), partial(self.chosen.emit, clip.clip_id), kind="link")
            link.setAccessibleName(f"Show {name} in the library")
            link.setToolTip(plain_tip(name))
            flow.addWidget(link)
        if len(self._clips) > _MOST_CLIPS:
            flow.addWidget(label(f"and {len(self._clips) - _MOST_CLIPS:,} more", "small"))
        return body

"""Tells the pages what was analysed and what left, all of a second together: each announcement reads lists again."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from vvlm_desktop.domain.review import Change
from vvlm_desktop.ui.page import Shell

_NEWS_MS = 1_000


class AnalysisNews(QObject):
    """What has happened and was not told yet."""

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._clip_ids: dict[str, None] = {}
        self._sent = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_NEWS_MS)
        self._timer.timeout.connect(self.tell)

    @property
    def untold(self) -> frozenset[str]:
        """Clips whose answer is stored, and that no page has heard of yet."""
        return frozenset(self._clip_ids)

    def add(self, clip_id: str) -> None:
        """Note an analysed clip; it is told within a second."""
        self._clip_ids[clip_id] = None
        self._start()

    def add_sent(self) -> None:
        """Note that the ledger has a new line."""
        self._sent = True
        self._start()

    def tell(self) -> None:
        """Tell what was noted."""
        self._timer.stop()
        clip_ids, self._clip_ids = tuple(self._clip_ids), {}
        what = frozenset({*(["analyses"] if clip_ids else []), *(["sent"] if self._sent else [])})
        self._sent = False
        if what:
            self._shell.announce(Change(clip_ids=clip_ids, what=what))

    def stop(self) -> None:
        """Tell nothing more."""
        self._timer.stop()
        self._clip_ids, self._sent = {}, False

    def _start(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

"""Brings speed, forces and track of the open clip to the timeline and the map; reads them once, in the background."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, QTimer, Signal

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.review.map_panel import DrivePanel
from vvlm_desktop.workflow.telemetry import Drive, kept_drive, read_drive

_log = logging.getLogger(__name__)
#: The event frame is decoded first.
_DELAY_MS = 300


class LaneTelemetry(QObject):
    """Follows which clip is open. What was read is kept; a clip without telemetry is asked once in a session."""

    clock_chosen = Signal(int)  # ms

    def __init__(self, shell: Shell, panel: DrivePanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell, self._panel = shell, panel
        self._clip: Clip | None = None
        self._looked: set[str] = set()
        self._works: list[Work[Drive]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self._read)
        panel.clock_chosen.connect(self.clock_chosen)
        panel.closed.connect(self.close)

    def show_clip(self, clip: Clip | None) -> None:
        """Another clip is open, or the same after a change."""
        self._clip = clip
        self._timer.stop()
        drive = self._kept(clip) if clip is not None and clip.readable else None
        self._panel.show_drive(drive)
        if clip is not None and clip.readable and not drive and clip.id not in self._looked:
            self._timer.start()

    def _kept(self, clip: Clip) -> Drive | None:
        try:
            return kept_drive(self._shell.session, clip)
        except VvlmError as error:
            _log.warning("No telemetry can be kept: %s", error)
            return None

    def _read(self) -> None:
        clip, session = self._clip, self._shell.session
        if clip is None or clip.id in self._looked:
            return
        self._looked.add(clip.id)
        work: Work[Drive] = Work(lambda _report, _cancelled: read_drive(session, clip), name="telemetry", parent=self)
        work.succeeded.connect(self._on_read)
        work.failed.connect(self._on_failed)
        work.ended.connect(self._on_ended)
        self._works.append(work)
        work.start()

    def _on_read(self, _drive: Drive) -> None:
        if self._clip is not None and self._clip.readable:
            self._panel.show_drive(self._kept(self._clip))

    def _on_ended(self) -> None:
        work = self.sender()
        self._works = [each for each in self._works if each is not work]
        if work is not None:
            work.deleteLater()

    def _on_failed(self, error: VvlmError) -> None:
        _log.info("No telemetry: %s", error)  # what is wrong with the file is said where its pictures are

    def close(self) -> None:
        """Wait for what is being read."""
        self._timer.stop()
        self._clip = None
        for work in self._works:
            work.wait(2.0)

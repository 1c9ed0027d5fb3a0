"""The queue beside the picture: its list, its pictures, and when it is read again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.ui.library.thumbnails import Thumbnails
from vvlm_desktop.ui.review.queue import QueueDesk
from vvlm_desktop.ui.review.queue_list import QueueList, QueueModel
from vvlm_desktop.workflow.calibration import Calibration
from vvlm_desktop.workflow.session import Session

#: While clips are being added or analysed the queue is read again this often; at 100,000 clips that takes 0.1 s.
_AGAIN_MS = 1000
#: So many times it waits for a clip that plays, whose picture would stand still for that long.
_PATIENCE = 10


class QueueSide(QObject):
    """Keeps the list like the library, without reading it for every clip of a batch."""

    caught_up = Signal()  # what was put off by `refresh_soon` is done

    def __init__(
        self,
        session: Session,
        *,
        current: Callable[[], str | None],
        playing: Callable[[], bool],
        calibration_of: Callable[[Analysis], Calibration | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._current = current
        self._playing = playing
        self._waited = 0
        self.queue = QueueDesk(session, calibration_of=calibration_of)
        self.model = QueueModel(self.queue.items)
        self.model.setParent(self)
        self.thumbnails = Thumbnails(session, parent=self)
        self.list = QueueList(self.model, picture_of=self.thumbnails.picture)
        self.thumbnails.made.connect(self.list.repaint_pictures)
        self.list.sort_pressed.connect(self.sort_again)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self._on_again)

    def show_rows(self) -> None:
        """Show the queue as it is."""
        self.model.reset(len(self.queue))
        self.select(scroll=True)
        self.show_progress()

    def refresh(self) -> None:
        """Read the library again, now; the order stays while a clip is open."""
        self._read(self._current())

    def sort_again(self) -> None:
        """Those that are now worth most attention come first."""
        self._read(None)
        self.select(scroll=True)

    def _read(self, current: str | None) -> None:
        self._again.stop()
        self._waited = 0
        if self.queue.refresh(current=current) or self.model.rowCount() != len(self.queue):
            bar = self.list.view.verticalScrollBar()
            place = bar.value()
            self.model.reset(len(self.queue))
            self.select(scroll=False)
            bar.setValue(place)
        else:
            self.model.refresh()
        self.show_progress()

    @property
    def waiting(self) -> bool:
        """Whether it is going to be read again soon."""
        return self._again.isActive()

    def refresh_soon(self) -> None:
        """Read the library again before long, once for all that has been said until then."""
        if not self._again.isActive():
            self._again.start()

    def refresh_clip(self, clip_id: str) -> None:
        """Something was said about one clip; the order stays."""
        row = self.queue.row_of(clip_id)
        if row is not None:
            self.model.refresh_row(row)

    def select(self, *, scroll: bool) -> None:
        """Mark the open clip."""
        current = self._current()
        self.list.select(self.queue.row_of(current) if current is not None else None, scroll=scroll)

    def show_progress(self) -> None:
        """Show how many clips are settled, and whether sorting would change anything."""
        self.list.sort.setVisible(not self.queue.sorted_by_rank)
        self.list.show_progress(*self.queue.progress())

    def close(self) -> None:
        """Let go of the thread."""
        self._again.stop()
        self.thumbnails.close()

    def _on_again(self) -> None:
        if self._playing() and self._waited < _PATIENCE:
            self._waited += 1
            self._again.start()
            return
        self.refresh()
        self.caught_up.emit()

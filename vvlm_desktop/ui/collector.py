"""Python's cyclic garbage collector, held to the window's thread.

By itself it runs in whichever thread allocates next. Where that is a thread that decodes or reads, it may take apart
what belongs to Qt, beside the window's thread that is just using it, which kills the process now and then.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class Collector(QObject):
    """Collects when Python would, but here; from its making on the automatic collector is off."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(collect_if_due)
        self._timer.start()


def collect_if_due() -> int:
    """Collect the oldest generation that has grown beyond its threshold; how many objects were freed."""
    due = [
        number
        for number, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
        if count > limit
    ]
    return gc.collect(due[-1]) if due else 0

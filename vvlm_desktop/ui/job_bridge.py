"""The two ways to work in the background: hear a child's reader thread, or run one function in a thread.

Both bring what happened into the GUI thread through a signal bound to a QObject's method; a plain function or lambda
would run in the emitting thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from vvlm_desktop.errors import VvlmError

T = TypeVar("T")


class Bridge(QObject):
    """Hands what any thread delivers to `handle` in the thread that this object lives in."""

    _delivered = Signal(object)

    def __init__(self, handle: Callable[..., object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._handle = handle
        self._open = True
        self._delivered.connect(self._on_delivered, Qt.ConnectionType.QueuedConnection)

    def deliver(self, message: object) -> None:
        """Pass `message` on; callable from any thread."""
        if self._open:
            self._delivered.emit(message)

    def close(self) -> None:
        """From now on drop what is delivered."""
        self._open = False

    def _on_delivered(self, message: object) -> None:
        if self._open:
            self._handle(message)


class Work(QObject, Generic[T]):
    """One function in a thread of its own.

    The function is called with `report` (what it gives arrives as `progressed`) and `cancelled`. An expected error
    arrives as `failed`; a bug goes to `threading.excepthook`. `ended` comes last, whatever happened.
    """

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    ended = Signal()

    def __init__(
        self,
        function: Callable[[Callable[[object], None], Callable[[], bool]], T],
        *,
        name: str,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._function = function
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to stop; it ends when it next looks."""
        self._cancelled.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within `timeout_s`."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            result = self._function(self.progressed.emit, self._cancelled.is_set)
        except VvlmError as error:
            self.failed.emit(error)
        else:
            self.succeeded.emit(result)
        finally:
            self.ended.emit()

"""Where the window was on the screen, kept for the next time."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from vvlm_desktop import paths


class WindowPlace:
    """Restores a window's place and size, and keeps them."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._kept = QSettings(str(paths.data_dir() / "window.ini"), QSettings.Format.IniFormat)

    def restore(self) -> None:
        """As it was, or as large as is useful on this screen."""
        kept = self._kept.value("geometry", type=QByteArray)
        if not (isinstance(kept, QByteArray) and kept.size() and self._window.restoreGeometry(kept)):
            room = QGuiApplication.primaryScreen().availableGeometry()
            # The frame around the window, which only the window manager knows, must fit as well.
            self._window.resize(min(1440, room.width() - 16), min(900, room.height() - 56))

    def keep(self) -> None:
        """Write it down."""
        paths.data_dir().mkdir(parents=True, exist_ok=True)
        self._kept.setValue("geometry", self._window.saveGeometry())
        self._kept.sync()

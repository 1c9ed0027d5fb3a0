"""The menu of the picture: what is most often wanted of it, each with its key, and the other cameras."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from vvlm_desktop.ui.actions import ActionRegistry

_GROUPS = (
    ("copy_frame", "copy_caption", "save_frame", "save_frame_as"),
    ("zoom", "zoom_fit", "look", "full_screen"),
)


class PictureMenu(QObject):
    """Offers actions of the page on a right click.

    Args:
        registry: asked for the actions and their keys each time.
        cameras: makes the menu of other cameras; None where there are none.
    """

    def __init__(
        self, view: QWidget, *, page: str, registry: Callable[[], ActionRegistry], cameras: Callable[[], QMenu | None]
    ) -> None:
        super().__init__(view)
        self._view, self._page = view, page
        self._registry, self._cameras = registry, cameras
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._on_wanted)

    def make(self) -> QMenu:
        """The menu as it is now."""
        menu = QMenu(self._view)
        for group in _GROUPS:
            for name in group:
                self._add(menu, f"{self._page}.{name}")
            menu.addSeparator()
        cameras = self._cameras()
        if cameras is None:
            menu.addAction("No other clip of this drive").setEnabled(False)
        else:
            cameras.setParent(menu, cameras.windowFlags())
            cameras.setTitle("Other cameras")
            menu.addMenu(cameras)
        return menu

    def _add(self, menu: QMenu, action_id: str) -> None:
        registry = self._registry()
        action = registry.action(action_id)
        key = registry.key_label(action_id)
        entry = menu.addAction(action.label.replace("&", "&&") + (f"\t{key}" if key else ""))
        entry.setEnabled(action.available())
        entry.triggered.connect(lambda _checked=False: action.trigger())

    def _on_wanted(self, place: QPoint) -> None:
        menu = self.make()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._view.mapToGlobal(place))

"""The menu on clips of the list."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from vvlm_desktop.ui import icons
from vvlm_desktop.ui.actions import ActionRegistry

#: What can be done with the selected clips; a line where there is nothing.
_ACTIONS = ("open", "analyse", "analyse_with", "compare", "", "folder", "copy_path", "copy_id")


def clip_menu(registry: ActionRegistry, parent: QWidget) -> QMenu:
    """A menu that is gone when it is closed."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for name in _ACTIONS:
        if not name:
            menu.addSeparator()
            continue
        action = registry.action(f"library.{name}")
        item = menu.addAction(icons.icon(action.icon or "more"), action.label, action.trigger)
        item.setText(f"{action.label}\t{registry.key_label(action.id)}")
    return menu

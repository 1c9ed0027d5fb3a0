"""Where the keyboard goes when what had it is gone: never to what nobody sees, and never away from other work."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def works_in(area: QWidget) -> bool:
    """Whether whoever types does so in `area`; also where nothing that can be seen has the keys."""
    if not area.isVisible():
        return False
    focused = area.window().focusWidget()
    return focused is None or not focused.isVisible() or focused is area or area.isAncestorOf(focused)


def hand_on(area: QWidget, *wanted: QWidget) -> None:
    """Give the keyboard to the first of `wanted` that can be used, if it is in `area` now."""
    found = next((each for each in wanted if each.isVisible() and each.isEnabled()), None)
    if found is not None and works_in(area):
        found.setFocus(Qt.FocusReason.OtherFocusReason)


def hold(area: QWidget) -> None:
    """Keep the keyboard in `area` while the button that was pressed goes: Qt would pass it to whatever comes next."""
    if works_in(area):
        area.setFocus(Qt.FocusReason.OtherFocusReason)

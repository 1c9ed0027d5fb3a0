"""The menu on clips of the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from vvlm_desktop.ui import icons
from vvlm_desktop.ui.actions import Action, ActionRegistry

#: What can be done with the selected clips; a line where there is nothing.
_ACTIONS = ("open", "analyse", "analyse_with", "compare", "train", "", "folder", "copy_path", "copy_id")
#: name → words, keys, icon; then those that need no selected clips.
_WORDS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "open": ("Open the clip in Review", ("Return",), "review"),
    "analyse": ("Analyse selected clips", ("Ctrl+Return",), "analyse"),
    "analyse_with": ("Analyse selected clips with…", ("Ctrl+Shift+Return",), "models"),
    "compare": ("Compare answers about these clips…", ("Ctrl+Shift+C",), "compare"),
    "train": ("Make a training set of selected clips…", (), "training"),
    "folder": ("Show in folder", ("Ctrl+Shift+F",), "folder"),
    "copy_path": ("Copy path", ("Ctrl+C",), "copy"),
    "copy_id": ("Copy id", (), "copy"),
    "would_change": ("Clips that would change with another adapter", (), "models"),
    "clear": ("Show all clips", ("Ctrl+L",), "filter"),
}
_OF_ALL = frozenset({"compare", "would_change", "clear"})


def clip_actions(runs: Mapping[str, Callable[[], object]], *, chosen: Callable[[], bool]) -> list[Action]:
    """The page's actions; most of them exist while clips are selected."""
    return [
        Action(
            f"library.{name}",
            words,
            runs[name],
            keys,
            "library",
            "Library",
            icon,
            listens=name != "open",  # the table itself takes Enter
            in_palette=name != "would_change",  # the window's own does the same from everywhere
            enabled=None if name in _OF_ALL else chosen,
        )
        for name, (words, keys, icon) in _WORDS.items()
    ]


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

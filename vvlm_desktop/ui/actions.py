"""Every action of the window in one registry; shortcuts, the palette and the sheet of keys are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


# Qt holds a bound method by a weak reference to its object.
@dataclass(frozen=True, slots=True, weakref_slot=True)
class Action:
    """Something the user can do.

    Attributes:
        id: stable name, `page.what`; keys that a user changes are kept by it.
        label: for people, an imperative: "Analyse selected clips".
        keys: default keys in Qt's portable spelling; the first one is shown.
        page: the page on which it exists, None for everywhere.
        group: headline in the sheet of keys.
        listens: False where the page takes the key itself (held keys, keys of a table); it is then only listed.
        auto_repeat: whether holding the key repeats it.
        in_palette: whether the palette offers it.
    """

    id: str
    label: str
    run: Callable[[], object]
    keys: tuple[str, ...] = ()
    page: str | None = None
    group: str = ""
    icon: str | None = None
    listens: bool = True
    auto_repeat: bool = False
    in_palette: bool = True
    enabled: Callable[[], bool] | None = None

    def available(self) -> bool:
        """Whether it can be done now."""
        return self.enabled is None or self.enabled()

    def trigger(self) -> None:
        """Do it, if it can be done now."""
        if self.available():
            self.run()


def key_text(key: str) -> str:
    """`key` as it is written on this system's keyboards."""
    text = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    return text.replace("Return", "Enter").replace("PgDown", "PgDn") or key


@cache
def _as_heard(key: str) -> str:
    """`key` in the one spelling of Qt's; told hundreds of times for each page that is opened."""
    return QKeySequence(key).toString()


class ActionRegistry(QObject):
    """Actions by id, and one shortcut for each while its page is shown."""

    changed = Signal()

    def __init__(self, window: QWidget, *, keys: Mapping[str, tuple[str, ...]] | None = None) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, Action] = {}
        self._shortcuts: dict[str, QShortcut] = {}
        self._own_keys = dict(keys or {})
        self._page: str | None = None

    def add(self, actions: Iterable[Action]) -> None:
        """Register `actions`.

        Raises:
            ValueError: an id is taken, or a key is taken where both actions would hear it.
        """
        for action in actions:
            if action.id in self._actions:
                raise ValueError(f"there is already an action {action.id!r}")
            if clash := self.conflicts(action, self.keys_of(action)):
                raise ValueError(f"{action.id!r} and {clash[0].id!r} want the same key of {self.keys_of(action)}")
            self._actions[action.id] = action
            self._listen(action)
        self.changed.emit()

    def remove_page(self, page: str) -> None:
        """Forget the actions of `page`."""
        for action in [a for a in self._actions.values() if a.page == page]:
            del self._actions[action.id]
            if (shortcut := self._shortcuts.pop(action.id, None)) is not None:
                shortcut.setEnabled(False)
                shortcut.deleteLater()
        self.changed.emit()

    def show_page(self, page: str | None) -> None:
        """From now on hear the keys of `page`, and of no other."""
        self._page = page
        for action_id, shortcut in self._shortcuts.items():
            shortcut.setEnabled(self._actions[action_id].page in {None, page})
        self.changed.emit()

    def action(self, action_id: str) -> Action:
        """The action called `action_id`; `KeyError` when there is none."""
        return self._actions[action_id]

    def here(self) -> list[Action]:
        """What can be done on the page that is shown: its own actions first."""
        return sorted(
            (a for a in self._actions.values() if a.page in {None, self._page}), key=lambda action: action.page is None
        )

    def everywhere(self) -> list[Action]:
        """Every action of the pages that have been built, page by page."""
        return sorted(self._actions.values(), key=lambda action: (action.page is None, action.page or ""))

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """Keys in force: the user's, else the default."""
        return self._own_keys.get(action.id, action.keys)

    def key_label(self, action_id: str) -> str:
        """The key to show beside the action, as written on the keyboard; empty when it has none."""
        action = self._actions.get(action_id)
        keys = self.keys_of(action) if action else ()
        return key_text(keys[0]) if keys else ""

    def conflicts(self, action: Action, keys: Iterable[str]) -> list[Action]:
        """Other actions that would hear one of `keys` at the same time."""
        wanted = {_as_heard(key) for key in keys}
        return [
            other
            for other in self._actions.values()
            if other.id != action.id
            and (other.page == action.page or None in {other.page, action.page})
            and not wanted.isdisjoint(map(_as_heard, self.keys_of(other)))
        ]

    def set_keys(self, action_id: str, keys: tuple[str, ...]) -> None:
        """Give an action other keys.

        Raises:
            ValueError: one of them is taken.
        """
        action = self._actions[action_id]
        if clash := self.conflicts(action, keys):
            raise ValueError(f"{keys} already means {clash[0].label!r}")
        self._own_keys[action_id] = keys
        self._listen(action)
        self.changed.emit()

    def _listen(self, action: Action) -> None:
        if not action.listens:
            return
        shortcut = self._shortcuts.get(action.id)
        if shortcut is None:
            shortcut = QShortcut(self._window)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(action.trigger)
            self._shortcuts[action.id] = shortcut
        shortcut.setAutoRepeat(action.auto_repeat)
        shortcut.setKeys([QKeySequence(key) for key in self.keys_of(action)])
        shortcut.setEnabled(action.page in {None, self._page})

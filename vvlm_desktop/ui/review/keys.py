"""The keys of the Review page: its actions, and the few keys that are held or go by their place on the keyboard."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget
from typing_extensions import override

from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.review.acts import ReviewActs
from vvlm_desktop.ui.review.commands import Commands
from vvlm_desktop.ui.review.desk import Desk
from vvlm_desktop.ui.review.form.panel import FormPanel
from vvlm_desktop.ui.review.map_actions import drive_actions
from vvlm_desktop.ui.review.shuttle import Shuttle, ShuttleKey
from vvlm_desktop.ui.review.timeline_keys import timeline_actions
from vvlm_desktop.ui.widgets.focus_keys import is_text_field

_PAGE = "review"
_SHUTTLE: dict[Qt.Key, ShuttleKey] = {Qt.Key.Key_J: "J", Qt.Key.Key_K: "K", Qt.Key.Key_L: "L"}
_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
#: A key that goes down this soon after it came up never came up: no finger is so fast.
_REPEAT_MS = 5
#: Scan codes of the keys 1…9, 0 in the upper row, wherever a layout puts its digits.
_FIRST_DIGIT = {"linux": 10, "win32": 2}.get(sys.platform)


def review_actions(*, desk: Desk, acts: ReviewActs, form: FormPanel, commands: Commands) -> Sequence[Action]:
    """Every action of the page, in the order of the sheet of keys."""

    def act(
        name: str,
        label: str,
        run: Callable[[], object],
        *keys: str,
        group: str,
        repeat: bool = False,
        listens: bool = True,
        palette: bool = True,
    ) -> Action:
        return Action(
            f"review.{name}",
            label,
            run,
            keys,
            page=_PAGE,
            group=group,
            auto_repeat=repeat,
            listens=listens,
            in_palette=palette,
        )

    play, judge, clip = "Play and go", "Judge", "Clips"
    return (
        act("play", "Play or pause", desk.toggle, "Space", group=play),
        act("step_back", "One frame back", lambda: desk.step(-1), "Left", ",", group=play, repeat=True),
        act("step_on", "One frame on", lambda: desk.step(1), "Right", ".", group=play, repeat=True),
        act("second_back", "One second back", lambda: desk.skip(-1), "Shift+Left", group=play, repeat=True),
        act("second_on", "One second on", lambda: desk.skip(1), "Shift+Right", group=play, repeat=True),
        act(
            "long_back",
            "Long step back",
            lambda: desk.skip(-commands.long_step_s),
            "Ctrl+Left",
            group=play,
            repeat=True,
        ),
        act("long_on", "Long step on", lambda: desk.skip(commands.long_step_s), "Ctrl+Right", group=play, repeat=True),
        act(
            "frames_back",
            "Several frames back",
            lambda: desk.step(-commands.frame_step),
            "Alt+Left",
            group=play,
            repeat=True,
        ),
        act(
            "frames_on",
            "Several frames on",
            lambda: desk.step(commands.frame_step),
            "Alt+Right",
            group=play,
            repeat=True,
        ),
        act("first", "First frame", lambda: desk.seek_end(last=False), "Home", group=play),
        act("last", "Last frame", lambda: desk.seek_end(last=True), "End", group=play),
        act("back", "Shuttle: play backward", lambda: commands.shuttle("J"), "J", group=play, listens=False),
        act(
            "hold",
            "Shuttle: pause; held, J and L are frames",
            lambda: commands.shuttle("K"),
            "K",
            group=play,
            listens=False,
        ),
        act("on", "Shuttle: play, faster each time", lambda: commands.shuttle("L"), "L", group=play, listens=False),
        act("slower", "Slower", lambda: desk.change_rate(-1), "-", group=play),
        act("faster", "Faster", lambda: desk.change_rate(1), "+", "=", group=play),
        act("mark_in", "Mark the start; sets it on a time field", lambda: commands.mark(0), "I", group=play),
        act("mark_out", "Mark the end; sets it on a time field", lambda: commands.mark(1), "O", group=play),
        act("loop", "Loop the marked stretch, or around the event", desk.loop, "B", group=play),
        act("previous_mark", "Previous event or evidence", lambda: desk.next_mark(-1), "PgUp", group=play),
        act("next_mark", "Next event or evidence", lambda: desk.next_mark(1), "PgDown", group=play),
        act("seen_only", "Only the frames the model saw", desk.seen_only, "S", group=play),
        act("go_to", "Go to a time, a frame or a PTS", desk.ask_where, "G", group=play),
        act("go_back", "Back to where the last jump began", desk.go_back, "Alt+[", "Alt+,", group=play),
        act(
            "go_forward",
            "Forward again to where you were",
            lambda: desk.go_back(forward=True),
            "Alt+]",
            "Alt+.",
            group=play,
        ),
        act("full_screen", "Full screen", commands.toggle_full_screen, "F", group=play),
        *timeline_actions(desk.timeline, page=_PAGE),
        *drive_actions(desk.drive, page=_PAGE, say=desk.toast.say),
        *desk.cameras.actions(_PAGE, group=play),
        act("mute", "Mute, or sound on", desk.sound.toggle_muted, "M", group=play),
        act("louder", "Louder", lambda: desk.sound.change_volume(1), "Ctrl+Up", group=play, repeat=True),
        act("quieter", "Quieter", lambda: desk.sound.change_volume(-1), "Ctrl+Down", group=play, repeat=True),
        *desk.picture.actions(_PAGE),
        *commands.saver.actions(_PAGE),
        act("field_up", "Field above", lambda: form.step_field(-1), "Up", group=judge, repeat=True),
        act("field_down", "Field below", lambda: form.step_field(1), "Down", group=judge, repeat=True),
        act("doubtful", "Next doubtful field", commands.next_doubtful, "W", group=judge),
        act("digit", "Choose a value", lambda: None, "1", "9", group=judge, listens=False, palette=False),
        act("nothing", "None seen, absent", lambda: acts.press_digit(0), "0", group=judge, listens=False),
        act(
            "field_number", "Field by number", lambda: None, "Alt+1", "Alt+9", group=judge, listens=False, palette=False
        ),
        act("cannot_tell", "Cannot tell", acts.cannot_tell, "U", group=judge),
        act("accept_field", "Accept the field", acts.accept_field, "A", group=judge),
        act("reject_field", "Wrong, right value unknown", acts.reject_field, "X", group=judge),
        act("reason", "Reason of the correction", commands.ask_reason, "R", group=judge),
        act("evidence", "This frame proves it", acts.stamp, "E", group=judge),
        act("caption", "Write the description", commands.edit_caption, "C", group=judge),
        act("note", "Write a note", commands.edit_note, "V", group=judge),
        act("accept", "Accept the rest, next clip", acts.accept_rest, "Return", "Enter", group=clip),
        act("undo", "Take back", acts.undo, "Backspace", "Ctrl+Z", group=clip),
        act("redo", "Do again", acts.redo, "Ctrl+Shift+Z", group=clip),
        act("next", "Next unfinished clip", lambda: commands.go_unfinished(1), "N", group=clip),
        act("previous", "Previous unfinished clip", lambda: commands.go_unfinished(-1), "P", group=clip),
        act("last_finished", "The clip just finished", commands.go_last_finished, "H", group=clip),
        act("escalate", "Later, or a second opinion", lambda: acts.set_status("escalated"), "Shift+N", group=clip),
        act("coach", "Needs coaching", lambda: acts.set_status("needs_coaching"), "T", group=clip),
        act("praise", "Needs recognition", lambda: acts.set_status("needs_recognition"), "Y", group=clip),
        act("dismiss", "Dismiss, with a reason", commands.ask_dismissal, "D", group=clip),
        act("analyse", "Analyse this clip", commands.analyse, group=clip),
        act("ask", "Ask about the clip or its marked part", commands.ask, "Shift+Q", group=clip),
        act("analyse_with", "Analyse this clip with…", commands.analyse_with, group=clip),
        act("back_out", "Go back", commands.go_back, "Esc", group=clip, palette=False),
    )


class RawKeys(QObject):
    """Hears J, K, L going down and up, and digits by their place on the keyboard, while the page is shown."""

    def __init__(
        self,
        *,
        shuttle: Shuttle,
        on_digit: Callable[[int], object],
        on_field: Callable[[int], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shuttle = shuttle
        self._on_digit = on_digit
        self._on_field = on_field
        self._window: QWidget | None = None
        self._released: dict[int, int] = {}  # key → when it came up, in ms of the event's clock
        self._coming_up: dict[ShuttleKey, QTimer] = {}

    def listen(self, window: QWidget | None) -> None:
        """Hear the keys that nothing in `window` has used; None to stop."""
        if self._window is not None:
            self._window.removeEventFilter(self)
        self._window = window
        if window is not None:
            window.installEventFilter(self)
        else:
            self._shuttle.let_go()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in {QEvent.Type.WindowDeactivate, QEvent.Type.Hide}:
            self._shuttle.let_go()
            return False
        if not isinstance(event, QKeyEvent) or is_text_field(QApplication.focusWidget()):
            return False
        if kind == QEvent.Type.ShortcutOverride:
            # Or a layout's "-" on a digit's place would be taken as the shortcut for slower.
            raw = digit_of(event) is not None or shuttle_key(event) is not None
            if raw or (event.key() in _ENTER and self._is_repeat(event)):
                event.accept()
                return True
            return False
        if kind == QEvent.Type.KeyPress:
            return self._press(event)
        if kind == QEvent.Type.KeyRelease:
            return self._release(event)
        return False

    def _press(self, event: QKeyEvent) -> bool:
        repeat = self._is_repeat(event)
        key = shuttle_key(event)
        if key is not None:
            coming_up = self._coming_up.pop(key, None)
            if coming_up is not None:
                coming_up.stop()
                if not repeat:
                    self._shuttle.release(key)
            if not repeat:
                self._shuttle.press(key)
            return True
        digit = digit_of(event)
        if digit is None:
            return event.key() in _ENTER and repeat
        if not repeat:
            if event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._on_field(digit)
            else:
                self._on_digit(digit)
        return True

    def _release(self, event: QKeyEvent) -> bool:
        self._released[event.key()] = event.timestamp()
        key = shuttle_key(event, any_modifier=True)
        if key is None:
            return False
        if not event.isAutoRepeat():
            timer = QTimer(self)
            timer.setSingleShot(True)
            timer.timeout.connect(lambda: self._came_up(key))
            self._coming_up[key] = timer
            timer.start(_REPEAT_MS * 5)
        return True

    def _came_up(self, key: ShuttleKey) -> None:
        if self._coming_up.pop(key, None) is not None:
            self._shuttle.release(key)

    def _is_repeat(self, event: QKeyEvent) -> bool:
        """Whether the key is being held; some X servers tell it only by a release and a press at the same moment."""
        released_ms = self._released.get(event.key(), 0)
        # 0 where the platform tells no times.
        return event.isAutoRepeat() or (released_ms > 0 and 0 <= event.timestamp() - released_ms <= _REPEAT_MS)


def shuttle_key(event: QKeyEvent, *, any_modifier: bool = False) -> ShuttleKey | None:
    """J, K or L without a modifier."""
    if event.modifiers() != Qt.KeyboardModifier.NoModifier and not any_modifier:
        return None
    return _SHUTTLE.get(Qt.Key(event.key()))


def digit_of(event: QKeyEvent) -> int | None:
    """The digit of a key in the upper row or on the number pad, also where a layout wants Shift for it."""
    others = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier
    if event.modifiers() & others:
        return None
    if Qt.Key.Key_0 <= event.key() <= Qt.Key.Key_9:
        return event.key() - Qt.Key.Key_0.value
    if _FIRST_DIGIT is None or not _FIRST_DIGIT <= event.nativeScanCode() < _FIRST_DIGIT + 10:
        return None
    if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        return None
    return (event.nativeScanCode() - _FIRST_DIGIT + 1) % 10

"""What can be done with the picture itself: zoom, a look for the eye alone, and whether both stay for the next clip."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.review.overlay import Toast
from vvlm_desktop.ui.review.picture_look import Look
from vvlm_desktop.ui.review.picture_look_panel import LookPanel
from vvlm_desktop.ui.review.player_view import VideoView

_PAN = 0.25


class PictureTools(QObject):
    """Keeps what the reviewer has set for looking at the picture."""

    def __init__(self, view: VideoView, toast: Toast) -> None:
        super().__init__(view)
        self._view = view
        self._toast = toast
        toast.keep_clear_of(view.badges)
        self._kept = False
        self._last = Look()  # nothing is changed before somebody says what; from then on what was used last
        self._on = False
        self._panel: LookPanel | None = None

    @property
    def look_on(self) -> bool:
        """Whether the picture is changed for the eye."""
        return self._on

    @property
    def panel(self) -> LookPanel:
        """The sliders; made when they are first wanted."""
        if self._panel is None:
            self._panel = LookPanel(self._view)
            self._panel.changed.connect(self._on_look)
            self._panel.closed.connect(self._panel.hide)
        return self._panel

    def new_clip(self) -> None:
        """Another clip: all of the picture as it was recorded, unless that was to be kept."""
        if not self._kept:
            self._view.hand.fit()
            self.look_off()

    def zoom(self) -> None:
        """One size larger, and after the largest all of the picture."""
        self._view.hand.cycle()

    def toggle_kept(self) -> None:
        """Keep zoom and look for the next clips, or begin each clip afresh."""
        self._kept = not self._kept
        self._view.keep_zoom(self._kept)
        self._mark()
        what = "stay for the next clips" if self._kept else "end with each clip"
        self._toast.say(f"Zoom and brightness {what}.")

    def toggle_look(self) -> None:
        """Change the picture for the eye and offer the sliders; or show it as it was recorded."""
        if self._on:
            self.look_off()
            self._toast.say("As recorded")
            return
        self._on = True
        self.panel.show_look(self._last)
        self.panel.ask()
        self._on_look(self._last)

    def toggle_fields(self) -> None:
        """Show interlaced frames as recorded, or as one picture."""
        one = self._view.toggle_fields()
        self._toast.say("Interlaced frames are shown as one picture." if one else "Fields are shown as recorded.")

    def look_off(self) -> None:
        """Show the picture as it was recorded."""
        self._on = False
        if self._panel is not None:
            self._panel.hide()
        self._view.set_look(Look())
        self._mark()

    def _on_look(self, look: Look) -> None:
        self._on, self._last = True, look
        self._view.set_look(look)
        self._mark()

    def _mark(self) -> None:
        kept = ", kept" if self._kept else ""
        self._view.badges.mark("look", f"View only: {self._view.look.words()}{kept}" if self._on else "")

    def actions(self, page: str) -> tuple[Action, ...]:
        """What keys and the palette offer."""

        def act(name: str, label: str, run: Callable[[], object], *keys: str, repeat: bool = False) -> Action:
            return Action(f"{page}.{name}", label, run, keys, page=page, group="Picture", auto_repeat=repeat)

        hand = self._view.hand
        return (
            act("zoom", "Zoom: 1:1, 2:1, all of it", self.zoom, "Z"),
            act("zoom_fit", "Show all of the picture", hand.fit, "Alt+Z"),
            act("pan_left", "Zoomed: look left", lambda: hand.pan(-_PAN, 0), "Ctrl+Shift+Left", repeat=True),
            act("pan_right", "Zoomed: look right", lambda: hand.pan(_PAN, 0), "Ctrl+Shift+Right", repeat=True),
            act("pan_up", "Zoomed: look up", lambda: hand.pan(0, -_PAN), "Ctrl+Shift+Up", repeat=True),
            act("pan_down", "Zoomed: look down", lambda: hand.pan(0, _PAN), "Ctrl+Shift+Down", repeat=True),
            act("keep_zoom", "Keep zoom and brightness for the next clips", self.toggle_kept, "Shift+Z"),
            act("look", "Brightness, contrast, gamma (view only), or as recorded", self.toggle_look, "Shift+B"),
            act("fields", "Deinterlace (view only), or fields as recorded", self.toggle_fields, "Shift+I"),
        )

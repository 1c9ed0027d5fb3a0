"""Other cameras of the open clip's moment: finds them, keeps them at the same moment, and lets people correct them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath

from PySide6.QtCore import QObject, QPoint, QSettings, QTimer, Signal
from PySide6.QtWidgets import QAbstractButton, QMenu

from vvlm_desktop import paths
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.review.camera_lost import LostCamera, LostSource
from vvlm_desktop.ui.review.camera_source import CameraClip, CameraSource
from vvlm_desktop.ui.review.camera_stage import CameraStage, Layout
from vvlm_desktop.ui.review.camera_tile import CameraTile
from vvlm_desktop.ui.review.looking import Looking
from vvlm_desktop.ui.review.open_clip import OpenClip
from vvlm_desktop.ui.review.overlay import Toast
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.player_view import Picture
from vvlm_desktop.workflow.camera_links import MOST_OFFSET_MS, CameraLink, CameraLinks
from vvlm_desktop.workflow.cameras import OtherCamera, candidates, other_cameras, read_camera
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.session import Session

_log = logging.getLogger(__name__)
_MB = 1 << 20
#: Share of the frame cache that all other cameras have together; the judged clip gives it up for as long.
_SHARE = 4
#: A clip that is only passed on the way to another one needs no other cameras.
_REST_MS = 120
#: Keys that shift a camera repeat; the disk hears of the last one.
_KEEP_MS = 500
_LAYOUTS: tuple[Layout, ...] = ("alone", "inset", "side")
_SAID: dict[Layout, str] = {
    "alone": "Only the clip that is judged.",
    "inset": "Other cameras in the corner.",
    "side": "Cameras side by side.",
}


@dataclass(frozen=True, slots=True)
class _Found:
    clip_id: str
    cameras: tuple[CameraClip | LostCamera, ...]
    candidates: tuple[Clip, ...]


class Cameras(QObject):
    """The judged clip is the master: the others show its moment, by the difference of their clocks."""

    found = Signal()  # which other cameras there are

    def __init__(self, stage: CameraStage, playback: Playback, *, toast: Toast, looking: Looking) -> None:
        super().__init__(stage)
        self._stage, self._playback = stage, playback
        self._toast, self._looking = toast, looking
        self._session: Callable[[], Session] | None = None
        self._open: OpenClip | None = None
        self._work: Work[_Found | None] | None = None
        self._known: tuple[CameraClip | LostCamera, ...] = ()
        self._candidates: tuple[Clip, ...] = ()
        self.searched_id = ""  # the clip whose other cameras are known
        self._enlarged: int | None = None
        self._kept = QSettings(str(paths.data_dir() / "window.ini"), QSettings.Format.IniFormat, self)
        kept = self._kept.value("cameras/layout", "inset", type=str)
        self._layout: Layout = next((each for each in _LAYOUTS if each == kept), "inset")
        self._to_keep: dict[tuple[str, str], int] = {}
        self._rest = self._timer(_REST_MS, self._find)
        self._keeping = self._timer(_KEEP_MS, self._keep_offsets)
        playback.picture_changed.connect(self._on_picture)

    def _timer(self, interval_ms: int, run: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(run)
        return timer

    def use(self, session: Callable[[], Session]) -> None:
        """Look for other cameras in this library."""
        self._session = session

    def show_in(self, button: QAbstractButton) -> None:
        """Let `button` be there where there are other cameras, and go through them."""
        self.found.connect(lambda: button.setVisible(bool(self._known)))
        button.clicked.connect(self.next_layout)

    def actions(self, page: str, *, group: str) -> tuple[Action, ...]:
        """What can be done with keys."""

        def act(name: str, label: str, run: Callable[[], object], *keys: str, repeat: bool = False) -> Action:
            return Action(f"review.{name}", label, run, keys, page=page, group=group, auto_repeat=repeat)

        return (
            act("camera", "Other cameras: next layout, or one large", self.next_layout, "Q"),
            act("camera_links", "Which clips are this moment…", self.ask_links, "Alt+Q"),
            act("camera_back", "Other camera a frame earlier", lambda: self.shift(-1), "Shift+PgUp", repeat=True),
            act("camera_on", "Other camera a frame later", lambda: self.shift(1), "Shift+PgDown", repeat=True),
        )

    @property
    def tiles(self) -> tuple[CameraTile, ...]:
        """The pictures that are shown."""
        return self._stage.tiles

    @property
    def known(self) -> tuple[OtherCamera, ...]:
        """The other cameras of this moment, shown or not."""
        return tuple(each.camera for each in self._known)

    # -- clips ---------------------------------------------------------------------------------------------------

    def show_clip(self, opened: OpenClip | None) -> None:
        """Another clip is judged, or none."""
        self._keep_offsets()
        self._close_tiles()
        if self._work is not None:
            self._work.cancel()
        self._open = opened
        self._known, self._candidates = (), ()
        self._set_enlarged(None)
        self.found.emit()
        if opened is not None and self._session is not None:
            self._rest.start()
        else:
            self._rest.stop()

    def close(self) -> None:
        """Let go of files and threads."""
        self.show_clip(None)
        if self._work is not None:
            self._work.wait(2.0)
            self._work = None

    def _find(self) -> None:
        if self._open is None or self._session is None:
            return
        if self._work is not None:
            self._rest.start()  # the clip before is still being looked at
            return
        session, clip = self._session(), self._open.clip
        self._work = Work(
            lambda _report, cancelled: _found(session, clip, cancelled=cancelled), name="find-cameras", parent=self
        )
        self._work.succeeded.connect(self._on_found)
        self._work.ended.connect(self._on_ended)
        self._work.start()

    def _on_ended(self) -> None:
        if self._work is not None:
            self._work.deleteLater()
            self._work = None

    def _on_found(self, found: _Found | None) -> None:
        if self._open is None or found is None or found.clip_id != self._open.clip.id:
            return
        self._known, self._candidates = found.cameras, found.candidates
        self.searched_id = found.clip_id
        self._close_tiles()
        self._set_enlarged(None)
        self._open_tiles()
        if not self.tiles:  # else it stands in its place
            lost = (each for each in found.cameras if isinstance(each, LostCamera))
            sentences = [f"{each.camera.name.capitalize()}: {each.reason}" for each in lost]
            if sentences:
                self._toast.say(" ".join(sentences))
        self.found.emit()

    # -- what is shown -------------------------------------------------------------------------------------------

    def next_layout(self) -> None:
        """The next way to lie, then each other camera large, then the judged clip alone again."""
        if not self._known:
            self._toast.say("No other camera of this moment is in the library. Alt+Q links a clip.")
            return
        if self._enlarged is not None and self._enlarged + 1 < len(self._known):
            self._set_enlarged(self._enlarged + 1)
        elif self._enlarged is None and self._layout == _LAYOUTS[-1]:
            self._set_enlarged(0)
        else:
            self._set_enlarged(None)
            self._set_layout(_LAYOUTS[(_LAYOUTS.index(self._layout) + 1) % len(_LAYOUTS)])
        self._say_layout()

    def _say_layout(self) -> None:
        if self._enlarged is None:
            self._toast.say(_SAID[self._layout])
        else:
            self._toast.say(f"{self.tiles[self._enlarged].title} is large. Judged is still the small picture's clip.")

    def _set_layout(self, layout: Layout) -> None:
        self._layout = layout
        self._kept.setValue("cameras/layout", layout)
        if layout == "alone":
            self._close_tiles()
        elif not self.tiles:
            self._open_tiles()
        self._stage.arrange(layout)

    def _set_enlarged(self, place: int | None) -> None:
        self._enlarged = place
        self._stage.arrange(self._layout, enlarged=place)
        self._looking.set_aside(place is not None)

    def _on_pressed(self, place: int) -> None:
        self._set_enlarged(None if self._enlarged == place else place)
        self._say_layout()

    def _open_tiles(self) -> None:
        if self._open is None or self._session is None or not self._known or self._layout == "alone":
            return
        lent_bytes = self._lent_bytes()
        self._open.source.lend(lent_bytes)
        self._open.source.cache_resized.connect(self._share_out)
        each_bytes = self._each(lent_bytes)
        tiles = []
        for place, clip in enumerate(self._known):
            tile = CameraTile(
                LostSource(clip)
                if isinstance(clip, LostCamera)
                else CameraSource(clip, budget_bytes=each_bytes, offset_ms=clip.camera.offset_ms)
            )
            tile.pressed.connect(lambda place=place: self._on_pressed(place))
            tile.menu_wanted.connect(self._show_menu)
            tiles.append(tile)
        self._stage.set_tiles(tiles)
        self._stage.arrange(self._layout)
        self._name_judged()
        self._show_moment()

    def _name_judged(self) -> None:
        """Say over the judged picture which one it is, as long as there are others beside it."""
        name = read_camera(self._open.clip.path).camera or "this clip" if self._open is not None else ""
        self._stage.view.badges.mark("camera", f"{name.capitalize()}, judged" if self.tiles else "")

    def _lent_bytes(self) -> int:
        """What all of them may take; nothing where none can be shown."""
        assert self._session is not None
        some = any(isinstance(each, CameraClip) for each in self._known)
        return self._session().settings.frame_cache_mb * _MB // _SHARE if some else 0

    def _each(self, lent_bytes: int) -> int:
        return max(1, lent_bytes // max(1, sum(isinstance(each, CameraClip) for each in self._known)))

    def _share_out(self) -> None:
        """Another cache size was set."""
        if self._open is not None and self.tiles:
            lent_bytes = self._lent_bytes()
            self._open.source.lend(lent_bytes)
            for tile in self.tiles:
                tile.source.resize_cache(self._each(lent_bytes))

    def _close_tiles(self) -> None:
        tiles = self.tiles
        if not tiles:
            return
        for tile in tiles:
            tile.source.close()
        self._stage.set_tiles(())
        self._name_judged()
        if self._open is not None:
            self._open.source.cache_resized.disconnect(self._share_out)
            self._open.source.lend(0)

    def _on_picture(self, picture: Picture) -> None:
        if self._open is not None and picture.clip_id == self._open.clip.id:
            self._show_moment(picture.frame_index)

    def _show_moment(self, frame_index: int | None = None) -> None:
        if self._open is None:
            return
        moment_s = self._open.index.seconds(self._playback.position if frame_index is None else frame_index)
        for tile in self.tiles:
            tile.source.show_moment(moment_s, playing=self._playback.playing)

    # -- what people correct -------------------------------------------------------------------------------------

    def shift(self, frames: int) -> None:
        """Let the enlarged camera, or the first one, show its picture `frames` of its frames later."""
        if not self.tiles:
            self._toast.say("No other camera is shown. Q shows them.")
            return
        place = self._enlarged or 0
        tile, clip = self.tiles[place], self._known[place]
        if isinstance(clip, LostCamera) or isinstance(tile.source, LostSource):
            self._toast.say(tile.caption())
            return
        step_ms = 1000 * clip.index.usual_s
        exact_ms = max(-MOST_OFFSET_MS, min(MOST_OFFSET_MS, tile.source.offset_ms + frames * step_ms))
        tile.source.shift(exact_ms)
        offset_ms = round(exact_ms)
        camera = replace(clip.camera, offset_ms=offset_ms, found_by="person")
        self._known = (*self._known[:place], replace(clip, camera=camera), *self._known[place + 1 :])
        if self._open is not None:
            self._to_keep[self._open.clip.id, clip.camera.clip.id] = offset_ms
            self._keeping.start()
        self._show_moment()
        self._toast.say(f"{tile.title}: {begins_words(offset_ms)}.")

    def ask_links(self) -> None:
        """Show which clips are this moment, so that it can be corrected."""
        self._show_menu(self._stage.mapToGlobal(self._stage.rect().center()))

    def menu(self) -> QMenu | None:
        """The clips of this drive, those of this moment checked; None where there is nothing to link."""
        if self._open is None:
            return None
        linked = {camera.clip.id: camera for camera in self.known}
        others = {clip.id: clip for clip in (*(camera.clip for camera in self.known), *self._candidates)}
        if not others:
            return None
        menu = QMenu(self._stage)
        menu.addAction("Clips of this moment").setEnabled(False)
        for clip in others.values():
            name = PurePath(clip.path).name
            camera = linked.get(clip.id)
            text = f"{camera.name.capitalize()} · {name} · {begins_words(camera.offset_ms)}" if camera else name
            entry = menu.addAction(text.replace("&", "&&"))
            entry.setCheckable(True)
            entry.setChecked(camera is not None)
            entry.toggled.connect(lambda on, clip=clip: self._link(clip, linked=on))
        if any(camera.found_by == "person" for camera in self.known):
            menu.addSeparator()
            menu.addAction("Take the clocks from the file names", self._forget_offsets)
        return menu

    def _show_menu(self, place: QPoint) -> None:
        menu = self.menu()
        if menu is None:
            self._toast.say("No other clip of this drive is in the library.")
            return
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    def _link(self, other: Clip, *, linked: bool) -> None:
        if self._open is not None:
            self._keep({(self._open.clip.id, other.id): CameraLink(linked)})
            self._find()

    def _forget_offsets(self) -> None:
        if self._open is not None:
            self._to_keep.clear()
            self._keep({(self._open.clip.id, each.clip.id): CameraLink() for each in self.known})
            self._find()

    def _keep_offsets(self) -> None:
        self._keeping.stop()
        offsets, self._to_keep = self._to_keep, {}
        self._keep({pair: CameraLink(offset_ms=offset_ms) for pair, offset_ms in offsets.items()})

    def _keep(self, links: dict[tuple[str, str], CameraLink]) -> None:
        if self._session is None or not links:
            return
        store = CameraLinks(self._session().library.folder)
        try:
            for (clip_id, other_id), link in links.items():
                store.keep(clip_id, other_id, link)
        except VvlmError as error:
            self._toast.say(str(error))


def begins_words(offset_ms: int) -> str:
    """When another camera began, seen from the judged clip; its time is the judged clip's plus `offset_ms`."""
    if not offset_ms:
        return "begins at the same time"
    return f"begins {abs(offset_ms) / 1000:.3f} s {'earlier' if offset_ms > 0 else 'later'}"


def _found(session: Session, clip: Clip, *, cancelled: Callable[[], bool]) -> _Found | None:
    cameras: list[CameraClip | LostCamera] = []
    for camera in other_cameras(session, clip):
        try:
            path = existing_path(session, camera.clip)
            cameras.append(CameraClip(camera, path, index_of(session, camera.clip, cancelled=cancelled)))
        except JobCancelledError:
            return None  # nobody wants it any more
        except (VvlmError, OSError) as error:
            _log.info("The %s camera's clip %s cannot be shown: %s", camera.name, camera.clip.path, error)
            cameras.append(LostCamera(camera, str(error)))
    return _Found(clip.id, tuple(cameras), candidates(session, clip))

"""The sound of the open clip: follows what plays, and remembers how loud it is to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Qt, Signal

from vvlm_desktop import paths
from vvlm_desktop.ui.review.open_clip import OpenClip
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.sound_control import SoundControl
from vvlm_desktop.ui.review.times import rate_text
from vvlm_desktop.video.audio_clock import SoundClock

if TYPE_CHECKING:
    from vvlm_desktop.video.audio_thread import OpenOutput, SoundThread

#: Speeds at which sound is still heard as what it was; outside of them there is silence.
_SLOWEST, _FASTEST = 0.5, 2.0
_STEP = 0.1


class Sound(QObject):
    """Decides when the clip is heard. Clips open muted until somebody unmutes; that is kept for the next time."""

    changed = Signal()  # muted, volume, whether there is anything to hear
    _output_tried = Signal(object)

    def __init__(self, parent: QObject | None = None, *, open_device: OpenOutput | None = None) -> None:
        super().__init__(parent)
        self.clock = SoundClock()
        self._open_device = open_device
        self._thread: SoundThread | None = None
        self._playback: Playback | None = None
        self._open: OpenClip | None = None
        self._heard = False
        self._control: SoundControl | None = None
        self._say: Callable[[str], object] = lambda _sentence: None
        self._kept = QSettings(str(paths.data_dir() / "window.ini"), QSettings.Format.IniFormat, self)
        self._muted = bool(self._kept.value("sound/muted", True, type=bool))
        volume = self._kept.value("sound/volume", 0.7, type=float)
        self._volume = max(0.0, min(1.0, volume if isinstance(volume, float) else 0.7))
        self.trouble = ""  # why nothing can be heard although it should
        self._output_tried.connect(self._on_output, Qt.ConnectionType.QueuedConnection)

    def attach(self, playback: Playback) -> None:
        """Follow what `playback` plays; it goes by `clock`."""
        self._playback = playback
        playback.timing_changed.connect(self._follow)
        playback.playing_changed.connect(self._on_playing)
        playback.mode_changed.connect(self._follow)
        playback.rate_changed.connect(lambda _rate: self.changed.emit())

    def show_in(self, control: SoundControl, *, say: Callable[[str], object]) -> None:
        """Let `control` show what is so, and do what is pressed in it; `say` what a key has done."""
        self._control, self._say = control, say
        control.mute_pressed.connect(self.toggle_muted)
        control.volume_moved.connect(self.set_volume)
        self.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        if self._control is not None:
            self._control.show_sound(
                available=self.available, muted=self._muted, volume=self._volume, trouble=self._why_silent()
            )

    def _why_silent(self) -> str:
        rate = self._playback.rate if self._playback is not None else 1.0
        heard_at = f"{rate_text(_SLOWEST)} to {rate_text(_FASTEST)}"
        at_this_speed = "" if _SLOWEST <= rate <= _FASTEST else f"Silent at this speed; heard from {heard_at}."
        return self.trouble or at_this_speed

    # -- what is so ----------------------------------------------------------------------------------------------

    @property
    def muted(self) -> bool:
        """Whether nothing is to be heard."""
        return self._muted

    @property
    def volume(self) -> float:
        """How loud, 0 to 1."""
        return self._volume

    @property
    def available(self) -> bool:
        """Whether the open clip has sound."""
        return self._open is not None and self._open.index.has_audio

    # -- what can be done ----------------------------------------------------------------------------------------

    def show_clip(self, opened: OpenClip | None) -> None:
        """Another clip is open, or none."""
        self._open = opened
        self._follow()
        self.changed.emit()

    def toggle_muted(self) -> None:
        """Silence, or sound again."""
        self.set_muted(not self._muted)

    def set_muted(self, muted: bool) -> None:
        """Silence, or sound."""
        if muted == self._muted:
            return
        self._muted = muted
        if not muted and self._volume < _STEP / 2:
            self._volume = _STEP  # unmuting at nothing would change nothing
        self._keep()
        self._follow()

    def set_volume(self, volume: float) -> None:
        """How loud, 0 to 1; moving it unmutes."""
        self._volume = max(0.0, min(1.0, round(volume, 3)))
        self._muted = self._volume <= 0.0
        if self._thread is not None:
            self._thread.set_volume(self._volume)
        self._keep()
        self._follow()

    def change_volume(self, steps: int) -> None:
        """Louder or quieter by steps of ten per cent."""
        self.set_volume(self._volume + steps * _STEP)
        self._say(f"Volume {round(self._volume * 100)} %" if self.available else "This clip has no sound.")

    def close(self) -> None:
        """Let go of the device."""
        if self._thread is not None:
            self._thread.close()
            self._thread = None
        self._heard = False
        self._kept.sync()

    # -- what happens --------------------------------------------------------------------------------------------

    def _on_playing(self, _playing: bool) -> None:
        self._follow()

    def _follow(self) -> None:
        """Let be heard what plays, from where it plays."""
        timing = self._playback.timing if self._playback is not None else None
        audible = not self._muted and self.available and timing is not None
        if timing is None or not audible or not _SLOWEST <= timing.rate <= _FASTEST:
            if self._heard and self._thread is not None:
                self._thread.stop()
            self._heard = False
            return
        if self._open is None:
            return
        self._heard = True
        self._running().play(self._open.path, self._open.index, timing)

    def _running(self) -> SoundThread:
        if self._thread is None:
            # Only now: most clips are looked at in silence, and the window must open quickly.
            from vvlm_desktop.video.audio_output import open_output
            from vvlm_desktop.video.audio_thread import SoundThread

            self._thread = SoundThread(
                self.clock, on_output=self._output_tried.emit, open_device=self._open_device or open_output
            )
            self._thread.set_volume(self._volume)
        return self._thread

    def _on_output(self, trouble: str | None) -> None:
        if (trouble or "") != self.trouble:
            self.trouble = trouble or ""
            self.changed.emit()

    def _keep(self) -> None:
        self._kept.setValue("sound/muted", self._muted)
        self._kept.setValue("sound/volume", self._volume)
        self.changed.emit()

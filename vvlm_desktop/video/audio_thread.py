"""The one thread that decodes sound for the ear and holds the device. It knows nothing of Qt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vvlm_desktop.video.audio_clock import SoundClock, Timing
from vvlm_desktop.video.audio_mixer import SoundMixer
from vvlm_desktop.video.audio_output import Fill, NoSoundOutput, SoundOutput, open_output
from vvlm_desktop.video.audio_samples import Samples, samples
from vvlm_desktop.video.index import FrameIndex

#: A device that nobody listens to is given back after this long.
_IDLE_S = 8.0
#: Decoding begins where the clip will be by the time it has begun.
_LEAD_S = 0.03
#: A device that is this far ahead of the time plays for nobody: a null device asks as fast as it is answered.
_TOO_FAST_S = 2.0
#: So often another device is opened for one that stopped, until something else is to be played.
_MOST_STOPS = 5

OpenOutput = Callable[[Callable[[int], Fill]], SoundOutput | NoSoundOutput]


@dataclass(frozen=True, slots=True)
class _Wish:
    path: Path
    index: FrameIndex
    timing: Timing


class SoundThread:
    """Plays the sound of one clip at a time; the newest order wins.

    Args:
        clock: by which the pictures go too; it follows the device as long as one is open.
        on_output: called on the thread with None when a device was opened, or with why there is none.
    """

    def __init__(
        self,
        clock: SoundClock,
        *,
        on_output: Callable[[str | None], None],
        open_device: OpenOutput = open_output,
    ) -> None:
        self._clock = clock
        self._on_output = on_output
        self._open_device = open_device
        self._wake = threading.Condition()
        self._wish: _Wish | None = None
        self._orders = 0
        self._closing = False
        self._output: SoundOutput | None = None
        self._mixer: SoundMixer | None = None
        self._volume = 1.0
        self._played = 0
        self._timeless = False
        self._stops = 0  # of devices, since the newest order
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    def play(self, path: Path, index: FrameIndex, timing: Timing) -> None:
        """Let the sound of `path` be heard as `timing` says, from now on."""
        self._order(_Wish(path, index, timing))

    def stop(self) -> None:
        """Fall silent."""
        self._order(None)

    def set_volume(self, volume: float) -> None:
        """How loud, 0 to 1."""
        self._volume = volume
        if self._mixer is not None:
            self._mixer.set_volume(volume)

    @property
    def held_s(self) -> float:
        """Seconds of sound that are ready to be heard."""
        return self._mixer.held_s if self._mixer is not None else 0.0

    def close(self, timeout_s: float = 2.0) -> None:
        """End the thread and let go of the device."""
        with self._wake:
            self._closing = True
        self._order(None)
        self._thread.join(timeout_s)

    def _order(self, wish: _Wish | None) -> None:
        with self._wake:
            self._wish = wish
            self._orders += 1
            self._stops = 0
            if self._mixer is not None:
                self._mixer.stop()
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while self._wish is None and not self._closing:
                    if not self._wake.wait(_IDLE_S if self._output is not None else None):
                        break
                wish, self._wish, order = self._wish, None, self._orders
                if self._closing:
                    break
            if wish is None:
                self._close_output()
            elif self._have_output():
                self._play(wish, order)
        self._close_output()

    def _play(self, wish: _Wish, order: int) -> None:
        mixer, output = self._mixer, self._output
        assert mixer is not None
        assert output is not None
        timing = wish.timing
        start_s = max(0.0, timing.media_s(self._clock() + _LEAD_S))
        with self._wake:
            if order != self._orders:
                return
            turn = mixer.start(timing, head_s=start_s)
        for piece in samples(wish.path, wish.index, start_s=start_s, rate_hz=output.rate_hz, speed=timing.rate):
            if not mixer.put(piece, turn=turn, wanted=lambda: output.alive) or self._timeless:
                break
        if not output.alive:
            self._again(wish, order)

    def _again(self, wish: _Wish, order: int) -> None:
        """The device was unplugged: let another one go on, from where the clip is by then."""
        with self._wake:
            if order != self._orders or self._closing:
                return
            self._stops += 1
            given_up = self._stops > _MOST_STOPS
            if not given_up:
                self._wish = wish
        if given_up:
            self._close_output()
            self._on_output("Silent: the sound device stops again and again.")

    def _have_output(self) -> bool:
        if self._timeless:
            self._close_output()
            self._on_output("Silent: the sound device keeps no time.")
            return False
        if self._output is not None and not self._output.alive:
            self._close_output()
        if self._output is None:
            opened = self._open_device(self._make_fill)
            if isinstance(opened, NoSoundOutput):
                self._mixer = None
                self._on_output(opened.reason)
                return False
            self._output = opened
            self._on_output(None)
        return True

    def _make_fill(self, rate_hz: int) -> Fill:
        mixer = SoundMixer(self._clock, rate_hz=rate_hz)
        mixer.set_volume(self._volume)
        self._mixer, self._played = mixer, 0
        opened_s = time.monotonic()

        def fill(out: Samples, latency_s: float) -> None:
            self._clock.follow(self._played / rate_hz)
            self._played += len(out)
            if self._played / rate_hz - (time.monotonic() - opened_s) > _TOO_FAST_S:
                self._timeless = True
                time.sleep(len(out) / rate_hz)
            mixer.fill(out, latency_s=latency_s)

        return fill

    def _close_output(self) -> None:
        output, self._output = self._output, None
        if output is not None:
            output.close()
        self._clock.let_go()
        self._mixer = None

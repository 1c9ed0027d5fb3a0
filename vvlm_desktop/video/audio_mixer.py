"""Between the thread that decodes sound and the device that asks for it: the right samples at the right moment."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from vvlm_desktop.video.audio_clock import Timing
from vvlm_desktop.video.audio_samples import Samples

#: A membrane that is moved in no time clicks.
_FADE_S = 0.006
#: Sound that is further from its picture than this is cut to it again; eyes notice from about 45 ms.
_OFF_S = 0.04
#: Sound held ready: 100 kB.
_ROOM_S = 0.3
#: A device that takes nothing for so long is asked whether it is still there.
_STALLED_S = 0.4


class SoundMixer:
    """A short buffer of samples that knows when they are due.

    `start`, `stop` and `set_volume` are called by anyone, `put` by the decoding thread, `fill` by the device's.
    """

    def __init__(self, clock: Callable[[], float], *, rate_hz: int) -> None:
        self._clock = clock
        self._rate_hz = rate_hz
        self._fade = max(1, round(_FADE_S * rate_hz))
        self._wake = threading.Condition()
        self._room = round(_ROOM_S * rate_hz)
        self._held: list[Samples] = []
        self._held_count = 0
        self._head_s = 0.0  # moment of the clip of the first sample held
        self._timing: Timing | None = None
        self._turn = 0
        self._aligned = False
        self._gain = 0.0
        self._volume = 1.0
        self._flows = False  # whether what is held goes on from the last sample given
        self._last: Samples = np.zeros(2, dtype=np.float32)
        self._step: Samples = np.zeros(2, dtype=np.float32)  # of the last cut, made up for bit by bit
        self._step_left = 0

    def set_volume(self, volume: float) -> None:
        """How loud, 0 to 1; ears hear ratios, so half way up is a quarter of the amplitude."""
        self._volume = max(0.0, min(1.0, volume)) ** 2

    @property
    def held_s(self) -> float:
        """Seconds of sound that are ready."""
        return self._held_count / self._rate_hz

    def start(self, timing: Timing, *, head_s: float) -> int:
        """Let go of what is held; samples from `head_s` on will come. Gives the number to put them with."""
        with self._wake:
            self._let_go()
            self._timing, self._head_s = timing, head_s
            return self._turn

    def stop(self) -> None:
        """Fall silent."""
        with self._wake:
            self._let_go()
            self._timing = None

    def put(self, piece: Samples, *, turn: int, wanted: Callable[[], bool] = lambda: True) -> bool:
        """Hold `piece` as soon as there is room for it; False when it is wanted no more, or nobody takes samples."""
        with self._wake:
            while turn == self._turn and self._held_count >= self._room:
                if not self._wake.wait(_STALLED_S) and not wanted():
                    return False
            if turn != self._turn:
                return False
            self._held.append(piece)
            self._held_count += len(piece)
            return True

    def fill(self, out: Samples, *, latency_s: float) -> None:
        """Write the samples that will be heard in `latency_s`."""
        out[:] = 0.0
        with self._wake:
            begin = self._align(len(out), latency_s=latency_s) if self._timing is not None else len(out)
            flowed = self._flows and begin == 0
            end = begin
            if begin < len(out):
                piece = self._take(len(out) - begin)
                end = begin + len(piece)
                out[begin:end] = self._at_volume(piece)
            self._flows = begin < end == len(out)
            if not self._flows:
                self._gain = 0.0
            if begin < len(out) and end < len(out):
                self._aligned = False  # the decoder was too late
            self._smooth(out, cuts=sorted({0, begin, end} - ({0} if flowed and end else set()) - {len(out)}))
            self._wake.notify_all()

    def _align(self, count: int, *, latency_s: float) -> int:
        """Where in the next `count` samples the held ones begin, once those that are late were dropped."""
        assert self._timing is not None
        due_s = self._timing.media_s(self._clock() + latency_s)
        late = round((due_s - self._head_s) / self._timing.rate * self._rate_hz)
        if self._aligned and abs(late) <= _OFF_S * self._rate_hz:
            return 0
        if self._aligned:
            self._cut()
        if late > 0:
            self._take(late)
            self._aligned = self._held_count > 0
            return 0 if self._aligned else count
        self._aligned = -late < count and self._held_count > 0
        return min(-late, count) if self._held_count else count

    def _take(self, count: int) -> Samples:
        """The next samples, `count` or as many as there are."""
        assert self._timing is not None
        taken: list[Samples] = []
        left = count
        while left > 0 and self._held:
            piece = self._held[0]
            if len(piece) <= left:
                self._held.pop(0)
            else:
                self._held[0], piece = piece[left:], piece[:left]
            left -= len(piece)
            taken.append(piece)
        got = count - left
        self._held_count -= got
        self._head_s += got * self._timing.rate / self._rate_hz
        return np.concatenate(taken) if taken else np.zeros((0, 2), dtype=np.float32)

    def _at_volume(self, piece: Samples) -> Samples:
        """`piece` at the volume wanted, which is reached without a click."""
        steps = np.arange(1, len(piece) + 1, dtype=np.float32) / self._fade
        way = self._volume - self._gain
        gain = self._gain + np.sign(way) * np.minimum(steps, abs(way))
        self._gain = float(gain[-1]) if len(piece) else self._gain
        return np.asarray(piece * gain[:, None], dtype=np.float32)

    def _smooth(self, out: Samples, *, cuts: list[int]) -> None:
        """Take the step out of each cut: it is made up for bit by bit over the samples that follow."""
        begin = 0
        for cut in (*cuts, len(out)):
            part = out[begin:cut]
            count = min(self._step_left, len(part))
            weights = np.arange(self._step_left, self._step_left - count, -1, dtype=np.float32) / self._fade
            part[:count] += self._step * weights[:, None]
            self._step_left -= count
            if cut < len(out):
                before = out[cut - 1] if cut else self._last
                self._step, self._step_left = before - out[cut], self._fade
            begin = cut
        self._last = out[-1].copy()

    def _let_go(self) -> None:
        self._cut()
        self._held, self._held_count = [], 0
        self._turn += 1
        self._wake.notify_all()

    def _cut(self) -> None:
        """What is held does not go on from what was heard last."""
        self._gain, self._aligned, self._flows = 0.0, False, False

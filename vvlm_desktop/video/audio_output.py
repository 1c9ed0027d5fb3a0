"""The sound device, by PortAudio; without one, or without that library, there is silence and a sentence."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from vvlm_desktop.video.audio_samples import Samples

_log = logging.getLogger(__name__)

#: Writes the samples that are heard after that many seconds.
Fill: TypeAlias = Callable[[Samples, float], None]

#: Enough for a decoder that is busy with a picture; the picture is shown later by as much, so nothing is out of step.
_LATENCY_S = 0.08
#: A list of devices this old is made anew before one is opened: the system may have another one of its own by now.
_OLD_S = 30.0


class SoundOutput(Protocol):
    """A device that plays."""

    rate_hz: int

    @property
    def alive(self) -> bool:
        """Whether it still asks for samples; one that was unplugged does not."""

    def close(self) -> None:
        """Let go of it."""


class NoSoundOutput:
    """Why nothing can be heard; `reason` is a sentence for people."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class DeviceList:
    """PortAudio's list of devices. It is made when PortAudio starts, and headsets come and go.

    Starting PortAudio anew takes up to a second, so it is done only where the list may be wrong: after a device failed
    or stopped by itself, or when the list is old.
    """

    def __init__(self, *, time_s: Callable[[], float] = time.monotonic) -> None:
        self._time_s = time_s
        self._listed_s: float | None = None
        self._doubtful = False

    def doubt(self) -> None:
        """A device is not what the list says."""
        self._doubtful = True

    def refresh(self, sounddevice: Any) -> None:
        """Have the devices listed anew, if that may tell anything else."""
        now_s = self._time_s()
        if self._listed_s is None:  # loading the package has just listed them
            self._listed_s = now_s
        elif self._doubtful or now_s - self._listed_s > _OLD_S:
            _look_again(sounddevice)
            self._listed_s, self._doubtful = now_s, False


_devices = DeviceList()


def open_output(make_fill: Callable[[int], Fill], *, devices: DeviceList = _devices) -> SoundOutput | NoSoundOutput:
    """Open the system's own device and let it play what `make_fill(samples a second)` writes. May take a second."""
    try:
        import sounddevice
    except ImportError:
        return NoSoundOutput("Silent: the package “sounddevice” is not installed.")
    except OSError:
        return NoSoundOutput("Silent: the system's sound library is missing (PortAudio; on Debian libportaudio2).")
    devices.refresh(sounddevice)
    output = _opened(sounddevice, make_fill, devices=devices)
    if isinstance(output, NoSoundOutput):
        devices.doubt()
    return output


def _opened(sounddevice: Any, make_fill: Callable[[int], Fill], *, devices: DeviceList) -> SoundOutput | NoSoundOutput:
    try:
        rate_hz = int(sounddevice.query_devices(kind="output")["default_samplerate"])
    except (sounddevice.PortAudioError, ValueError):
        return NoSoundOutput("Silent: this computer has no sound device.")
    try:
        return _Device(sounddevice, make_fill, rate_hz=rate_hz, devices=devices)
    except (sounddevice.PortAudioError, ValueError) as error:
        return NoSoundOutput(f"Silent: the sound device could not be opened ({_first_line(error)}).")


def _look_again(sounddevice: Any) -> None:
    """Start PortAudio anew."""
    for name in ("_terminate", "_initialize"):  # not public, but the only way; sounddevice 0.4 to 0.5 have them
        step = getattr(sounddevice, name, None)
        if step is None:
            return
        try:
            step()
        except sounddevice.PortAudioError as error:
            _log.info("The sound devices cannot be listed anew: %s", error)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].strip().rstrip(".")


class _Device:
    def __init__(
        self, sounddevice: Any, make_fill: Callable[[int], Fill], *, rate_hz: int, devices: DeviceList
    ) -> None:
        self.rate_hz = rate_hz
        self._devices = devices
        self._fill = make_fill(self.rate_hz)
        self._stream = sounddevice.OutputStream(
            samplerate=self.rate_hz, channels=2, dtype="float32", latency=_LATENCY_S, callback=self._on_wanted
        )
        self._stream.start()

    @property
    def alive(self) -> bool:
        return bool(self._stream.active)

    def close(self) -> None:
        if not self.alive:
            self._devices.doubt()
        self._stream.close()

    def _on_wanted(self, out: Samples, _count: int, when: Any, _status: object) -> None:
        latency_s = when.outputBufferDacTime - when.currentTime
        # Some drivers tell no times.
        self._fill(out, latency_s if 0.0 < latency_s < 1.0 else float(self._stream.latency))

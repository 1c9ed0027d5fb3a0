"""Light and weather as numbers: how bright surfaces are, what the air does to distance, where the head lamps reach."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.samples.pixels import Rgb
from vvlm_desktop.samples.scenario import Light, Scenario, Weather

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mood:
    """How everything is lit.

    Attributes:
        ambient: factor on every surface.
        zenith, low_sky: colours of the sky above and at the horizon.
        haze, sight_m: colour of the air, and the distance over which two thirds are lost to it.
        clouds: 0 none .. 1 closed.
        cloud_light, cloud_dark: colours of the clouds' lit and shaded sides.
        sun: 0..1, how hard shadows are.
        lamps: whether vehicles drive with their lamps lit.
        beams: how much ego's head lamps light the scene.
    """

    ambient: Rgb
    zenith: Rgb
    low_sky: Rgb
    haze: Rgb
    sight_m: float
    clouds: float
    cloud_light: Rgb
    cloud_dark: Rgb
    sun: float
    lamps: bool
    beams: float

    def hazy(self, distance_m: float) -> float:
        """Share of the air's colour in something at this distance, 0..1."""
        return float(1.0 - np.exp(-max(0.0, distance_m) / self.sight_m))

    def lit(self, x: float, z: float) -> Rgb:
        """Light on something standing upright at `x` right and `z` ahead of the lens."""
        if self.beams <= 0.0:
            return self.ambient
        beam = 0.6 * self.beams * float(beam_at(np.array([x]), np.array([z]), upright=True)[0])
        return (self.ambient[0] + beam, self.ambient[1] + beam * 0.97, self.ambient[2] + beam * 0.88)


def beam_at(x: Floats, z: Floats, *, upright: bool = False) -> Floats:
    """Dipped beam at ground points, 0..about 1: a wide pool near, a tongue to the right, dark beyond 60 m."""
    z = np.maximum(z, 0.1)
    spread = 1.5 + 0.2 * z
    aim = 0.25 + 0.018 * z
    pool = np.exp(-(((x - aim) / spread) ** 2)) * (1.0 - np.exp(-((z / 4.5) ** 2)))
    reach = 24.0 if not upright else 34.0
    fall = 1.0 / (1.0 + (z / reach) ** 2.6)
    wide = 0.25 * np.exp(-((x / (2.5 + 0.55 * z)) ** 2)) / (1.0 + (z / 12.0) ** 2)
    beam: Floats = 0.85 * pool * fall + wide
    return beam


_DAY = Mood(
    ambient=(1.0, 1.0, 1.0),
    zenith=(74, 124, 190),
    low_sky=(196, 216, 232),
    haze=(190, 206, 222),
    sight_m=900.0,
    clouds=0.45,
    cloud_light=(250, 250, 250),
    cloud_dark=(196, 204, 214),
    sun=1.0,
    lamps=False,
    beams=0.0,
)
_WEATHER: dict[Weather, Mood] = {
    "clear": _DAY,
    "cloudy": replace(
        _DAY,
        ambient=(0.82, 0.84, 0.87),
        zenith=(148, 158, 170),
        low_sky=(196, 202, 208),
        haze=(186, 194, 202),
        sight_m=700.0,
        clouds=1.0,
        cloud_light=(206, 210, 214),
        cloud_dark=(138, 146, 156),
        sun=0.25,
    ),
    "rain": replace(
        _DAY,
        ambient=(0.62, 0.65, 0.69),
        zenith=(112, 120, 130),
        low_sky=(164, 170, 176),
        haze=(150, 158, 166),
        sight_m=170.0,
        clouds=1.0,
        cloud_light=(150, 156, 164),
        cloud_dark=(104, 112, 122),
        sun=0.1,
        lamps=True,
    ),
    "fog": replace(
        _DAY,
        ambient=(0.78, 0.8, 0.82),
        zenith=(190, 194, 198),
        low_sky=(198, 201, 204),
        haze=(198, 201, 204),
        sight_m=30.0,
        clouds=0.0,
        sun=0.05,
        lamps=True,
    ),
    "snow": replace(
        _DAY,
        ambient=(0.86, 0.88, 0.92),
        zenith=(176, 182, 190),
        low_sky=(206, 210, 215),
        haze=(204, 209, 215),
        sight_m=130.0,
        clouds=1.0,
        cloud_light=(206, 210, 216),
        cloud_dark=(168, 175, 184),
        sun=0.1,
        lamps=True,
    ),
}


def mood_of(scenario: Scenario) -> Mood:
    """The light of a scenario."""
    return _darken(_WEATHER[scenario.weather], scenario.light, scenario.weather)


def _darken(mood: Mood, light: Light, weather: Weather) -> Mood:
    if light == "day":
        return mood
    if light == "dusk":
        grey = weather not in ("clear", "cloudy")
        return replace(
            mood,
            ambient=tuple_times(mood.ambient, (0.47, 0.41, 0.44)),
            zenith=(58, 64, 98) if not grey else (70, 74, 88),
            low_sky=(236, 152, 96) if not grey else (134, 126, 128),
            haze=(158, 124, 112) if not grey else (112, 108, 114),
            cloud_light=(232, 142, 110) if not grey else (108, 108, 118),
            cloud_dark=(88, 74, 96) if not grey else (80, 82, 94),
            sun=0.0,
            lamps=True,
            beams=0.3,
        )
    dark = 0.55 if weather in ("rain", "fog") else 1.0
    return replace(
        mood,
        ambient=(0.052 * dark, 0.056 * dark, 0.076 * dark),
        zenith=(7, 9, 16),
        low_sky=(24, 23, 28),
        haze=(15, 15, 19) if weather != "fog" else (38, 38, 40),
        sight_m=min(mood.sight_m, 260.0),
        cloud_light=(26, 26, 32),
        cloud_dark=(12, 13, 19),
        sun=0.0,
        lamps=True,
        beams=2.0 if weather != "fog" else 1.6,
    )


def tuple_times(a: Rgb, b: Rgb) -> Rgb:
    """Product, channel by channel."""
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])

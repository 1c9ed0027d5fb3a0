"""Moments worth a look: the picture jumps, the drive ends suddenly, a sound stands out. Never a claim of more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.backends.signals_motion import DRIVING_ABOVE, Course
from vvlm_desktop.domain.analysis import EventCandidate
from vvlm_desktop.video.curves import running_median
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.measuring import Measurements
from vvlm_desktop.video.sound import WINDOW_S

#: Widths. About one degree within a fifteenth of a second: a pothole or a blow, not a driver.
_JOLT_WIDTHS = 0.01
#: And this many times what the road does to the picture anyway.
_JOLT_TIMES_USUAL = 6.0
#: A driver who brakes gently from 50 km/h takes seven seconds, hard braking takes two. So: from near the speed of the
#: seconds before, most of it within two.
_STOP_WITHIN_S, _STOP_FALL, _STOP_FROM_SHARE, _STOP_BEFORE_S = 2.0, 0.7, 0.7, 4.0
_STOP_TIMES_NOISE, _STOP_STILL_SHARE = 4.0, 0.5
#: Six times the power of the five seconds around it, clearly more than the sound scatters anyway (a motor does by
#: 1 dB, talk and music by 6), and about as loud as talk beside the microphone.
_SOUND_ABOVE_DB, _SOUND_TIMES_SCATTER, _SOUND_FLOOR_DBFS, _SOUND_QUIET_DBFS = 8.0, 4.0, -30.0, -60.0
_SOUND_REACH_S = 2
#: An hour over cobblestones must not bury the reviewer.
_MAX_CANDIDATES = 20
_TOGETHER_S = 1.0


@dataclass(frozen=True, slots=True)
class _Moment:
    kind: str
    start_s: float
    end_s: float
    score: float
    reason: str


def find_candidates(measured: Measurements, course: Course, index: FrameIndex) -> tuple[EventCandidate, ...]:
    """The moments that stand out most, in order of time."""
    moments = [*_jolts(measured), *_sudden_stops(course), *_sound_peaks(measured)]
    strongest = sorted(moments, key=lambda moment: -moment.score)[:_MAX_CANDIDATES]
    return tuple(_candidate(moment, index) for moment in sorted(strongest, key=lambda moment: moment.start_s))


def attention(candidates: tuple[EventCandidate, ...], *, camera_trouble: bool, poor_sight: bool) -> float:
    """How early a clip should come up: 0..1, moments first, then what makes them hard to see.

    Independent reasons add up as chances do, so that many weak ones do not outweigh one strong one.
    """
    weights = {"sudden_stop": 0.8, "jolt": 0.7, "sound_peak": 0.5}
    calm = 1.0
    for kind, weight in weights.items():
        best = max((item.score for item in candidates if item.kind == kind), default=0.0)
        calm *= 1.0 - weight * best
    calm *= 0.8 if camera_trouble else 1.0
    calm *= 0.9 if poor_sight else 1.0
    return round(1.0 - calm, 3)


def _jolts(measured: Measurements) -> Iterator[_Moment]:
    jolt, times_s = measured.curves.jolt, measured.curves.t_s
    known = jolt[~np.isnan(jolt)]
    if len(known) < 5:
        return
    usual = float(np.median(known))
    high = np.flatnonzero(jolt >= max(_JOLT_WIDTHS, _JOLT_TIMES_USUAL * usual))
    for group in _grouped(times_s[high]):
        members = high[group]
        peak = members[np.argmax(jolt[members])]
        size = float(jolt[peak])
        before_s = float(times_s[max(0, members[0] - 1)])
        step_s = float(times_s[peak] - times_s[max(0, peak - 1)])
        yield _Moment(
            "jolt",
            before_s,
            float(times_s[members[-1]]),
            _score(size / _JOLT_WIDTHS),
            f"jolt: the whole picture jumped by {100 * size:.1f} % of its width in {step_s:.2f} s",
        )


def _sudden_stops(course: Course) -> Iterator[_Moment]:
    """Falls of the forward motion from near its level of the seconds before to almost nothing, within two seconds."""
    times_s, forward = course.t_s, course.forward
    done_until_s = float(times_s[0]) + 0.5
    for i in np.flatnonzero(forward > max(2 * DRIVING_ABOVE, _STOP_TIMES_NOISE * course.forward_noise)):
        if times_s[i] < done_until_s or not _near_usual(course, int(i)):
            continue
        stop = _end_of_fall(course, int(i))
        if stop is None:
            continue
        # The fall begins at the last moment that was still at its full height.
        top = int(i) + int(np.flatnonzero(forward[i : stop + 1] >= 0.95 * forward[i])[-1])
        lowest = float(np.nanmin(forward[stop : _after(course, stop, 0.6)]))
        fall = min(1.0, 1.0 - lowest / float(forward[top]))
        took_s = float(times_s[stop] - times_s[top])
        done_until_s = float(times_s[stop]) + _TOGETHER_S
        yield _Moment(
            "sudden_stop",
            float(times_s[top]),
            float(times_s[stop]),
            _score(0.7 + _STOP_WITHIN_S / max(took_s, 0.3) * fall),
            f"sudden stop: forward motion fell by {100 * fall:.0f} % in {took_s:.1f} s",
        )


def _near_usual(course: Course, i: int) -> bool:
    """Whether sample `i` is near the level of the seconds before it: not the tail of a gentle stop."""
    first = int(np.searchsorted(course.t_s, course.t_s[i] - _STOP_BEFORE_S))
    return bool(course.forward[i] >= _STOP_FROM_SHARE * np.nanmedian(course.forward[first : i + 1]))


def _end_of_fall(course: Course, i: int) -> int | None:
    """The first sample, within two seconds after `i`, at which the motion has fallen, and stays so; None without."""
    forward = course.forward
    low = np.flatnonzero(forward[i : _after(course, i, _STOP_WITHIN_S)] <= (1.0 - _STOP_FALL) * forward[i])
    if not len(low):
        return None
    stop = i + int(low[0])
    # It must stay low: things far away behind near ones look like a fall, too, but soon come near themselves.
    if np.nanmax(forward[stop : _after(course, stop, 0.6)]) > 2 * (1.0 - _STOP_FALL) * forward[i]:
        return None
    # And where ego comes to a stop, the corners do; by night a handful of them scatters so much that falls come by
    # chance.
    still = np.nan_to_num(course.still[stop : _after(course, stop, 1.0)])
    return stop if still.max() >= _STOP_STILL_SHARE else None


def _after(course: Course, i: int, seconds: float) -> int:
    return int(np.searchsorted(course.t_s, course.t_s[i] + seconds, side="right"))


def _sound_peaks(measured: Measurements) -> Iterator[_Moment]:
    level = measured.loudness
    if level is None:
        return
    # Silence is not quieter than a quiet car, or else every first sound would be a peak.
    heard = np.where(np.isnan(level), _SOUND_QUIET_DBFS, np.maximum(level, _SOUND_QUIET_DBFS)).astype(np.float32)
    a_second = round(1.0 / WINDOW_S)
    if len(heard) < 2 * a_second:
        return
    seconds = np.median(heard[: len(heard) // a_second * a_second].reshape(-1, a_second), axis=1).astype(np.float32)
    usual = np.repeat(running_median(seconds, reach=_SOUND_REACH_S), a_second)
    usual = np.pad(usual, (0, len(heard) - len(usual)), mode="edge")
    # 1.48 medians are a standard deviation, if it were noise.
    scatter = 1.48 * float(np.median(np.abs(heard - usual)))
    needed = max(_SOUND_ABOVE_DB, _SOUND_TIMES_SCATTER * scatter)
    high = np.flatnonzero((heard >= _SOUND_FLOOR_DBFS) & (heard - usual >= needed))
    for group in _grouped(high * WINDOW_S):
        members = high[group]
        peak = int(members[np.argmax(heard[members])])
        above = float(heard[peak] - usual[peak])
        yield _Moment(
            "sound_peak",
            float(members[0] * WINDOW_S),
            float((members[-1] + 1) * WINDOW_S),
            _score(above / needed),
            f"sound peak: {above:.0f} dB above the seconds around it",
        )


def _grouped(times_s: NDArray[np.floating]) -> list[slice]:
    """Slices of moments less than a second apart."""
    if not len(times_s):
        return []
    borders = [0, *(np.flatnonzero(np.diff(times_s) > _TOGETHER_S) + 1).tolist(), len(times_s)]
    return [slice(start, end) for start, end in pairwise(borders)]


def _score(times_threshold: float) -> float:
    """0.4 at the threshold, 0.7 at twice, 0.8 at three times it: what barely counts barely shows."""
    return round(max(0.0, 1.0 - 0.6 / max(times_threshold, 1.0)), 3)


def _candidate(moment: _Moment, index: FrameIndex) -> EventCandidate:
    first, last = index.at_time(moment.start_s), index.at_time(moment.end_s)
    return EventCandidate(
        kind=moment.kind,
        start_pts=index.pts[first],
        end_pts=index.pts[last],
        start_ms=index.ms(first),
        end_ms=index.ms(last),
        score=moment.score,
        reason=moment.reason,
    )

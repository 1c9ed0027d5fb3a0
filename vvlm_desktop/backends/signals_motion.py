"""What ego did, read off the measured motion: standing, driving, turning, as runs of samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.video.curves import running_median
from vvlm_desktop.video.measuring import Measurements

Series: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]

#: A single pair of frames is noisy; a car does not start or stop within less.
_SMOOTHING_SAMPLES = 4
#: Most corners do not move: what moves is traffic or rain, not ego.
_STILL_SHARE = 0.5
#: 1/s. Walking pace seen by a dashcam with things 15 m away is 0.1; what the tracker makes up is 0.015.
STANDING_BELOW, DRIVING_ABOVE = 0.03, 0.06
#: Longer than a stutter of the decoder or a moment without corners.
_MIN_STOP_S = 0.7
_MIN_DRIVE_S = 1.0
_TURN_WINDOW_S = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What ego did along the clip.

    Attributes:
        t_s: time of each sample.
        forward, yaw, still: smoothed; NaN where nothing could be measured.
        forward_noise: how far single measurements of `forward` scatter around their neighbours, 1/s.
        standing, driving: which samples are clearly one or the other; many are neither.
        heading: widths turned since the start, positive to the right.
        known: share of the samples with a measured motion.
    """

    t_s: Series
    forward: Series
    yaw: Series
    still: Series
    forward_noise: float
    standing: Mask
    driving: Mask
    heading: Series
    known: float

    @property
    def span_s(self) -> float:
        """From the first sample to the last."""
        return float(self.t_s[-1] - self.t_s[0])

    def share(self, mask: Mask) -> float:
        """Share of the samples with a measured motion that are in `mask`."""
        measured = ~np.isnan(self.forward)
        return float(mask.sum() / measured.sum()) if measured.any() else 0.0

    def stop_after_drive(self) -> tuple[float, float] | None:
        """(start, end) in seconds of the first stand that follows a drive; both long enough to be meant."""
        driven_s = 0.0
        for kind, start_s, end_s in self._runs():
            if kind == "driving":
                driven_s += end_s - start_s
            elif kind == "standing" and driven_s >= _MIN_DRIVE_S and end_s - start_s >= _MIN_STOP_S:
                return start_s, end_s
        return None

    def largest_turn(self) -> tuple[float, float, float]:
        """(widths, start, end in seconds) of the largest change of heading within twelve seconds."""
        ends = np.searchsorted(self.t_s, self.t_s + _TURN_WINDOW_S, side="right")
        best = (0.0, 0.0, 0.0)
        for start, end in enumerate(ends):
            stretch = self.heading[start:end] - self.heading[start]
            furthest = int(np.argmax(np.abs(stretch)))
            if abs(stretch[furthest]) > abs(best[0]):
                best = (float(stretch[furthest]), float(self.t_s[start]), float(self.t_s[start + furthest]))
        return best

    def fastest_turn(self) -> float:
        """Highest rate of turning kept up for a second, widths a second."""
        ends = np.minimum(np.searchsorted(self.t_s, self.t_s + 1.0), len(self.t_s) - 1)
        spans = self.t_s[ends] - self.t_s
        whole = spans > 0.9
        if not whole.any():
            return 0.0
        return float(np.max(np.abs(self.heading[ends] - self.heading)[whole] / spans[whole]))

    def _runs(self) -> list[tuple[str, float, float]]:
        kinds = np.where(self.standing, 1, np.where(self.driving, 2, 0))
        names = ("unclear", "standing", "driving")
        borders = np.flatnonzero(np.diff(kinds)) + 1
        starts, ends = np.concatenate([[0], borders]), np.concatenate([borders, [len(kinds) - 1]])
        return [
            (names[kinds[start]], float(self.t_s[start]), float(self.t_s[end]))
            for start, end in zip(starts, ends, strict=True)
        ]


def course_of(measured: Measurements) -> Course:
    """What ego did in the clip that was measured."""
    times_s = measured.curves.t_s
    forward = running_median(measured.motions["forward"], reach=_SMOOTHING_SAMPLES)
    yaw = running_median(measured.motions["yaw"], reach=_SMOOTHING_SAMPLES)
    still = running_median(measured.motions["still"], reach=_SMOOTHING_SAMPLES)
    with np.errstate(invalid="ignore"):
        standing = (still >= _STILL_SHARE) & ~(np.abs(forward) > STANDING_BELOW)
        driving = (forward > DRIVING_ABOVE) & (still < _STILL_SHARE)
    scatter = np.abs(measured.motions["forward"] - forward)
    scatter = scatter[~np.isnan(scatter)]
    steps_s = np.diff(times_s, prepend=times_s[0])
    heading = np.cumsum(np.where(np.isnan(yaw) | standing, 0.0, yaw) * steps_s)
    return Course(
        t_s=times_s,
        forward=forward,
        yaw=yaw,
        still=still,
        forward_noise=float(np.median(scatter)) if len(scatter) else 0.0,
        standing=standing,
        driving=driving,
        heading=heading.astype(np.float32),
        known=float(np.mean(~np.isnan(measured.motions["still"][1:]))) if len(times_s) > 1 else 0.0,
    )

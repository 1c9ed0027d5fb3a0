"""From measurements to labels, with the reason in words; what the measurements do not decide stays unanswered.

No threshold is fitted to clips: each follows from how cameras and driving work, and says so. Confidence is the distance
to the threshold in units of how far such a measurement can be off ("measured margin"): 0.5 at the threshold, never
above 0.95. It is not a probability that was checked against anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.backends.signals_motion import Course
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.video.measuring import Measurements

CONFIDENCE_KIND = "measured_margin"

#: Luma span below which there is no picture: even a night scene has lamps and noise, a grey wall has shades.
_FLAT_BELOW = 0.03
#: A camera exposes for mid-grey, 0.46 of white as video is coded. By day sky or ground come out at that or above; at
#: night neither can.
_DAY_ABOVE, _NIGHT_BELOW, _LIT_ABOVE = 0.42, 0.18, 0.15
#: How far the mean exposure of cameras differs.
_EXPOSURE_DOUBT = 0.10
#: A crisp picture at 640 wide loses 0.6 and more of its gradients to the blur; Gaussian blur of 0.4 % of the width
#: (a number plate five metres ahead can no longer be read) leaves 0.3.
_UNFOCUSED_BELOW, _FOCUS_DOUBT = 0.30, 0.10
#: Share of cells that never show anything, and of clips' time without any picture.
_OBSTRUCTED_ABOVE, _LOSS_ABOVE = 0.25, 0.05
#: Share of the band around the horizon that shows nothing: a large part, but not all of it, which fog does.
_BLANK_ABOVE, _BLANK_BELOW = 0.35, 0.75
#: Luma a pixel. An edge of a third of the scale that crosses a cell gives 0.010; noise, smoothed, 0.003.
_EDGE = 0.010
#: Widths. A lens of 90° to 130° spans about a width a right angle; lanes change within a tenth.
_STRAIGHT_BELOW, _TURN_ABOVE, _HEADING_DOUBT = 0.25, 0.50, 0.12
#: Widths a second, about 12° a second: at more than 70 km/h that would be 4 m/s² sideways, so it is no bend of a
#: highway but a corner.
_CORNER_ABOVE = 0.12


@dataclass(frozen=True, slots=True)
class Judgement:
    """One field's value, how sure, and why."""

    value: LabelValue
    confidence: float
    reason: str


def margin_confidence(margin: float, *, cap: float = 0.95) -> float:
    """Confidence of a measurement that lies `margin` doubts beyond its threshold: 0.5 at 0, 0.84 at 1, towards 0.95."""
    return round(min(cap, 0.5 + 0.45 * (1.0 - math.exp(-1.4 * max(0.0, margin)))), 3)


def judge(measured: Measurements, course: Course) -> dict[str, Judgement]:
    """Every field that the measurements decide."""
    camera = judge_camera(measured, course)
    blind = "picture_loss" in _problems(camera)
    found: dict[str, Judgement | None] = {"camera_problem": camera}
    time_of_day = None if blind else judge_time_of_day(measured)
    found["time_of_day"] = time_of_day
    found["light_conditions"] = None if blind else judge_light(measured, time_of_day)
    found["visibility"] = judge_visibility(measured, time_of_day, camera)
    found["intended_driving_action"] = judge_action(measured, course)
    return {key: judgement for key, judgement in found.items() if judgement is not None}


def judge_time_of_day(measured: Measurements) -> Judgement | None:
    """Day, night or dusk, from how bright sky and ground come out although the camera evens them out."""
    sky, ground = _typical(measured, "sky"), _typical(measured, "road")
    light = float(np.median(np.maximum(measured.looks["sky"], measured.looks["median"])))
    dark = _typical(measured, "dark")
    words = f"sky {_percent(sky)} and the whole picture {_percent(_typical(measured, 'median'))} of white"
    if light >= _DAY_ABOVE:
        return Judgement("day", margin_confidence((light - _DAY_ABOVE) / _EXPOSURE_DOUBT), words)
    # At night something is lit; without a single light it might as well be a covered lens.
    if light <= _NIGHT_BELOW and dark >= 0.4 and _typical(measured, "high") >= _LIT_ABOVE:
        margin = min((_NIGHT_BELOW - light) / _EXPOSURE_DOUBT, (dark - 0.4) / 0.2)
        return Judgement("night", margin_confidence(margin), f"{words}, {_percent(dark)} of it dark")
    # The sky glows over a dark ground: at night and in a tunnel the lit road is brighter than what is above it.
    if light > _NIGHT_BELOW and sky >= 2.0 * ground and dark >= 0.2:
        margin = min((sky / max(ground, 0.01) - 2.0), (dark - 0.2) / 0.2)
        return Judgement("dawn_dusk", margin_confidence(margin, cap=0.6), f"{words}, the road {_percent(ground)}")
    return None


def judge_light(measured: Measurements, time_of_day: Judgement | None) -> Judgement | None:
    """Normal, bright (washed out), dark (road unseen beyond the lamps) or glare."""
    if time_of_day is None:
        return None
    dark, low = _typical(measured, "dark"), _typical(measured, "low")
    burnt, burnt_road = _typical(measured, "saturated"), _typical(measured, "road_saturated")
    if time_of_day.value == "night":
        # Lamps that are merely on fill about one per cent of the picture; halos that hide the road fill several.
        if burnt >= 0.04:
            return Judgement("glare", margin_confidence((burnt - 0.04) / 0.04, cap=0.7), f"{_percent(burnt)} is white")
        if dark >= 0.55:
            margin = min((dark - 0.55) / 0.15, (0.04 - burnt) / 0.02)
            return Judgement("dark", margin_confidence(margin), f"{_percent(dark)} of the picture is black")
        return None
    if time_of_day.value != "day":
        return None
    # Washed out: the road itself is white, or nothing in the picture is darker than a third of white.
    if burnt_road >= 0.2 or low >= 0.35:
        margin = max((burnt_road - 0.2) / 0.1, (low - 0.35) / 0.08)
        return Judgement(
            "bright",
            margin_confidence(margin, cap=0.85),
            f"{_percent(burnt_road)} of the lower half is white, the darkest parts are {_percent(low)} of white",
        )
    margin = min((0.2 - burnt_road) / 0.1, (0.35 - low) / 0.08, (0.5 - dark) / 0.15)
    if margin < 0.0:
        return None
    return Judgement(
        "normal",
        margin_confidence(margin, cap=0.9),
        f"neither washed out ({_percent(burnt_road)} of the lower half white) nor dark ({_percent(dark)} black)",
    )


def judge_visibility(
    measured: Measurements, time_of_day: Judgement | None, camera: Judgement | None
) -> Judgement | None:
    """Good or bad, by day from the contrast where the road is far away: haze takes contrast with distance."""
    if camera is not None and _problems(camera) & {"obstructed", "unfocused", "picture_loss"}:
        return Judgement("bad", min(camera.confidence, 0.85), f"the lens does not show the road: {camera.reason}")
    # At night contrast at the horizon is that of lamps, and says nothing about what can be seen between them.
    if time_of_day is None or time_of_day.value != "day":
        return None
    contrast = _typical(measured, "horizon_contrast")
    # Haze lifts what is dark and far towards the light of the sky, by 1 - exp(-3 d / sight) (Koschmieder): things some
    # forty metres away to 0.3 of it where sight is 350 m, to 0.9 where it is 50 m. As video is coded: 0.6 and 0.95.
    lifted = _typical(measured, "far_dark") / max(_typical(measured, "sky"), 0.01)
    words = f"contrast around the horizon is {_percent(contrast)}, the darkest there {_percent(lifted)} of the sky"
    # And in clear sight no part of that band is without an edge.
    if contrast >= 0.3 and lifted <= 0.65 and _blank_columns(measured) == 0.0:
        margin = min((contrast - 0.3) / 0.15, (0.65 - lifted) / 0.1)
        return Judgement("good", margin_confidence(margin, cap=0.85), words)
    if contrast <= 0.12 or lifted >= 0.9:
        margin = max((0.12 - contrast) / 0.06, (lifted - 0.9) / 0.05)
        return Judgement("bad", margin_confidence(margin, cap=0.8), words)
    return None


def judge_camera(measured: Measurements, course: Course) -> Judgement | None:
    """Problems of the camera that can be measured; unanswered where none of those is found."""
    span = measured.looks["high"] - measured.looks["low"]
    lost = max(float(np.mean(span < _FLAT_BELOW)), _gap_share(measured))
    if lost >= _LOSS_ABOVE:
        # Black that flickers is a sensor in the dark, and its lens may as well be covered.
        cap = 0.6 if lost > 0.9 and _highest(measured.looks["change"]) > 1e-4 else 0.9
        return Judgement(
            ["picture_loss"],
            margin_confidence((lost - _LOSS_ABOVE) / 0.1, cap=cap),
            f"{_percent(lost)} of the time there is no picture",
        )
    crisp = _highest(measured.looks["sharpness"], percentile=75)
    hidden = _hidden_share(measured, course)
    found: list[tuple[str, float, str]] = []
    if hidden is not None and hidden >= _OBSTRUCTED_ABOVE:
        found.append(
            (
                "obstructed",
                margin_confidence((hidden - _OBSTRUCTED_ABOVE) / 0.15, cap=0.8),
                f"{_percent(hidden)} of the middle of the picture shows nothing and never changes",
            )
        )
    if not math.isnan(crisp) and crisp <= _UNFOCUSED_BELOW:
        found.append(
            (
                "unfocused",
                margin_confidence((_UNFOCUSED_BELOW - crisp) / _FOCUS_DOUBT, cap=0.85),
                f"even the sharpest pictures are soft (sharpness {crisp:.2f})",
            )
        )
    blank = _blank_columns(measured)
    # A part of the horizon hidden beside clear parts, for the whole clip, is something on the lens, or a wall or lorry
    # that stays beside ego: hence the low cap.
    if not found and _BLANK_ABOVE <= blank <= _BLANK_BELOW and _typical(measured, "median") >= _NIGHT_BELOW:
        found.append(
            (
                "obstructed",
                margin_confidence((blank - _BLANK_ABOVE) / 0.2, cap=0.6),
                f"{_percent(blank)} of the band around the horizon shows nothing, the rest does",
            )
        )
    if found:
        return Judgement(
            [key for key, _, _ in found], min(c for _, c, _ in found), "; ".join(reason for _, _, reason in found)
        )
    # Drops, dirt, a tilted camera and a wrong clock cannot be measured, so "looked, none" is never said.
    return None


def judge_action(measured: Measurements, course: Course) -> Judgement | None:
    """What ego does through the clip, where its motion is clear."""
    if course.known < 0.5 or course.span_s < 1.5:
        return None
    standing, driving = course.share(course.standing), course.share(course.driving)
    if standing >= 0.97 and course.span_s >= 3.0:
        # At a red light others drive; where nothing at all moves for seconds, the car is parked.
        busy = _highest(measured.looks["change"], percentile=95)
        if busy <= 0.006:
            confidence = margin_confidence((0.006 - busy) / 0.004, cap=0.75)
            return Judgement(["parked"], confidence, f"nothing moves for {course.span_s:.1f} s")
        return None
    actions: list[str] = []
    reasons: list[str] = []
    margins: list[float] = []
    turned, start_s, end_s = course.largest_turn()
    corner = course.fastest_turn()
    if abs(turned) >= _TURN_ABOVE and corner >= _CORNER_ABOVE and driving >= 0.2:
        side = "right" if turned > 0 else "left"
        actions.append(f"turn_{side}")
        margins.append((abs(turned) - _TURN_ABOVE) / _HEADING_DOUBT)
        reasons.append(f"turned {side} by {abs(turned):.2f} picture widths in {end_s - start_s:.1f} s")
    elif abs(turned) <= _STRAIGHT_BELOW and driving >= 0.5:
        actions.append("go_straight")
        margins.append(min((_STRAIGHT_BELOW - abs(turned)) / _HEADING_DOUBT, (driving - 0.5) / 0.2))
        reasons.append(
            f"the surroundings grow in {_percent(driving)} of the samples, the view turns by {abs(turned):.2f} picture "
            "widths at most; a lane change would look the same"
        )
    stop = course.stop_after_drive()
    if stop is not None:
        actions.append("stop")
        margins.append((stop[1] - stop[0]) / 0.7)
        reasons.append(f"stood from {stop[0]:.1f} s to {stop[1]:.1f} s")
    if not actions:
        return None
    # Low, because ego's way within the road is not measured.
    return Judgement(actions, margin_confidence(min(margins), cap=0.65), "; ".join(reasons))


def _typical(measured: Measurements, name: str) -> float:
    return float(np.median(measured.looks[name]))


def _blank_columns(measured: Measurements) -> float:
    """Share of the columns in which the band around the horizon has no edge at all."""
    return float(np.mean(measured.structure.detail[2:4].max(axis=0) < _EDGE))


def _highest(values: NDArray[np.float32], *, percentile: float = 100.0) -> float:
    known = values[np.isfinite(values)]
    return float(np.percentile(known, percentile)) if len(known) else math.nan


def _problems(camera: Judgement | None) -> set[str]:
    return set(camera.value) if camera is not None and isinstance(camera.value, list) else set()


def _gap_share(measured: Measurements) -> float:
    duration_s = float(measured.curves.t_s[-1] - measured.curves.t_s[0])
    # Single lost frames are a matter of the file; half a second is what a viewer would call a loss.
    lost_s = sum(end - start for start, end in measured.gaps_s if end - start >= 0.5)
    return lost_s / duration_s if duration_s > 0 else 0.0


def _hidden_share(measured: Measurements, course: Course) -> float | None:
    """Share of the cells in the middle rows with neither detail nor change; None where the scene may be like that.

    The upper rows may be sky, the last the bonnet; between them, on a drive by day, everything moves.
    """
    if course.share(course.driving) < 0.4 or _typical(measured, "median") < _NIGHT_BELOW:
        return None
    rows = slice(2, 5)
    detail, change = measured.structure.detail[rows], measured.structure.change[rows]
    blank = (detail < 0.2 * np.median(detail)) & (change < 0.25 * np.median(change))
    return float(np.mean(blank))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"

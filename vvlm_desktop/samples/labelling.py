"""The dashcam labels of a simulated clip, from its measurements and its scenario; never from the picture."""

from __future__ import annotations

from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.staging import Stage
from vvlm_desktop.samples.truth import EventTruth, FrameTruth

_CONFLICT = {"cut_in": "sideswipe", "rear_end": "rear_end", "crossing": "angle"}
_CAPTIONS = {
    "cut_in": "A {body} cuts in closely from the left lane and brakes. Ego brakes hard and stays in its lane.",
    "rear_end": "The {body} ahead brakes to a stop. Ego reacts late, brakes and runs into its rear.",
    "hard_brake_red_light": "Ego brakes hard for a traffic light that turns red and stops before the line.",
    "following_close": "Ego follows a {body} at less than one second's distance.",
    "lane_change": "Ego changes smoothly to the left lane behind a slower truck.",
    "crossing": "A {body} pulls out from the side road on the right. Ego brakes hard and stops just before it.",
    "parked": "Ego is parked between other cars. One car passes.",
    "calm": "Ego drives along without anything happening.",
}
_CAMERA: dict[str, list[str]] = {
    "clean": [],
    "wet": ["dirty_or_wet"],
    "dirty": ["dirty_or_wet"],
    "obscured": ["obstructed"],
    "unfocused": ["unfocused"],
}


def labels_of(
    scenario: Scenario, stage: Stage, frames: tuple[FrameTruth, ...], event: EventTruth | None
) -> dict[str, LabelValue]:
    """Every field of the dashcam schema, in its order."""
    violations, by = _violations(scenario, frames, event)
    involved = event is not None
    labels: dict[str, LabelValue] = {
        "event_type": event.kind if event else "no_incident",
        "event_time": {"start_ms": event.start_ms, "end_ms": event.end_ms} if event else None,
        "severity": _severity(event, by),
        "ego_involved": "yes" if involved else "no",
        "conflict_with": _party(stage) if involved else "none",
        "conflict_type": _CONFLICT[scenario.kind] if involved else "none",
        "initiated_by": ("ego" if scenario.kind == "rear_end" else "other") if involved else "none",
        "cause_of_risk": _causes(scenario) if involved else [],
        "presence_of_rule_violations": violations,
        "violation_by": by,
        "ego_response": _response(stage, frames, event),
        "intended_driving_action": _action(scenario, stage, frames),
        "traffic_density": scenario.density,
        "scene": scenario.place,
        "driving_setting": ["intersection"] if stage.junction_s is not None else [],
        "time_of_day": {"day": "day", "dusk": "dawn_dusk", "night": "night"}[scenario.light],
        "light_conditions": "dark" if scenario.light == "night" else "normal",
        "weather": scenario.weather,
        "road_surface": {"rain": "wet", "snow": "snow_or_ice"}.get(scenario.weather, "dry"),
        "visibility": _visibility(scenario),
        "camera_problem": list(_CAMERA[scenario.lens]),
        "caption": caption_of(scenario, stage, event),
    }
    return labels


def caption_of(scenario: Scenario, stage: Stage, event: EventTruth | None) -> str:
    """One or two sentences."""
    kind = scenario.kind
    if event is None and kind in _CONFLICT:
        kind = "calm"
    party = next((v for v in stage.world.others if v.id == stage.conflict_id), None)
    body = {"hatchback": "car", "sedan": "car", "suv": "car"}.get(party.body, party.body) if party else "car"
    text = _CAPTIONS[kind].format(body=body)
    if scenario.camera == "rear" and kind == "lane_change":
        text = "Ego changes smoothly to the left lane; seen from the rear camera, a car follows at a distance."
    if scenario.lens == "obscured":
        text = "Ego stands still. Most of the picture is covered by dirt on the lens."
    if kind == "following_close" and scenario.light == "night":
        text = text[:-1] + (", at night in the rain." if scenario.weather == "rain" else ", at night.")
    return text


def _party(stage: Stage) -> str:
    body = next(v.body for v in stage.world.others if v.id == stage.conflict_id)
    return "truck_or_bus" if body == "truck" else "car"


def _severity(event: EventTruth | None, violation_by: list[str]) -> str:
    if event is not None:
        return "critical" if event.contact else "high"
    return "medium" if "ego" in violation_by else "low"


def _causes(scenario: Scenario) -> list[str]:
    return {"cut_in": ["risky_maneuver"], "rear_end": ["late_reaction"], "crossing": ["failure_to_yield"]}[
        scenario.kind
    ]


def _violations(
    scenario: Scenario, frames: tuple[FrameTruth, ...], event: EventTruth | None
) -> tuple[list[str], list[str]]:
    """Rules that were visibly broken, and by whom."""
    found: list[str] = []
    by: set[str] = set()
    if event is not None and scenario.kind == "crossing":
        found.append("failure_to_yield")
        by.add("other")
    if event is not None and scenario.kind == "cut_in":
        found += ["failure_to_use_turn_signals", "illegal_lane_change"]
        by.add("other")
    if scenario.kind == "following_close" and too_close(frames):
        found.append("following_too_close")
        by.add("ego")
    return found, [who for who in ("ego", "other") if who in by]


def too_close(frames: tuple[FrameTruth, ...]) -> bool:
    """Whether ego keeps less than one second to the vehicle ahead for three seconds above 55 km/h."""
    since: float | None = None
    for frame in frames:
        close = frame.time_gap_s is not None and frame.time_gap_s < 1.0 and frame.speed_kmh > 55.0
        since = (frame.time_s if since is None else since) if close else None
        if since is not None and frame.time_s - since >= 3.0:
            return True
    return False


def _response(stage: Stage, frames: tuple[FrameTruth, ...], event: EventTruth | None) -> list[str]:
    """What ego did about it; without an event, what it did at all that a response could be."""
    begin = event.start_ms / 1000 if event else 0.0
    braked = any(f.acceleration < -3.0 for f in frames if f.time_s >= begin)
    horn = stage.horn is not None and frames[-1].time_s > stage.horn[0]
    return [*(["braked"] if braked else []), *(["sounded_horn"] if horn else [])]


def _action(scenario: Scenario, stage: Stage, frames: tuple[FrameTruth, ...]) -> list[str]:
    if scenario.kind == "parked":
        return ["parked"]
    if scenario.kind == "lane_change" and max(f.lateral_m for f in frames) - min(f.lateral_m for f in frames) > 1.0:
        return ["change_lanes"]
    if stage.world.stop_line_s is not None and frames[-1].speed_kmh < 1.0:
        return ["go_straight", "stop"]
    return ["go_straight"]


def _visibility(scenario: Scenario) -> str:
    hidden = scenario.lens == "obscured" or scenario.weather == "fog"
    dark_and_wet = scenario.light == "night" and scenario.weather in ("rain", "snow")
    return "bad" if hidden or dark_and_wet or scenario.lens == "unfocused" else "good"

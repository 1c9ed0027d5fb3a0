"""Scripted analyses of the samples: what a model might have said, written by hand, two of them wrong on purpose.

They let a newcomer try a review without any model. Their provenance says what they are; they never count as accuracy
and never train.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.samples.truth import Truth

MODEL_NAME = "Demo script, not a model"
PROVENANCE = "demo_script"
BACKEND = "demo"
_FRAMES_SEEN = 16
#: Follows from the other fields by rule; no model is asked for it.
_DERIVED = ("severity",)


@dataclass(frozen=True, slots=True)
class Script:
    """How one scripted answer differs from the truth.

    Attributes:
        says: fields that it answers otherwise than the truth; a function gets the truth.
        unsure: fields with a confidence below the usual `sure`.
        wrong: whether the event is wrong on purpose.
    """

    says: Mapping[str, LabelValue | Callable[[Truth], LabelValue]] = field(default_factory=dict)
    unsure: Mapping[str, float] = field(default_factory=dict)
    sure: float = 0.94
    attention: float = 0.2
    wrong: bool = False


def braking_window(truth: Truth) -> LabelValue:
    """From the first to the last frame of hard braking, as an event time."""
    hard = [f for f in truth.frames if f.acceleration < -3.0]
    if not hard:
        return None
    return {"start_ms": round(hard[0].time_s * 1000), "end_ms": round(hard[-1].time_s * 1000)}


SCRIPTS: dict[str, Script] = {
    "near_miss": Script(
        says={
            "event_type": "collision",
            "severity": "critical",
            "caption": "A car cuts in from the left lane and brakes. Ego brakes hard and touches its rear.",
        },
        unsure={"event_type": 0.58, "presence_of_rule_violations": 0.61, "caption": 0.55},
        sure=0.93,
        attention=0.97,
        wrong=True,
    ),
    "collision": Script(unsure={"initiated_by": 0.66, "cause_of_risk": 0.71}, sure=0.96, attention=0.95),
    "red_light": Script(
        says={
            "event_type": "near_miss",
            "event_time": braking_window,
            "severity": "high",
            "ego_involved": "yes",
            "conflict_with": "car",
            "conflict_type": "angle",
            "initiated_by": "ego",
            "cause_of_risk": ["late_reaction"],
            "caption": "Ego brakes hard before an intersection. Cars cross in front of it.",
        },
        unsure={
            "event_type": 0.52,
            "conflict_with": 0.48,
            "conflict_type": 0.44,
            "initiated_by": 0.41,
            "cause_of_risk": 0.39,
        },
        sure=0.9,
        attention=0.88,
        wrong=True,
    ),
    "night_rain": Script(
        unsure={"presence_of_rule_violations": 0.63, "camera_problem": 0.57, "scene": 0.69}, sure=0.91, attention=0.6
    ),
    "lane_change_front": Script(unsure={"traffic_density": 0.72}, sure=0.96, attention=0.15),
    "lane_change_rear": Script(unsure={"intended_driving_action": 0.6}, sure=0.93, attention=0.14),
    "parked": Script(
        unsure={"scene": 0.49, "weather": 0.55, "traffic_density": 0.52, "road_surface": 0.54}, sure=0.88, attention=0.4
    ),
}


def answer(slug: str, truth: Truth) -> dict[str, Any]:
    """The scripted answer about a sample, in the shape of a backend's answer."""
    script = SCRIPTS[slug]
    labels: dict[str, LabelValue] = {}
    for key, value in truth.labels.items():
        said = script.says.get(key, value)
        labels[key] = said(truth) if callable(said) else said
    asked = {key: value for key, value in labels.items() if key not in _DERIVED}
    seen = _frames_seen(truth)
    return {
        "backend": BACKEND,
        "model": MODEL_NAME,
        "adapter": None,
        "provenance": PROVENANCE,
        "labels": labels,
        "confidence": {key: script.unsure.get(key, script.sure) for key in asked},
        "confidence_kind": "scripted",
        "frames_pts": [truth.frames[i].pts for i in seen],
        "frames_ms": [round(truth.frames[i].time_s * 1000) for i in seen],
        "raw_text": json.dumps(asked, ensure_ascii=False, separators=(",", ":")),
        "flags": [],
        "timings": {},
        "candidates": _candidates(truth),
        "attention": script.attention,
        "settings": {"script": slug, "wrong_on_purpose": script.wrong},
        "prompt_sha": None,
    }


def _frames_seen(truth: Truth) -> list[int]:
    """Middles of equal parts of the clip, as a video model would have sampled them."""
    count = len(truth.frames)
    want = min(_FRAMES_SEEN, count)
    return [min(count - 1, int((k + 0.5) * count / want)) for k in range(want)]


def _candidates(truth: Truth) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    window = braking_window(truth)
    if isinstance(window, dict):
        inside = [f for f in truth.frames if window["start_ms"] <= round(f.time_s * 1000) <= window["end_ms"]]
        lost, took = inside[0].speed_kmh - inside[-1].speed_kmh, inside[-1].time_s - inside[0].time_s
        reason = f"sudden stop: speed fell by {lost:.0f} km/h in {took:.1f} s"
        found.append(_candidate("sudden_stop", inside[0].pts, inside[-1].pts, window, 0.8, reason))
    event = truth.event
    if event is not None and event.contact:
        near = next(f for f in truth.frames if f.pts == event.end_pts)
        span = {"start_ms": round(near.time_s * 1000), "end_ms": round(near.time_s * 1000)}
        reason = f"jolt: contact at {event.contact_speed_kmh:.0f} km/h difference"
        found.append(_candidate("jolt", near.pts, near.pts, span, 0.95, reason))
    return found


def _candidate(kind: str, start: int, end: int, span: Mapping[str, int], score: float, reason: str) -> dict[str, Any]:
    return {"kind": kind, "start_pts": start, "end_pts": end, **span, "score": score, "reason": reason}

"""The built-in backend: measures a clip on this computer, without weights, and says only what can be measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vvlm_desktop.backends.base import Answer
from vvlm_desktop.backends.signals_events import attention, find_candidates
from vvlm_desktop.backends.signals_labels import CONFIDENCE_KIND, Judgement, judge
from vvlm_desktop.backends.signals_motion import Course, course_of
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.protocol import AnalyseRequest
from vvlm_desktop.video.curves import save_npz
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.measuring import Measurements, measure

#: Changes whenever the same clip may get another answer.
MODEL = "signals-1"
_CURVES_POINTS = 4000


class SignalsBackend:
    """Classical measurements as an analysis; keeps nothing between clips."""

    name = "signals"

    def analyse(
        self,
        request: AnalyseRequest,
        *,
        schema: LabelSchema,
        progress: Callable[[float, str], None],
        cancelled: Callable[[], bool],
    ) -> Answer:
        """Measure the clip, judge what the measurements decide, write its curves."""
        began = time.monotonic()
        path = Path(request.path)
        progress(0.0, "reading the index")
        index = read_index(path, stream_index=request.stream_index, cancel=cancelled)
        indexed = time.monotonic()
        measured = measure(path, index, progress=progress, cancelled=cancelled)
        judging = time.monotonic()
        progress(0.98, "judging")
        course = course_of(measured)
        judgements = judge(measured, course)
        candidates = find_candidates(measured, course, index)
        if request.curves_path is not None:
            save_npz(measured.curves.reduced(_CURVES_POINTS), Path(request.curves_path))
        labels = _sayable(schema, judgements)
        return Answer(
            labels=labels,
            confidence={key: judgements[key].confidence for key in labels},
            confidence_kind=CONFIDENCE_KIND,
            frames_pts=tuple(measured.curves.pts.tolist()),
            raw_text=json.dumps(_readable(measured, course, judgements), indent=2, ensure_ascii=False),
            model=MODEL,
            provenance="measurement",
            flags=_flags(measured, index),
            timings={
                "index_s": round(indexed - began, 4),
                **measured.seconds,
                "judge_s": round(time.monotonic() - judging, 4),
            },
            candidates=candidates,
            attention=attention(
                candidates,
                camera_trouble=bool(labels.get("camera_problem")),
                poor_sight=labels.get("visibility") == "bad" or labels.get("light_conditions") in {"dark", "glare"},
            ),
            settings={"samples_hz": measured.rate_hz, "curve_points": _CURVES_POINTS},
        )


def _sayable(schema: LabelSchema, judgements: Mapping[str, Judgement]) -> dict[str, LabelValue]:
    """Labels in schema order. What a fleet's own schema has no field or no word for is not said at all."""
    labels: dict[str, LabelValue] = {}
    for field in schema.fields:
        value = judgements[field.key].value if field.key in judgements else None
        one, several = isinstance(value, str), isinstance(value, list)
        if (field.kind == "one_of" and one) or (field.kind == "any_of" and several):
            words = [value] if isinstance(value, str) else list(value or ())
            if set(words) <= set(field.value_keys):
                ordered = [key for key in field.value_keys if key in words]
                labels[field.key] = ordered if several else value
    return labels


def _flags(measured: Measurements, index: FrameIndex) -> tuple[str, ...]:
    flags = []
    missing = measured.expected - measured.decoded
    if missing:
        last_s = float(measured.curves.t_s[-1])
        where = "" if measured.gaps_s else f"; the last one is at {last_s:.1f} s of {index.duration_s:.1f} s"
        flags.append(f"{missing} of {measured.expected} frames could not be decoded and were left out{where}.")
    if index.has_audio and measured.loudness is None:
        flags.append("The clip has a sound track, but no sound could be decoded.")
    return tuple(flags)


def _readable(measured: Measurements, course: Course, judgements: Mapping[str, Judgement]) -> dict[str, Any]:
    """What was measured, and what each answer rests on, for the reviewer who opens the raw text."""
    looks, motions = measured.looks, measured.motions
    turned, start_s, end_s = course.largest_turn()
    return {
        "judgements": {
            key: {"value": item.value, "confidence": item.confidence, "because": item.reason}
            for key, item in judgements.items()
        },
        "measured": {
            "frames": {"expected": measured.expected, "decoded": measured.decoded, "measured": len(measured.curves)},
            "luma": {name: _median(looks[name]) for name in ("mean", "low", "median", "high", "sky", "road")},
            "shares": {name: _median(looks[name]) for name in ("dark", "saturated", "road_saturated")},
            "histogram_32": [round(float(share), 4) for share in measured.structure.histogram],
            "contrast": {name: _median(looks[name]) for name in ("horizon_contrast", "road_contrast")},
            "sharpness": _median(looks["sharpness"]),
            "change_per_sample": _median(looks["change"]),
            "forward_per_s": _median(motions["forward"]),
            "corners_tracked": _median(motions["tracked"]),
            "standing_share": round(course.share(course.standing), 3),
            "driving_share": round(course.share(course.driving), 3),
            "largest_turn": {"widths": round(turned, 3), "from_s": round(start_s, 2), "to_s": round(end_s, 2)},
            "largest_jolt_widths": _highest(measured.curves.jolt),
            "sound_dbfs": None if measured.loudness is None else _median(measured.loudness),
        },
    }


def _median(values: NDArray[np.float32]) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 4) if len(known) else None


def _highest(values: NDArray[np.float32]) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(known.max()), 4) if len(known) else None

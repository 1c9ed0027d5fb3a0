"""The JSON shapes that commands print; other programs rely on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Event, Review


def clip_json(clip: Clip) -> dict[str, Any]:
    """A clip."""
    return {
        "id": clip.id,
        "path": clip.path,
        "sha256": clip.sha256,
        "frames": clip.frames,
        "duration_s": clip.duration_s,
        "fps": clip.fps,
        "width": clip.width,
        "height": clip.height,
        "codec": clip.codec,
        "has_audio": clip.has_audio,
        "keyframes": clip.keyframes,
        "status": clip.status,
        "problem": clip.problem,
    }


def problem_file_json(path: str, problem: str) -> dict[str, Any]:
    """A file whose content could not even be read: the shape of a clip without an identity."""
    unknown = dict.fromkeys(("id", "sha256", "fps", "codec"))
    nothing = dict.fromkeys(("frames", "width", "height", "keyframes"), 0)
    return {
        "path": path,
        **unknown,
        **nothing,
        "duration_s": 0.0,
        "has_audio": False,
        "status": "needs_review",
        "problem": problem,
    }


def analysis_json(analysis: Analysis) -> dict[str, Any]:
    """An analysis, all of it."""
    return {**asdict(analysis), "frames_pts": list(analysis.frames_pts), "flags": list(analysis.flags)}


def review_json(review: Review) -> dict[str, Any]:
    """A review as the fold of its events."""
    return {
        "status": review.status,
        "reviewer": review.reviewer,
        "schema": review.schema_key,
        "labels": review.labels(),
        "evidence": {
            field: [
                {"value": value, "start_pts": span.start_pts, "end_pts": span.end_pts}
                for value, spans in values.items()
                for span in spans
            ]
            for field, values in review.evidence.items()
        },
        "verdicts": {field: asdict(verdict) for field, verdict in review.verdicts.items()},
        "note": review.note,
        "dismiss_reason": review.dismiss_reason,
        "broken_rules": list(review.broken_rules),
        "updated_at": review.updated_at,
    }


def event_json(event: Event) -> dict[str, Any]:
    """An event as stored."""
    return asdict(event)


def show_json(
    clip: Clip,
    *,
    analyses: Sequence[Analysis],
    questions: Sequence[Analysis],
    review: Review,
    reviews: Sequence[Review],
    events: Sequence[Event],
) -> dict[str, Any]:
    """Everything about one clip."""
    return {
        "clip": clip_json(clip),
        "analyses": [analysis_json(a) for a in analyses],
        "questions": [analysis_json(a) for a in questions],
        "review": review_json(review),
        "reviews": [review_json(r) for r in reviews],
        "events": [event_json(e) for e in events],
    }

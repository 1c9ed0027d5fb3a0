"""An analysis: what one backend, with one model and prompt, said about one clip. Immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vvlm_desktop.domain.values import LabelValue

#: How an analysis came to be. Demo scripts never count as accuracy and never train; drafts need a person first.
PROVENANCE = ("model", "measurement", "demo_script", "teacher_draft")


@dataclass(frozen=True, slots=True)
class EventCandidate:
    """A moment worth a look, with the reason in words; evidence, never a claim of what happened.

    Attributes:
        kind: `jolt`, `sudden_stop`, `sound_peak` or what else a backend measures.
        start_pts, end_pts: PTS range in the clip's time base, ends included.
        score: 0..1, how far it stands out.
        reason: e.g. "sudden stop: forward motion fell by 80 % in 0.4 s".
    """

    kind: str
    start_pts: int
    end_pts: int
    start_ms: int
    end_ms: int
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """One answer about one clip.

    Attributes:
        labels: parsed values; a field that the backend did not judge is absent.
        confidence: 0..1 per field, None where the backend has none.
        confidence_kind: what the numbers are, e.g. `measured_margin`, `token_probability`; None where there are none.
        frames_pts: PTS of every frame that the backend saw, ascending.
        raw_text: exactly what the backend said, before parsing.
        flags: broken rules and repairs, as sentences.
        timings: seconds per stage.
        candidates: moments worth a look.
        attention: 0..1, how early the clip should come up in the queue; None where unknown.
    """

    id: str
    clip_id: str
    backend: str
    model: str
    adapter: str | None
    created_at: str
    schema_key: str
    schema_labels_sha: str
    schema_wording_sha: str
    prompt_sha: str | None
    provenance: str
    labels: Mapping[str, LabelValue]
    confidence: Mapping[str, float | None]
    confidence_kind: str | None
    frames_pts: tuple[int, ...]
    raw_text: str
    flags: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    candidates: tuple[EventCandidate, ...] = ()
    attention: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

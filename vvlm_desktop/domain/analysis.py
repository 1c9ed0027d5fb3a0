"""An analysis: what one backend, with one model and prompt, said about one clip. Immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vvlm_desktop.domain.values import LabelValue

#: How an analysis came to be. Demo scripts never count as accuracy and never train; drafts need a person first.
PROVENANCE = ("model", "measurement", "demo_script", "teacher_draft")

#: What was asked for: the fields of the schema, or a free question about the clip.
KINDS = ("labels", "question")


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
class Round:
    """One look of a model at the clip, where it looks more than once.

    Attributes:
        purpose: `uniform` over the clip, `clue` the spans that the round before pointed at, `zoom` a second look at
            the span that the first one named.
        frames_pts: what it saw in this round, ascending.
        spans_ms: the spans that were sampled densely, empty for `uniform`.
        raw_text: what it said.
        note: a sentence where something went another way than planned, e.g. that a clue could not be read.
    """

    purpose: str
    frames_pts: tuple[int, ...]
    spans_ms: tuple[tuple[int, int], ...] = ()
    raw_text: str = ""
    note: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Round:
        """The inverse of `dataclasses.asdict` after a way through JSON."""
        return cls(
            purpose=str(data["purpose"]),
            frames_pts=tuple(int(pts) for pts in data["frames_pts"]),
            spans_ms=tuple((int(start), int(end)) for start, end in data.get("spans_ms", ())),
            raw_text=str(data.get("raw_text", "")),
            note=str(data.get("note", "")),
        )


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
        kind: one of `KINDS`; a `question` has no labels, its answer is `raw_text`.
        question: what was asked, for that kind.
        legal_mass: 0..1 per field: the probability that the model itself put on what the schema allows. A model that
            never wanted JSON looks sure by `confidence` alone.
        value_confidence: per field the probability of single values: the whole distribution of a choice where it was
            asked for, the chosen values of a list.
        rounds: every look, where there were several; `frames_pts` is then what the last one saw.
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
    kind: str = "labels"
    question: str | None = None
    legal_mass: Mapping[str, float] = field(default_factory=dict)
    value_confidence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    rounds: tuple[Round, ...] = ()

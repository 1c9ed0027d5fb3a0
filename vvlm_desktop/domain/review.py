"""What a person says about a clip: verdicts, evidence, status; stored as events and folded into a review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from vvlm_desktop.domain.values import LabelValue

VerdictKind: TypeAlias = Literal["accepted", "corrected", "rejected"]
#: `explicit`: the field was touched. `bulk`: Enter, with the event window seen. `bulk_unseen`: Enter, not seen;
#: such verdicts never train a model or count as accuracy.
How: TypeAlias = Literal["explicit", "bulk", "bulk_unseen"]
EventKind: TypeAlias = Literal[
    "verdict", "evidence", "status", "note", "import", "erase", "head", "consent", "upload", "promotion"
]

STATUSES = (
    "needs_review",
    "in_review",
    "reviewed",
    "needs_coaching",
    "coached",
    "needs_recognition",
    "recognized",
    "escalated",
    "contested",
    "dismissed",
)
#: Statuses in which the clip's labels are settled by a person.
SETTLED = frozenset(STATUSES) - {"needs_review", "in_review", "dismissed"}
DISMISS_REASONS = (
    "false_trigger",
    "duplicate",
    "not_our_vehicle",
    "no_picture",
    "driver_not_responsible",
    "other",
)
#: Inferred where possible; the last three are added by hand.
REASONS = (
    "false_alarm",
    "missed_event",
    "wrong_time",
    "wrong_value",
    "not_visible",
    "ambiguous",
    "definition_unclear",
)


@dataclass(frozen=True, slots=True)
class PtsRange:
    """First and last PTS of the frames that show something; equal for a single frame."""

    start_pts: int
    end_pts: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accept, correct or reject one field.

    Attributes:
        value: the value that now holds; None for `rejected` (its truth is unknown) and for an absent range.
        model_value: what the analysis said; meaningful only when `model_answered`.
        reason: one of `REASONS`, None for accepted values.
    """

    verdict: VerdictKind
    value: LabelValue
    how: How
    model_value: LabelValue = None
    model_answered: bool = False
    reason: str | None = None
    analysis_id: str | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event before the store gives it its place in the chain.

    Payload by kind (all JSON):
        verdict: `{"field", "before": verdict|null, "after": verdict|null}`
        evidence: `{"field", "value": str|null, "before": [[start, end], …], "after": […]}`; value None unless a list
        status: `{"before", "after", "reason": str|null, "words": str|null, "broken_rules": [sentence, …]}`
        note: `{"before": str, "after": str}`
        import: `{"source", "origin", "events": count}`
        erase: `{"clip", "events": [[origin, seq], …]}`; the store writes it when payloads are erased for privacy
        consent, upload: what was allowed to leave the computer, and what left (`workflow.ledger`); of no clip, so that
            erasing a clip's payloads leaves the proof of what was sent
        promotion: which adapter became the default, was refused or taken back (`workflow.promotion_log`); of no clip
    """

    kind: EventKind
    clip_id: str | None
    reviewer: str
    schema_key: str
    payload: Mapping[str, Any]
    analysis_id: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event in a chain, as stored.

    Attributes:
        origin, seq: which library on which computer, and its place there, from 1.
        lamport: orders events of several origins; the fold goes by (lamport, origin, seq).
        action_id: one Enter or one bulk action is one action, and one undo.
        undoes: the action that this event takes back, None for an ordinary one.
        hash: of the header, which holds the previous event's hash and the salted hash of the payload.
        payload: None when erased for privacy; the chain still verifies.
    """

    origin: str
    seq: int
    kind: EventKind
    at: str
    lamport: int
    action_id: str
    undoes: str | None
    hash: str
    clip_id: str | None = None
    reviewer: str = ""
    schema_key: str = ""
    analysis_id: str | None = None
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A review as the fold of its events; its key is (clip, reviewer, schema)."""

    clip_id: str
    reviewer: str
    schema_key: str
    status: str = "needs_review"
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    #: field → (value or None) → ranges
    evidence: Mapping[str, Mapping[str | None, tuple[PtsRange, ...]]] = field(default_factory=dict)
    note: str = ""
    dismiss_reason: str | None = None
    broken_rules: tuple[str, ...] = ()
    analysis_id: str | None = None
    updated_at: str = ""

    @property
    def settled(self) -> bool:
        """Whether a person has finished with the labels of this clip."""
        return self.status in SETTLED

    def labels(self) -> dict[str, LabelValue]:
        """Values that hold; rejected fields are left out because their truth is unknown."""
        return {key: verdict.value for key, verdict in self.verdicts.items() if verdict.verdict != "rejected"}


@dataclass(frozen=True, slots=True)
class Change:
    """What a write changed, so that each page can refresh if it is concerned."""

    clip_ids: tuple[str, ...] = ()
    #: Of "clips", "analyses", "questions", "review", "jobs", "sent", "settings", "schema".
    what: frozenset[str] = frozenset()
    action_id: str | None = None

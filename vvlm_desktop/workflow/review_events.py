"""The events of a review, built from what the reviewer did and what held before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vvlm_desktop.domain.labels import infer_reason
from vvlm_desktop.domain.review import DISMISS_REASONS, REASONS, STATUSES, EventKind, How, NewEvent, PtsRange, Verdict
from vvlm_desktop.domain.values import LabelValue, utc_now
from vvlm_desktop.errors import LabelError
from vvlm_desktop.workflow.review_state import ReviewState
from vvlm_desktop.workflow.session import Session


def verdict_for(state: ReviewState, field_key: str, value: LabelValue, *, how: How, reason: str | None) -> Verdict:
    """The verdict for `value`: accepted where the answer said the same, else a correction with its reason."""
    answered, said = state.said(field_key)
    same = answered and said == value
    return Verdict(
        verdict="accepted" if same else "corrected",
        value=value,
        how=how,
        model_value=said,
        model_answered=answered,
        reason=None if same else checked_reason(reason) or _inferred(field_key, said, value, answered=answered),
        analysis_id=state.analysis_id,
        at=utc_now(),
    )


def _inferred(field_key: str, said: LabelValue, value: LabelValue, *, answered: bool) -> str | None:
    """Where nothing was answered nothing was wrong; only an event that was missed has a reason then."""
    reason = infer_reason(field_key, said, value, answered=answered)
    return reason if answered or reason == "missed_event" else None


def checked_reason(reason: str | None) -> str | None:
    """`reason` if it is one that exists.

    Raises:
        LabelError: it is not.
    """
    if reason is not None and reason not in (*REASONS, *DISMISS_REASONS):
        raise LabelError(f"There is no reason “{reason}”.", hint=f"One of: {', '.join(REASONS)}.")
    return reason


def check_status(status: str) -> None:
    """Refuse a status that does not exist.

    Raises:
        LabelError: it does not.
    """
    if status not in STATUSES:
        raise LabelError(f"There is no status “{status}”.", hint=f"One of: {', '.join(STATUSES)}.")


def event(session: Session, state: ReviewState, kind: EventKind, payload: Mapping[str, Any]) -> NewEvent:
    """An event about the clip of `state`, by this reviewer, in this schema."""
    return NewEvent(
        kind=kind,
        clip_id=state.clip.id,
        reviewer=session.reviewer,
        schema_key=session.schema.key,
        payload=payload,
        analysis_id=state.analysis_id,
    )


def verdict_event(session: Session, state: ReviewState, field_key: str, verdict: Verdict | None) -> NewEvent:
    """The verdict on one field changed; None takes it back."""
    before = state.review.verdicts.get(field_key)
    payload = {
        "field": field_key,
        "before": asdict(before) if before else None,
        "after": asdict(verdict) if verdict else None,
    }
    return event(session, state, "verdict", payload)


def evidence_events(
    session: Session, state: ReviewState, field_key: str, value: str | None, span: PtsRange
) -> list[NewEvent]:
    """`span` was added to what shows a value; nothing when it was there already."""
    before = state.review.evidence.get(field_key, {}).get(value, ())
    if span in before:
        return []
    return [evidence_event(session, state, field_key, value, before, (*before, span))]


def evidence_event(
    session: Session,
    state: ReviewState,
    field_key: str,
    value: str | None,
    before: Iterable[PtsRange],
    after: Iterable[PtsRange],
) -> NewEvent:
    """What shows a value changed."""
    payload = {
        "field": field_key,
        "value": value,
        "before": [[r.start_pts, r.end_pts] for r in before],
        "after": [[r.start_pts, r.end_pts] for r in after],
    }
    return event(session, state, "evidence", payload)


def status_event(
    session: Session,
    state: ReviewState,
    status: str,
    *,
    reason: str | None = None,
    words: str | None = None,
    broken: Sequence[str] = (),
) -> NewEvent:
    """The status changed."""
    payload = {
        "before": state.review.status,
        "after": status,
        "reason": reason,
        "words": words,
        "broken_rules": list(broken),
    }
    return event(session, state, "status", payload)

"""Reviewing: each function is one thing the reviewer did, one action in the log, one undo; stored when it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vvlm_desktop.domain.labels import broken_rules, check_value
from vvlm_desktop.domain.review import DISMISS_REASONS, STATUSES, Change, How, NewEvent, PtsRange, Verdict
from vvlm_desktop.domain.values import CANNOT_TELL, LabelValue, utc_now
from vvlm_desktop.errors import LabelError
from vvlm_desktop.workflow.review_events import (
    checked_reason,
    event,
    evidence_event,
    evidence_events,
    status_event,
    verdict_event,
    verdict_for,
)
from vvlm_desktop.workflow.review_state import ReviewState, open_review
from vvlm_desktop.workflow.session import Session

__all__ = [
    "AcceptOutcome",
    "ReviewState",
    "accept_field",
    "accept_rest",
    "clear_field",
    "open_review",
    "redo",
    "reject_field",
    "remove_evidence",
    "set_evidence",
    "set_note",
    "set_reason",
    "set_status",
    "set_value",
    "set_values",
    "settle",
    "toggle_value",
    "undo",
]


@dataclass(frozen=True, slots=True)
class AcceptOutcome:
    """What Enter did; `broken_rules` were stored with the review and flagged."""

    change: Change
    broken_rules: tuple[str, ...]


def set_value(
    session: Session, clip_id: str, field_key: str, value: LabelValue, *, reason: str | None = None
) -> Change:
    """The reviewer gave `field_key` this value: accepted where the answer said the same, else a correction.

    Raises:
        LabelError: the schema has no such field or value.
    """
    return set_values(session, clip_id, {field_key: value}, reason=reason)


def set_values(
    session: Session,
    clip_id: str,
    values: Mapping[str, LabelValue],
    *,
    reason: str | None = None,
    evidence: Mapping[str, PtsRange] | None = None,
) -> Change:
    """Several values, and evidence for some of them, as one action."""
    state = open_review(session, clip_id)
    events = []
    for key, value in values.items():
        checked = check_value(session.schema, key, value)
        events.append(
            verdict_event(session, state, key, verdict_for(state, key, checked, how="explicit", reason=reason))
        )
    for key, span in (evidence or {}).items():
        session.schema.field(key)
        events += evidence_events(session, state, key, None, span)
    return _store(session, events)


def toggle_value(session: Session, clip_id: str, field_key: str, value_key: str) -> Change:
    """Add `value_key` to a list field, or take it out; `cannot_tell` and the others exclude each other."""
    state = open_review(session, clip_id)
    field = session.schema.field(field_key)
    if field.kind != "any_of":
        return set_value(session, clip_id, field_key, value_key)
    held = state.labels.get(field_key)
    current = list(held) if isinstance(held, list) else []
    if value_key in current:
        chosen = [v for v in current if v != value_key]
    elif value_key == CANNOT_TELL:
        chosen = [CANNOT_TELL]
    else:
        chosen = [v for v in current if v != CANNOT_TELL] + [value_key]
    return set_value(session, clip_id, field_key, chosen)


def accept_field(session: Session, clip_id: str, field_key: str) -> Change:
    """The reviewer looked at one field and the answer is right.

    Raises:
        LabelError: there is no answer to accept.
    """
    state = open_review(session, clip_id)
    label = session.schema.field(field_key).label
    if field_key not in state.labels:
        raise LabelError(f"{label} has no answer to accept.", hint="Choose a value with 1–9, 0 or U.")
    return set_value(session, clip_id, field_key, state.labels[field_key])


def reject_field(session: Session, clip_id: str, field_key: str, *, reason: str | None = None) -> Change:
    """The answer is wrong and the right value is not known; the field is left out of training."""
    state = open_review(session, clip_id)
    session.schema.field(field_key)
    answered, said = state.said(field_key)
    verdict = Verdict(
        verdict="rejected",
        value=None,
        how="explicit",
        model_value=said,
        model_answered=answered,
        reason=checked_reason(reason) or "wrong_value",
        analysis_id=state.analysis_id,
        at=utc_now(),
    )
    return _store(session, [verdict_event(session, state, field_key, verdict)])


def set_reason(session: Session, clip_id: str, field_key: str, reason: str) -> Change:
    """Say why the answer was wrong, where the inferred reason is not it."""
    state = open_review(session, clip_id)
    verdict = state.review.verdicts.get(field_key)
    if verdict is None or verdict.verdict == "accepted":
        label = session.schema.field(field_key).label
        raise LabelError(f"{label} has not been corrected.", hint="Choose the right value first, then give the reason.")
    changed = replace(verdict, reason=checked_reason(reason), at=utc_now())
    return _store(session, [verdict_event(session, state, field_key, changed)])


def clear_field(session: Session, clip_id: str, field_key: str) -> Change:
    """Take the verdict on one field back; the field is unjudged again."""
    state = open_review(session, clip_id)
    return _store(session, [verdict_event(session, state, field_key, None)])


def set_evidence(session: Session, clip_id: str, field_key: str, value: str | None, span: PtsRange) -> Change:
    """Stamp `span` as what shows the field's value; in a list field `value` names which one, else it is None."""
    state = open_review(session, clip_id)
    session.schema.field(field_key)
    return _store(session, evidence_events(session, state, field_key, value, span))


def remove_evidence(session: Session, clip_id: str, field_key: str, value: str | None, span: PtsRange) -> Change:
    """Remove one of several ranges that show a value; the others stay."""
    state = open_review(session, clip_id)
    before = state.review.evidence.get(field_key, {}).get(value, ())
    if span not in before:
        return Change()
    after = tuple(each for each in before if each != span)
    return _store(session, [evidence_event(session, state, field_key, value, before, after)])


def set_note(session: Session, clip_id: str, note: str) -> Change:
    """Keep the reviewer's own words about the clip; never shown to a model."""
    state = open_review(session, clip_id)
    payload = {"before": state.review.note, "after": note}
    return _store(session, [event(session, state, "note", payload)] if note != state.review.note else [])


def accept_rest(session: Session, clip_id: str, *, window_seen: bool, status: str = "reviewed") -> AcceptOutcome:
    """Enter: accept every answered field that was not touched (captions excepted), and settle the clip.

    Fields on which a rule leaves no choice after the reviewer's corrections follow the rule: a clip corrected to "no
    incident" does not keep the time and the opponent of the event that was not one.

    Args:
        window_seen: whether the event window was on screen; otherwise the verdicts are kept as `bulk_unseen`, which
            never train a model.
    """
    state = open_review(session, clip_id)
    how: How = "bulk" if window_seen else "bulk_unseen"
    events = []
    for field in session.schema.fields:
        untouched = field.key not in state.review.verdicts and field.kind != "text"
        if untouched and field.key in state.labels:
            verdict = verdict_for(state, field.key, state.labels[field.key], how=how, reason=None)
            events.append(verdict_event(session, state, field.key, verdict))
    broken = broken_rules(session.schema, state.labels)
    events.append(status_event(session, state, status, broken=broken))
    change = session.library.append(events)
    return AcceptOutcome(change, broken)


def set_status(
    session: Session, clip_id: str, status: str, *, reason: str | None = None, words: str | None = None
) -> Change:
    """Move the clip on (coach, praise, escalate, contest, …) or back; who and when is kept.

    Raises:
        LabelError: no such status, or a dismissal without one of the reasons.
    """
    if status not in STATUSES:
        raise LabelError(f"There is no status “{status}”.", hint=f"One of: {', '.join(STATUSES)}.")
    if status == "dismissed" and reason not in DISMISS_REASONS:
        raise LabelError("A dismissal needs a reason.", hint=f"One of: {', '.join(DISMISS_REASONS)}.")
    state = open_review(session, clip_id)
    broken = broken_rules(session.schema, state.review.labels())
    return session.library.append([status_event(session, state, status, reason=reason, words=words, broken=broken)])


def settle(
    session: Session,
    clip_id: str,
    values: Mapping[str, LabelValue],
    *,
    evidence: Mapping[str, PtsRange] | None = None,
    reason: str | None = None,
    status: str = "reviewed",
) -> AcceptOutcome:
    """Values and evidence given from outside the window, with a status, as one action; nothing else is accepted."""
    state = open_review(session, clip_id)
    if status not in STATUSES:
        raise LabelError(f"There is no status “{status}”.", hint=f"One of: {', '.join(STATUSES)}.")
    events = []
    labels = state.review.labels()
    for key, value in values.items():
        checked = check_value(session.schema, key, value)
        labels[key] = checked
        events.append(
            verdict_event(session, state, key, verdict_for(state, key, checked, how="explicit", reason=reason))
        )
    for key, span in (evidence or {}).items():
        session.schema.field(key)
        events += evidence_events(session, state, key, None, span)
    broken = broken_rules(session.schema, labels)
    dismissal = reason if status == "dismissed" else None
    events.append(status_event(session, state, status, reason=dismissal, broken=broken))
    return AcceptOutcome(session.library.append(events), broken)


def undo(session: Session) -> Change | None:
    """Take back this reviewer's last action, however long ago; None when there is none."""
    return session.library.undo(session.reviewer)


def redo(session: Session) -> Change | None:
    """Do again what was last taken back; None when there is nothing, or something else was done since."""
    return session.library.redo(session.reviewer)


def _store(session: Session, events: list[NewEvent]) -> Change:
    """One action; nothing happened where there is no event."""
    return session.library.append(events) if events else Change()

"""Reviewing: each function is one thing the reviewer did, one action in the log, one undo; stored when it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from vvlm_desktop.domain.clip_times import require_within
from vvlm_desktop.domain.labels import broken_rules, check_value
from vvlm_desktop.domain.review import DISMISS_REASONS, Change, How, NewEvent, PtsRange, Verdict
from vvlm_desktop.domain.values import CANNOT_TELL, LabelValue, utc_now
from vvlm_desktop.errors import LabelError, ReviewChangedError
from vvlm_desktop.workflow.review_events import (
    check_status,
    checked_reason,
    event,
    evidence_event,
    evidence_events,
    status_event,
    verdict_event,
    verdict_for,
)
from vvlm_desktop.workflow.review_state import ReviewState, labels_if_accepted, open_review
from vvlm_desktop.workflow.seeable import require_seeable
from vvlm_desktop.workflow.session import Session

__all__ = [
    "AcceptOutcome",
    "ReviewState",
    "accept_field",
    "accept_rest",
    "clear_field",
    "move_evidence",
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
    session: Session,
    clip_id: str,
    field_key: str,
    value: LabelValue,
    *,
    reason: str | None = None,
    shown: ReviewState | None = None,
) -> Change:
    """The reviewer gave `field_key` this value: accepted where the answer said the same, else a correction.

    Raises:
        LabelError: the schema has no such field or value, or the clip no such time.
    """
    return set_values(session, clip_id, {field_key: value}, reason=reason, shown=shown)


def set_values(
    session: Session,
    clip_id: str,
    values: Mapping[str, LabelValue],
    *,
    reason: str | None = None,
    evidence: Mapping[str, PtsRange] | None = None,
    shown: ReviewState | None = None,
) -> Change:
    """Several values, and evidence for some of them, as one action."""
    state = _state(session, clip_id, shown)
    return _store(session, state, _verdicts(session, state, values, reason=reason), evidence=evidence)


def toggle_value(
    session: Session, clip_id: str, field_key: str, value_key: str, *, shown: ReviewState | None = None
) -> Change:
    """Add `value_key` to a list field, or take it out; `cannot_tell` and the others exclude each other."""
    state = _state(session, clip_id, shown)
    field = session.schema.field(field_key)
    if field.kind != "any_of":
        return set_value(session, clip_id, field_key, value_key, shown=state)
    held = state.labels.get(field_key)
    current = list(held) if isinstance(held, list) else []
    if value_key in current:
        chosen = [v for v in current if v != value_key]
    elif value_key == CANNOT_TELL:
        chosen = [CANNOT_TELL]
    else:
        chosen = [v for v in current if v != CANNOT_TELL] + [value_key]
    return set_value(session, clip_id, field_key, chosen, shown=state)


def accept_field(session: Session, clip_id: str, field_key: str, *, shown: ReviewState | None = None) -> Change:
    """The reviewer looked at one field and the answer is right.

    Raises:
        LabelError: there is no answer to accept.
    """
    state = _state(session, clip_id, shown)
    label = session.schema.field(field_key).label
    if field_key not in state.labels:
        raise LabelError(f"{label} has no answer to accept.", hint="Choose a value with 1–9, 0 or U.")
    return set_value(session, clip_id, field_key, state.labels[field_key], shown=state)


def reject_field(
    session: Session, clip_id: str, field_key: str, *, reason: str | None = None, shown: ReviewState | None = None
) -> Change:
    """The answer is wrong and the right value is not known; the field is left out of training.

    Raises:
        LabelError: there is no answer that could be wrong.
    """
    state = _state(session, clip_id, shown)
    label = session.schema.field(field_key).label
    answered, said = state.said(field_key)
    if not answered:
        raise LabelError(f"{label} has no answer that could be wrong.", hint="U says that the clip does not show it.")
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
    return _store(session, state, {field_key: verdict})


def set_reason(
    session: Session, clip_id: str, field_key: str, reason: str, *, shown: ReviewState | None = None
) -> Change:
    """Say why the answer was wrong, where the inferred reason is not it."""
    state = _state(session, clip_id, shown)
    verdict = state.review.verdicts.get(field_key)
    if verdict is None or verdict.verdict == "accepted":
        label = session.schema.field(field_key).label
        raise LabelError(f"{label} has not been corrected.", hint="Choose the right value first, then give the reason.")
    return _store(session, state, {field_key: replace(verdict, reason=checked_reason(reason), at=utc_now())})


def clear_field(session: Session, clip_id: str, field_key: str, *, shown: ReviewState | None = None) -> Change:
    """Take the verdict on one field back; the field is unjudged again."""
    state = _state(session, clip_id, shown)
    return _store(session, state, {field_key: None})


def set_evidence(
    session: Session,
    clip_id: str,
    field_key: str,
    value: str | None,
    span: PtsRange,
    *,
    shown: ReviewState | None = None,
) -> Change:
    """Stamp `span` as what shows the field's value; in a list field `value` names which one, else it is None."""
    state = _state(session, clip_id, shown)
    session.schema.field(field_key)
    return _append(session, state, evidence_events(session, state, field_key, value, span))


def remove_evidence(
    session: Session,
    clip_id: str,
    field_key: str,
    value: str | None,
    span: PtsRange,
    *,
    shown: ReviewState | None = None,
) -> Change:
    """Remove one of several ranges that show a value; the others stay."""
    state = _state(session, clip_id, shown)
    before = state.review.evidence.get(field_key, {}).get(value, ())
    if span not in before:
        return Change()
    after = tuple(each for each in before if each != span)
    return _append(session, state, [evidence_event(session, state, field_key, value, before, after)])


def move_evidence(
    session: Session,
    clip_id: str,
    field_key: str,
    value: str | None,
    span: PtsRange,
    moved: PtsRange,
    *,
    shown: ReviewState | None = None,
) -> Change:
    """Put `moved` in the place of one of the ranges that show a value; the others stay as they are."""
    state = _state(session, clip_id, shown)
    before = state.review.evidence.get(field_key, {}).get(value, ())
    after = tuple(dict.fromkeys(moved if each == span else each for each in before))
    if span not in before or after == before:
        return Change()
    return _append(session, state, [evidence_event(session, state, field_key, value, before, after)])


def set_note(session: Session, clip_id: str, note: str, *, shown: ReviewState | None = None) -> Change:
    """Keep the reviewer's own words about the clip; never shown to a model."""
    state = _state(session, clip_id, shown)
    # Half a character, as a broken clipboard gives it, has no form in a file.
    note = note.encode("utf-8", "replace").decode("utf-8")
    if note == state.review.note:
        return Change()
    return _append(session, state, [event(session, state, "note", {"before": state.review.note, "after": note})])


def accept_rest(
    session: Session,
    clip_id: str,
    *,
    window_seen: bool,
    status: str = "reviewed",
    shown: ReviewState | None = None,
) -> AcceptOutcome:
    """Enter: accept every answered field that was not touched (captions excepted), and settle the clip.

    Fields on which a rule leaves no choice after the reviewer's corrections follow the rule: a clip corrected to "no
    incident" does not keep the time and the opponent of the event that was not one.

    Args:
        window_seen: whether the event window was on screen; otherwise the verdicts are kept as `bulk_unseen`, which
            never train a model. Pressed again with the window seen, it makes them `bulk`.
        shown: what the reviewer was looking at.

    Raises:
        ReviewChangedError: the review is not the one that was shown.
    """
    state = _state(session, clip_id, shown)
    how: How = "bulk" if window_seen else "bulk_unseen"
    verdicts: dict[str, Verdict | None] = {}
    for field in session.schema.fields:
        held = state.review.verdicts.get(field.key)
        untouched = held is None or (held.how == "bulk_unseen" and window_seen)
        if untouched and field.kind != "text" and field.key in state.labels:
            verdicts[field.key] = verdict_for(state, field.key, state.labels[field.key], how=how, reason=None)
    broken = broken_rules(session.schema, state.labels)
    return AcceptOutcome(_store(session, state, verdicts, status=status, broken=broken), broken)


def set_status(
    session: Session,
    clip_id: str,
    status: str,
    *,
    reason: str | None = None,
    words: str | None = None,
    shown: ReviewState | None = None,
) -> Change:
    """Move the clip on (coach, praise, escalate, contest, …) or back; who and when is kept.

    Raises:
        LabelError: no such status, or a dismissal without one of the reasons.
    """
    check_status(status)
    if status == "dismissed" and reason not in DISMISS_REASONS:
        raise LabelError("A dismissal needs a reason.", hint=f"One of: {', '.join(DISMISS_REASONS)}.")
    state = _state(session, clip_id, shown)
    require_seeable(state.clip, {}, held=state.review.status, status=status)
    broken = broken_rules(session.schema, state.review.labels())
    return _append(session, state, [status_event(session, state, status, reason=reason, words=words, broken=broken)])


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
    check_status(status)
    state = _state(session, clip_id, None)
    verdicts = _verdicts(session, state, values, reason=reason)
    held = {**state.review.verdicts, **verdicts, **following(session, state, verdicts)}
    broken = broken_rules(session.schema, _labels_of(held))
    dismissal = reason if status == "dismissed" else None
    change = _store(session, state, verdicts, evidence=evidence, status=status, dismiss_reason=dismissal, broken=broken)
    return AcceptOutcome(change, broken)


def undo(session: Session) -> Change | None:
    """Take back this reviewer's last action, however long ago; None when there is none.

    Raises:
        UsageError: it was done under another label schema.
    """
    return session.library.undo(session.reviewer, schema_key=session.schema.key)


def redo(session: Session) -> Change | None:
    """Do again what was last taken back; None when there is nothing, or something else was done since.

    Raises:
        UsageError: it was done under another label schema.
    """
    return session.library.redo(session.reviewer, schema_key=session.schema.key)


def following(session: Session, state: ReviewState, changed: Mapping[str, Verdict | None]) -> dict[str, Verdict | None]:
    """Verdicts of an earlier Enter that do not stand any more after `changed`, with what holds instead.

    Only what was accepted in bulk follows; what a person set by hand stays, and is flagged where it breaks a rule.
    """
    verdicts = {key: v for key, v in {**state.review.verdicts, **changed}.items() if v is not None}
    review = replace(state.review, verdicts=verdicts)
    labels = labels_if_accepted(session.schema, state.analysis, review, duration_s=state.clip.duration_s)
    result: dict[str, Verdict | None] = {}
    for key, verdict in verdicts.items():
        if verdict.how == "explicit" or key in changed:
            continue
        if key not in labels:
            result[key] = None
        elif labels[key] != verdict.value:
            result[key] = verdict_for(state, key, labels[key], how=verdict.how, reason=None)
    return result


def _state(session: Session, clip_id: str, shown: ReviewState | None) -> ReviewState:
    if shown is None:
        return open_review(session, clip_id)
    if shown.clip.id != clip_id or shown.review.reviewer != session.reviewer:
        raise ReviewChangedError(PurePath(shown.clip.path).name)
    return shown


def _verdicts(
    session: Session, state: ReviewState, values: Mapping[str, LabelValue], *, reason: str | None
) -> dict[str, Verdict | None]:
    """A person's values; nobody has seen an event where the clip has no frames."""
    schema, duration_s = session.schema, state.clip.duration_s
    checked = {key: check_value(schema, key, value) for key, value in values.items()}
    return {
        key: verdict_for(
            state, key, require_within(schema, key, value, duration_s=duration_s), how="explicit", reason=reason
        )
        for key, value in checked.items()
    }


def _labels_of(verdicts: Mapping[str, Verdict | None]) -> dict[str, LabelValue]:
    return {key: v.value for key, v in verdicts.items() if v is not None and v.verdict != "rejected"}


def _store(
    session: Session,
    state: ReviewState,
    verdicts: Mapping[str, Verdict | None],
    *,
    evidence: Mapping[str, PtsRange] | None = None,
    status: str | None = None,
    dismiss_reason: str | None = None,
    broken: tuple[str, ...] = (),
) -> Change:
    """Verdicts, what follows from them, evidence and status as one action.

    A settled review that is corrected stays settled, but its broken rules are found anew.
    """
    require_seeable(state.clip, verdicts, held=state.review.status, status=status)
    every = {**verdicts, **following(session, state, verdicts)}
    events = [verdict_event(session, state, key, verdict) for key, verdict in every.items()]
    for key, span in (evidence or {}).items():
        session.schema.field(key)
        events += evidence_events(session, state, key, None, span)
    if status is not None:
        events.append(status_event(session, state, status, reason=dismiss_reason, broken=broken))
    elif state.review.settled and every:
        now = broken_rules(session.schema, _labels_of({**state.review.verdicts, **every}))
        if now != state.review.broken_rules:
            events.append(status_event(session, state, state.review.status, broken=now))
    return _append(session, state, events)


def _append(session: Session, state: ReviewState, events: list[NewEvent]) -> Change:
    """One action, if the review is still the one that it was about; nothing where there is no event."""
    return session.library.append(events, based_on=state.review) if events else Change()

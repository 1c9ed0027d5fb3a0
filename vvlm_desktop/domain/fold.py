"""Folds review events into reviews, and works out what takes an action back. Pure: no clock, no database.

Events are folded by (lamport, origin, seq). Every event sets one *slot* of a review (one field's verdict, one
value's evidence, the note, the status), so the last writer of a slot wins and no order of arrival changes the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, TypeAlias

from vvlm_desktop.domain.review import STATUSES, Event, EventKind, PtsRange, Review, Verdict

ReviewKey: TypeAlias = tuple[str, str, str]
#: What one event sets: ("verdict", field), ("evidence", field, value), ("note",) or ("status",).
Slot: TypeAlias = tuple[str | None, ...]
FoldedKind: TypeAlias = Literal["verdict", "evidence", "status", "note"]

#: Kinds that change a review; the others are records about the chain itself.
FOLDED_KINDS: frozenset[str] = frozenset({"verdict", "evidence", "status", "note"})


def fold_order(event: Event) -> tuple[int, str, int]:
    """Sort key of the fold, the same on every computer."""
    return (event.lamport, event.origin, event.seq)


def review_key(event: Event) -> ReviewKey | None:
    """Key of the review that an event belongs to; None when it belongs to none or its payload was erased."""
    if event.kind not in FOLDED_KINDS or event.clip_id is None or event.payload is None:
        return None
    return (event.clip_id, event.reviewer, event.schema_key)


def fold(events: Iterable[Event]) -> dict[ReviewKey, Review]:
    """Reviews that result from events, given in any order."""
    reviews: dict[ReviewKey, Review] = {}
    for event in sorted(events, key=fold_order):
        key = review_key(event)
        if key is not None:
            reviews[key] = apply(reviews.get(key) or Review(*key), event)
    return reviews


def apply(review: Review, event: Event) -> Review:
    """The review after one more event."""
    payload = event.payload
    if payload is None or event.kind not in FOLDED_KINDS:
        return review
    changed = replace(review, updated_at=event.at, analysis_id=event.analysis_id or review.analysis_id)
    if event.kind == "verdict":
        return _with_verdict(changed, str(payload["field"]), payload["after"], at=event.at)
    if event.kind == "evidence":
        return _with_evidence(changed, str(payload["field"]), payload.get("value"), payload["after"])
    if event.kind == "note":
        return replace(changed, note=str(payload["after"]))
    status = str(payload["after"])
    return replace(
        changed,
        status=status,
        dismiss_reason=payload.get("reason") if status == "dismissed" else None,
        broken_rules=tuple(payload.get("broken_rules") or ()),
    )


def _with_verdict(review: Review, field: str, after: Mapping[str, Any] | None, *, at: str) -> Review:
    verdicts = dict(review.verdicts)
    status = review.status
    if after is None:
        verdicts.pop(field, None)
        # The counterpart of "the first verdict starts the review", so that taking the first one back undoes both.
        if not verdicts and status == "in_review":
            status = "needs_review"
    else:
        verdict = verdict_from_json(after)
        verdicts[field] = verdict if verdict.at else replace(verdict, at=at)
        if status == "needs_review":
            status = "in_review"
    return replace(review, verdicts=verdicts, status=status)


def _with_evidence(review: Review, field: str, value: str | None, after: Sequence[Sequence[int]]) -> Review:
    evidence = {key: dict(by_value) for key, by_value in review.evidence.items()}
    ranges = tuple(PtsRange(int(start), int(end)) for start, end in after)
    if ranges:
        evidence.setdefault(field, {})[value] = ranges
    elif field in evidence:
        evidence[field].pop(value, None)
        if not evidence[field]:
            del evidence[field]
    return replace(review, evidence=evidence)


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it stands in payloads: its fields by name."""
    return asdict(verdict)


def verdict_from_json(document: Mapping[str, Any]) -> Verdict:
    """A verdict as read from a payload; raises ValueError for one that no version of the program writes."""
    verdict = Verdict(**document)
    if verdict.verdict not in {"accepted", "corrected", "rejected"}:
        raise ValueError(f"unknown verdict {verdict.verdict!r}")
    return verdict


def slot_of(kind: EventKind, payload: Mapping[str, Any]) -> Slot:
    """Which slot of a review an event sets."""
    if kind == "verdict":
        return ("verdict", str(payload["field"]))
    if kind == "evidence":
        return ("evidence", str(payload["field"]), payload.get("value"))
    return (kind,)


def slot_value(review: Review, slot: Slot) -> Any:
    """What a review holds in a slot, as it stands in a payload's `before` and `after`."""
    kind = slot[0]
    if kind == "verdict":
        verdict = review.verdicts.get(str(slot[1]))
        return None if verdict is None else verdict_to_json(verdict)
    if kind == "evidence":
        ranges = review.evidence.get(str(slot[1]), {}).get(slot[2], ())
        return [[item.start_pts, item.end_pts] for item in ranges]
    return review.note if kind == "note" else review.status


def complete_payload(kind: EventKind, payload: Mapping[str, Any], *, review: Review) -> dict[str, Any]:
    """The payload with `before` as the review really was; raises ValueError for one that cannot be folded."""
    if kind not in FOLDED_KINDS:
        return dict(payload)
    if "after" not in payload:
        raise ValueError(f"a {kind} event without `after`: {payload!r}")
    if kind == "status" and payload["after"] not in STATUSES:
        raise ValueError(f"unknown status {payload['after']!r}")
    if kind == "verdict" and payload["after"] is not None:
        verdict_from_json(payload["after"])
    return {**payload, "before": slot_value(review, slot_of(kind, payload))}


def compensation(
    events: Sequence[Event], *, before: Review, after: Review, now: Review
) -> list[tuple[FoldedKind, dict[str, Any]]]:
    """Events (kind and payload) that take an action on one review back.

    A slot that somebody has set again since the action keeps what it holds now.

    Args:
        events: the action's events on this review, in order.
        before: the review just before the action.
        after: the review just after the action.
        now: the review as it is.
    """
    slots = list(dict.fromkeys(slot_of(event.kind, event.payload) for event in reversed(events) if event.payload))
    result: list[tuple[FoldedKind, dict[str, Any]]] = []
    state = now
    for slot in slots:
        if slot[0] == "status":
            continue
        held = slot_value(state, slot)
        target = slot_value(before, slot) if held == slot_value(after, slot) else held
        if target != held:
            kind, payload = _slot_event(slot, held, target)
            result.append((kind, payload))
            state = apply(state, _unchained(kind, payload))
    status = _status_event(state, before if _status_parts(now) == _status_parts(after) else now)
    if status is not None:
        result.append(status)
    if not result:  # nothing to restore, but the chain still records that the action was taken back
        held = slot_value(now, slots[0])
        if slots[0] == ("status",):
            result.append(("status", _status_payload(now, now)))
        else:
            result.append(_slot_event(slots[0], held, held))
    return result


def _status_parts(review: Review) -> tuple[str, str | None, tuple[str, ...]]:
    return (review.status, review.dismiss_reason, review.broken_rules)


def _status_payload(state: Review, target: Review) -> dict[str, Any]:
    return {
        "before": state.status,
        "after": target.status,
        "reason": target.dismiss_reason,
        "words": None,
        "broken_rules": list(target.broken_rules),
    }


def _status_event(state: Review, target: Review) -> tuple[FoldedKind, dict[str, Any]] | None:
    if _status_parts(state) == _status_parts(target):
        return None
    return ("status", _status_payload(state, target))


def _slot_event(slot: Slot, held: Any, target: Any) -> tuple[FoldedKind, dict[str, Any]]:
    if slot[0] == "verdict":
        return ("verdict", {"field": slot[1], "before": held, "after": target})
    if slot[0] == "evidence":
        return ("evidence", {"field": slot[1], "value": slot[2], "before": held, "after": target})
    return ("note", {"before": held, "after": target})


def _unchained(kind: FoldedKind, payload: Mapping[str, Any]) -> Event:
    return Event("", 0, kind, "", 0, "", None, "", payload=payload)

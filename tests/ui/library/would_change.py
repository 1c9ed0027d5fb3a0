"""Answers with and without an adapter about clips of a library, for tests of what would change."""

from __future__ import annotations

from tests.ui.builders import analysis, clip
from vvlm_desktop.domain.fold import verdict_to_json
from vvlm_desktop.domain.review import Change, NewEvent, Verdict
from vvlm_desktop.workflow.answerers import Source

BASE, TUNED = Source("local", "M"), Source("local", "M", "march-001")
SAID = {"event_type": "near_miss", "weather": "clear", "caption": "A car cuts in."}
_ASKED = {"prompt_sha": "p", "settings": {"precision": "bf16"}}


def answer(session, number: int, *, adapter: str | None = None, at: str = "00", frames=(0, 512), **labels) -> Change:
    """An answer about clip `number`; the clip is added where it is not there."""
    of = clip(number)
    session.library.add_clip(of)
    said = analysis(
        session,
        of,
        {**SAID, **labels},
        id=f"{number}-{adapter}-{at}",
        backend="local",
        model="M",
        adapter=adapter,
        provenance="model",
        created_at=f"2026-01-02T03:05:{at}.000Z",
        frames_pts=frames,
        **_ASKED,
    )
    return session.library.add_analysis(said)


def settle(session, number: int, **values) -> Change:
    """Ann has corrected these fields of a clip."""
    events = []
    for field, value in values.items():
        after = verdict_to_json(Verdict("corrected", value, "explicit", model_value="x", model_answered=True))
        payload = {"field": field, "before": None, "after": after}
        events.append(NewEvent("verdict", clip(number).id, "Ann", session.schema.key, payload))
    status = {"before": "in_review", "after": "reviewed", "reason": None, "words": None, "broken_rules": []}
    events.append(NewEvent("status", clip(number).id, "Ann", session.schema.key, status))
    session.library.append(events)
    return Change(clip_ids=(clip(number).id,), what=frozenset({"review"}))


def four(session) -> None:
    """Clip 1 the same, 2 another weather (away from Ann), 3 another event (towards Ann), 4 without the adapter."""
    for number in (1, 2, 3, 4):
        answer(session, number)
    answer(session, 1, adapter="march-001")
    answer(session, 2, adapter="march-001", weather="rain")
    answer(session, 3, adapter="march-001", event_type="collision", weather="rain")
    settle(session, 2, weather="clear")
    settle(session, 3, event_type="collision")

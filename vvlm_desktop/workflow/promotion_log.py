"""Changes of the default as events of the library's log: who, when, which weights, by which rule, with which numbers.

The event is written before the settings change. A program that is killed in between leaves a line that had no effect,
which the next reader sees by the settings; never a default that nobody wrote down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from vvlm_desktop.domain.promotion_rule import PromotionRule
from vvlm_desktop.domain.review import Event, NewEvent
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.session import Session

Kind: TypeAlias = Literal["promoted", "rolled_back"]
#: Backend, model, adapter.
Default: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of the default.

    Attributes:
        kind: `promoted`, `rolled_back`.
        model, adapter: the default from then on; adapter "" is the model alone.
        before: backend, model and adapter that were in use.
        numbers: of the judgement; empty for a rollback.
        backend: from then on; "local" unless a rollback led elsewhere.
        proven: it was shown to be better; False where somebody made an exception for an adapter from elsewhere.
        weights_sha256: of the adapter; empty for the model alone.
        rule: that was applied, as it was set; empty for a rollback.
        number: its place in the log; `of` that of the promotion which a rollback takes back.
    """

    at: str
    reviewer: str
    kind: Kind
    model: str
    adapter: str
    before: Default
    numbers: dict[str, Any]
    backend: str = "local"
    proven: bool = True
    weights_sha256: str = ""
    rule: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    of: int = 0

    @property
    def after(self) -> Default:
        """What is in use from then on."""
        return (self.backend, self.model, self.adapter)


@dataclass(frozen=True, slots=True)
class Look:
    """The test part was used to judge an adapter, whatever came of it."""

    adapter: str
    clips: frozenset[str]


def default_in_use(settings: Settings) -> Default:
    """What Analyse uses now; a model and an adapter count only where a local model is asked."""
    if settings.backend != "local":
        return (settings.backend, "", "")
    return (settings.backend, settings.local_model, settings.local_adapter)


def with_default(settings: Settings, default: Default) -> Settings:
    """The settings with another default; a model that was chosen stays known where something else is asked."""
    backend, model, adapter = default
    if backend != "local":
        return settings.model_copy(update={"backend": backend, "local_adapter": ""})
    return settings.model_copy(update={"backend": backend, "local_model": model, "local_adapter": adapter})


def record_promotion(
    session: Session,
    *,
    model: str,
    adapter: str,
    weights_sha256: str,
    numbers: Mapping[str, Any] | None = None,
    rule: PromotionRule | None = None,
    clips: Iterable[str] = (),
    proven: bool = True,
) -> Promotion:
    """Write down that an adapter becomes the default."""
    content = {
        "backend": "local",
        "model": model,
        "adapter": adapter,
        "weights_sha256": weights_sha256,
        "proven": proven,
        "rule": asdict(rule) if rule is not None else {},
        "numbers": dict(numbers or {}),
        "clips": sorted(clips),
    }
    return _append(session, "promoted", content)


def record_rollback(session: Session, taken_back: Promotion) -> Promotion:
    """Write down that what was before `taken_back` is the default again."""
    backend, model, adapter = taken_back.before
    return _append(
        session, "rolled_back", {"backend": backend, "model": model, "adapter": adapter, "of": taken_back.number}
    )


def record_refusal(
    session: Session, *, adapter: str, weights_sha256: str, numbers: Mapping[str, Any], clips: Iterable[str]
) -> None:
    """Write down that an adapter was not good enough: the test part has been looked at once more."""
    content = {
        "adapter": adapter,
        "weights_sha256": weights_sha256,
        "numbers": dict(numbers),
        "clips": sorted(clips),
    }
    before = _before(session)
    known = {(look.adapter, look.clips) for look in looks(session)}
    if (adapter, frozenset(content["clips"])) not in known:
        session.library.append([_event(session, {"state": "refused", "before": before, **content})])


def record_looks(session: Session, adapters: Iterable[str], clips: Iterable[str]) -> None:
    """Write down that adapters were measured on these clips, before what was measured is deleted."""
    seen = frozenset(clips)
    known = {(look.adapter, look.clips) for look in looks(session)}
    fresh = [name for name in sorted(adapters) if (name, seen) not in known]
    if seen and fresh:
        contents = [{"state": "looked", "adapter": name, "clips": sorted(seen)} for name in fresh]
        session.library.append([_event(session, content) for content in contents])


def read_promotions(session: Session) -> list[Promotion]:
    """All changes of the default in this library, the oldest first."""
    found = []
    for event in session.library.events_of_kind("promotion"):
        payload = event.payload or {}
        if payload.get("state") in {"promoted", "rolled_back"}:
            found.append(_promotion(event, payload))
    return found


def looks(session: Session) -> list[Look]:
    """What the log knows of judgements."""
    payloads = [event.payload or {} for event in session.library.events_of_kind("promotion")]
    return [Look(str(each["adapter"]), frozenset(each["clips"])) for each in payloads if each.get("clips")]


def refused_weights(session: Session) -> frozenset[str]:
    """SHA-256 of weights that were judged here and not found better."""
    payloads = [event.payload or {} for event in session.library.events_of_kind("promotion")]
    return frozenset(str(each.get("weights_sha256")) for each in payloads if each.get("state") == "refused")


def standing(promotions: Iterable[Promotion]) -> list[Promotion]:
    """Promotions that were not taken back, the latest last; a rollback takes back those after it, too."""
    found: list[Promotion] = []
    for each in promotions:
        if each.kind == "promoted":
            if found and (found[-1].after, found[-1].before) == (each.after, each.before):
                found.pop()  # done twice, because the first had no effect
            found.append(each)
        else:
            found = [earlier for earlier in found if earlier.number < each.of]
    return found


def unfinished_rollback(promotions: list[Promotion], now: Default) -> Promotion | None:
    """A rollback that was written down and did not get as far as the settings."""
    last = promotions[-1] if promotions else None
    return last if last is not None and last.kind == "rolled_back" and last.before == now != last.after else None


def _append(session: Session, kind: Kind, content: Mapping[str, Any]) -> Promotion:
    change = session.library.append([_event(session, {"state": kind, "before": _before(session), **content})])
    return next(each for each in _of_action(session, change.action_id))


def _of_action(session: Session, action_id: str | None) -> list[Promotion]:
    events = [each for each in session.library.events_of_kind("promotion") if each.action_id == action_id]
    return [_promotion(event, event.payload or {}) for event in events]


def _event(session: Session, payload: Mapping[str, Any]) -> NewEvent:
    return NewEvent("promotion", None, session.reviewer, session.schema.key, payload)


def _before(session: Session) -> dict[str, str]:
    backend, model, adapter = default_in_use(session.settings)
    return {"backend": backend, "model": model, "adapter": adapter}


def _promotion(event: Event, payload: Mapping[str, Any]) -> Promotion:
    before = payload.get("before") or {}
    return Promotion(
        at=event.at,
        reviewer=event.reviewer,
        kind="rolled_back" if payload.get("state") == "rolled_back" else "promoted",
        model=str(payload.get("model", "")),
        adapter=str(payload.get("adapter", "")),
        before=(str(before.get("backend", "")), str(before.get("model", "")), str(before.get("adapter", ""))),
        numbers=dict(payload.get("numbers") or {}),
        backend=str(payload.get("backend", "local")),
        proven=bool(payload.get("proven", True)),
        weights_sha256=str(payload.get("weights_sha256", "")),
        rule=dict(payload.get("rule") or {}),
        number=event.lamport,
        of=int(payload.get("of", 0)),
    )

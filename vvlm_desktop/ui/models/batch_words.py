"""What the status bar says of a batch that is being analysed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vvlm_desktop.ui.words import count, file_name
from vvlm_desktop.workflow.batch_events import BatchEvent

#: How stages begin that say no more than that nothing is done yet.
_AT_REST = ("starting", "waiting for")
_MOST_LINES = 12


def batch_title(event: BatchEvent, *, title: str, stages: str = "") -> str:
    """What the status bar says of a batch: which clip, by what, how fast; before the first is done, what goes on.

    Args:
        stages: what goes on with several clips at once, where they are elsewhere.
    """
    number = min(event.total, event.done + event.failed + 1)
    parts = [f"Analysing {number:,} of {event.total:,}", title]
    rate = event.clips_per_minute
    if stages:
        parts.append(stages)
    elif rate is not None:
        parts.append(f"{rate:,.0f} clips/min" if rate >= 9.5 else f"{rate:.1f} clips/min")
    elif event.kind == "progress" and event.message and not event.message.startswith(_AT_REST):
        parts.append(event.message)
    return " · ".join(parts)


class Stages:
    """What goes on with each clip that is being worked on."""

    def __init__(self) -> None:
        self._stages: dict[str, tuple[str, str]] = {}

    def take(self, event: BatchEvent) -> None:
        """Note what an event says of its clip; one that is over is forgotten."""
        if event.clip is None:
            return
        if event.kind == "progress" and event.message:
            self._stages[event.clip.id] = file_name(event.clip.path), event.message
        elif event.kind in {"analysed", "failed"}:
            self._stages.pop(event.clip.id, None)

    @property
    def clip_ids(self) -> frozenset[str]:
        """The clips that are being worked on."""
        return frozenset(self._stages)

    @property
    def summary(self) -> str:
        """How many are at which stage, as in "2 uploading, 1 asking the server"."""
        if len(self._stages) == 1:
            ((_name, stage),) = self._stages.values()
            return "" if stage.startswith(_AT_REST) else stage
        tally: dict[str, int] = {}
        for _name, stage in self._stages.values():
            kind = _kind(stage)
            tally[kind] = tally.get(kind, 0) + 1
        return ", ".join(f"{number} {kind}" for kind, number in tally.items())

    @property
    def lines(self) -> str:
        """Each clip with its stage, for a tooltip."""
        said = [f"{name}: {stage}" for name, stage in self._stages.values()]
        more = len(said) - _MOST_LINES
        return "\n".join([*said[:_MOST_LINES], *([f"and {more} more"] if more > 0 else [])])


def _kind(stage: str) -> str:
    """The stage without how far it is."""
    head, _, last = stage.rpartition(" ")
    return head.rstrip("0123456789 ") if last == "%" and head else stage


@dataclass
class Spent:
    """Tokens and cost of a batch, as far as the answers told."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    answers: int = 0
    priced: int = 0

    def take(self, answer: Mapping[str, Any]) -> None:
        """Add an answer's."""
        settings = answer.get("settings") or {}
        if not isinstance(settings, Mapping) or "tokens_in" not in settings:
            return
        self.answers += 1
        self.tokens_in += int(settings.get("tokens_in") or 0)
        self.tokens_out += int(settings.get("tokens_out") or 0)
        cost = settings.get("cost_usd")
        if isinstance(cost, int | float):
            self.priced += 1
            self.cost_usd += cost

    @property
    def in_words(self) -> str:
        """As in "41,200 tokens, about 0.02 US$"; empty where nothing is known. No price is never the same as free."""
        tokens = self.tokens_in + self.tokens_out
        if not tokens:
            return ""
        said = count(tokens, "token")
        if not self.priced:
            return f"{said}, price of this model not known"
        cost = f"{self.cost_usd:.2f}" if self.cost_usd >= 0.01 else "less than 0.01"
        rest = "" if self.priced == self.answers else " for those with a known price"
        return f"{said}, about {cost} US$ by list price{rest}"

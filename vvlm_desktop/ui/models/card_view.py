"""What a card of the Models page shows, as plain data, and what can be done with it in that state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vvlm_desktop.ui.widgets.marks import Mark
from vvlm_desktop.ui.words import clock

CardState = Literal["built_in", "absent", "downloading", "partial", "ready", "broken", "blocked"]
Verb = Literal["use", "download", "resume", "pause", "cancel", "remove", "set_up"]
FitTone = Literal["good", "doubtful", "bad", "muted"]

#: tone of a fit → shape that says the same without colour
FIT_MARKS: dict[FitTone, Mark] = {"good": "check", "doubtful": "half", "bad": "cross", "muted": "ring"}

#: state → word, shape, colour
STATE_MARKS: dict[CardState, tuple[str, Mark, str]] = {
    "built_in": ("Always here", "check", "good"),
    "absent": ("Not on this computer", "ring", "muted"),
    "downloading": ("Downloading", "half", "accent"),
    "partial": ("Partly here", "half", "doubtful"),
    "ready": ("Ready", "check", "good"),
    "broken": ("Cannot be used", "warning", "bad"),
    "blocked": ("Switched off", "dash", "muted"),
}

#: state → what can be done; the first is the one that the card is there for
VERBS: dict[CardState, tuple[Verb, ...]] = {
    "built_in": ("use",),
    "absent": ("download",),
    "downloading": ("pause", "cancel"),
    "partial": ("resume", "remove"),
    "ready": ("use", "remove"),
    "broken": ("remove",),
    "blocked": ("set_up",),
}


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits the memory that is free now: a sentence, and how good that is."""

    sentence: str
    tone: FitTone

    @property
    def mark(self) -> Mark:
        """The shape of the badge."""
        return FIT_MARKS[self.tone]


@dataclass(frozen=True, slots=True)
class Transfer:
    """How far a download is; 0 bytes in total while that is not known."""

    done_bytes: int
    total_bytes: int
    seconds_left: float | None = None

    @property
    def fraction(self) -> float | None:
        """0…1, None while the size is not known."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else None

    def in_words(self) -> str:
        """How far it is, as in 1.2 of 16.2 GB · 03:12 left."""
        if not self.total_bytes:
            return "Asking for the size…"
        left = "" if self.seconds_left is None else f" · {clock(self.seconds_left)} left"
        return f"{gigabytes(self.done_bytes, unit=False)} of {gigabytes(self.total_bytes)}{left}"


@dataclass(frozen=True, slots=True)
class CardView:
    """One thing that can analyse clips.

    Attributes:
        key: tells the cards apart; for a local model what `settings.local_model` becomes.
        backend: which of `backends.catalogue.BACKENDS` it belongs to.
        who_for: for whom it is made, in a sentence.
        size_bytes: of the weights, None where there are none; `about` where nobody has measured it.
        where: folder of the weights, or the address.
        reason: why it is in this state, where that needs saying.
        chosen: what Analyse uses now.
        linked: the weights lie in somebody else's folder, and stay there when the card is removed.
        host: from where it would be downloaded.
        details: lines that fold out: memory by precision, files, hash, revision.
        verbs: what can be done, where the state does not say it.
    """

    key: str
    backend: str
    title: str
    family: str = ""
    who_for: str = ""
    size_bytes: int | None = None
    about: bool = False
    licence: str = ""
    where: str = ""
    state: CardState = "ready"
    reason: str = ""
    fit: Fit | None = None
    chosen: bool = False
    transfer: Transfer | None = None
    linked: bool = False
    host: str = "huggingface.co"
    icon: str = "models"
    details: tuple[tuple[str, str], ...] = ()
    verbs: tuple[Verb, ...] | None = None

    @property
    def offers(self) -> tuple[Verb, ...]:
        """What can be done now; what is chosen already cannot be chosen again."""
        verbs = VERBS[self.state] if self.verbs is None else self.verbs
        return tuple(verb for verb in verbs if not (verb == "use" and self.chosen))

    @property
    def size(self) -> str:
        """How large the weights are; empty where that is not known."""
        return f"{'about ' if self.about else ''}{gigabytes(self.size_bytes)}" if self.size_bytes else ""

    @property
    def facts(self) -> str:
        """Family, size and licence in a line."""
        return " · ".join(part for part in (self.family, self.size, self.licence) if part)

    @property
    def in_words(self) -> str:
        """The card for whoever cannot see it."""
        state = STATE_MARKS[self.state][0]
        parts = (
            self.title,
            "chosen" if self.chosen else "",
            self.facts,
            self.transfer.in_words() if self.transfer else state,
            self.reason,
            self.fit.sentence if self.fit else "",
            self.who_for,
        )
        return ". ".join(part.rstrip(".") for part in parts if part)


@dataclass(frozen=True, slots=True)
class AdapterView:
    """Fine-tuned weights on top of a model.

    Attributes:
        key: what `settings.local_adapter` becomes.
        base: title of the model it belongs to; `base_key` what `settings.local_model` has to be.
        data: what it was trained on, in words.
        metrics: what it reached, in words.
        reason: why it cannot be used; empty where it can.
        admission: whether it may be the default, as `workflow.adapter_gate` says; `standing` the same in words.
    """

    key: str
    title: str
    base: str
    base_key: str = ""
    data: str = ""
    metrics: str = ""
    where: str = ""
    reason: str = ""
    chosen: bool = False
    admission: str = "promoted"
    standing: str = ""

    @property
    def in_words(self) -> str:
        """The adapter for whoever cannot see it."""
        chosen = "chosen" if self.chosen else ""
        parts = (self.title, chosen, f"for {self.base}", self.data, self.metrics, self.standing, self.reason)
        return ". ".join(part.rstrip(".") for part in parts if part)


def gigabytes(size_bytes: int, *, unit: bool = True) -> str:
    """A size as people know it from shops and from the sites that offer weights (1 GB = 10⁹ bytes)."""
    if size_bytes >= 999_500_000 or not unit:
        return f"{size_bytes / 1e9:.1f}" + (" GB" if unit else "")
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1_000_000 else f"{max(1, round(size_bytes / 1e3))} kB"

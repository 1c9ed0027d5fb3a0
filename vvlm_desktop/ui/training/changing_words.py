"""How the question about missing answers is put."""

from __future__ import annotations

from collections.abc import Callable

from vvlm_desktop.ui.sheet import Answer, Question
from vvlm_desktop.ui.training.changing_facts import Found
from vvlm_desktop.ui.words import count

_MINUTE_S, _HOUR_S = 60, 3600


def missing_question(found: Found, *, on_yes: Callable[[Answer], object]) -> Question:
    """Whether to have the missing answers made."""
    changes = found.changes
    name = changes.then.adapter or changes.then.title
    facts = [(part.choice.title, f"{count(len(part.clips), 'clip')} not answered") for part in found.missing]
    facts.append(("Takes", about(found.seconds)))
    known = (
        f"{count(changes.compared, 'clip')} compared so far, {len(changes.by_row):,} would change. "
        if changes.compared
        else ""
    )
    return Question(
        headline=f"Which clips would change with {name}? Some answers are missing.",
        facts=tuple(facts),
        sentence=f"{known}It runs in the background, can be stopped at any time, and goes on after a restart. Changing "
        "clips appear in the library as the answers arrive.",
        yes="Have them answered",
        no="Not now",
        icon="compare",
        on_yes=on_yes,
    )


def about(seconds: float | None) -> str:
    """A guess at a length of time, no more exact than it is."""
    if seconds is None:
        return "not known: this model has answered too little here"
    if seconds < _MINUTE_S:
        return "less than a minute"
    if seconds < 2 * _HOUR_S:
        return f"about {round(seconds / _MINUTE_S)} min"
    return f"about {seconds / _HOUR_S:.0f} hours"

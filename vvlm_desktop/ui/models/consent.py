"""What is asked before pictures leave this computer, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vvlm_desktop.ui.sheet import Answer, Question
from vvlm_desktop.ui.words import count

if TYPE_CHECKING:
    from vvlm_desktop.workflow.consent import UploadPlan


_MOST_LETTERS = 160


def receiver(backend: str, host: str) -> str:
    """Who gets it, for people: the computer, and whose it is where that is known."""
    return f"Google ({host})" if backend == "gemini" and host.endswith(".googleapis.com") else host


def consent_question(
    plan: UploadPlan, *, reviewer: str, asked: str = "", on_yes: Callable[[Answer], object], on_no: Callable[[], object]
) -> Question:
    """How many clips, what of them, how much, to whom; nothing is ticked and Enter says no.

    Args:
        plan: what would leave.
        reviewer: under whose name the yes is written down.
        asked: a question of one's own, which goes along instead of those for the labels.
    """
    from vvlm_desktop.workflow.consent import megabytes

    clips = count(plan.clips, "clip")
    who = receiver(plan.backend.name, plan.host)
    size = f"at most about {megabytes(plan.size_bytes)}"
    what = f"{plan.content} of {clips if plan.clips == 1 else f'each of {clips}'}"
    facts = (
        ("To", who),
        ("What", f"{what}, and {_quoted(asked)}"),
        ("How much", size),
        ("Model", plan.model or "the first that the server offers"),
        ("Kept", f"Your yes is written into the ledger, under the name {reviewer}; so is each clip that leaves."),
    )
    return Question(
        f"Send {clips} to {who}?",
        on_yes,
        f"Send {clips}",
        facts=facts,
        sentence="Whoever runs that computer can see the road, plates and people on these clips.",
        icon="cloud" if plan.backend.name == "gemini" else "server",
        tick=f"{'This clip' if plan.clips == 1 else 'These clips'} may leave this computer",
        must_tick=True,
        no="Do not send",
        on_no=on_no,
    )


def _quoted(asked: str) -> str:
    if not asked:
        return "the questions for the labels"
    short = asked if len(asked) <= _MOST_LETTERS else f"{asked[:_MOST_LETTERS].rstrip()}…"
    return f"your question “{short}”"


def key_question(title: str, *, on_yes: Callable[[Answer], object], on_no: Callable[[], object]) -> Question:
    """There is no key: asked once."""
    return Question(
        f"{title} asks for a key",
        on_yes,
        "Use this key",
        sentence=(
            "It stays in this program's memory until the window closes, and is written nowhere. "
            "Ticked, it is kept in the system's keychain instead."
        ),
        icon="cloud",
        tick="Keep it in the system's keychain",
        secret=f"Key for {title}",
        on_no=on_no,
    )

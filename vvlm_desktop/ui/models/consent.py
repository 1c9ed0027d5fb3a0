"""What is asked before pictures leave this computer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.choice import Choice
from vvlm_desktop.ui.errors_view import Problem, problem_from
from vvlm_desktop.ui.page import Shell


def consent_problem(
    shell: Shell, clips: Sequence[Clip], choice: Choice, *, go_on: Callable[[Choice], object]
) -> Problem:
    """The question how much may go to whom; `go_on` gets the choice once somebody has said yes, never before."""
    from vvlm_desktop.workflow import consent

    if not shell.session.settings.allow_upload:
        return Problem(
            f"{choice.title} works on another computer, and clips may not leave this one. Nothing was sent.",
            hint="Switch it on in Settings, or choose a model that runs here.",
            tone="doubtful",
            offer="Show the setting",
            do=partial(shell.navigate, "settings", "allow_upload"),
        )
    try:
        plan = consent.plan_upload(clips, backend=choice.backend, options=choice.options)
    except VvlmError as error:
        return problem_from(error)

    def send() -> None:
        try:
            consent_id = consent.allow(shell.session, plan, how="window")
        except VvlmError as error:
            shell.report(error)
            return
        go_on(replace(choice, options={**choice.options, consent.ALLOWED: consent_id}))

    return Problem(
        plan.sentence,
        hint="It is written into the ledger. Without your yes nothing is sent.",
        tone="doubtful",
        offer="Send and analyse",
        do=send,
    )

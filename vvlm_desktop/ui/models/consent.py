"""What is asked before pictures leave this computer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.choice import Choice
from vvlm_desktop.ui.errors_view import Problem, problem_from
from vvlm_desktop.ui.page import Shell

if TYPE_CHECKING:
    from vvlm_desktop.workflow.requests import RequestHooks
    from vvlm_desktop.workflow.session import Session


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


def hooks_of(session: Session, choice: Choice) -> RequestHooks:
    """What is done around each request: the ledger's lines, and no request without consent."""
    from vvlm_desktop.workflow.courier import Courier
    from vvlm_desktop.workflow.requests import RequestHooks

    if not choice.info.leaves_computer:
        return RequestHooks()
    courier = Courier(session, choice.info, choice.options)
    return RequestHooks(
        before=lambda _clip, request: courier.before_sending(request),
        on_upload=courier.on_upload,
        after=courier.on_settled,
    )

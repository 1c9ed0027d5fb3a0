"""Before anything leaves this computer: is it switched on, is there a key, and does somebody say yes to this batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import CloudError, ConsentError, VvlmError
from vvlm_desktop.ui.choice import Choice
from vvlm_desktop.ui.errors_view import Problem, problem_from
from vvlm_desktop.ui.models.consent import consent_question, key_question
from vvlm_desktop.ui.models.key_keeping import keep_key
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.sheet import Answer
from vvlm_desktop.ui.work_line import Job, WorkLine

if TYPE_CHECKING:
    from vvlm_desktop.workflow.consent import UploadPlan

#: Called with the choice that carries the consent, and with the keys that its requests carry.
GoOn = Callable[[Choice, Mapping[str, str]], object]


@dataclass(frozen=True, slots=True)
class _Wish:
    """Something that somebody wants to send."""

    choice: Choice
    plan: UploadPlan
    go_on: GoOn
    refuse: Callable[[VvlmError], object]
    asked: str = ""


class Sending(QObject):
    """Asks what has to be asked, one question after the other; without a yes nothing goes on."""

    def __init__(self, shell: Shell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._line = WorkLine(shell.tasks, self)

    def close(self) -> None:
        """Ask nothing any more."""
        self._line.close()

    def ask(
        self,
        clips: Sequence[Clip],
        choice: Choice,
        *,
        go_on: GoOn,
        refuse: Callable[[VvlmError], object],
        asked: str = "",
    ) -> None:
        """Let `choice` have `clips`, and the question `asked`, if somebody says yes; `refuse` hears why not."""
        from vvlm_desktop.workflow.cloud import require_switched_on
        from vvlm_desktop.workflow.consent import plan_upload

        try:
            require_switched_on(self._shell.session.settings)
            plan = plan_upload(clips, backend=choice.backend, options=choice.options)
        except VvlmError as error:
            refuse(error)
            return
        self._find_key(_Wish(choice, plan, go_on, refuse, asked))

    def _find_key(self, wish: _Wish) -> None:
        """Look for the key in a thread: a keychain may take seconds."""
        from vvlm_desktop.workflow.cloud import secrets_for

        keys, backend = self._shell.keys, wish.choice.backend
        address = str(wish.choice.options.get("base_url", ""))

        def found(secrets: Mapping[str, str]) -> None:
            self._ask_consent(wish, secrets)

        def missing(error: VvlmError) -> None:
            if isinstance(error, CloudError):
                self._ask_key(wish)
            else:
                wish.refuse(error)

        def find(_report: object, _cancelled: object) -> Mapping[str, str]:
            return secrets_for(keys, backend, address=address)

        job = Job("find-key", find, on_success=found, on_failure=missing)
        self._line.add(job)

    def _ask_key(self, wish: _Wish) -> None:
        self._shell.ask(
            key_question(
                wish.choice.info.title,
                on_yes=partial(self._on_key, wish),
                on_no=partial(self._on_no, wish),
            )
        )

    def _on_key(self, wish: _Wish, answer: Answer) -> None:
        from vvlm_desktop.workflow.cloud import key_name

        keys, choice = self._shell.keys, wish.choice
        name = key_name(choice.backend, str(choice.options.get("base_url", "")))

        def work(_report: object, _cancelled: object) -> Problem:
            return keep_key(keys, name, answer.secret, title=choice.info.title, in_keychain=answer.ticked)

        def kept(said: Problem) -> None:
            self._shell.report(said)
            self._find_key(wish)

        def not_kept(error: VvlmError) -> None:
            self._shell.report(error)
            self._ask_key(wish)

        self._line.add(Job("keep-key", work, on_success=kept, on_failure=not_kept))

    def _ask_consent(self, wish: _Wish, secrets: Mapping[str, str]) -> None:
        question = consent_question(
            wish.plan,
            reviewer=self._shell.session.reviewer,
            asked=wish.asked,
            on_yes=lambda _answer: self._on_yes(wish, secrets),
            on_no=partial(self._on_no, wish),
        )
        self._shell.ask(question)

    def _on_yes(self, wish: _Wish, secrets: Mapping[str, str]) -> None:
        from vvlm_desktop.workflow import consent
        from vvlm_desktop.workflow.cloud import require_switched_on

        try:
            require_switched_on(self._shell.session.settings)  # another question may have come between
            consent_id = consent.allow(self._shell.session, wish.plan, how="asked")
        except VvlmError as error:
            wish.refuse(error)
            return
        wish.go_on(replace(wish.choice, options={**wish.choice.options, consent.ALLOWED: consent_id}), secrets)

    def _on_no(self, wish: _Wish) -> None:
        wish.refuse(NotSentError("Nothing was sent.", hint="Nobody said yes."))


class NotSentError(ConsentError):
    """Somebody was asked and said no."""


def refusal_problem(shell: Shell, error: VvlmError, choice: Choice) -> Problem:
    """Why a batch was not sent, with the way to the card where that is mended."""
    if isinstance(error, NotSentError):
        return Problem(str(error), tone="good")
    if not shell.session.settings.allow_upload:
        return Problem(
            f"{choice.title} works on another computer, and clips may not leave this one. Nothing was sent.",
            hint="Switch it on at its card, or choose a model that runs here.",
            tone="doubtful",
            offer="Show the card",
            do=partial(shell.navigate, "models", choice.backend),
        )
    return replace(problem_from(error), offer="Show the card", do=partial(shell.navigate, "models", choice.backend))

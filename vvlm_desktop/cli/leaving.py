"""Before a command sends anything: whether somebody allows it, with which key, and what an earlier one left over."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from vvlm_desktop.cli.choosing import Chosen
from vvlm_desktop.cli.output import progress_bar, warn
from vvlm_desktop.errors import CloudError, ConsentError, VvlmError

if TYPE_CHECKING:
    from vvlm_desktop.domain.clip import Clip
    from vvlm_desktop.workflow.keys import Keys
    from vvlm_desktop.workflow.session import Session


def allowed(session: Session, chosen: Chosen, clips: Sequence[Clip], *, allow_upload: bool) -> Chosen:
    """The same with the consent and the key that a backend elsewhere needs; what stays here needs neither.

    `allow_upload` is a yes that was given beforehand. Without it a person at a terminal is asked; where nobody can be
    asked it is a no.

    Raises:
        ConsentError: nobody allowed it.
        CloudError: there is no key.
    """
    from vvlm_desktop.backends.catalogue import backend_info

    if not backend_info(chosen.backend).leaves_computer or not clips:
        return chosen
    from vvlm_desktop.workflow import consent
    from vvlm_desktop.workflow.keys import Keys

    plan = consent.plan_upload(clips, backend=chosen.backend, options=chosen.options)
    if allow_upload:
        warn(plan.sentence)
    elif not somebody_is_there():
        raise ConsentError(plan.sentence, hint="Nothing was sent. To allow it, add --allow-upload.")
    elif not typer.confirm(f"{plan.sentence} It is written into the ledger. Send?", default=False, err=True):
        raise ConsentError("Nothing was sent.", hint="With --width less is sent; local models send nothing.")
    secrets = key_for(Keys(), chosen.backend, address=str(chosen.options.get("base_url", "")))
    consent_id = consent.allow(session, plan, how="command_line" if allow_upload else consent.ASKED_AT_TERMINAL)
    tidy_up(session, chosen.backend, secrets)
    return replace(chosen, options={**chosen.options, consent.ALLOWED: consent_id}, secrets=secrets)


def key_for(keys: Keys, backend: str, *, address: str = "") -> Mapping[str, str]:
    """The key that requests to `backend` carry; asked for once, for this command only, where there is none.

    Raises:
        CloudError: there is none, and nobody who could enter it.
    """
    from vvlm_desktop.workflow.cloud import secrets_for

    try:
        return secrets_for(keys, backend, address=address)
    except CloudError:
        if not somebody_is_there():
            raise
    words = "Key for Gemini (not shown, for this command only; `vvlm cloud key set gemini` keeps one)"
    keys.use_for_this_session(backend, typer.prompt(words, hide_input=True, err=True))
    return secrets_for(keys, backend)


def tidy_up(session: Session, backend: str, secrets: Mapping[str, str]) -> None:
    """Delete what a killed program left over at Gemini; where that cannot be now, the work goes on all the same."""
    if backend != "gemini":
        return
    from vvlm_desktop.workflow.left_overs import clean, left_overs

    if not left_overs(session).here:
        return
    try:
        with progress_bar("deleting what was left over") as bar:
            cleaned = clean(session, secrets=secrets, on_progress=bar.show)
        warn(cleaned.sentence)
    except VvlmError as error:
        warn(f"What was left over at Gemini could not be deleted now: {error}")


def somebody_is_there() -> bool:
    """Whether a question would be seen, and can be answered."""
    return sys.stdin.isatty() and sys.stderr.isatty()

"""Before a batch leaves this computer: what would go, to whom, and whether somebody allows it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vvlm_desktop.backends import cloud_keys
from vvlm_desktop.backends.catalogue import BackendInfo, backend_info
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import CloudAccessError, ConsentError
from vvlm_desktop.workflow import ledger
from vvlm_desktop.workflow.around import AROUND
from vvlm_desktop.workflow.session import Session

#: Key of a batch's options under which the consent's id travels to the worker; without it nothing is sent.
ALLOWED = "allow_upload"
#: How a consent was given: in the window, where the switch in Settings can take it back; at a terminal.
ASKED_IN_WINDOW = "asked"
ASKED_AT_TERMINAL = "asked_at_the_terminal"
_GEMINI_HOST = "generativelanguage.googleapis.com"
#: Pictures sent as JPEG, 448 pixels wide and more: about this many bytes each, as an upper estimate.
_JPEG_BYTES = 90_000


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """What a batch would send.

    Attributes:
        size_bytes: an upper estimate: the files themselves for Gemini, that many pictures for a server.
        content: what of each clip, to begin a sentence with.
    """

    backend: BackendInfo
    model: str
    host: str
    clips: int
    size_bytes: int
    content: str

    @property
    def sentence(self) -> str:
        """What would leave, for people."""
        clips = "1 clip" if self.clips == 1 else f"{self.clips:,} clips"
        size = megabytes(self.size_bytes)
        return f"{self.content} of {clips} would leave this computer: at most about {size} to {self.host}."


def plan_upload(clips: Sequence[Clip], *, backend: str, options: Mapping[str, Any]) -> UploadPlan:
    """What analysing `clips` with `backend` would send.

    Raises:
        ConsentError: the backend is not one to which anything is sent, or its address is not known.
    """
    info = backend_info(backend)
    if not info.leaves_computer:
        raise ConsentError(f"{info.title} works on this computer; nothing is sent.")
    host = host_of(backend, options)
    gemini = backend == "gemini"
    frames = int((options.get("sampling") or {}).get("frames", options.get("frames", 16)))
    size = sum(c.size_bytes for c in clips) if gemini else frames * _JPEG_BYTES * len(clips)
    if gemini and (options.get("event_ms") is not None or options.get(AROUND)):
        size *= 2  # small clips travel once for each look
    if gemini:
        content = f"The video {'with' if options.get('sound') else 'without'} sound"
    else:
        content = "1 picture" if frames == 1 else f"{frames} pictures"
    return UploadPlan(info, str(options.get("model", "")), host, len(clips), size, content)


def host_of(backend: str, options: Mapping[str, Any]) -> str:
    """The computer that would get the pictures, without path, query or user.

    Raises:
        ConsentError: the address is not one.
    """
    if backend == "gemini":
        import os

        base = os.environ.get("GOOGLE_GEMINI_BASE_URL", "")
        return _host(base) if base else _GEMINI_HOST
    return _host(str(options.get("base_url", "")))


def allow(session: Session, plan: UploadPlan, *, how: str) -> str:
    """Write down that somebody allowed `plan`; returns the consent's id for the batch's options."""
    consent = ledger.Consent(
        id=uuid.uuid4().hex,
        at=utc_now(),
        reviewer=session.reviewer,
        how=how,
        backend=plan.backend.name,
        model=plan.model,
        host=plan.host,
        clips=plan.clips,
        size_bytes=plan.size_bytes,
    )
    ledger.record_consent(session, consent)
    return consent.id


def require_allowed(session: Session, *, backend: str, options: Mapping[str, Any]) -> None:
    """Refuse what nobody allowed: without a consent, to another address, or switched off in the window since.

    Asked before each clip. On the command line the yes is for that one command, whatever the settings say.

    Raises:
        ConsentError: nothing may be sent.
    """
    info = backend_info(backend)
    if not info.leaves_computer:
        return
    given = next((each for each in ledger.consents(session) if each.id == options.get(ALLOWED)), None)
    if given is not None and (given.backend, given.host) != (backend, host_of(backend, options)):
        raise ConsentError(
            f"The consent is for {given.host}, and the address is another one now; nothing was sent.",
            hint="Start the analysis again; you are asked anew.",
        )
    if given is not None and given.how == ASKED_IN_WINDOW and not session.settings.allow_upload:
        raise ConsentError(
            "Clips may not leave this computer any more: it was switched off meanwhile; this one was not sent.",
            hint="Switch it on in Settings and start the analysis again.",
        )
    if given is None:
        raise ConsentError(
            f"{info.title} needs your consent before clips leave this computer; nothing was sent.",
            hint="Switch it on in Settings and start the analysis again; on the command line use --allow-upload.",
        )


def megabytes(size_bytes: int) -> str:
    """A size for people."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000)):,} kB"
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:,.2f} GB"


def _host(address: str) -> str:
    try:
        return cloud_keys.host_of(address)
    except CloudAccessError as error:
        raise ConsentError(str(error), hint=error.hint) from error

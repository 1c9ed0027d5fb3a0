"""Between a batch and a worker that sends: nothing goes without consent, nor before the ledger has a line of it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

import psutil

from vvlm_desktop.backends.catalogue import BackendInfo
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.protocol import AnalyseRequest, Upload
from vvlm_desktop.workflow import consent, ledger
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.transmissions import Transmission

_log = logging.getLogger(__name__)

#: Requests of this process that may still send, or still have to delete.
_in_hand: set[str] = set()


class Courier:
    """Keeps the ledger of one batch, or of one question; does nothing for a backend that stays on this computer."""

    def __init__(self, session: Session, backend: BackendInfo, options: Mapping[str, Any]) -> None:
        self._session = session
        self._backend = backend
        self._options = options
        self._silent: set[str] = set()

    def require_allowed(self) -> None:
        """Refuse what nobody allowed.

        Raises:
            ConsentError: nothing may be sent.
        """
        consent.require_allowed(self._session, backend=self._backend.name, options=self._options)

    def before_sending(self, request: AnalyseRequest) -> None:
        """Write the ledger's line; when this returns, the request may be handed to the worker.

        Raises:
            ConsentError: nothing may be sent.
            LibraryError: the line could not be written, so nothing may be sent either.
        """
        if not self._backend.leaves_computer:
            return
        self.require_allowed()
        now = utc_now()
        line = ledger.Transmission(
            request_id=request.id,
            at=now,
            changed_at=now,
            reviewer=self._session.reviewer,
            clip_id=request.clip_id,
            backend=self._backend.name,
            model=str(self._options.get("model", "")),
            host=consent.host_of(self._backend.name, self._options),
            content="asked for",
            size_bytes=0,
            state="asked",
            consent_id=str(self._options.get(consent.ALLOWED, "")),
        )
        _in_hand.add(request.id)
        try:
            ledger.record_asked(self._session, line)
        except BaseException:
            _in_hand.discard(request.id)
            raise
        self._silent.add(request.id)

    def on_upload(self, upload: Upload) -> None:
        """Write down what the worker told."""
        self._silent.discard(upload.id)
        try:
            ledger.record_upload(self._session, upload)
        except VvlmError as error:  # the line before it stays, and says "may have left"
            _log.warning("The ledger could not be written (%s): %s", upload.state, error)

    def on_settled(self, request_id: str) -> None:
        """The worker answered, refused or died; where it never spoke of sending, nothing was sent."""
        _in_hand.discard(request_id)
        if request_id not in self._silent:
            return
        self._silent.discard(request_id)
        try:
            ledger.record_refused(self._session, request_id)
        except VvlmError as error:
            _log.warning("The ledger could not be written (refused): %s", error)


def is_in_hand(line: Transmission) -> bool:
    """Whether the program that had this sent still has it in its hands, and will delete it."""
    try:
        owner = psutil.Process(int(line.owner["pid"]))
        if abs(owner.create_time() - float(line.owner["created"])) > 1.0:
            return False
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False
    return owner.pid != os.getpid() or line.request_id in _in_hand

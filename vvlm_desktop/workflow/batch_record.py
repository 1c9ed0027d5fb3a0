"""What the library knows of a batch while it is worked on, so that a killed program can go on with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.workflow.interrupted import options_to_keep, take_over
from vvlm_desktop.workflow.session import Session

_log = logging.getLogger(__name__)


class BatchRecord:
    """One batch in the library: opened or taken over, and closed or left to somebody else.

    Attributes:
        batch_id: None before it is opened, and where there is none.
    """

    def __init__(self, session: Session, backend: str, *, owner: Mapping[str, Any], batch_id: str | None) -> None:
        self.batch_id = batch_id
        self._session = session
        self._backend = backend
        self._owner = owner
        self._opened = self._is_anothers = False

    def open(self, clip_ids: Sequence[str], *, options: Mapping[str, Any]) -> bool:
        """Note the batch, or take over the one named; False when somebody else took that one over."""
        if self._opened or self._is_anothers:
            return self._opened
        if self.batch_id is not None:
            self._opened = take_over(self._session, self.batch_id, owner=self._owner)
            if not self._opened:
                self.batch_id, self._is_anothers = None, True
            return self._opened
        if clip_ids:
            kept = options_to_keep(options, schema=self._session.schema, owner=self._owner)
            self.batch_id = self._session.library.open_batch(self._backend, clip_ids, options=kept)
        self._opened = True
        return True

    def note_failure(self, clip: Clip, message: str) -> None:
        """A clip is settled: it failed."""
        if self.batch_id is None:
            return
        try:
            self._session.library.batch_done(self.batch_id, clip.id, error=message)
        except VvlmError as error:  # told all the same; the next start tries the clip again
            _log.warning("The failure of %s could not be stored: %s", clip.path, error)

    def release(self) -> None:
        """Leave the rest to whoever asks for it first."""
        if not self._opened or self.batch_id is None:
            return
        try:
            self._session.library.claim_batch(self.batch_id, owner=None, expected_owner=dict(self._owner))
        except VvlmError as error:
            _log.warning("A batch could not be released; it goes on when this program has ended: %s", error)

    def close(self) -> None:
        """Nothing is left to do, or wanted."""
        if self.batch_id is None:
            return
        try:
            self._session.library.close_batch(self.batch_id)
        except VvlmError as error:  # found again at the next start, and closed then
            _log.warning("The end of a batch could not be stored: %s", error)

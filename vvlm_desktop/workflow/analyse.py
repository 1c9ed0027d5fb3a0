"""Analyse clips in a child process: one batch, stored clip by clip, that goes on where it was after a crash.

Nothing here has a thread. The child's reader thread hands what it hears to `deliver`, which passes it to the owner's
thread (a queue on the command line, a signal in the window); the owner calls `AnalyseBatch.handle` with it.
"""

from __future__ import annotations

import logging
import queue
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from vvlm_desktop.backends import catalogue
from vvlm_desktop.backends.base import Answer, analysis_from
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError, WorkerCrashedError
from vvlm_desktop.jobs.child import ChildExited, Delivered
from vvlm_desktop.protocol import AnalyseRequest, Done, Failure, Progress, Result
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.interrupted import options_to_keep, take_over
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.workers import Workers

EventKind: TypeAlias = Literal["started", "progress", "analysed", "failed", "finished", "cancelled"]

_log = logging.getLogger(__name__)
#: A clip whose worker died is tried once more: the death may have been another's fault.
_TRIES = 2


@dataclass(frozen=True, slots=True)
class BatchEvent:
    """What a batch tells its owner.

    Attributes:
        clip: the clip in question, None for events of the whole batch.
        message: the stage in words, or the error's sentence; `hint` and `details` belong to errors.
        fraction: 0..1 of the whole batch.
        seconds_left: None until the first clip is done.
    """

    kind: EventKind
    done: int
    failed: int
    total: int
    fraction: float
    clip: Clip | None = None
    message: str = ""
    hint: str = ""
    details: str = ""
    seconds_left: float | None = None


class AnalyseBatch:
    """One batch of clips for one backend."""

    def __init__(
        self,
        session: Session,
        clips: Sequence[Clip],
        *,
        backend: str,
        workers: Workers,
        on_event: Callable[[BatchEvent], None],
        options: Mapping[str, Any] | None = None,
        batch_id: str | None = None,
    ) -> None:
        self.backend = catalogue.backend_info(backend)
        self._session = session
        self._workers = workers
        self._on_event = on_event
        self._options = dict(options or {})
        self._waiting = deque(clips)
        self._waiting_s = sum(clip.duration_s for clip in clips)
        self.total = len(clips)
        self.done = 0
        self.failed = 0
        self.finished = False
        self._batch_id = batch_id
        self._opened = False
        self._current: Clip | None = None
        self._settled = False  # the current clip's outcome is known; its worker has not said Done yet
        self._request_id = ""
        self._pid: int | None = None
        self._tries = 0
        self._within = 0.0
        self._cancelled = False
        self._spent_s = 0.0
        self._media_s = 0.0
        self._clip_started_s = 0.0

    @property
    def pending_ids(self) -> frozenset[str]:
        """Clips that this batch is still going to analyse."""
        current = () if self._current is None or self._settled else (self._current.id,)
        return frozenset((*current, *(clip.id for clip in self._waiting)))

    def open(self) -> bool:
        """Note the batch in the library, so that a killed program can go on with it, or take over the one named.

        Callable from any thread before `start`. False when somebody else took that one over.
        """
        if not self._opened and self._batch_id is not None:
            self._opened = take_over(self._session, self._batch_id, owner=self._workers.owner)
        elif not self._opened:
            if self._waiting:
                kept = options_to_keep(self._options, schema=self._session.schema, owner=self._workers.owner)
                ids = [clip.id for clip in self._waiting]
                self._batch_id = self._session.library.open_batch(self.backend.name, ids, options=kept)
            self._opened = True
        return self._opened

    def start(self) -> None:
        """Begin, with `open` where that was not done before."""
        if not self.open():
            self._batch_id = None
            self._waiting.clear()
        self._tell("started")
        self._next()

    def cancel(self) -> None:
        """Stop now: the clip in work is given up, the rest is not begun; nothing that was stored is lost."""
        if self.finished or self._cancelled:
            return
        self._cancelled = True
        self._waiting.clear()
        idle = self._current is None or self._settled
        if idle or not self._workers.cancel(self.backend.worker, self._request_id):
            self._finish()

    def release(self) -> None:
        """Leave the rest to whoever asks for it first; nothing more is done here."""
        if self._opened and not self.finished and self._batch_id is not None:
            try:
                self._session.library.claim_batch(self._batch_id, owner=None, expected_owner=dict(self._workers.owner))
            except VvlmError as error:
                _log.warning("A batch could not be released; it goes on when this program has ended: %s", error)
        self.finished = True

    def handle(self, delivered: Delivered) -> None:
        """Take what the child said; messages about other requests, and the end of an earlier child, are ignored."""
        if self.finished or self._current is None:
            return
        if isinstance(delivered, ChildExited):
            if delivered.kind == self.backend.worker and delivered.pid == self._pid:
                self._on_exit(delivered)
        elif isinstance(delivered, Progress) and delivered.id == self._request_id:
            self._within = delivered.done
            self._tell("progress", message=delivered.stage)
        elif isinstance(delivered, Result) and delivered.id == self._request_id:
            self._on_result(self._current, delivered)
        elif isinstance(delivered, Failure) and delivered.id == self._request_id:
            if not delivered.cancelled:
                self._note_failure(delivered.message, hint=delivered.hint, details=delivered.details)
        elif isinstance(delivered, Done) and delivered.id == self._request_id:
            self._next()

    def _on_result(self, clip: Clip, result: Result) -> None:
        try:
            answer = Answer.from_json(result.answer)
            analysis = analysis_from(answer, clip_id=clip.id, backend=self.backend.name, schema=self._session.schema)
            self._session.library.add_analysis(analysis, batch_id=self._batch_id)
        except VvlmError as error:
            self._note_failure(str(error), hint=error.hint)
            return
        self._spent_s += time.monotonic() - self._clip_started_s
        self._media_s += clip.duration_s
        self.done += 1
        self._settled = True
        self._within = 0.0
        self._tell("analysed")

    def _on_exit(self, exited: ChildExited) -> None:
        """The worker died with a clip in hand: once more with a new one, then the clip is marked."""
        assert self._current is not None
        if not self._settled and not self._cancelled:
            if exited.expected:  # it was sent away, and the clip has no part in that
                self._tries -= 1
            if self._tries < _TRIES:
                if self._asked(self._current):
                    return
            else:
                hint = "The other clips go on. Try this one again later."
                self._note_failure(exited.in_words(), hint=hint, details=exited.stderr_tail)
        self._next()

    def _note_failure(self, message: str, *, hint: str = "", details: str = "") -> None:
        assert self._current is not None
        self.failed += 1
        self._settled = True
        self._within = 0.0
        if self._batch_id is not None:
            try:
                self._session.library.batch_done(self._batch_id, self._current.id, error=message)
            except VvlmError as error:  # told below all the same; the next start tries the clip again
                _log.warning("The failure of %s could not be stored: %s", self._current.path, error)
        self._tell("failed", message=message, hint=hint, details=details)

    def _next(self) -> None:
        self._current = None
        self._within = 0.0
        while self._waiting and not self._cancelled:
            self._current = self._waiting.popleft()
            self._waiting_s -= self._current.duration_s
            self._tries = 0
            if self._asked(self._current):
                return
            self._current = None
        self._finish()

    def _asked(self, clip: Clip) -> bool:
        """Whether the child has been asked; if not, the clip is marked with the reason."""
        self._settled = False
        while True:
            try:
                self._ask(clip, existing_path(self._session, clip))
            except WorkerCrashedError as error:
                # It died since it was last looked at: a new one is asked.
                self._workers.forget(self.backend.worker)
                if self._tries < _TRIES:
                    continue
                self._note_failure(str(error), hint=error.hint)
            except VvlmError as error:
                self._note_failure(str(error), hint=error.hint)
            except OSError as error:
                self._note_failure(f"The file or the library folder cannot be reached: {error.strerror or error}.")
            else:
                return True
            return False

    def _ask(self, clip: Clip, path: Path) -> None:
        self._tries += 1
        self._request_id = uuid.uuid4().hex
        self._clip_started_s = time.monotonic()
        request = AnalyseRequest(
            id=self._request_id,
            backend=self.backend.name,
            clip_id=clip.id,
            path=str(path),
            stream_index=clip.stream_index,
            schema_toml=self._session.schema.document,
            curves_path=str(self._session.library.curves_file(clip.id)),
            options=self._options,
        )
        child = self._workers.child(self.backend.worker)
        self._pid = child.pid
        child.send(request)
        self._tell("progress", message="starting")

    def _finish(self) -> None:
        self.finished = True
        self._current = None
        if self._batch_id is not None:
            try:
                self._session.library.close_batch(self._batch_id)
            except VvlmError as error:  # found again at the next start, and closed then
                _log.warning("The end of a batch could not be stored: %s", error)
        self._tell("cancelled" if self._cancelled else "finished")

    def _tell(self, kind: EventKind, *, message: str = "", hint: str = "", details: str = "") -> None:
        settled = self.done + self.failed
        self._on_event(
            BatchEvent(
                kind=kind,
                done=self.done,
                failed=self.failed,
                total=self.total,
                fraction=min(1.0, (settled + self._within) / self.total) if self.total else 1.0,
                clip=self._current,
                message=message,
                hint=hint,
                details=details,
                seconds_left=self._seconds_left(),
            )
        )

    def _seconds_left(self) -> float | None:
        if not self._media_s:
            return None
        left_s = self._waiting_s
        left_s += self._current.duration_s * (1.0 - self._within) if self._current else 0.0
        return left_s * self._spent_s / self._media_s


def analyse(
    session: Session,
    clips: Sequence[Clip],
    *,
    backend: str,
    options: Mapping[str, Any] | None = None,
    on_event: Callable[[BatchEvent], None] = lambda _event: None,
    batch_id: str | None = None,
) -> AnalyseBatch:
    """Analyse `clips` and return when all are settled; Ctrl-C cancels within the clip and is raised again."""
    inbox: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
    workers = Workers(inbox.put)
    batch = AnalyseBatch(
        session, clips, backend=backend, workers=workers, on_event=on_event, options=options, batch_id=batch_id
    )
    try:
        batch.start()
        while not batch.finished:
            batch.handle(inbox.get())
    except KeyboardInterrupt:
        batch.cancel()
        while not batch.finished:
            batch.handle(inbox.get())
        raise
    finally:
        workers.close()
    return batch

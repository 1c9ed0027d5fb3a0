"""Analyse clips in a child process: one batch, stored clip by clip, that goes on where it was after a crash.

Nothing here has a thread. The child's reader thread hands what it hears to `deliver`, which passes it to the owner's
thread (a queue on the command line, a signal in the window); the owner calls `AnalyseBatch.handle` with it.
"""

from __future__ import annotations

import queue
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import psutil

from vvlm_desktop.backends import catalogue
from vvlm_desktop.backends.base import Answer, analysis_from
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ClipMissingError, VvlmError, WorkerCrashedError
from vvlm_desktop.jobs.child import Child, ChildExited, Delivered
from vvlm_desktop.protocol import AnalyseRequest, Done, Failure, Progress, Result
from vvlm_desktop.store.records import Batch
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.session import Session

EventKind: TypeAlias = Literal["started", "progress", "analysed", "failed", "finished", "cancelled"]

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


class Workers:
    """The resident children, one per kind, started when first needed and started again after a death."""

    def __init__(self, deliver: Callable[[Delivered], None]) -> None:
        self._deliver = deliver
        self._children: dict[str, Child] = {}

    def child(self, kind: str) -> Child:
        """The living child of `kind`.

        Raises:
            WorkerCrashedError: it cannot be started.
        """
        child = self._children.get(kind)
        if child is None or not child.alive:
            child = Child(kind, self._deliver)
            child.start()
            self._children[kind] = child
        return child

    def close(self) -> None:
        """End all children; what they were doing is asked for again at the next start."""
        for child in self._children.values():
            child.close()
        self._children.clear()


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
        self.total = len(clips)
        self.done = 0
        self.failed = 0
        self.finished = False
        self._batch_id = batch_id
        self._current: Clip | None = None
        self._request_id = ""
        self._tries = 0
        self._within = 0.0
        self._cancelled = False
        self._spent_s = 0.0
        self._media_s = 0.0
        self._clip_started_s = 0.0

    def start(self) -> None:
        """Note the batch in the library, so that a killed program can go on with it, and begin."""
        if self._batch_id is None and self._waiting:
            self._batch_id = self._session.library.open_batch(
                self.backend.name, [c.id for c in self._waiting], options={**self._options, "owner": _this_process()}
            )
        self._tell("started")
        self._next()

    def cancel(self) -> None:
        """Stop now: the clip in work is given up, the rest is not begun; nothing that was stored is lost."""
        if self.finished or self._cancelled:
            return
        self._cancelled = True
        self._waiting.clear()
        if self._current is None:
            self._finish()
        else:
            self._workers.child(self.backend.worker).cancel(self._request_id)

    def handle(self, delivered: Delivered) -> None:
        """Take what the child said; messages about other requests are ignored."""
        if self.finished or self._current is None:
            return
        if isinstance(delivered, ChildExited):
            if delivered.kind == self.backend.worker:
                self._on_exit(delivered)
        elif isinstance(delivered, Progress) and delivered.id == self._request_id:
            self._within = delivered.done
            self._tell("progress", message=delivered.stage)
        elif isinstance(delivered, Result) and delivered.id == self._request_id:
            self._on_result(delivered)
        elif isinstance(delivered, Failure) and delivered.id == self._request_id:
            self._on_failure(delivered)
        elif isinstance(delivered, Done) and delivered.id == self._request_id:
            self._next()

    def _on_result(self, result: Result) -> None:
        assert self._current is not None
        answer = Answer.from_json(result.answer)
        analysis = analysis_from(
            answer, clip_id=self._current.id, backend=self.backend.name, schema=self._session.schema
        )
        try:
            self._session.library.add_analysis(analysis, batch_id=self._batch_id)
        except VvlmError as error:
            self._note_failure(str(error), hint=error.hint)
            return
        self._spent_s += time.monotonic() - self._clip_started_s
        self._media_s += self._current.duration_s
        self.done += 1
        self._within = 0.0
        self._tell("analysed")

    def _on_failure(self, failure: Failure) -> None:
        if not failure.cancelled:
            self._note_failure(failure.message, hint=failure.hint, details=failure.details)

    def _on_exit(self, exited: ChildExited) -> None:
        """The worker died with a clip in hand: once more with a new one, then the clip is marked."""
        assert self._current is not None
        if not self._cancelled and not exited.expected:
            if self._tries < _TRIES and self._asked(self._current):
                return
            if self._tries >= _TRIES:
                hint = "The other clips go on. Try this one again later."
                self._note_failure(exited.in_words(), hint=hint, details=exited.stderr_tail)
        self._next()

    def _note_failure(self, message: str, *, hint: str = "", details: str = "") -> None:
        assert self._current is not None
        self.failed += 1
        self._within = 0.0
        if self._batch_id is not None:
            self._session.library.batch_done(self._batch_id, self._current.id, error=message)
        self._tell("failed", message=message, hint=hint, details=details)

    def _next(self) -> None:
        self._current = None
        self._within = 0.0
        while self._waiting and not self._cancelled:
            self._current = self._waiting.popleft()
            self._tries = 0
            if self._asked(self._current):
                return
            self._current = None
        self._finish()

    def _asked(self, clip: Clip) -> bool:
        """Whether the child has been asked; if not, the clip is marked with the reason."""
        try:
            self._ask(clip, existing_path(self._session, clip))
        except (ClipMissingError, WorkerCrashedError) as error:
            self._note_failure(str(error), hint=error.hint)
            return False
        return True

    def _ask(self, clip: Clip, path: Path) -> None:
        self._tries += 1
        self._request_id = uuid.uuid4().hex
        self._clip_started_s = time.monotonic()
        self._workers.child(self.backend.worker).send(
            AnalyseRequest(
                id=self._request_id,
                backend=self.backend.name,
                clip_id=clip.id,
                path=str(path),
                stream_index=clip.stream_index,
                schema_toml=self._session.schema.document,
                curves_path=str(self._session.library.curves_file(clip.id)),
                options=self._options,
            )
        )
        self._tell("progress", message="starting")

    def _finish(self) -> None:
        self.finished = True
        if self._batch_id is not None:
            self._session.library.close_batch(self._batch_id)
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
        left_s = sum(c.duration_s for c in self._waiting)
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


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A batch that a killed program left behind."""

    batch_id: str
    backend: str
    clips: tuple[Clip, ...]
    options: Mapping[str, Any]


def interrupted_batches(session: Session) -> list[Interrupted]:
    """Batches that nobody works on any more although clips are left; those that have nothing left are closed."""
    found = []
    for batch in session.library.unfinished_batches():
        if _is_running(batch.options.get("owner")):
            continue
        pending = [session.library.clip(clip_id) for clip_id in session.library.batch_pending(batch.id)]
        clips = tuple(clip for clip in pending if not _analysed_since(session, clip, batch))
        if not clips:
            session.library.close_batch(batch.id)
            continue
        found.append(Interrupted(batch.id, batch.backend, clips, _own_options(batch)))
    return found


def continue_or_begin(
    session: Session, clips: Sequence[Clip], *, backend: str, options: Mapping[str, Any]
) -> tuple[str | None, list[Clip]]:
    """The batch to go on with, and its remaining clips, where a killed program was asked for just these before."""
    wanted = {c.id for c in clips}
    for batch in session.library.unfinished_batches():
        if batch.backend != backend or _own_options(batch) != dict(options) or _is_running(batch.options.get("owner")):
            continue
        pending = set(session.library.batch_pending(batch.id))
        if pending and (pending == wanted or (pending <= wanted and batch.total == len(wanted))):
            return batch.id, [c for c in clips if c.id in pending]
    return None, list(clips)


def _own_options(batch: Batch) -> dict[str, Any]:
    return {key: value for key, value in batch.options.items() if key != "owner"}


def _analysed_since(session: Session, clip: Clip, batch: Batch) -> bool:
    """Whether somebody analysed the clip anew after the batch was left."""
    return any(
        a.backend == batch.backend and a.created_at > batch.created_at for a in session.library.analyses(clip.id)
    )


def _this_process() -> dict[str, float]:
    process = psutil.Process()
    return {"pid": process.pid, "created": process.create_time()}


def _is_running(owner: Any) -> bool:
    """Whether the process that opened a batch still lives; the start time tells a reused pid."""
    if not isinstance(owner, dict):
        return False
    try:
        return bool(abs(psutil.Process(int(owner["pid"])).create_time() - float(owner["created"])) < 1.0)
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False

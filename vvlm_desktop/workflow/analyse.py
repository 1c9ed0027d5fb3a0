"""Analyse clips in a child process: one batch, stored clip by clip, that goes on where it was after a crash.

Nothing here has a thread: what the child says reaches the owner's thread, which calls `AnalyseBatch.handle`.
"""

from __future__ import annotations

import queue
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from vvlm_desktop.backends import catalogue
from vvlm_desktop.backends.base import Answer, analysis_from
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError, WorkerCrashedError
from vvlm_desktop.jobs.child import ChildExited, Delivered
from vvlm_desktop.protocol import AnalyseRequest, Done, Failure, Progress, Result, Upload
from vvlm_desktop.workflow.around import options_for, part_of
from vvlm_desktop.workflow.batch_events import BatchEvent, EventKind
from vvlm_desktop.workflow.batch_record import BatchRecord
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.drafts import as_draft
from vvlm_desktop.workflow.requests import Held, RequestHooks, hooks_for, is_at_work
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.stopping import DEATH_HINT, MOST_DEATHS, Deaths, concerns_all, waiting_words
from vvlm_desktop.workflow.throughput import Throughput, work_in
from vvlm_desktop.workflow.workers import Workers

__all__ = ["AnalyseBatch", "BatchEvent", "analyse", "run_batch"]

#: A clip in whose middle the worker died is tried once more: the death may have been another's fault.
_TRIES = 2


class AnalyseBatch:
    """One batch of clips for one backend; as many at once as its worker can use."""

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
        secrets: Mapping[str, str] | None = None,
        hooks: RequestHooks | None = None,
    ) -> None:
        """A batch that has not begun.

        Args:
            options: the backend's own; kept in the library, so nothing secret.
            secrets: keys for servers; they travel with each request and are kept nowhere.
        """
        self.backend = catalogue.backend_info(backend)
        self._session = session
        self._workers = workers
        self._on_event = on_event
        self._options = dict(options or {})
        self._secrets = dict(secrets or {})
        self._hooks = hooks or hooks_for(session, self.backend, self._options)
        self._waiting = deque(clips)
        self._waiting_work = sum(work_in(clip, self.backend) for clip in clips)
        self._alone: deque[Clip] = deque()  # a worker died over each: tried again with nothing beside it
        self._held: dict[str, Held] = {}
        self._asked_for: set[str] = set()  # ids of all requests that a worker was given
        self._deaths = Deaths()
        self._refused_by: set[int | None] = set()  # children that were gone when they were asked
        self._throughput = Throughput()
        self._loaded = False  # something was told of looking at a clip, so that loading a model is behind us
        self.total = len(clips)
        self.done = 0
        self.failed = 0
        self.finished = False
        self._record = BatchRecord(session, self.backend.name, owner=workers.owner, batch_id=batch_id)
        self._cancelled = False
        self._stopped: Failure | None = None  # what concerns every clip

    @property
    def pending_ids(self) -> frozenset[str]:
        """Clips that this batch is still going to analyse."""
        held = (each.clip.id for each in self._held.values() if not each.settled)
        return frozenset((*held, *(clip.id for clip in (*self._alone, *self._waiting))))

    def open(self) -> bool:
        """Note the batch in the library, so that a killed program can go on with it, or take over the one named.

        Callable from any thread before `start`. False when somebody else took that one over.
        """
        return self._record.open([clip.id for clip in self._waiting], options=self._options)

    def start(self) -> None:
        """Begin, with `open` where that was not done before."""
        if not self.open():
            self._waiting.clear()
        self._throughput.begin()
        self._tell("started")
        self._fill()

    def cancel(self) -> None:
        """Stop now: the clips in work are given up, the rest is not begun; nothing that was stored is lost."""
        if self.finished or self._cancelled:
            return
        self._cancelled = True
        self._waiting.clear()
        self._alone.clear()
        for held in list(self._held.values()):
            if held.settled or not self._workers.cancel(self.backend.worker, held.request_id):
                self._drop(held)
        self._fill()

    def release(self) -> None:
        """Leave the rest to whoever asks for it first; nothing more is done here."""
        if not self.finished:
            self._record.release()
        self.finished = True

    def handle(self, delivered: Delivered) -> None:
        """Take what the child said; messages about other requests, and the end of an earlier child, are ignored.

        What left is heard also of requests that were given up, and after the end of the batch.
        """
        if isinstance(delivered, Upload) and delivered.id in self._asked_for:
            self._hooks.on_upload(delivered)
        if self.finished:
            return
        if isinstance(delivered, ChildExited):
            if delivered.kind == self.backend.worker:
                self._on_exit(delivered)
            return
        held = self._held.get(getattr(delivered, "id", ""))
        if held is None:
            return
        if isinstance(delivered, Progress):
            self._on_progress(held, delivered)
        elif isinstance(delivered, Result):
            self._on_result(held, delivered)
        elif isinstance(delivered, Failure):
            if not delivered.cancelled:
                self._settle(held)
                self._on_failure(held.clip, delivered)
        elif isinstance(delivered, Done):
            self._drop(held)
            self._fill()

    def _on_failure(self, clip: Clip, failure: Failure) -> None:
        if self._stopped is None and not self.done and concerns_all(failure.error):
            self._stop(failure)
        elif self._stopped is None:
            self._note_failure(clip, failure.message, hint=failure.hint, details=failure.details)

    def _stop(self, why: Failure) -> None:
        """Begin nothing more: what is not analysed stays as it is in the library, for the next start."""
        self._stopped = self._stopped or why
        self.cancel()

    def _on_progress(self, held: Held, progress: Progress) -> None:
        held.at_work = is_at_work(progress)
        if held.at_work and progress.done > 0 and not self._loaded:
            self._loaded = True
            self._throughput.begin()
        held.within = progress.done
        self._tell("progress", clip=held.clip, message=progress.stage)

    def _on_result(self, held: Held, result: Result) -> None:
        self._settle(held)
        try:
            answer = Answer.from_json(result.answer)
            if self._options.get("teacher"):
                answer = replace(answer, provenance=as_draft(answer.provenance))
            analysis = analysis_from(
                answer, clip_id=held.clip.id, backend=self.backend.name, schema=self._session.schema
            )
            self._session.library.add_analysis(analysis, batch_id=self._record.batch_id)
        except VvlmError as error:
            self._note_failure(held.clip, str(error), hint=error.hint)
            return
        self.done += 1
        self._deaths.in_a_row = 0
        self._throughput.add(work_in(held.clip, self.backend))
        self._tell("analysed", clip=held.clip, flags=analysis.flags)

    def _on_exit(self, exited: ChildExited) -> None:
        """The worker died: clips it was at are each tried once more, alone, then marked; the others wait again."""
        lost = [held for held in self._held.values() if held.pid == exited.pid]
        for held in lost:
            self._drop(held)
        cut_off = [held for held in lost if not held.settled]
        if not cut_off or self._cancelled:
            if lost:
                self._fill()
            return
        suspects: list[Held] = []
        if not exited.expected or exited.pid in self._refused_by:  # else it was sent away: no clip has a part in that
            # One that died before it was at anything died over what it was to begin with.
            suspects = [held for held in cut_off if held.at_work] or cut_off[:1]
        innocent = [held for held in cut_off if held not in suspects]
        self._alone.extendleft(held.clip for held in reversed(innocent) if held.alone)
        for held in reversed(innocent):
            if not held.alone:
                self._put_back(held.clip)
        self._deaths.in_a_row += bool(suspects)
        if self._deaths.in_a_row >= MOST_DEATHS:
            words = f"{exited.in_words()} {MOST_DEATHS} in a row did so without an answer."
            self._stop(Failure("", words, hint=DEATH_HINT, details=exited.stderr_tail))
            return
        for held in suspects:
            self._count_death(held.clip, exited)
        self._fill()

    def _count_death(self, clip: Clip, exited: ChildExited) -> None:
        if self._deaths.count(clip.id) < _TRIES:
            self._alone.append(clip)
            return
        hint = f"{exited.way_out} The other clips go on."
        self._note_failure(clip, exited.in_words(), hint=hint, details=exited.stderr_tail)

    def _note_failure(self, clip: Clip, message: str, *, hint: str = "", details: str = "") -> None:
        self.failed += 1
        self._record.note_failure(clip, message)
        self._tell("failed", clip=clip, message=message, hint=hint, details=details)

    def _settle(self, held: Held) -> None:
        held.settled = True
        held.within = 0.0

    def _drop(self, held: Held) -> None:
        del self._held[held.request_id]
        self._hooks.after(held.request_id)

    def _fill(self) -> None:
        """Ask for as many clips as the worker can use; the batch is over when none is left."""
        while self._has_room():
            if self._alone:
                self._ask(self._alone.popleft(), alone=True)
            else:
                clip = self._waiting.popleft()
                self._waiting_work -= work_in(clip, self.backend)
                self._ask(clip, alone=False)
        if not self._held:
            self._finish()

    def _has_room(self) -> bool:
        if self._alone:
            return not self._held
        if any(held.alone for held in self._held.values()):
            return False
        return bool(self._waiting) and len(self._held) < self.backend.in_flight

    def _put_back(self, clip: Clip) -> None:
        self._waiting.appendleft(clip)
        self._waiting_work += work_in(clip, self.backend)

    def _ask(self, clip: Clip, *, alone: bool) -> None:
        """Hand a clip to the child; if that cannot be, the clip is marked with the reason."""
        problem: VvlmError
        for _ in range(_TRIES):
            try:
                self._send(clip, alone=alone)
            except WorkerCrashedError as error:
                # It died since it was last looked at: a new one is asked.
                self._workers.forget(self.backend.worker)
                problem = error
            except VvlmError as error:
                self._on_refused(clip, error)
                return
            except OSError as error:
                reason = f"The file or the library folder cannot be reached: {error.strerror or error}."
                self._note_failure(clip, reason)
                return
            else:
                return
        self._on_refused(clip, problem)

    def _on_refused(self, clip: Clip, error: VvlmError) -> None:
        """As where the worker tells it."""
        self._on_failure(clip, Failure("", str(error), hint=error.hint, error=type(error).__name__))

    def _send(self, clip: Clip, *, alone: bool) -> None:
        request = AnalyseRequest(
            id=uuid.uuid4().hex,
            backend=self.backend.name,
            clip_id=clip.id,
            path=str(existing_path(self._session, clip)),
            stream_index=clip.stream_index,
            schema_toml=self._session.schema.document,
            curves_path=str(self._session.library.curves_file(clip.id)),
            options=options_for(self._session, clip, self._options),
            range_ms=part_of(self._options),
            secrets=self._secrets,
        )
        child = self._workers.child(self.backend.worker)
        self._hooks.before(clip, request)
        self._asked_for.add(request.id)
        held = self._held[request.id] = Held(clip, request.id, child.pid, alone)
        try:
            child.send(request)
        except WorkerCrashedError:
            self._refused_by.add(child.pid)
            self._drop(held)
            raise
        self._tell("progress", clip=clip, message="starting")

    def _finish(self) -> None:
        if self.finished:
            return
        if self._stopped is not None:
            self.release()
            hint = waiting_words(self.total - self.done - self.failed, self._stopped.hint)
            self._tell("stopped", message=self._stopped.message, hint=hint, details=self._stopped.details)
            return
        self.finished = True
        self._record.close()
        self._tell("cancelled" if self._cancelled else "finished")

    def _tell(
        self,
        kind: EventKind,
        *,
        clip: Clip | None = None,
        message: str = "",
        hint: str = "",
        details: str = "",
        flags: tuple[str, ...] = (),
    ) -> None:
        open_ = [held for held in self._held.values() if not held.settled]
        settled = self.done + self.failed + sum(held.within for held in open_)
        self._on_event(
            BatchEvent(
                kind=kind,
                done=self.done,
                failed=self.failed,
                total=self.total,
                fraction=min(1.0, settled / self.total) if self.total else 1.0,
                clip=clip,
                message=message,
                hint=hint,
                details=details,
                seconds_left=self._seconds_left(open_),
                clips_per_minute=self._throughput.clips_per_minute(),
                flags=flags,
            )
        )

    def _seconds_left(self, open_: Sequence[Held]) -> float | None:
        held = (work_in(each.clip, self.backend) * (1.0 - each.within) for each in open_)
        alone = (work_in(clip, self.backend) for clip in self._alone)
        return self._throughput.seconds_for((self._waiting_work, *held, *alone))


def analyse(
    session: Session,
    clips: Sequence[Clip],
    *,
    backend: str,
    options: Mapping[str, Any] | None = None,
    on_event: Callable[[BatchEvent], None] = lambda _event: None,
    batch_id: str | None = None,
    secrets: Mapping[str, str] | None = None,
    hooks: RequestHooks | None = None,
) -> AnalyseBatch:
    """Analyse `clips` and return when all are settled; Ctrl-C cancels within the clip and is raised again."""
    inbox: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
    workers = Workers(inbox.put)
    batch = AnalyseBatch(
        session,
        clips,
        backend=backend,
        workers=workers,
        on_event=on_event,
        options=options,
        batch_id=batch_id,
        secrets=secrets,
        hooks=hooks,
    )
    try:
        run_batch(batch, inbox)
    finally:
        workers.close()
        while not inbox.empty():  # the last that its workers said of what left
            batch.handle(inbox.get())
    return batch


def run_batch(batch: AnalyseBatch, inbox: queue.SimpleQueue[Delivered]) -> None:
    """Start a batch whose workers deliver into `inbox`, and return when it is over."""
    try:
        batch.start()
        while not batch.finished:
            batch.handle(inbox.get())
    except KeyboardInterrupt:
        batch.cancel()
        while not batch.finished:
            batch.handle(inbox.get())
        raise

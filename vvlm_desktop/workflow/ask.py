"""Ask a backend freely about a clip, or about a part of it; the answer is kept with the frames that it saw.

An `Asking` hears from the same workers as a batch and may run beside one: each takes only what is said about its own
request. A question is worked on before what else waits for the worker, since a person waits for it.
"""

from __future__ import annotations

import queue
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from vvlm_desktop.backends.base import Answer, analysis_from
from vvlm_desktop.backends.catalogue import BACKENDS, BackendInfo, backend_info
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import BackendError, JobCancelledError, UsageError, VvlmError, WorkerCrashedError
from vvlm_desktop.jobs.child import ChildExited, Delivered
from vvlm_desktop.protocol import AnalyseRequest, Done, Failure, Progress, Result, Upload
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.requests import Held, RequestHooks, hooks_for
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.workers import Workers

AskEventKind: TypeAlias = Literal["progress", "answered", "failed", "cancelled"]

MAX_QUESTION_CHARACTERS = 2_000
#: A worker that dies over a question is asked once more: the death may have been another request's fault.
_TRIES = 2


@dataclass(frozen=True, slots=True)
class AskEvent:
    """What an `Asking` tells its owner; all kinds but `progress` come once and last.

    Attributes:
        fraction: 0..1.
        message: the stage in words, or the error's sentence; `hint` and `details` belong to errors.
        analysis: the answer as it was stored, for `answered`.
    """

    kind: AskEventKind
    fraction: float = 0.0
    message: str = ""
    hint: str = ""
    details: str = ""
    analysis: Analysis | None = None


class Asking:
    """One question about one clip, on its way to a worker and back."""

    def __init__(
        self,
        session: Session,
        clip: Clip,
        question: str,
        *,
        backend: str,
        workers: Workers,
        on_event: Callable[[AskEvent], None],
        options: Mapping[str, Any] | None = None,
        range_ms: tuple[int, int] | None = None,
        secrets: Mapping[str, str] | None = None,
        hooks: RequestHooks | None = None,
    ) -> None:
        """A question that has not been asked yet.

        Args:
            range_ms: only this part of the clip, from its first frame.

        Raises:
            UsageError: no question, or no such part of the clip.
            BackendError: this backend cannot be asked.
        """
        self.backend = require_answers(backend, options or {})
        self.clip = clip
        self.question = checked_question(question)
        self.range_ms = checked_range(range_ms, clip)
        self.finished = False
        self.analysis: Analysis | None = None
        self._session = session
        self._workers = workers
        self._on_event = on_event
        self._options = dict(options or {})
        self._secrets = dict(secrets or {})
        self._hooks = hooks or hooks_for(session, self.backend, self._options)
        self._held: Held | None = None
        self._asked_for: set[str] = set()
        self._tries = 0
        self._cancelled = False

    def start(self) -> None:
        """Ask. What cannot be asked is told as `failed`."""
        while not self.finished and self._held is None:
            self._tries += 1
            try:
                self._send()
            except WorkerCrashedError as error:
                self._workers.forget(self.backend.worker)
                if self._tries >= _TRIES:
                    self._fail(str(error), hint=error.hint)
            except VvlmError as error:
                self._fail(str(error), hint=error.hint)
            except OSError as error:
                self._fail(f"The file or the library folder cannot be reached: {error.strerror or error}.")

    def cancel(self) -> None:
        """Stop now; nothing is stored."""
        if self.finished or self._cancelled:
            return
        self._cancelled = True
        if self._held is None or not self._workers.cancel(self.backend.worker, self._held.request_id):
            self._end(AskEvent("cancelled"))

    def handle(self, delivered: Delivered) -> None:
        """Take what the child said; everything about other requests is ignored.

        What left is heard also after the question was given up.
        """
        if isinstance(delivered, Upload) and delivered.id in self._asked_for:
            self._hooks.on_upload(delivered)
        held = self._held
        if self.finished or held is None:
            return
        if isinstance(delivered, ChildExited):
            if delivered.kind == self.backend.worker and delivered.pid == held.pid:
                self._on_exit(delivered)
        elif getattr(delivered, "id", None) == held.request_id:
            self._on_message(held, delivered)

    def _on_message(self, held: Held, delivered: Delivered) -> None:
        if isinstance(delivered, Progress):
            self._on_event(AskEvent("progress", delivered.done, delivered.stage))
        elif isinstance(delivered, Result):
            self._on_result(delivered)
        elif isinstance(delivered, Failure):
            if delivered.cancelled:
                self._end(AskEvent("cancelled"))
            else:
                self._fail(delivered.message, hint=delivered.hint, details=delivered.details)
        elif isinstance(delivered, Done) and not held.settled:
            self._fail("The worker said nothing.", hint="Ask again.")

    def _on_result(self, result: Result) -> None:
        try:
            answer = Answer.from_json(result.answer)
            if answer.kind != "question" or not answer.raw_text.strip():
                raise BackendError(
                    f"{self.backend.title} gave no answer to the question.", hint="Ask it in other words."
                )
            analysis = self._analysis_from(answer)
            self._session.library.add_analysis(analysis)
        except VvlmError as error:
            self._fail(str(error), hint=error.hint)
            return
        self.analysis = analysis
        self._end(AskEvent("answered", 1.0, analysis=analysis))

    def _analysis_from(self, answer: Answer) -> Analysis:
        settings = {**answer.settings, "range_ms": list(self.range_ms) if self.range_ms else None}
        return analysis_from(
            replace(answer, question=self.question, settings=settings),
            clip_id=self.clip.id,
            backend=self.backend.name,
            schema=self._session.schema,
        )

    def _on_exit(self, exited: ChildExited) -> None:
        self._let_go()
        if self._cancelled:
            self._end(AskEvent("cancelled"))
        elif exited.expected or self._tries < _TRIES:
            if exited.expected:  # it was sent away, and the question has no part in that
                self._tries -= 1
            self.start()
        else:
            self._fail(exited.in_words(), hint=exited.way_out, details=exited.stderr_tail)

    def _send(self) -> None:
        request = AnalyseRequest(
            id=uuid.uuid4().hex,
            backend=self.backend.name,
            clip_id=self.clip.id,
            path=str(existing_path(self._session, self.clip)),
            stream_index=self.clip.stream_index,
            schema_toml=self._session.schema.document,
            options=self._options,
            question=self.question,
            range_ms=self.range_ms,
            secrets=self._secrets,
        )
        child = self._workers.child(self.backend.worker)
        self._hooks.before(self.clip, request)
        self._asked_for.add(request.id)
        self._held = Held(self.clip, request.id, child.pid)
        try:
            child.send(request)
        except WorkerCrashedError:
            self._let_go()
            raise
        self._on_event(AskEvent("progress", message="starting"))

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._hooks.after(held.request_id)

    def _fail(self, message: str, *, hint: str = "", details: str = "") -> None:
        self._end(AskEvent("failed", message=message, hint=hint, details=details))

    def _end(self, event: AskEvent) -> None:
        if not self.finished:
            self.finished = True
            self._let_go()
            self._on_event(event)


def checked_question(text: str) -> str:
    """The question as it is asked and stored.

    Raises:
        UsageError: there is none, or it is too long.
    """
    question = " ".join(text.split())
    if not question:
        raise UsageError("There is no question.", hint='For example: "Who had the right of way?"')
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise UsageError(
            f"The question has {len(question):,} characters; {MAX_QUESTION_CHARACTERS:,} are the most.",
            hint="Ask for one thing at a time.",
        )
    return question


def checked_range(range_ms: tuple[int, int] | None, clip: Clip) -> tuple[int, int] | None:
    """The part of the clip that is asked about, cut to the clip; None is all of it.

    Raises:
        UsageError: nothing of the clip lies in it.
    """
    if range_ms is None:
        return None
    start_ms, end_ms = max(0, range_ms[0]), min(range_ms[1], round(clip.duration_s * 1000))
    if start_ms >= end_ms:
        asked = f"{range_ms[0] / 1000:.1f} to {range_ms[1] / 1000:.1f} s"
        raise UsageError(f"Nothing of the clip lies in {asked}.", hint=f"It is {clip.duration_s:.1f} s long.")
    return start_ms, end_ms


def require_answers(backend: str, options: Mapping[str, Any]) -> BackendInfo:
    """The backend, if it can be asked freely.

    Raises:
        BackendError: it only measures, or has no model to ask.
    """
    info = backend_info(backend)
    if not info.answers_questions:
        able = ", ".join(f"{each.title} ({each.name})" for each in BACKENDS.values() if each.answers_questions)
        raise BackendError(f"{info.title} cannot be asked questions.", hint=f"These can: {able}.")
    if info.needs_model and not options.get("model"):
        raise BackendError(
            f"{info.title} needs a model to ask.", hint="Choose one on the Models page, or with --model."
        )
    return info


def ask(
    session: Session,
    clip: Clip,
    question: str,
    *,
    backend: str,
    options: Mapping[str, Any] | None = None,
    range_ms: tuple[int, int] | None = None,
    on_event: Callable[[AskEvent], None] = lambda _event: None,
    secrets: Mapping[str, str] | None = None,
    hooks: RequestHooks | None = None,
) -> Analysis:
    """Ask and return the stored answer; Ctrl-C gives the question up and is raised again.

    Raises:
        UsageError: no question, or no such part of the clip.
        BackendError: this backend cannot be asked, or failed.
    """
    inbox: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
    told: list[AskEvent] = []

    def on_told(event: AskEvent) -> None:
        told.append(event)
        on_event(event)

    workers = Workers(inbox.put)
    asking: Asking | None = None
    try:
        asking = Asking(
            session,
            clip,
            question,
            backend=backend,
            workers=workers,
            on_event=on_told,
            options=options,
            range_ms=range_ms,
            secrets=secrets,
            hooks=hooks,
        )
        asking.start()
        while not asking.finished:
            asking.handle(inbox.get())
    finally:
        workers.close()
        while asking is not None and not inbox.empty():  # the last that its worker said of what left
            asking.handle(inbox.get())
    last = told[-1]
    if last.kind == "cancelled":
        raise JobCancelledError("The question was given up.")
    if last.analysis is None:
        raise BackendError(last.message, hint=last.hint)
    return last.analysis

"""How jobs go through the model: frames are read ahead, looks of one kind are batched, what fails fails alone.

    feed ─► waiting ─► reading thread ─► ready ─► a pass over a batch ─► outcome
                            ▲                            │
                            └── another look, or a smaller one after memory ran out

Jobs for another model wait until those for the loaded one are done, and nothing new is taken meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from vvlm_desktop.backends.base import Feed, Job, Outcome
from vvlm_desktop.backends.local.answers import labels_answer, question_answer, read_labels
from vvlm_desktop.backends.local.decoding import Decoded
from vvlm_desktop.backends.local.devices import GpuTakenError
from vvlm_desktop.backends.local.looking import encoded_look, look_at
from vvlm_desktop.backends.local.read_ahead import ReadAhead
from vvlm_desktop.backends.local.reading import read_look
from vvlm_desktop.backends.local.resident import Resident
from vvlm_desktop.backends.local.rounds import (
    NOTHING_TO_ZOOM,
    Look,
    first_look,
    look_after_clue,
    look_after_labels,
    shown_range_s,
)
from vvlm_desktop.backends.local.stepping_down import (
    Level,
    MemoryRanOutError,
    is_out_of_memory,
    nothing_left,
    step_down,
    with_memory_watched,
)
from vvlm_desktop.backends.local.tasks import Task
from vvlm_desktop.backends.local_options import LocalOptions
from vvlm_desktop.domain.analysis import Round
from vvlm_desktop.errors import BackendError, JobCancelledError, VvlmError

#: Batches whose frames are read or waited for at once, the one in the model's hands included.
_BATCHES_AHEAD = 3
_FEWEST_AHEAD = 3
#: How often cancelled jobs are looked for while frames are waited for.
_LOOK_EVERY_S = 0.05

_Outcomes: TypeAlias = Iterator[tuple[Job, Outcome]]


class Pipeline:
    """One run over everything that a feed has."""

    def __init__(self, resident: Resident, feed: Feed) -> None:
        self._resident = resident
        self._feed = feed
        self._waiting: deque[tuple[Job, LocalOptions]] = deque()
        self._active: list[Task] = []
        self._ahead = ReadAhead(self._prepare)
        self._gpu_is_taken = False  # at the last try

    def outcomes(self) -> _Outcomes:
        """Every job that the feed gives, with what became of it."""
        self._resident.try_all_again()
        with self._ahead:
            while True:
                yield from self._take_more()
                yield from self._drop_cancelled()
                yield from self._admit()
                if self._active:
                    yield from self._advance()
                elif not self._waiting:
                    return

    # --- jobs come in ---

    def _take_more(self) -> _Outcomes:
        if any(not self._resident.serves(options) for _, options in self._waiting):
            return
        batch = self._resident.plan.batch_for(self._active[0].options) if self._active else 1
        room = max(_BATCHES_AHEAD * batch, _FEWEST_AHEAD) - len(self._active) - len(self._waiting)
        for job in self._feed.take(room) if room > 0 else ():
            try:
                self._waiting.append((job, LocalOptions.from_json(job.request.options)))
            except VvlmError as error:
                yield job, error

    def _drop_cancelled(self) -> _Outcomes:
        for task in [each for each in self._active if each.job.cancelled()]:
            yield self._done(task, JobCancelledError("Cancelled."))
        stopped = [pair for pair in self._waiting if pair[0].cancelled()]
        for pair in stopped:
            self._waiting.remove(pair)
            yield pair[0], JobCancelledError("Cancelled.")

    def _admit(self) -> _Outcomes:
        """Hand jobs that the present model serves to the reading thread; get ready for another when there are none."""
        if self._waiting and not self._active and not self._resident.serves(self._waiting[0][1]):
            job, options = self._waiting[0]
            if not self._gpu_is_taken:
                job.progress(0.0, "looking at the model and the memory")
            self._gpu_is_taken = False
            try:
                self._resident.prepare(options)
            except GpuTakenError as error:  # asked for again until it is free, or nobody wants it any more
                self._gpu_is_taken = True
                job.progress(0.0, f"waiting: {error}")
                return
            except VvlmError as error:
                self._waiting.popleft()
                yield job, error
                return
        served = [pair for pair in self._waiting if self._resident.serves(pair[1])]
        for pair in served:
            self._waiting.remove(pair)
            task = self._task(*pair)
            self._active.append(task)
            self._ahead.ask(task, soon=task.question is not None)

    def _task(self, job: Job, options: LocalOptions) -> Task:
        plan = self._resident.plan
        wished = options.sampling.frames
        asked = Level(min(wished, plan.asked.frames), None, plan.asked.precision)
        question = job.request.question is not None
        look = first_look(question=question, rounds=options.rounds, iterative=plan.family.iterative)
        task = Task(job, options, plan.family, asked, _no_more_than(asked, plan.ceiling), look)
        if wished > plan.family.max_frames:
            task.flag(f"{plan.family.title} takes {plan.family.max_frames} frames at most, not {wished}.")
        elif wished > asked.frames:
            task.flag(f"Only {asked.frames} frames instead of {wished} fit into the memory that is free.")
        return task

    def _prepare(self, task: Task) -> None:
        """Everything for a look that needs no GPU; in the reading thread."""
        read_look(task)
        loaded = self._resident.in_memory
        if loaded is not None:
            with task.timed("encode_s"):
                task.encoded = encoded_look(loaded, task)

    # --- looks are made ---

    def _advance(self) -> _Outcomes:
        if self._resident.in_memory is None:
            yield from self._load()
            return
        for task in self._ahead.ready():
            if task.error is not None:
                self._ahead.take([task])
                yield from self._after_reading_failed(task, task.error)
        batch = self._next_batch([task for task in self._ahead.ready() if task.error is None])
        if batch:
            yield from self._look(batch)
        else:
            self._ahead.wait(_LOOK_EVERY_S)

    def _after_reading_failed(self, task: Task, error: Exception) -> _Outcomes:
        task.error = None
        if is_out_of_memory(error):
            yield from self._after_memory_ran_out([task])
        elif isinstance(error, VvlmError):
            yield self._done(task, error)
        else:
            yield self._done(task, _fault(error))

    def _load(self) -> _Outcomes:
        """Read the weights, while the reading thread is already at the first clips."""
        for task in self._active:
            task.progress(0.0, "loading the model")
        try:
            self._resident.loaded()
        except VvlmError as error:
            self._resident.unload()
            for task in list(self._active):
                yield self._done(task, error)
            return
        self._lower_all()

    def _next_batch(self, ready: Sequence[Task]) -> list[Task]:
        """As many looks of one kind as go together; fewer only when no more of them are being read."""
        for task in ready:
            if self._is_too_large(task):
                self._ahead.take([task])
                task.level = _no_more_than(task.level, self._resident.plan.ceiling)
                self._ahead.ask(task, soon=True)
        kept = [task for task in ready if not self._is_too_large(task) and task in self._ahead.ready()]
        if not kept:
            return []
        kept.sort(key=lambda task: task.question is None)  # a person waits for the answer to a question
        limit = self._resident.plan.batch_for(kept[0].options)
        together = [task for task in kept if task.batch_key == kept[0].batch_key][:limit]
        if len(together) < limit and self._ahead.reading:
            return []
        self._ahead.take(together)
        return together

    def _is_too_large(self, task: Task) -> bool:
        return task.level != _no_more_than(task.level, self._resident.plan.ceiling)

    def _look(self, batch: list[Task]) -> _Outcomes:
        loaded = self._resident.loaded()
        for task in batch:
            task.batch = len(batch)
        try:
            said = with_memory_watched(lambda: look_at(loaded, batch))
        except MemoryRanOutError:
            yield from self._after_memory_ran_out(batch)
            return
        except VvlmError as error:
            for task in batch:
                yield self._done(task, error)
            return
        for task, each in zip(batch, said, strict=True):
            outcome = self._after(task, each)
            if outcome is not None:
                yield self._done(task, outcome)

    # --- what follows a look ---

    def _after(self, task: Task, said: Decoded) -> Outcome | None:
        """The job's outcome, or None when there is another look first."""
        if said.stop == "cancelled":
            return JobCancelledError("Cancelled.")
        try:
            following, note = self._following(task, said.text)
            if task.options.rounds > 1:
                task.rounds.append(_round(task, said.text, note=note))
            if following is None:
                make = question_answer if task.look.asks == "question" else labels_answer
                return make(task, said, loaded=self._resident.loaded(), plan=self._resident.plan)
        except VvlmError as error:
            return error
        task.look, task.number = following, task.number + 1
        self._ahead.ask(task, soon=True)
        return None

    def _following(self, task: Task, text: str) -> tuple[Look | None, str]:
        """The next look, None after the last; and a note on why there is none where one was wished for."""
        left = task.options.rounds - task.number - 1
        if left < 1 or task.index is None or task.look.asks == "question":
            return None, ""
        request = task.job.request
        range_s = shown_range_s(task.index, task.options.sampling, range_ms=request.range_ms)
        if task.look.asks == "clue":
            question = request.question is not None
            return look_after_clue(text, last=left == 1, question=question, range_s=range_s), ""
        labels, _ = read_labels(task.job.schema, text)
        look = look_after_labels(task.job.schema, labels, range_s=range_s, before=task.look)
        return look, "" if look is not None else NOTHING_TO_ZOOM

    def _after_memory_ran_out(self, batch: list[Task]) -> _Outcomes:
        """Fewer clips at once; with one clip alone, less of it, or coarser weights."""
        if len(batch) > 1:
            self._resident.lower(batch=len(batch) // 2)
            self._ahead.give_back(batch)
            return
        task, plan = batch[0], self._resident.plan
        seen, height, width = task.shape
        level = step_down(
            task.level,
            frames_seen=seen,
            shown_px=(width, height),
            sides=task.family.sides,
            device=plan.device,
        )
        fixed = level is not None and level.precision != task.level.precision and plan.folder.quantised is not None
        if level is None or fixed:
            self._resident.lower()
            yield self._done(task, nothing_left(task.options.model, task.level, device=plan.device))
            return
        task.progress(0.0, "memory ran out, trying with less")
        if level.precision != task.level.precision:
            self._resident.coarser()
            self._ahead.give_back(batch)
        else:
            self._resident.lower(level=level)
            task.level = level
            self._ahead.ask(task, soon=True)

    def _lower_all(self) -> None:
        """Note on every task with which weights it is really looked at."""
        ceiling = self._resident.plan.ceiling
        for task in self._active:
            task.level = _no_more_than(task.level, ceiling)

    def _done(self, task: Task, outcome: Outcome) -> tuple[Job, Outcome]:
        self._active.remove(task)
        self._ahead.take([task])
        return task.job, outcome


def _no_more_than(level: Level, ceiling: Level) -> Level:
    """A level cut to what is known to fit. The weights are the ceiling's."""
    sides = [side for side in (level.side_px, ceiling.side_px) if side is not None]
    return Level(min(level.frames, ceiling.frames), min(sides) if sides else None, ceiling.precision)


def _fault(error: Exception) -> BackendError:
    """A mistake of ours over one clip's frames; no model has seen them, so it is no other clip's affair."""
    told = BackendError(
        f"This clip stopped on a fault of the program: {type(error).__name__}: {error}",
        hint="The other clips go on. Please report it with the details.",
    )
    told.__cause__ = error
    return told


def _round(task: Task, text: str, *, note: str) -> Round:
    spans = tuple((round(start * 1000), round(end * 1000)) for start, end in task.look.spans)
    notes = " ".join(each for each in (task.look.note, note) if each)
    pts = task.frames.pts if task.frames is not None else ()
    return Round(task.look.purpose, pts, spans_ms=spans, raw_text=text, note=notes)

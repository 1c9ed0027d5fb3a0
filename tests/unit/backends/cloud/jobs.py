"""Jobs for backends that send, with everything recorded that they tell; and time that passes without waiting."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.unit.domain.schemas import SMALL
from vvlm_desktop.backends.base import Answer, Job, Outcome
from vvlm_desktop.backends.cloud_pace import Pace
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.protocol import AnalyseRequest, Message, Upload

KEY = "AIzaSyTESTKEY-never-shown-0123456789"
SCHEMA = parse_schema(SMALL, source="small.toml")


class Recorder:
    """What one job told."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.stages: list[str] = []
        self.cancel = threading.Event()

    @property
    def uploads(self) -> list[Upload]:
        return [each for each in self.messages if isinstance(each, Upload)]

    @property
    def states(self) -> list[str]:
        return [each.state for each in self.uploads]


class Jobs:
    """A feed of jobs, and what each of them told."""

    def __init__(self) -> None:
        self.told: dict[str, Recorder] = {}
        self._waiting: list[Job] = []

    def add(
        self,
        path: Path,
        options: Mapping[str, Any],
        *,
        backend: str = "gemini",
        schema: LabelSchema = SCHEMA,
        secrets: Mapping[str, str] | None = None,
        **request: Any,
    ) -> Recorder:
        recorder = Recorder()
        job_id = f"job-{len(self.told)}"
        self.told[job_id] = recorder
        self._waiting.append(
            Job(
                AnalyseRequest(
                    job_id,
                    backend,
                    "c",
                    str(path),
                    0,
                    schema.document,
                    options=options,
                    secrets={backend: KEY} if secrets is None else secrets,
                    **request,
                ),
                schema,
                progress=lambda _, stage: recorder.stages.append(stage),
                cancelled=recorder.cancel.is_set,
                tell=recorder.messages.append,
            )
        )
        return recorder

    def take(self, limit: int) -> list[Job]:
        taken, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return taken

    def run(self, backend: Any) -> list[Outcome]:
        """Outcomes in the order in which the jobs were added."""
        found = {job.request.id: outcome for job, outcome in backend.analyse_many(self)}
        return [found[each] for each in self.told if each in found]


def answer_of(outcome: Outcome) -> Answer:
    """The answer, or the error that came instead."""
    if not isinstance(outcome, Answer):
        raise outcome
    return outcome


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds

    def pace(self, **changes: Any) -> Pace:
        return Pace(clock=self.now, sleep=self.sleep, **changes)


def texts_of(outcome: Outcome, recorder: Recorder) -> str:
    """Everything that leaves the backend as text."""
    import traceback

    said = repr([outcome, recorder.messages, recorder.stages])
    if isinstance(outcome, BaseException):
        said += "".join(traceback.format_exception(outcome)) + str(getattr(outcome, "hint", ""))
    return said

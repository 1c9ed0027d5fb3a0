"""Fetching a model: somebody asks for it, a worker that does nothing else fetches it, and it can be stopped."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop import errors
from vvlm_desktop.backends.model_catalogue import catalogue, catalogue_model, native_id
from vvlm_desktop.backends.model_record import partial_folder_of, read_plan
from vvlm_desktop.errors import BackendError, JobCancelledError, UsageError, VvlmError, WorkerCrashedError
from vvlm_desktop.jobs.argv import DOWNLOAD_KIND
from vvlm_desktop.jobs.child import Child, ChildExited, Delivered
from vvlm_desktop.protocol import Done, Failure, Progress, Result, ToolRequest
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.keys import Keys
from vvlm_desktop.workflow.model_shelf import InstalledModel, find_model

_LOOK_EVERY_S = 0.1
#: A server that says nothing holds the worker up; what it has is on the disk, so it may be ended.
_PATIENCE_S = 1.0
_RATE_OVER_S = 15.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """How far a download is.

    Attributes:
        total_bytes: 0 while the hub has not said.
        words: for people, with file and speed.
    """

    done_bytes: int
    total_bytes: int
    seconds_left: float | None
    words: str


def download_id(text: str) -> str:
    """The hub id that `text` means: an id as it is, or a unique part of one in the catalogue.

    Raises:
        UsageError: nothing of that name can be downloaded.
    """
    wanted = text.strip()
    native = native_id(wanted)
    if native is not None and "/" in wanted:
        raise UsageError(
            f"{wanted} needs code from its repository to run, which is never executed here.",
            hint=f"Download the same weights in the form that needs none: {native}",
        )
    entry = catalogue_model(wanted)
    if entry is not None:
        return entry.id
    if wanted.count("/") == 1 and not Path(wanted).exists():
        return wanted
    found = [each.id for each in catalogue() if wanted and wanted.lower() in f"{each.id} {each.title}".lower()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(found or [each.id for each in catalogue()])
    problem = f"{wanted!r} fits several models." if found else f"There is no model {wanted!r} in the catalogue."
    raise UsageError(problem, hint=f"Choose one of: {names}. Any other id of the hub works too, as owner/name.")


def download(
    settings: Settings,
    model_id: str,
    *,
    report: Callable[[Transfer], object],
    cancelled: Callable[[], bool] = lambda: False,
    keys: Keys | None = None,
) -> InstalledModel:
    """Fetch a model, going on where an earlier try stopped; returns when it is here, complete and checked.

    Args:
        settings: where the models folder is.
        model_id: of the hub.
        report: called on this thread, a few times a second.
        cancelled: looked at ten times a second; what is here stays.
        keys: where a token may be; for models that are not given to everybody.

    Raises:
        DownloadError: not complete, or not right.
        ModelFolderError: it is here, and cannot be used.
        JobCancelledError: `cancelled` said so.
        WorkerCrashedError: the worker died.
    """
    folder = settings.models_folder().absolute()
    token = (keys or Keys()).find("huggingface")
    request = ToolRequest(
        id=uuid.uuid4().hex,
        tool="download_model",
        arguments={"id": model_id, "folder": str(folder)},
        secrets={"huggingface": token.value} if token else {},
    )
    heard: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
    child = Child(DOWNLOAD_KIND, heard.put)
    child.start()
    patience_s = _PATIENCE_S
    try:
        child.send(request)
        _listen(
            child, request.id, heard, watch=_Watch(partial_folder_of(folder, model_id), report), cancelled=cancelled
        )
    except JobCancelledError:
        patience_s = 0.1
        raise
    finally:
        # What is on the disk is there, however the worker ends.
        child.close(patience_s)
    return find_model(settings, model_id)


class _Watch:
    """Makes bytes and seconds of what the worker says, which is a share and words."""

    def __init__(self, partial_folder: Path, report: Callable[[Transfer], object]) -> None:
        self._partial_folder, self._report = partial_folder, report
        self._total_bytes = 0
        self._samples: list[tuple[float, float]] = []

    def show(self, progress: Progress) -> None:
        plan = None if self._total_bytes else read_plan(self._partial_folder)
        self._total_bytes = plan.total_bytes if plan else self._total_bytes
        now = time.monotonic()
        self._samples = [each for each in self._samples if each[0] > now - _RATE_OVER_S] + [(now, progress.done)]
        done = int(progress.done * self._total_bytes)
        self._report(Transfer(done, self._total_bytes, self._seconds_left(), progress.stage))

    def _seconds_left(self) -> float | None:
        (then, before), (now, share) = self._samples[0], self._samples[-1]
        if now - then < 1.0 or share <= before:
            return None
        return (1.0 - share) * (now - then) / (share - before)


def _listen(
    child: Child,
    request_id: str,
    heard: queue.SimpleQueue[Delivered],
    *,
    watch: _Watch,
    cancelled: Callable[[], bool],
) -> None:
    give_up_at: float | None = None
    while True:
        if give_up_at is None and cancelled():
            child.cancel(request_id)
            give_up_at = time.monotonic() + _PATIENCE_S
        if give_up_at is not None and time.monotonic() > give_up_at:
            raise JobCancelledError("The download was stopped; it goes on from here when it is started again.")
        try:
            said = heard.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            continue
        if isinstance(said, Progress):
            watch.show(said)
        elif isinstance(said, Failure):
            raise error_of(said)
        elif isinstance(said, ChildExited):
            raise WorkerCrashedError(
                f"{said.in_words()} What is here stays.", hint="Press Download again; it goes on from there."
            )
        elif isinstance(said, Result | Done):
            return


def error_of(failure: Failure) -> VvlmError:
    """The error that a worker's `Failure` tells of."""
    if failure.cancelled:
        return JobCancelledError(failure.message, hint=failure.hint)
    kind: Any = getattr(errors, failure.error, None)
    plain = isinstance(kind, type) and issubclass(kind, VvlmError) and kind.__init__ is VvlmError.__init__
    made: VvlmError = (kind if plain else BackendError)(failure.message, hint=failure.hint)
    return made

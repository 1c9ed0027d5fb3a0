"""The child's main loop: what a line on stdin sets going, and how the process ends."""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import IO, TypeAlias

from vvlm_desktop import protocol
from vvlm_desktop.backends import catalogue
from vvlm_desktop.backends.base import Answer, Backend, Job, ManyBackend, Resting, Tool
from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.worker.errand import Errand, failure
from vvlm_desktop.worker.feed import BackendFeed
from vvlm_desktop.worker.inbox import Inbox

Resolve: TypeAlias = Callable[[str], Backend | ManyBackend]
ResolveTool: TypeAlias = Callable[[str], Tool]

#: How long work may go on after stdin has ended; then the process leaves without asking it.
_GRACE_S = 1.0
#: How often backends with nothing to do may look whether somebody else needs what they keep.
_REST_EVERY_S = 1.0
#: What is said when a GPU's driver has given a process up: nothing works in it any more.
_GPU_IS_LOST = ("CUDA error", "HIP error")
_EXIT_GPU_LOST = 70
#: Shorter ones are placeholders ("EMPTY"), and taking them out would make errors unreadable.
_SECRET_CHARACTERS = 6


class Worker:
    """Takes requests from `source`, answers on `sink`."""

    def __init__(
        self,
        kind: str,
        source: IO[str],
        sink: IO[str],
        *,
        resolve: Resolve = catalogue.resolve,
        resolve_tool: ResolveTool = catalogue.resolve_tool,
    ) -> None:
        self._kind = kind
        self._source = source
        self._sink = sink
        self._sink_lock = threading.Lock()
        self._deaf = False
        self._leaving = threading.Event()
        self._resolve = resolve
        self._resolve_tool = resolve_tool
        self._inbox = Inbox()
        self._backends: dict[str, Backend | ManyBackend] = {}
        self._tools: list[threading.Thread] = []
        self._secrets: frozenset[str] = frozenset()

    def run(self) -> None:
        """Work until stdin ends, or nobody listens any more."""
        self._send(protocol.Hello(self._kind, os.getpid()))
        threading.Thread(target=self._listen, name="stdin", daemon=True).start()
        worked_s = time.monotonic()
        while not self._inbox.ended:
            resting = [each for each in self._backends.values() if isinstance(each, Resting)]
            request = self._inbox.wait(_REST_EVERY_S if resting else None)
            if request is not None:
                self._work(request)
                worked_s = time.monotonic()
                continue
            for backend in resting:
                backend.rest(time.monotonic() - worked_s)
        for tool in self._tools:
            tool.join()
        if self._deaf:
            # What could not be written is still buffered, and the stdin thread may sit in a read: no tidy end is left.
            os._exit(0)

    def _listen(self) -> None:
        for line in self._source:
            self._on_line(line)
        self._leave()

    def _leave(self) -> None:
        """What is in hand is told to stop; a native call that does not listen must not keep an orphan alive."""
        if self._leaving.is_set():
            return
        self._leaving.set()
        self._inbox.end()
        threading.Thread(target=_exit_after_grace, name="grace", daemon=True).start()

    def _on_line(self, line: str) -> None:
        try:
            request = protocol.decode_request(line)
        except protocol.ProtocolError as error:
            self._refuse(line, error)
            return
        if isinstance(request, protocol.CancelRequest):
            for dropped in self._inbox.cancel(request.id):
                self._send(failure(dropped, JobCancelledError("Cancelled.")))
                self._send(protocol.Done(dropped))
            return
        self._secrets |= {value for value in request.secrets.values() if len(value) >= _SECRET_CHARACTERS}
        if isinstance(request, protocol.ToolRequest):
            self._begin_tool(request)
        else:
            self._inbox.put(request)

    def _refuse(self, line: str, error: protocol.ProtocolError) -> None:
        # The error quotes the line, in which keys could not be told apart from the rest.
        details = f"A line of {len(line)} characters with keys in it." if "secrets" in line else str(error)
        message = protocol.Failure(
            error.id or "",
            "The worker got a line that is not a request.",
            hint="This is a fault of the program, not of the clip.",
            details=details,
            error="ProtocolError",
        )
        self._send(message)
        if error.id:
            self._send(protocol.Done(error.id))

    def _begin_tool(self, request: protocol.ToolRequest) -> None:
        """Tools do not wait for a batch: each has a thread of its own."""
        errand = Errand(request.id, self._inbox.hold(request.id), send=self._send)
        thread = threading.Thread(target=self._run_tool, args=(request, errand), name="tool", daemon=True)
        self._tools = [tool for tool in self._tools if tool.is_alive()] + [thread]
        thread.start()

    def _run_tool(self, request: protocol.ToolRequest, errand: Errand) -> None:
        message: protocol.Result | protocol.Failure
        try:
            tool = self._resolve_tool(request.tool)
            found = tool(
                request.arguments, secrets=request.secrets, progress=errand.progress, cancelled=errand.stop.is_set
            )
            message = protocol.Result(request.id, dict(found))
        except Exception as error:  # noqa: BLE001  the edge of the process: a tool's bug must not take the worker
            message = failure(request.id, error)
        self._inbox.drop(request.id)
        errand.end(message)

    def _work(self, request: protocol.AnalyseRequest) -> None:
        """Work on what waits for the backend of `request`: all of it, or one where it takes one at a time."""
        name = request.backend
        started_s = time.monotonic()
        known = self._backends.get(name)
        feed = BackendFeed(self._inbox, name, send=self._send)
        try:
            backend = known or self._resolve(name)
            self._backends[name] = backend
            if known is None:
                feed.loaded_in(time.monotonic() - started_s)
            if isinstance(backend, ManyBackend):
                for job, outcome in backend.analyse_many(feed):
                    feed.settle(job.request.id, outcome)
            else:
                for job in feed.take(1):
                    feed.settle(job.request.id, _answer(backend, job))
            error: Exception = RuntimeError(f"the backend {name!r} left a request without an answer")
        except VvlmError as expected:
            error = expected
        except Exception as fault:  # noqa: BLE001  the edge of the process: one clip's bug must not take the batch
            # Whatever state the backend was left in, the next request finds a new one.
            self._backends.pop(name, None)
            if any(words in str(fault) for words in _GPU_IS_LOST):
                _give_up(fault)
            error = fault
        feed.fail_open(error)
        if not feed.asked:
            feed.fail_waiting(request.id, error)

    def _send(self, message: protocol.Message) -> None:
        line = protocol.encode(self._without_secrets(message))
        try:
            with self._sink_lock:
                if not self._deaf:
                    self._sink.write(line)
                    self._sink.flush()
        except OSError:
            # Nobody listens any more; what is in hand may still tidy up.
            self._deaf = True
            self._leave()

    def _without_secrets(self, message: protocol.Message) -> protocol.Message:
        """Errors and stages quote what other libraries say, and those quote keys and addresses."""
        if isinstance(message, protocol.Failure):
            return replace(
                message,
                message=self._cleaned(message.message),
                hint=self._cleaned(message.hint),
                details=self._cleaned(message.details),
            )
        if isinstance(message, protocol.Progress):
            return replace(message, stage=self._cleaned(message.stage))
        return message

    def _cleaned(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "•••")
        return text


def _answer(backend: Backend, job: Job) -> Answer | VvlmError:
    try:
        return backend.analyse(job.request, schema=job.schema, progress=job.progress, cancelled=job.cancelled)
    except VvlmError as error:
        return error


def _give_up(fault: Exception) -> None:
    """End as in a crash: the clips in work are tried again in a new process, and the others are not blamed."""
    sys.stderr.write("".join(traceback.format_exception(fault)))
    sys.stderr.flush()
    os._exit(_EXIT_GPU_LOST)


def _exit_after_grace() -> None:
    time.sleep(_GRACE_S)
    os._exit(0)


def main(
    argv: Sequence[str] | None = None,
    *,
    resolve: Resolve = catalogue.resolve,
    resolve_tool: ResolveTool = catalogue.resolve_tool,
) -> int:
    """Entry of the child process.

    Args:
        argv: `--kind KIND`; a leading `--worker`, by which a frozen program knows that it is one, is skipped.
        resolve: name of a backend to the backend.
        resolve_tool: name of a tool to the tool.
    """
    parser = argparse.ArgumentParser(prog="vvlm --worker", description="A child of VVLM Desktop; not for people.")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--kind", required=True)
    kind = parser.parse_args(argv).kind
    faulthandler.enable()
    # Ctrl-C in a terminal reaches the whole group; the program above decides, and says so by closing stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _be_nice()
    if kind == "cloud":
        _leave_no_core()
    source, sink = _take_over_pipes()
    Worker(kind, source, sink, resolve=resolve, resolve_tool=resolve_tool).run()
    return 0


def _be_nice() -> None:
    if sys.platform == "win32":
        import psutil

        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        with contextlib.suppress(OSError):
            os.nice(10)


def _leave_no_core() -> None:
    """Keys are in memory here; a core file of a crash would keep them on the disk."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _take_over_pipes() -> tuple[IO[str], IO[str]]:
    """The protocol's own copies of stdin and stdout; what native code reads or prints can then do no harm."""
    source = os.fdopen(os.dup(0), "r", encoding="utf-8", errors="replace")
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink

"""The child: requests come in on stdin, progress and answers go out on stdout, one JSON line each.

It is resident and nice, takes one clip at a time, survives a clip that fails, and ends when its stdin ends: also in the
middle of a clip, and also when the program above it was killed.
"""

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
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import IO, TypeAlias

from vvlm_desktop import protocol
from vvlm_desktop.backends import catalogue
from vvlm_desktop.backends.base import Backend
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.errors import JobCancelledError, VvlmError

Resolve: TypeAlias = Callable[[str], Backend]

#: How long a clip may go on after stdin has ended; then the process leaves without asking it.
_GRACE_S = 1.0
_PROGRESS_EVERY_S = 0.1


class Inbox:
    """Requests that wait, and the one in hand; filled by the stdin thread, emptied by the main thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[protocol.AnalyseRequest] = deque()
        self._in_hand: str | None = None
        self._stop = threading.Event()
        self._ended = False

    def put(self, request: protocol.AnalyseRequest) -> None:
        """Append `request`."""
        with self._changed:
            self._waiting.append(request)
            self._changed.notify()

    def take(self) -> protocol.AnalyseRequest | None:
        """The next request, which is then the one in hand; None when no more will come."""
        with self._changed:
            self._in_hand = None
            self._changed.wait_for(lambda: self._waiting or self._ended)
            if self._ended:
                return None
            request = self._waiting.popleft()
            self._in_hand = request.id
            self._stop.clear()
            return request

    def cancel(self, request_id: str | None) -> list[str]:
        """Stop one request, or all when None; returns the ids of those that had not begun and now never will."""
        with self._changed:
            if request_id is None or request_id == self._in_hand:
                self._stop.set()
            dropped = [item.id for item in self._waiting if request_id in (None, item.id)]
            self._waiting = deque(item for item in self._waiting if item.id not in dropped)
            return dropped

    def end(self) -> None:
        """Nothing more comes, and nobody waits for what is in hand."""
        with self._changed:
            self._ended = True
            self._stop.set()
            self._changed.notify()

    def stopped(self) -> bool:
        """Whether the request in hand should be given up."""
        return self._stop.is_set()


class Worker:
    """Takes requests from `source`, answers on `sink`."""

    def __init__(self, kind: str, source: IO[str], sink: IO[str], *, resolve: Resolve = catalogue.resolve) -> None:
        self._kind = kind
        self._source = source
        self._sink = sink
        self._sink_lock = threading.Lock()
        self._resolve = resolve
        self._backends: dict[str, Backend] = {}
        self._inbox = Inbox()

    def run(self) -> None:
        """Work until stdin ends."""
        self._send(protocol.Hello(self._kind, os.getpid()))
        threading.Thread(target=self._listen, name="stdin", daemon=True).start()
        while (request := self._inbox.take()) is not None:
            self._answer(request)

    def _listen(self) -> None:
        try:
            for line in self._source:
                self._on_line(line)
        except BrokenPipeError:
            os._exit(0)
        self._inbox.end()
        # The clip in hand is told to stop; a native call that does not listen must not keep an orphan alive.
        time.sleep(_GRACE_S)
        os._exit(0)

    def _on_line(self, line: str) -> None:
        try:
            request = protocol.decode_request(line)
        except protocol.ProtocolError as error:
            self._send(
                protocol.Failure(
                    error.id or "",
                    "The worker got a line that is not a request.",
                    hint="This is a fault of the program, not of the clip.",
                    details=str(error),
                    error="ProtocolError",
                )
            )
            if error.id:
                self._send(protocol.Done(error.id))
            return
        if isinstance(request, protocol.CancelRequest):
            for dropped in self._inbox.cancel(request.id):
                self._send(_cancelled(dropped))
                self._send(protocol.Done(dropped))
        else:
            self._inbox.put(request)

    def _answer(self, request: protocol.AnalyseRequest) -> None:
        try:
            self._send(self._analyse(request))
        except JobCancelledError:
            self._send(_cancelled(request.id))
        except VvlmError as error:
            self._send(
                protocol.Failure(
                    request.id,
                    str(error),
                    hint=error.hint,
                    details=traceback.format_exc(),
                    error=type(error).__name__,
                )
            )
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  the edge of the process: one clip's bug must not take the batch
            self._send(
                protocol.Failure(
                    request.id,
                    f"The analysis stopped on a fault of the program: {type(error).__name__}: {error}",
                    hint="The other clips go on. Please report it with the details.",
                    details=traceback.format_exc(),
                    error=type(error).__name__,
                )
            )
        self._send(protocol.Done(request.id))

    def _analyse(self, request: protocol.AnalyseRequest) -> protocol.Result:
        started = time.monotonic()
        backend = self._backends.get(request.backend)
        if backend is None:
            backend = self._backends[request.backend] = self._resolve(request.backend)
        loaded = time.monotonic()
        answer = backend.analyse(
            request,
            schema=_schema(request.schema_toml),
            progress=_Throttle(request.id, self._send),
            cancelled=self._inbox.stopped,
        ).to_json()
        timings = {
            **answer["timings"],
            "load_s": round(loaded - started, 4),
            "total_s": round(time.monotonic() - started, 4),
        }
        return protocol.Result(request.id, {**answer, "timings": timings})

    def _send(self, message: protocol.Message) -> None:
        line = protocol.encode(message)
        with self._sink_lock:
            self._sink.write(line)
            self._sink.flush()


class _Throttle:
    """Passes on progress when its words change, else ten times a second."""

    def __init__(self, request_id: str, send: Callable[[protocol.Message], None]) -> None:
        self._request_id = request_id
        self._send = send
        self._stage = ""
        self._sent_at = 0.0

    def __call__(self, done: float, stage: str) -> None:
        now = time.monotonic()
        if stage != self._stage or now - self._sent_at >= _PROGRESS_EVERY_S:
            self._stage, self._sent_at = stage, now
            self._send(protocol.Progress(self._request_id, round(min(max(done, 0.0), 1.0), 4), stage))


@lru_cache(maxsize=8)
def _schema(document: str) -> LabelSchema:
    return parse_schema(document, source="the request's schema")


def _cancelled(request_id: str) -> protocol.Failure:
    return protocol.Failure(request_id, "Cancelled.", cancelled=True, error=JobCancelledError.__name__)


def main(argv: Sequence[str] | None = None, *, resolve: Resolve = catalogue.resolve) -> int:
    """Entry of the child process.

    Args:
        argv: `--kind KIND`; a leading `--worker`, by which a frozen program knows that it is one, is skipped.
        resolve: name of a backend to the backend.
    """
    parser = argparse.ArgumentParser(prog="vvlm --worker", description="A child of VVLM Desktop; not for people.")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--kind", required=True)
    kind = parser.parse_args(argv).kind
    faulthandler.enable()
    # Ctrl-C in a terminal reaches the whole group; the program above decides, and says so by closing stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _be_nice()
    source, sink = _take_over_pipes()
    try:
        Worker(kind, source, sink, resolve=resolve).run()
    except BrokenPipeError:
        # Nobody listens any more. The stdin thread may still sit in a read, so leave without joining it.
        os._exit(0)
    return 0


def _be_nice() -> None:
    if sys.platform == "win32":
        import psutil

        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        with contextlib.suppress(OSError):
            os.nice(10)


def _take_over_pipes() -> tuple[IO[str], IO[str]]:
    """The protocol's own copies of stdin and stdout; what native code reads or prints can then do no harm."""
    source = os.fdopen(os.dup(0), "r", encoding="utf-8", errors="replace")
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


if __name__ == "__main__":
    sys.exit(main())

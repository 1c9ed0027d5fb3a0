"""A resident child process, one per kind of work, and the thread that listens to it.

A thread of ours would make scrubbing stutter and a native crash would take the window along; a child that dies is one
failed item. Popen with a reader thread: a round trip costs about 50 µs and no Qt is needed.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TypeAlias

from vvlm_desktop import protocol
from vvlm_desktop.errors import WorkerCrashedError
from vvlm_desktop.jobs.argv import worker_argv, worker_environment

_log = logging.getLogger(__name__)
#: What the system sends when memory runs out; Windows has no signals.
_SIGKILL = 9
_STDERR_LINES = 200
_STDERR_LINE_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class ChildExited:
    """The last thing ever delivered about a child.

    Attributes:
        code: exit code; negative is the signal that ended it (POSIX).
        expected: whether it was asked to go.
        stderr_tail: the end of what it wrote to stderr, for details that can be folded out.
        pid: which child it was; another of its kind may have taken its place already.
    """

    kind: str
    code: int
    expected: bool
    stderr_tail: str
    pid: int | None = field(default=None, compare=False)

    def in_words(self) -> str:
        """What happened, as a sentence for the reviewer."""
        if self.expected:
            return f"The {self.kind} worker has ended."
        if self.code == -_SIGKILL:
            return f"The {self.kind} worker was killed by the system, perhaps because memory ran out."
        if self.code < 0:
            return f"The {self.kind} worker crashed ({_signal_name(-self.code)})."
        return f"The {self.kind} worker ended unexpectedly (exit code {self.code})."

    @property
    def way_out(self) -> str:
        """What may help, as a sentence."""
        if self.code == -_SIGKILL and self.kind == "local":
            return "Try it with fewer frames, or with a smaller model."
        return "Try it again later."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


Delivered: TypeAlias = protocol.Message | ChildExited


class Child:
    """One worker process of `kind`; requests go in by `send`, what it says comes out through `deliver`.

    `deliver` runs on the reader thread, one call at a time, in the order the child spoke; `ChildExited` is the last
    call and comes exactly once, also when the child never said a word.
    """

    def __init__(
        self,
        kind: str,
        deliver: Callable[[Delivered], None],
        *,
        argv: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self._deliver = deliver
        self._argv = list(argv) if argv is not None else worker_argv(kind)
        self._environment = dict(environment) if environment is not None else worker_environment(kind)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._send_lock = threading.Lock()
        self._closing = False
        self._stderr: deque[str] = deque(maxlen=_STDERR_LINES)

    def start(self) -> None:
        """Start the process; its `Hello` is delivered when it is ready.

        Raises:
            WorkerCrashedError: the operating system does not start it.
        """
        if self._process is not None:
            raise ValueError(f"the {self.kind} worker was started twice")
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW
        try:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                creationflags=flags,
            )
        except OSError as error:
            raise WorkerCrashedError(
                f"The {self.kind} worker could not be started: {error.strerror}.",
                hint="Run `vvlm doctor`; the installation may be incomplete.",
            ) from error
        self._reader = threading.Thread(
            target=self._listen, args=(self._process,), name=f"worker-{self.kind}", daemon=True
        )
        self._reader.start()

    @property
    def pid(self) -> int | None:
        """Process id, None before `start`."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def stderr_tail(self) -> str:
        """The end of what the child wrote to stderr so far."""
        return "\n".join(self._stderr)

    def send(self, request: protocol.Request) -> None:
        """Hand `request` to the child.

        Raises:
            WorkerCrashedError: the child is not there to take it.
        """
        process = self._process
        try:
            with self._send_lock:
                if process is None or process.stdin is None:
                    raise BrokenPipeError
                process.stdin.write(protocol.encode(request).encode("ascii"))
                process.stdin.flush()
        # ValueError: the pipe was closed by us in the meantime.
        except (OSError, ValueError) as error:
            raise WorkerCrashedError(
                f"The {self.kind} worker is not running.", hint="Try again; a new one is started."
            ) from error

    def cancel(self, request_id: str | None = None) -> None:
        """Stop request `request_id`, or everything when None; a child that is gone has nothing left to stop."""
        with contextlib.suppress(WorkerCrashedError):
            self.send(protocol.CancelRequest(request_id))

    def close(self, timeout_s: float = 2.0) -> None:
        """End the child: politely by the end of its stdin, by force after `timeout_s`. May be called twice."""
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return
        self._closing = True
        with contextlib.suppress(OSError, ValueError), self._send_lock:
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if reader is not threading.current_thread():
            reader.join(timeout_s)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        collector = threading.Thread(
            target=self._collect_stderr, args=(process.stderr,), name=f"worker-{self.kind}-stderr", daemon=True
        )
        collector.start()
        try:
            with process.stdout as stdout:
                for line in stdout:
                    self._on_line(line)
        finally:
            # Also when `deliver` raised: a child nobody listens to must not fill its pipe and hang.
            if not self._closing and process.poll() is None:
                try:
                    process.wait(1.0)
                except subprocess.TimeoutExpired:
                    process.kill()
            code = process.wait()
            # A grandchild may hold stderr open; its words are not worth waiting for.
            collector.join(0.5)
            with contextlib.suppress(OSError, ValueError), self._send_lock:
                if process.stdin is not None:
                    process.stdin.close()
            self._deliver(
                ChildExited(self.kind, code, expected=self._closing, stderr_tail=self.stderr_tail, pid=process.pid)
            )

    def _on_line(self, line: bytes) -> None:
        try:
            message = protocol.decode_message(line.decode("utf-8", "replace"))
        except protocol.ProtocolError as error:
            # A child that dies while it writes leaves half a line; nothing else should ever come here.
            _log.warning("%s worker: %s", self.kind, error)
            self._stderr.append(f"[{error}]")
            return
        if isinstance(message, protocol.Hello) and message.v != protocol.PROTOCOL_VERSION:
            self._stderr.append(f"[the worker speaks protocol {message.v}, not {protocol.PROTOCOL_VERSION}]")
            if self._process is not None:
                self._process.kill()
            return
        self._deliver(message)

    def _collect_stderr(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in stderr:
                self._stderr.append(line.decode("utf-8", "replace").rstrip()[:_STDERR_LINE_CHARACTERS])

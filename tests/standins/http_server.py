"""A small server on loopback whose answers can be made to go wrong in the ways of the real ones."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One request that goes wrong.

    Attributes:
        status, body, headers: an answer of this kind instead of the right one.
        cut: the connection is closed, without an answer; for uploads after the first bytes.
        cut_after: the request is done, but the answer never arrives.
        hang: nothing is answered until the server is told to stop.
        drip_s: the right answer, but one byte at a time with such a pause.
    """

    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    cut_after: bool = False
    hang: bool = False
    drip_s: float = 0.0


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Standin:
    """Base of the stand-ins: keeps what it saw, hands out faults by name of what is asked."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.faults: dict[str, deque[Fault]] = {}
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.address = ""

    def fail(self, what: str, *faults: Fault) -> None:
        """The next requests of kind `what` go wrong, one fault each."""
        self.faults.setdefault(what, deque()).extend(faults)

    def next_fault(self, what: str) -> Fault | None:
        with self.lock:
            waiting = self.faults.get(what)
            return waiting.popleft() if waiting else None

    def kind_of(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        raise NotImplementedError

    def respond(self, kind: str, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        raise NotImplementedError


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standin: Standin
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        kind = self.standin.kind_of(self.command, self.path, headers)
        fault = self.standin.next_fault(kind)
        size = int(headers.get("content-length") or 0)
        if fault is not None and fault.cut:
            self.rfile.read(min(size, 1000))
            self._cut()
            return
        seen = Seen(self.command, self.path, headers, self.rfile.read(size))
        with self.standin.lock:
            self.standin.seen.append(seen)
        if fault is not None and fault.hang:
            self._hang()
            return
        if fault is not None and fault.status:
            self._send(fault.status, fault.body, dict(fault.headers))
            return
        status, body, extra = self.standin.respond(kind, seen)
        if fault is not None and fault.cut_after:
            self._cut()
            return
        self._send(status, body, extra, drip_s=fault.drip_s if fault else 0.0)

    def _hang(self) -> None:
        """Until the test is over, or the one who asked has gone."""
        self.connection.settimeout(0.05)
        while not self.standin.stopping.is_set():
            try:
                if not self.connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.close_connection = True

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, body: Any, headers: dict[str, str], *, drip_s: float = 0.0) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        try:
            self.end_headers()
            if not drip_s:
                self.wfile.write(data)
                return
            for i in range(len(data)):
                if self.standin.stopping.is_set():
                    break
                self.wfile.write(data[i : i + 1])
                self.wfile.flush()
                time.sleep(drip_s)
        except OSError:
            self.close_connection = True


class LoopbackServer(ThreadingHTTPServer):
    """Whoever hangs up in the middle of a request, as a killed or refused client does, is no fault of the stand-in.

    The base class prints a traceback on stderr, where the tests look for tracebacks of the program.
    """

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(standin: Standin) -> Iterator[Standin]:
    """Serve on loopback for the length of the block."""
    handler = type("Handler", (_Handler,), {"standin": standin})
    server = LoopbackServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    standin.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), name="standin", daemon=True)
    thread.start()
    try:
        yield standin
    finally:
        standin.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()

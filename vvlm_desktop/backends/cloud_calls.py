"""Requests that can be given up at once: one HTTP client for both SDKs that looks at `cancelled` while it waits.

The SDKs block in a socket for as long as a server thinks, and a server that sends one byte a second never times out.
Here every wait of a socket is cut into short ones; between them the call is asked whether it is still wanted and
whether its deadline has passed. Bytes are counted as they leave, for the progress of an upload.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import httpcore2
import httpx2

from vvlm_desktop.errors import CloudError, JobCancelledError

_SLICE_S = 0.1
_CHUNK_BYTES = 65_536
_CONNECT_TIMEOUT_S = 15.0
_CONNECTIONS = 72
#: Far more than any answer to us; what comes is held in memory, several times over.
LARGEST_ANSWER_BYTES = 8_000_000
_Result = TypeVar("_Result")


class DeadlinePassedError(httpx2.TimeoutException):
    """The call as a whole took too long, however busy the connection was."""


class AnswerRefusedError(httpx2.DecodingError):
    """What came back is not read: larger than any answer, or packed although that was not asked for."""


@dataclass(frozen=True, slots=True)
class Call:
    """What the sockets of the thread's present call ask and tell.

    Attributes:
        deadline: on `time.monotonic`'s clock.
        on_sent: hears how many bytes have just left.
    """

    cancelled: Callable[[], bool]
    deadline: float
    on_sent: Callable[[int], None] = lambda _: None

    def check(self) -> None:
        """Raise when the call is no longer wanted."""
        if self.cancelled():
            raise JobCancelledError("Cancelled.")
        if time.monotonic() >= self.deadline:
            raise DeadlinePassedError("the answer took too long")


_present: ContextVar[Call | None] = ContextVar("present_call", default=None)


@contextmanager
def calling(
    cancelled: Callable[[], bool], *, within_s: float, on_sent: Callable[[int], None] = lambda _: None
) -> Iterator[None]:
    """Everything sent by this thread inside the block ends when `cancelled` says so, or after `within_s`."""
    token = _present.set(Call(cancelled, time.monotonic() + within_s, on_sent))
    try:
        yield
    finally:
        _present.reset(token)


def http_client(base_url: str, context: ssl.SSLContext | None = None) -> httpx2.Client:
    """A client for SDKs that talks to the computer at `base_url` and to no other.

    Certificates are verified, the system's proxies are used.
    """
    # Their debug logs hold whole requests: pictures, and headers.
    for name in ("httpx2", "httpcore2", "openai", "google_genai"):
        logging.getLogger(name).setLevel(logging.WARNING)
    transport = _Transport(httpx2.URL(base_url), context or httpx2.create_ssl_context())
    return httpx2.Client(
        transport=transport,
        # A few packed kilobytes can become gigabytes here, inside of a library.
        headers={"Accept-Encoding": "identity"},
        timeout=None,
        follow_redirects=False,
        trust_env=False,
    )


class _Transport(httpx2.BaseTransport):
    """Direct connections, or through the proxies that the system names, except for hosts that it excludes.

    Consent and ledger name one computer. An answer may name another one, as the address for an upload or a redirect;
    neither pictures nor keys follow it there.
    """

    def __init__(self, only: httpx2.URL, context: ssl.SSLContext) -> None:
        self._only = only
        backend = _Backend()
        self._direct = httpcore2.ConnectionPool(
            ssl_context=context, max_connections=_CONNECTIONS, keepalive_expiry=30.0, network_backend=backend
        )
        self._proxies = {
            scheme: httpcore2.HTTPProxy(
                address, ssl_context=context, max_connections=_CONNECTIONS, network_backend=backend
            )
            for scheme, address in urllib.request.getproxies().items()
            if scheme in {"http", "https"} and address.startswith("http")
        }

    def _pool(self, url: httpx2.URL) -> httpcore2.ConnectionPool:
        proxy = self._proxies.get(url.scheme)
        return self._direct if proxy is None or urllib.request.proxy_bypass(url.host) else proxy

    def _require_allowed(self, url: httpx2.URL) -> None:
        if (url.scheme, url.host, url.port) != (self._only.scheme, self._only.host, self._only.port):
            raise CloudError(
                f"{self._only.host} wanted the clip sent to another computer ({url.host[:100]}); that was refused.",
                hint="Check the address. Nothing was sent to the other computer.",
            )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._require_allowed(request.url)
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        content = request.stream
        if not isinstance(content, httpx2.SyncByteStream):
            raise TypeError("not a stream for a synchronous client")
        with _translated():
            answer = self._pool(request.url).handle_request(
                httpcore2.Request(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=content,
                    extensions={**request.extensions, "timeout": {"connect": _CONNECT_TIMEOUT_S}},
                )
            )
        response = httpx2.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )
        packed = response.headers.get("content-encoding", "").strip().lower()
        if packed not in {"", "identity"}:
            answer.close()
            raise AnswerRefusedError("the answer is compressed, which was not asked for")
        return response

    def close(self) -> None:
        for pool in (self._direct, *self._proxies.values()):
            pool.close()


class _Stream(httpx2.SyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        read_bytes = 0
        with _translated():
            for piece in self._answer.iter_stream():
                read_bytes += len(piece)
                if read_bytes > LARGEST_ANSWER_BYTES:
                    raise AnswerRefusedError(f"the answer is larger than {LARGEST_ANSWER_BYTES / 1e6:.0f} MB")
                yield piece

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of the connection under the names that SDKs know; both packages use the same ones."""
    try:
        yield
    except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, httpcore2.ProxyError) as error:
        raise getattr(httpx2, type(error).__name__, httpx2.NetworkError)(str(error)) from error


class _Backend(httpcore2.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        stream = _patiently(
            lambda: self._inner.connect_tcp(
                host, port, timeout=timeout, local_address=local_address, socket_options=socket_options
            ),
            discard=lambda late: late.close(),
        )
        return _WatchedStream(stream)


class _WatchedStream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        ends = None if timeout is None else time.monotonic() + timeout
        while True:
            _check()
            try:
                return self._inner.read(max_bytes, timeout=_SLICE_S)
            except httpcore2.ReadTimeout:
                if ends is not None and time.monotonic() >= ends:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        for start in range(0, len(view), _CHUNK_BYTES):
            _check()
            chunk = bytes(view[start : start + _CHUNK_BYTES])
            # A write cannot be taken up again after a timeout: how much of it left is not known.
            self._inner.write(chunk, timeout=timeout if timeout is not None else _left_s())
            call = _present.get()
            if call is not None:
                call.on_sent(len(chunk))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = _patiently(
            lambda: self._inner.start_tls(ssl_context, server_hostname=server_hostname, timeout=timeout),
            discard=lambda late: late.close(),
        )
        return _WatchedStream(stream)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _check() -> None:
    call = _present.get()
    if call is not None:
        call.check()


def _left_s() -> float | None:
    call = _present.get()
    return None if call is None else max(_SLICE_S, call.deadline - time.monotonic())


def _patiently(work: Callable[[], _Result], *, discard: Callable[[_Result], None]) -> _Result:
    """Run `work`, which cannot be interrupted (names, TCP, TLS), so that this thread can walk away from it."""
    outcome: Future[_Result] = Future()

    def run() -> None:
        try:
            found = work()
        except Exception as error:  # noqa: BLE001  carried over to the thread that waits, if it still does
            with suppress(InvalidStateError):
                outcome.set_exception(error)
            return
        try:
            outcome.set_result(found)
        except InvalidStateError:
            discard(found)

    threading.Thread(target=run, name="connect", daemon=True).start()
    while True:
        try:
            _check()
        except (JobCancelledError, DeadlinePassedError):
            if not outcome.cancel() and outcome.exception() is None:
                discard(outcome.result())
            raise
        try:
            return outcome.result(timeout=_SLICE_S)
        except TimeoutError:
            if outcome.done():
                return outcome.result()

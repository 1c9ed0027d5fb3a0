"""A stand-in of the model hub on the loopback: as much of its protocol as a download needs, and its bad days.

What it was asked is kept, so that a test can tell resumed from fetched again.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.standins.http_server import LoopbackServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NEWER_COMMIT = "fedcba9876543210fedcba9876543210fedcba98"
TOKEN = "hf_standin_token_0001"
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_MODEL = re.compile(r"/api/models/([^/]+/[^/]+?)(?:/revision/([^/]+))?")


@dataclass
class Asked:
    """One request for a file."""

    name: str
    start: int
    sent: int
    authorised: bool


@dataclass
class Hub:
    """What the stand-in serves and how it misbehaves.

    Attributes:
        files: of each model, by name; bytes.
        as_lfs: endings of files that are kept by their SHA-256.
        cut_once_after: bytes after which the connection is cut once, by file.
        stall_after: bytes after which nothing more comes until the server ends, by file.
        wrong_checksum: files whose description does not match their content.
        claimed_bytes: sizes that files are said to have.
        ignore_range: ranges are answered with everything.
        elsewhere: address of another server that large files are redirected to.
        gated, private: models that need the token.
    """

    models: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commit: str = COMMIT
    as_lfs: tuple[str, ...] = (".safetensors",)
    cut_once_after: dict[str, int] = field(default_factory=dict)
    stall_after: dict[str, int] = field(default_factory=dict)
    wrong_checksum: set[str] = field(default_factory=set)
    claimed_bytes: dict[str, int] = field(default_factory=dict)
    ignore_range: bool = False
    elsewhere: str = ""
    gated: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    broken_with: int | None = None
    asked: list[Asked] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def reset(self, **settings: object) -> Hub:
        """A good day again, with these settings."""
        address = self.url
        self.__init__(**settings)  # type: ignore[misc]
        self.url = address
        return self

    def requests_for(self, name: str) -> list[Asked]:
        """All requests for one file, in their order."""
        return [each for each in self.asked if each.name == name]

    def describe(self, model_id: str) -> dict[str, object]:
        """What the API says of a model."""
        siblings = []
        for name, content in self.models[model_id].items():
            seen = content + b"!" if name in self.wrong_checksum else content
            git = hashlib.sha1(b"blob %d\0" % len(content) + seen).hexdigest()
            size = self.claimed_bytes.get(name, len(content))
            sibling: dict[str, object] = {"rfilename": name, "size": size, "blobId": git}
            if name.endswith(self.as_lfs):
                sibling["lfs"] = {"sha256": hashlib.sha256(seen).hexdigest(), "size": size, "pointerSize": 134}
            siblings.append(sibling)
        return {"id": model_id, "modelId": model_id, "sha": self.commit, "private": False, "siblings": siblings}


@contextmanager
def hub(**settings: object) -> Iterator[Hub]:
    """A running stand-in."""
    state = Hub(**settings)  # type: ignore[arg-type]
    server = LoopbackServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": state}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="hub-stand-in")
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Tests read what was asked from the state."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.hub.paths.append(self.path)
        if self.hub.broken_with is not None:
            self._refuse(self.hub.broken_with, "")
        elif found := _RESOLVE.fullmatch(parts.path):
            self._file(*found.groups())
        elif found := _MODEL.fullmatch(parts.path):
            self._model(*found.groups(), blobs="blobs" in parse_qs(parts.query))
        else:
            self._refuse(404, "")

    @property
    def _authorised(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _allowed(self, model_id: str, revision: str | None) -> bool:
        if model_id in self.hub.gated and not self._authorised:
            self._refuse(401, "GatedRepo")
        elif model_id not in self.hub.models or (model_id in self.hub.private and not self._authorised):
            self._refuse(404 if self._authorised else 401, "RepoNotFound")
        elif revision not in (None, "main", self.hub.commit):
            self._refuse(404, "RevisionNotFound")
        else:
            return True
        return False

    def _model(self, model_id: str, revision: str | None, *, blobs: bool) -> None:
        if not self._allowed(model_id, revision):
            return
        assert blobs, "sizes and checksums have to be asked for"
        self._answer(200, json.dumps(self.hub.describe(model_id)).encode(), {"Content-Type": "application/json"})

    def _file(self, model_id: str, revision: str, name: str) -> None:
        if not self._allowed(model_id, revision):
            return
        content = self.hub.models[model_id].get(name)
        if content is None:
            self._refuse(404, "EntryNotFound")
            return
        if self.hub.elsewhere and name.endswith(self.hub.as_lfs):
            self._answer(302, b"", {"Location": self.hub.elsewhere + self.path})
            return
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted and not self.hub.ignore_range else 0
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": revision}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        asked = Asked(name, start, 0, self._authorised)
        self.hub.asked.append(asked)
        self._send_body(content[start:], headers, 206 if start else 200, asked)

    def _send_body(self, body: bytes, headers: dict[str, str], status: int, asked: Asked) -> None:
        cut = self.hub.cut_once_after.pop(asked.name, None)
        stall = self.hub.stall_after.get(asked.name)
        end = cut if cut is not None else stall if stall is not None else len(body)
        self._answer(status, body[:end], headers, length=len(body))
        asked.sent = len(body[:end])
        if cut is not None:
            self.close_connection = True
        elif stall is not None and stall < len(body):
            self.wfile.flush()
            self.hub.stalled.set()
            self.hub.released.wait(30)
            self.close_connection = True

    def _answer(self, status: int, body: bytes, headers: dict[str, str], *, length: int | None = None) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        # A connection that is kept keeps its thread, beyond the test that it belongs to.
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, b"{}", {"X-Error-Code": code} if code else {})

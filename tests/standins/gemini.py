"""Stands in for Gemini's API: files with their states, answers, and the ways in which they fail."""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.standins.http_server import Seen, Standin

MODEL = "gemini-flash-latest"
MODEL_VERSION = "gemini-2.5-flash"


@dataclass
class StoredFile:
    """One upload as the service keeps it."""

    name: str
    display_name: str
    data: bytes
    polls: int = 0


class GeminiStandin(Standin):
    """What is asked of it: `start`, `put`, `get`, `generate`, `delete`, `model`, `models`, `files`.

    Attributes:
        answers: texts, or whole responses as dicts, given one after the other; the last one stays.
        states: of a file, poll by poll; the last one stays.
        stored: uploads that are there now. `ever_stored`: all that ever were.
        asked: bodies of the requests for answers.
    """

    def __init__(self, *answers: str | Mapping[str, Any], latency_s: float = 0.0) -> None:
        super().__init__()
        self.answers: deque[str | Mapping[str, Any]] = deque(answers or ["{}"])
        self.states = ["PROCESSING", "ACTIVE"]
        self.stored: dict[str, StoredFile] = {}
        self.ever_stored: list[StoredFile] = []
        self.asked: list[dict[str, Any]] = []
        self.latency_s = latency_s
        self._started: dict[str, dict[str, Any]] = {}

    def kind_of(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        path = path.split("?", maxsplit=1)[0]
        if path.startswith("/upload/"):
            return "start" if headers.get("x-goog-upload-command") == "start" else "put"
        if ":generateContent" in path:
            return "generate"
        if "/files/" in path:
            return {"GET": "get", "DELETE": "delete"}[method]
        return {"files": "files", "models": "models"}.get(path.rsplit("/", 1)[-1], "model")

    def respond(self, kind: str, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        if not seen.headers.get("x-goog-api-key") and kind != "put":
            return 403, {"error": {"code": 403, "message": "no key", "status": "PERMISSION_DENIED"}}, {}
        name = "files/" + seen.path.split("?")[0].rsplit("/", 1)[-1]
        return getattr(self, f"_{kind}")(seen, name)

    def _start(self, seen: Seen, _: str) -> tuple[int, Any, dict[str, str]]:
        ticket = f"t{len(self._started)}"
        with self.lock:
            self._started[ticket] = json.loads(seen.body)["file"]
        return 200, {}, {"X-Goog-Upload-URL": f"{self.address}/upload/put/{ticket}", "X-Goog-Upload-Status": "active"}

    def _put(self, seen: Seen, _: str) -> tuple[int, Any, dict[str, str]]:
        wanted = self._started[seen.path.rsplit("/", 1)[-1]]
        file = StoredFile(wanted["name"], wanted.get("displayName", ""), seen.body)
        with self.lock:
            self.stored[file.name] = file
            self.ever_stored.append(file)
        return 200, {"file": self._as_json(file)}, {"X-Goog-Upload-Status": "final"}

    def _get(self, _: Seen, name: str) -> tuple[int, Any, dict[str, str]]:
        file = self.stored.get(name)
        if file is None:
            return 403, {"error": {"code": 403, "message": "may not exist", "status": "PERMISSION_DENIED"}}, {}
        body = self._as_json(file)
        file.polls += 1
        return 200, body, {}

    def _delete(self, _: Seen, name: str) -> tuple[int, Any, dict[str, str]]:
        with self.lock:
            if self.stored.pop(name, None) is None:
                return 403, {"error": {"code": 403, "message": "may not exist", "status": "PERMISSION_DENIED"}}, {}
        return 200, {}, {}

    def _files(self, _: Seen, __: str) -> tuple[int, Any, dict[str, str]]:
        return 200, {"files": [self._as_json(file) for file in self.stored.values()]}, {}

    def _models(self, _: Seen, __: str) -> tuple[int, Any, dict[str, str]]:
        return 200, {"models": [self._model_json(MODEL), self._model_json("embedding-1", action="embedContent")]}, {}

    def _model(self, seen: Seen, _: str) -> tuple[int, Any, dict[str, str]]:
        name = seen.path.split("?")[0].rsplit("/", 1)[-1]
        if name != MODEL:
            return 404, {"error": {"code": 404, "message": f"models/{name} is not found", "status": "NOT_FOUND"}}, {}
        return 200, self._model_json(MODEL), {}

    def _generate(self, seen: Seen, _: str) -> tuple[int, Any, dict[str, str]]:
        time.sleep(self.latency_s)
        if f"models/{MODEL}:" not in seen.path:
            return 404, {"error": {"code": 404, "message": "model is not found", "status": "NOT_FOUND"}}, {}
        body = json.loads(seen.body)
        with self.lock:
            self.asked.append(body)
            answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        for uri in re.findall(r"files/[\w-]+", json.dumps(body.get("contents", []))):
            if uri not in self.stored:
                return 403, {"error": {"code": 403, "message": "may not exist", "status": "PERMISSION_DENIED"}}, {}
        return 200, answer if isinstance(answer, Mapping) else said(answer), {}

    def _as_json(self, file: StoredFile) -> dict[str, Any]:
        return {
            "name": file.name,
            "displayName": file.display_name,
            "uri": f"{self.address}/v1beta/{file.name}",
            "mimeType": "video/mp4",
            "sizeBytes": str(len(file.data)),
            "state": self.states[min(file.polls, len(self.states) - 1)],
        }

    @staticmethod
    def _model_json(name: str, *, action: str = "generateContent") -> dict[str, Any]:
        return {"name": f"models/{name}", "displayName": "Gemini Flash", "supportedGenerationMethods": [action]}


def said(text: str, *, finish: str = "STOP") -> dict[str, Any]:
    """A response that holds `text`."""
    return {
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": finish}],
        "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 100, "thoughtsTokenCount": 20},
        "modelVersion": MODEL_VERSION,
    }


def blocked(reason: str = "PROHIBITED_CONTENT") -> dict[str, Any]:
    """A response without an answer, because the prompt was blocked."""
    return {"promptFeedback": {"blockReason": reason}, "usageMetadata": {"promptTokenCount": 1000}}

"""Stands in for an OpenAI-compatible VLM server: with or without schemas and probabilities, slow, or in trouble."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from tests.standins.http_server import Seen, Standin

MODEL = "tiny-vlm"
#: Probability that every token of an answer gets, in turn.
PROBABILITIES = (0.9, 0.8, 0.7)


class OpenAIStandin(Standin):
    """What is asked of it: `models`, `chat`; `probe` is a chat without pictures.

    Attributes:
        answers: texts, or whole responses as dicts, given one after the other; the last one stays.
        enforces: schemas are obeyed.
        refuses: names of parts of a request that are answered with 400.
        asked: bodies of the chats with pictures.
        most_at_once: how many requests were in hand at the same time.
    """

    def __init__(
        self,
        *answers: str | Mapping[str, Any],
        enforces: bool = True,
        logprobs: bool = True,
        latency_s: float = 0.0,
        key: str | None = None,
        refuses: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.answers: deque[str | Mapping[str, Any]] = deque(answers or ["{}"])
        self.enforces, self.logprobs, self.latency_s, self.key = enforces, logprobs, latency_s, key
        self.refuses = refuses
        self.models = [MODEL]
        self.asked: list[dict[str, Any]] = []
        self.probes: list[dict[str, Any]] = []
        self.most_at_once = 0
        self._in_hand = 0
        self._counting = threading.Lock()

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    def kind_of(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        if path.endswith("/models"):
            return "models"
        return "chat" if int(headers.get("content-length") or 0) > 2000 else "probe"

    def respond(self, kind: str, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        if self.key is not None and seen.headers.get("authorization") != f"Bearer {self.key}":
            return 401, {"error": {"message": f"wrong key {seen.headers.get('authorization')}"}}, {}
        if kind == "models":
            return 200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]}, {}
        if not seen.path.startswith("/v1/"):
            return 404, {"detail": "Not Found"}, {}
        with self._counting:
            self._in_hand += 1
            self.most_at_once = max(self.most_at_once, self._in_hand)
        try:
            return self._chat(json.loads(seen.body))
        finally:
            with self._counting:
                self._in_hand -= 1

    def _chat(self, body: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        pictures = "_url" in json.dumps(body["messages"])
        (self.asked if pictures else self.probes).append(body)
        if body["model"] not in self.models:
            return 404, {"error": {"message": f"The model `{body['model']}` does not exist.", "code": 404}}, {}
        for part in self.refuses:
            if part in json.dumps({key: value for key, value in body.items() if key != "messages"}):
                return 400, {"error": {"message": f"unknown: {part}", "type": "BadRequestError"}}, {}
        if not pictures:
            form = body.get("response_format", {})
            schema = form.get("schema") or form.get("json_schema", {}).get("schema")
            text = json.dumps(_obeying(schema)) if schema and self.enforces else "Hello!"
            return 200, self._said(text, body), {}
        time.sleep(self.latency_s)
        with self.lock:
            answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        return 200, answer if isinstance(answer, Mapping) else self._said(answer, body), {}

    def _said(self, text: str, body: Mapping[str, Any]) -> dict[str, Any]:
        tokens = re.findall(r"\w+|\W", text)
        content = [
            {
                "token": token,
                "bytes": list(token.encode()),
                "logprob": math.log(PROBABILITIES[i % len(PROBABILITIES)]),
                "top_logprobs": [],
            }
            for i, token in enumerate(tokens)
        ]
        wanted = body.get("logprobs") and self.logprobs
        return said(text, model=body["model"], logprobs={"content": content} if wanted else None)


def said(text: str | None, *, model: str = MODEL, finish: str = "stop", logprobs: Any = None) -> dict[str, Any]:
    """A response that holds `text`."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": logprobs}],
        "usage": {"prompt_tokens": 500, "completion_tokens": 50, "total_tokens": 550},
    }


def _obeying(schema: Mapping[str, Any]) -> Any:
    """Something that a schema of enums and objects allows."""
    if "enum" in schema:
        return schema["enum"][0]
    return {key: _obeying(each) for key, each in schema.get("properties", {}).items()}

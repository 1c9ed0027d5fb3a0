"""The messages between the program and its children: one JSON object a line, on stdin and stdout.

Requests carry paths, never library handles; secrets travel here, never in argv. Plain Python, so that a child starts
in milliseconds and training can use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

PROTOCOL_VERSION = 1


@dataclass(frozen=True, slots=True)
class AnalyseRequest:
    """Analyse one clip.

    Attributes:
        id: chosen by the sender; every answer carries it.
        schema_toml: the label schema's document.
        curves_path: where the child writes the clip's curves (npz), None when they are not wanted.
        options: backend's own settings (model, frames, …).
    """

    id: str
    backend: str
    clip_id: str
    path: str
    stream_index: int
    schema_toml: str
    curves_path: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    op: str = "analyse"


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Stop working on request `id`, or on everything when None."""

    id: str | None = None
    op: str = "cancel"


Request: TypeAlias = AnalyseRequest | CancelRequest


@dataclass(frozen=True, slots=True)
class Hello:
    """First line of a child."""

    kind: str
    pid: int
    v: int = PROTOCOL_VERSION
    ev: str = "hello"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far request `id` is: `done` 0..1 within the clip, `stage` in words for people."""

    id: str
    done: float
    stage: str
    ev: str = "progress"


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to request `id`: an analysis as plain JSON (see `backends.base.Answer`)."""

    id: str
    answer: Mapping[str, Any]
    ev: str = "result"


@dataclass(frozen=True, slots=True)
class Failure:
    """Request `id` failed: a sentence, what to do, and details that can be folded out."""

    id: str
    message: str
    hint: str = ""
    details: str = ""
    cancelled: bool = False
    ev: str = "error"


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more will be said about request `id`."""

    id: str
    ev: str = "done"


Message: TypeAlias = Hello | Progress | Result | Failure | Done

_MESSAGES: dict[str, type[Message]] = {
    "hello": Hello,
    "progress": Progress,
    "result": Result,
    "error": Failure,
    "done": Done,
}
_REQUESTS: dict[str, type[Request]] = {"analyse": AnalyseRequest, "cancel": CancelRequest}


class ProtocolError(ValueError):
    """A line that is not a message of this protocol."""


def encode(message: Request | Message) -> str:
    """One line, newline included; non-ASCII is escaped, so that no locale can damage it."""
    return json.dumps(asdict(message), separators=(",", ":")) + "\n"


def decode_message(line: str) -> Message:
    """The message that a child wrote.

    Raises:
        ProtocolError: not JSON, or not a message.
    """
    return _decode(line, "ev", _MESSAGES)


def decode_request(line: str) -> Request:
    """The request that the program wrote.

    Raises:
        ProtocolError: not JSON, or not a request.
    """
    return _decode(line, "op", _REQUESTS)


def _decode(line: str, tag: str, types: Mapping[str, type[Any]]) -> Any:
    try:
        data = json.loads(line)
        return types[data[tag]](**data)
    except (ValueError, KeyError, TypeError) as error:
        raise ProtocolError(f"not a protocol line: {line[:200]!r}") from error

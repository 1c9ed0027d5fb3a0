"""The messages between the program and its children: one JSON object a line, on stdin and stdout.

Requests carry paths, never library handles; secrets travel here, never in argv. Plain Python, so that a child starts
in milliseconds and training can use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias, TypeVar

PROTOCOL_VERSION = 1


@dataclass(frozen=True, slots=True)
class AnalyseRequest:
    """Analyse one clip.

    Attributes:
        id: chosen by the sender; every answer carries it.
        schema_toml: the label schema's document.
        curves_path: where the child writes the clip's curves (npz), None when they are not wanted.
        options: backend's own settings (model, frames, …); kept in the library with a batch, so nothing secret.
        question: a free question instead of the schema's fields.
        range_ms: only this part of the clip, from its first frame.
        secrets: keys for servers; sent through the pipe, kept nowhere, shown nowhere.
    """

    id: str
    backend: str
    clip_id: str
    path: str
    stream_index: int
    schema_toml: str
    curves_path: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    question: str | None = None
    range_ms: tuple[int, int] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    op: str = "analyse"


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """Do something for a model that is no analysis: download weights, look at a folder, test a connection.

    Attributes:
        tool: name in the catalogue's `TOOLS`.
        arguments: plain JSON for the tool; its answer comes back as `Result.answer`.
    """

    id: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    op: str = "tool"


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Stop working on request `id`, or on everything when None."""

    id: str | None = None
    op: str = "cancel"


Request: TypeAlias = AnalyseRequest | ToolRequest | CancelRequest


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
    """The answer to request `id`: an analysis as plain JSON (see `backends.base.Answer`), or what a tool found."""

    id: str
    answer: Mapping[str, Any]
    ev: str = "result"


@dataclass(frozen=True, slots=True)
class Failure:
    """Request `id` failed: a sentence, what to do, and details that can be folded out.

    Attributes:
        id: empty when the child got a line in which no request could be recognised.
        error: name of the error's class, so that a caller can tell a bad clip from a missing backend.
    """

    id: str
    message: str
    hint: str = ""
    details: str = ""
    cancelled: bool = False
    error: str = ""
    ev: str = "error"


@dataclass(frozen=True, slots=True)
class Upload:
    """Something of a clip leaves, or has left, this computer; written to the ledger by the program above.

    Attributes:
        state: `sending` before the first byte goes, `sent` when it is there, `deleted` when the other side confirmed,
            `failed` when it is not known to have arrived, `refused` when not a byte of it went.
        host: to whom, without path, query or key.
        content: what, in words ("12 frames, JPEG", "video 00:03–00:08 without sound").
        remote: the other side's name for it, by which a left-over can be deleted; None where nothing is kept there.
    """

    id: str
    state: str
    host: str
    content: str
    size_bytes: int
    remote: str | None = None
    ev: str = "upload"


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more will be said about request `id`."""

    id: str
    ev: str = "done"


Message: TypeAlias = Hello | Progress | Upload | Result | Failure | Done

_MESSAGES: dict[str, type[Message]] = {
    "hello": Hello,
    "progress": Progress,
    "upload": Upload,
    "result": Result,
    "error": Failure,
    "done": Done,
}
_REQUESTS: dict[str, type[Request]] = {"analyse": AnalyseRequest, "tool": ToolRequest, "cancel": CancelRequest}


_AnyMessage = TypeVar("_AnyMessage", Message, Request)


class ProtocolError(ValueError):
    """A line that is not a message of this protocol.

    Attributes:
        id: the request that the line seems to be about, None where it names none.
    """

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.id = request_id


def encode(message: Request | Message) -> str:
    """One line, newline included; non-ASCII is escaped, so that no locale can damage it.

    Raises:
        ValueError: the message holds NaN, infinity or something that JSON has no form for.
    """
    try:
        return json.dumps(asdict(message), separators=(",", ":"), allow_nan=False) + "\n"
    except TypeError as error:
        raise ValueError(f"not a plain JSON message: {error}") from error


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


def _decode(line: str, tag: str, types: Mapping[str, type[_AnyMessage]]) -> _AnyMessage:
    data: Any = None
    try:
        data = json.loads(line)
        message = types[data[tag]](**data)
    # RecursionError: a line of ten thousand brackets is a bad line, not a reason to die.
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        about = data.get("id") if isinstance(data, dict) else None
        raise ProtocolError(
            f"not a protocol line: {line[:200]!r}", request_id=about if isinstance(about, str) else None
        ) from error
    if not isinstance(getattr(message, "id", ""), str | None):
        raise ProtocolError(f"not a protocol line, its id is not text: {line[:200]!r}")
    return message

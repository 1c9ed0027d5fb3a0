"""How clips are sent to Gemini or to a server; plain data, so that the window can make it without loading an SDK."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeAlias, get_args

from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.errors import BackendError, CloudAccessError

#: Names of the keys in `AnalyseRequest.secrets`.
GEMINI_SECRET = "gemini"  # noqa: S105  the name, not the key
SERVER_SECRET = "server"  # noqa: S105

DEFAULT_GEMINI_MODEL = "gemini-flash-latest"
#: What the service takes.
MAX_GEMINI_FPS = 24.0
MAX_VOTES = 9

#: What the service takes as a file's name, after `files/`.
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,33}", re.ASCII)

ServerMode: TypeAlias = Literal["images", "video"]


@dataclass(frozen=True, slots=True)
class GeminiOptions:
    """What Gemini is asked with.

    Attributes:
        fps: pictures a second that the model looks at, over everything that is sent.
        event_ms: a moment known before, from the clip's first frame; the time around it is looked at more densely.
        event_before_ms, event_after_ms, event_fps: how much around it, and how densely.
        width_px: the picture is made at most so wide before it leaves; None for its own size.
        sound: send the sound track too. Off by default: people talk in vehicles, and no label is judged by sound.
        votes: ask so many times and let the answers vote; more than one gives a confidence.
        temperature: None for the model's own, which newer models are best used with.
        teacher: the answer is a draft for people, marked as such.
        concurrency: clips on the way at once.
        per_minute: requests a minute over all clips, 0 for no limit of our own.
        active_deadline_s: how long the service may take to read an uploaded video.
        answer_timeout_s: how long one answer may take.
        prices: US dollars per million tokens, (in, out), by the beginning of a model's name; beside the known ones.
        allow_upload: id of the consent, or True; nothing is sent without it.
    """

    model: str = DEFAULT_GEMINI_MODEL
    fps: float = 2.0
    event_ms: int | None = None
    event_before_ms: int = 3000
    event_after_ms: int = 2000
    event_fps: float = 12.0
    width_px: int | None = None
    sound: bool = False
    votes: int = 1
    temperature: float | None = None
    teacher: bool = False
    concurrency: int = 4
    per_minute: int = 60
    active_deadline_s: float = 300.0
    answer_timeout_s: float = 180.0
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    allow_upload: bool | str = False

    def __post_init__(self) -> None:
        for name in ("fps", "event_fps"):
            rate = getattr(self, name)
            if not 0 < rate <= MAX_GEMINI_FPS:
                raise BackendError(
                    f"Gemini cannot look at {rate:g} pictures a second.", hint=f"Choose up to {MAX_GEMINI_FPS:g}."
                )
        if not 1 <= self.votes <= MAX_VOTES:
            raise BackendError(f"{self.votes} votes are not possible.", hint=f"Choose 1 to {MAX_VOTES}.")
        if self.width_px is not None and self.width_px < 64:
            raise BackendError(f"A picture {self.width_px} pixels wide shows nothing.", hint="Choose 64 or more.")
        _check_pace(self.concurrency, self.per_minute)

    def to_json(self) -> dict[str, Any]:
        """As it travels in `AnalyseRequest.options`; JSON keeps no tuples."""
        return {**asdict(self), "prices": {name: list(pair) for name, pair in self.prices.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GeminiOptions:
        """The inverse of `to_json`.

        Raises:
            BackendError: options that are not of this backend.
        """
        try:
            values = _known(cls, data)
            values["prices"] = {
                str(name): (float(into), float(out)) for name, (into, out) in dict(data.get("prices", {})).items()
            }
            return cls(**values)
        except (TypeError, ValueError, AttributeError) as error:
            raise BackendError(f"The options of Gemini cannot be read: {error}.") from error


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a VLM server is asked with.

    Attributes:
        base_url: of the endpoint, with its version: `http://10.0.0.7:8000/v1`.
        model: empty for the first one that the server offers.
        mode: `images`, one JPEG per frame; `video`, one small video of the same frames (vLLM).
        longest_side_px: pictures are made at most so large before they leave.
        max_tokens: of an answer; 0 for as many as the label schema can need.
        logprobs: ask for the probability of every token, from which the confidence comes.
        concurrency: clips on the way at once; servers batch what overlaps.
        timeout_s: how long one answer may take.
    """

    base_url: str
    model: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    mode: ServerMode = "images"
    longest_side_px: int = 640
    max_tokens: int = 0
    temperature: float = 0.0
    logprobs: bool = True
    teacher: bool = False
    concurrency: int = 8
    per_minute: int = 0
    timeout_s: float = 300.0
    allow_upload: bool | str = False

    def __post_init__(self) -> None:
        if self.mode not in get_args(ServerMode):
            raise BackendError(f"There is no way of sending called {self.mode!r}.", hint="Known: images, video.")
        if self.longest_side_px < 64:
            raise BackendError(
                f"A picture {self.longest_side_px} pixels wide shows nothing.", hint="Choose 64 or more."
            )
        _check_pace(self.concurrency, self.per_minute)

    def to_json(self) -> dict[str, Any]:
        """As it travels in `AnalyseRequest.options`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ServerOptions:
        """The inverse of `to_json`.

        Raises:
            BackendError: options that are not of this backend.
            CloudAccessError: no server is named.
        """
        if not data.get("base_url"):
            raise CloudAccessError(
                "No VLM server is set.",
                hint="Enter its address in Settings, or name it with --url: http://10.0.0.7:8000/v1",
            )
        try:
            values = _known(cls, data)
            values["sampling"] = Sampling(**data.get("sampling", {}))
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise BackendError(f"The options of the VLM server cannot be read: {error}.") from error


def upload_name(request_id: str, attempt: int = 0) -> str:
    """Under which a request's video lies at Google; known before, so that it can be deleted in any case."""
    stem = request_id if _FILE_NAME.fullmatch(request_id) else hashlib.sha256(request_id.encode()).hexdigest()[:32]
    return f"files/vvlm-{stem}-{attempt}"


def _known(cls: type[GeminiOptions | ServerOptions], data: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(cls)}
    return {key: value for key, value in data.items() if key in names}


def _check_pace(concurrency: int, per_minute: int) -> None:
    if not 1 <= concurrency <= 64:
        raise BackendError(f"{concurrency} clips at once are not possible.", hint="Choose 1 to 64.")
    if per_minute < 0:
        raise BackendError("The rate per minute cannot be negative.", hint="0 means no limit.")

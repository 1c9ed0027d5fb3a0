"""What Gemini is shown and told, and what it said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from google import genai
from google.genai import types

from vvlm_desktop.backends.cloud_answers import SYSTEM
from vvlm_desktop.backends.cloud_calls import calling
from vvlm_desktop.backends.cloud_failures import one_line, tokens_counted
from vvlm_desktop.backends.cloud_media import MIME_TYPE, Excerpt
from vvlm_desktop.backends.cloud_options import GeminiOptions
from vvlm_desktop.backends.cloud_prices import Usage
from vvlm_desktop.errors import CloudError

_ENDED = frozenset({"", "STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED"})
ASK_AGAIN = "Your answer before could not be read. Answer with the JSON object alone, complete, in one line."


@dataclass(frozen=True, slots=True)
class Look:
    """A stretch of what was sent, in seconds of the sent video, and how densely it is looked at."""

    start_s: float
    end_s: float
    fps: float


@dataclass(frozen=True, slots=True)
class Said:
    """One answer.

    Attributes:
        cut_off: it ended at the model's limit.
        model: the one that answered; `-latest` names stand for another one.
    """

    text: str
    cut_off: bool
    usage: Usage
    model: str


def looks_at(options: GeminiOptions, excerpt: Excerpt) -> tuple[Look, ...]:
    """The whole of what is sent, and the time around a known event once more and denser, where it lies inside."""
    looks = [Look(0.0, excerpt.duration_s, options.fps)]
    if options.event_ms is not None:
        event_ms = options.event_ms - excerpt.offset_ms
        start_s = max(0.0, (event_ms - options.event_before_ms) / 1000)
        end_s = min(excerpt.duration_s, (event_ms + options.event_after_ms) / 1000)
        if end_s > start_s and options.event_fps > options.fps:
            looks.append(Look(start_s, end_s, options.event_fps))
    return tuple(looks)


def video_parts(looks: Sequence[Look], *, uri: str | None = None, data: bytes | None = None) -> list[types.Part]:
    """The video once for every look at it."""
    parts = []
    for number, look in enumerate(looks):
        metadata = types.VideoMetadata(fps=look.fps)
        if number:
            metadata.start_offset, metadata.end_offset = f"{look.start_s:.3f}s", f"{look.end_s:.3f}s"
        if data is not None:
            parts.append(types.Part(inline_data=types.Blob(data=data, mime_type=MIME_TYPE), video_metadata=metadata))
        else:
            parts.append(
                types.Part(file_data=types.FileData(file_uri=uri, mime_type=MIME_TYPE), video_metadata=metadata)
            )
    return parts


def about_the_video(looks: Sequence[Look], *, starts_at_s: float = 0.0) -> str:
    """What a model cannot know from the pictures: how long, how dense, and from where times count."""
    first = looks[0]
    text = f"The video is {first.end_s:.2f} s long. You see {first.fps:g} pictures of every second of it"
    for look in looks[1:]:
        text += f", then the part from {look.start_s:.2f} s to {look.end_s:.2f} s again with {look.fps:g} a second"
    text += ". All times count from the first frame of the whole video."
    if starts_at_s:
        text += f" Second 0 of the video is second {starts_at_s:.2f} of the clip that people see."
    return text


def generate(
    client: genai.Client,
    options: GeminiOptions,
    parts: list[types.Part],
    *,
    json_schema: dict[str, Any] | None,
    cancelled: Callable[[], bool],
    on_sent: Callable[[int], None],
) -> Said:
    """One request; answers that are no answer are errors.

    Raises:
        CloudError: the request or the answer was blocked.
    """
    config = types.GenerateContentConfig(system_instruction=SYSTEM, temperature=options.temperature)
    if json_schema is not None:
        config.response_mime_type = "application/json"
        config.response_json_schema = json_schema
    with calling(cancelled, within_s=options.answer_timeout_s, on_sent=on_sent):
        answer = client.models.generate_content(
            model=options.model, contents=types.Content(role="user", parts=parts), config=config
        )
    return _said(answer, options.model)


def _said(answer: types.GenerateContentResponse, model: str) -> Said:
    blocked = answer.prompt_feedback.block_reason if answer.prompt_feedback else None
    if blocked:
        raise _refused(f"Google blocked this clip before the model saw it ({_name(blocked)}).")
    candidate = answer.candidates[0] if answer.candidates else None
    reason = _name(candidate.finish_reason) if candidate is not None else ""
    parts = candidate.content.parts if candidate is not None and candidate.content is not None else None
    text = "".join(part.text for part in parts or () if part.text and not part.thought)
    if reason not in _ENDED:
        raise _refused(f"Google stopped the answer about this clip ({reason}).")
    counted = answer.usage_metadata
    usage = Usage(requests=1)
    if counted is not None:
        out = tokens_counted(counted.candidates_token_count) + tokens_counted(counted.thoughts_token_count)
        usage = Usage(tokens_counted(counted.prompt_token_count), out, 1)
    return Said(text, reason == "MAX_TOKENS", usage, answer.model_version or model)


def _refused(message: str) -> CloudError:
    return CloudError(message, hint="Label this clip by hand, or use a local model; other clips go on.")


def _name(reason: Any) -> str:
    return one_line(getattr(reason, "value", reason))

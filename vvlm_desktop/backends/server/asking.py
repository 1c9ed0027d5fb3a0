"""What a server is shown and told, and what it said."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import openai

from vvlm_desktop.backends.cloud_answers import SYSTEM
from vvlm_desktop.backends.cloud_calls import calling
from vvlm_desktop.backends.cloud_confidence import Token
from vvlm_desktop.backends.cloud_failures import one_line, plain_text, quoted, tokens_counted
from vvlm_desktop.backends.cloud_frames import SentFrame
from vvlm_desktop.backends.cloud_options import ServerOptions
from vvlm_desktop.backends.cloud_prices import Usage
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_json import max_json_chars
from vvlm_desktop.errors import CloudError

ASK_AGAIN = "That could not be read. Answer again, with the JSON object alone, complete, in one line."
_QUESTION_TOKENS = 512
#: Tokens of JSON hold three characters and more; the rest is a reserve for the model's own way of writing.
_CHARS_PER_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Said:
    """One answer.

    Attributes:
        tokens: with their probabilities, empty where the server gives none.
        cut_off: it ended at the limit of tokens.
    """

    text: str
    cut_off: bool
    tokens: tuple[Token, ...] = field(repr=False)
    usage: Usage
    model: str


class NotUnderstoodError(CloudError):
    """What answered may not be a VLM server at all."""


def jpeg_content(frames: Sequence[SentFrame]) -> list[dict[str, Any]]:
    """Every frame with its number and its time in the clip before it."""
    content: list[dict[str, Any]] = []
    for number, frame in enumerate(frames, start=1):
        encoded = base64.b64encode(frame.jpeg).decode("ascii")
        content += [
            {"type": "text", "text": f"Frame{number} at {frame.time_s:.2f} s:"},
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{encoded}"}},
        ]
    return content


def video_content(video: bytes, *, times_s: Sequence[float]) -> list[dict[str, Any]]:
    """One small video of the frames, with the time in the clip of each."""
    encoded = base64.b64encode(video).decode("ascii")
    times = ", ".join(f"{time_s:.2f}" for time_s in times_s)
    return [
        {"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{encoded}"}},
        {"type": "text", "text": f"The video's {len(times_s)} frames are from these seconds of the clip: {times}."},
    ]


def times_note(frames_from_s: float) -> str:
    """From where times count, which is not the first picture that is sent."""
    part = f" The frames begin at {frames_from_s:.2f} s." if frames_from_s else ""
    return f"All times count from the first frame of the clip, at 0.00 s.{part}"


def answer_tokens(options: ServerOptions, schema: LabelSchema | None) -> int:
    """How long an answer may become; an answer of random letters must end too."""
    if options.max_tokens:
        return options.max_tokens
    return _QUESTION_TOKENS if schema is None else 64 + max_json_chars(schema) // _CHARS_PER_TOKEN


def chat(
    client: openai.OpenAI,
    options: ServerOptions,
    messages: list[dict[str, Any]],
    *,
    model: str,
    max_tokens: int,
    response_format: dict[str, Any] | None,
    logprobs: bool,
    extra: dict[str, Any] | None,
    cancelled: Callable[[], bool],
    on_sent: Callable[[int], None] = lambda _: None,
) -> Said:
    """One request; `on_sent` hears how many bytes have just left.

    Raises:
        CloudError: the server answered without an answer.
    """
    wanted: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "temperature": options.temperature}
    if logprobs:
        wanted["logprobs"] = True
    if response_format is not None:
        wanted["response_format"] = response_format
    with calling(cancelled, within_s=options.timeout_s, on_sent=on_sent):
        try:
            answer: Any = client.chat.completions.create(
                messages=[{"role": "system", "content": SYSTEM}, *messages],  # type: ignore[list-item]  # plain JSON
                extra_body=extra,
                stream=False,
                **wanted,
            )
        except (ValueError, RecursionError) as error:
            # No JSON, or JSON that Python's parser refuses: too deep, too long a number, no text.
            problem = quoted(error, client.api_key)
        else:
            return _said(answer, model, key=client.api_key)
    raise NotUnderstoodError(
        f"The server's answer could not be understood ({problem}).",
        hint="The address should end with the version, for example /v1, and lead to an OpenAI-compatible server.",
    )


def _said(answer: Any, model: str, *, key: str) -> Said:
    """Servers differ in what they leave out, so nothing is taken for granted but a text."""
    given = getattr(answer, "choices", None)
    choices: list[Any] = given if isinstance(given, list) else []
    message = getattr(choices[0], "message", None) if choices else None
    if message is None or not hasattr(message, "content"):
        raise CloudError("The server answered without an answer.", hint="Look at the server's log.")
    refusal = getattr(message, "refusal", None)
    if refusal:
        raise CloudError(f"The model refused: {one_line(refusal, key, longest=200)}", hint="Label this clip by hand.")
    counted = getattr(answer, "usage", None)
    tokens_in, tokens_out = (tokens_counted(getattr(counted, f"{each}_tokens", 0)) for each in ("prompt", "completion"))
    text = plain_text(str(message.content or ""), key)
    return Said(
        text=text,
        cut_off=getattr(choices[0], "finish_reason", None) == "length",
        tokens=_tokens(getattr(choices[0], "logprobs", None), text),
        usage=Usage(tokens_in, tokens_out, 1),
        model=one_line(getattr(answer, "model", None) or model, key),
    )


def _tokens(logprobs: Any, text: str) -> tuple[Token, ...]:
    """Tokens up to the end of the text: an end-of-turn token after it is not part of it."""
    tokens: list[Token] = []
    length, whole = 0, len(text.encode("utf-8"))
    given = getattr(logprobs, "content", None)
    for each in given if isinstance(given, list) else ():
        data, log_p = _bytes_of(each), getattr(each, "logprob", None)
        if length >= whole or data is None or not isinstance(log_p, int | float) or not math.isfinite(log_p):
            break
        tokens.append(Token(data, float(log_p)))
        length += len(data)
    return tuple(tokens)


def _bytes_of(token: Any) -> bytes | None:
    data = getattr(token, "bytes", None)
    if data is None:
        return str(getattr(token, "token", "")).encode("utf-8", "replace")
    if isinstance(data, list) and all(isinstance(each, int) and 0 <= each < 256 for each in data):
        return bytes(data)
    return None

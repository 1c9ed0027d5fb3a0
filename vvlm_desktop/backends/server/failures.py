"""A server's failures: which of them pass, and what the others mean for the person in front of it."""

from __future__ import annotations

from json import JSONDecodeError

import httpx2
import openai
from pydantic import ValidationError

from vvlm_desktop.backends.cloud_calls import AnswerRefusedError, DeadlinePassedError
from vvlm_desktop.backends.cloud_failures import connection_failure, quoted
from vvlm_desktop.backends.cloud_pace import RETRIED_STATUS, Transient, retry_after_s
from vvlm_desktop.errors import CloudAccessError, CloudError

#: Everything that the client lets through, odd answers included.
SDK_ERRORS = (openai.OpenAIError, httpx2.HTTPError, ValidationError, JSONDecodeError)
_NOBODY = "Check that the server runs, that the address and port are right, and that both are in the same network."
_TOO_MANY_PICTURES = ("limit_mm", "limit-mm", "at most", "too many image", "number of images")
_TOO_LONG = ("context length", "context size", "context window", "maximum context", "too long", "exceeds the", "n_ctx")
_NO_VISION = ("multimodal", "multi-modal", "image input", "image_url", "vision", "mmproj", "not support image")


def transient(error: BaseException) -> Transient | None:
    """Whether the same request may succeed later, and when the server wants it."""
    cause = error.__cause__
    if isinstance(cause or error, AnswerRefusedError | DeadlinePassedError):
        return None
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
        # A port at which nobody listens is not busy.
        return None if isinstance(cause or error, httpx2.ConnectError) else Transient()
    if isinstance(error, openai.APIStatusError) and error.status_code in RETRIED_STATUS and not _is_invalid(error):
        return Transient(retry_after_s(error.response.headers))
    return None


def words_of(error: openai.APIStatusError) -> str:
    """The server's own words; each server wraps them in another way."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        found = inner.get("message") if isinstance(inner, dict) else inner
        return str(found or body.get("message") or body.get("detail") or error.message)
    return str(body or error.message)


def is_about_the_request(error: openai.APIStatusError) -> bool:
    """Whether the server refused something that may be left out, rather than the clip, the model or the key."""
    words = words_of(error).lower()
    known = (*_TOO_MANY_PICTURES, *_TOO_LONG, *_NO_VISION)
    refused = error.status_code in {400, 422, 501} or _is_invalid(error)
    return refused and not any(each in words for each in known)


def _is_invalid(error: openai.APIStatusError) -> bool:
    """llama-cpp-python calls a request that it does not understand an error of its own (500)."""
    return error.status_code == 500 and "validation error" in words_of(error).lower()


def explained(error: BaseException, *, key: str | None, model: str, host: str) -> CloudError:
    """The failure as a sentence and what to do."""
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
        return connection_failure(error.__cause__ or error, who="The server", host=host, hint=_NOBODY)
    if not isinstance(error, openai.APIStatusError):
        return CloudError(
            f"The server's answer could not be understood ({quoted(error, key)}).",
            hint="The address should end with the version, for example /v1, and lead to an OpenAI-compatible server.",
        )
    words = quoted(words_of(error), key)
    lower = words.lower()
    if error.status_code in {401, 403}:
        return CloudAccessError(
            f"The server at {host} did not accept the key.", hint="Enter the right key on its card."
        )
    if error.status_code == 404:
        return CloudAccessError(
            f"The server at {host} has no model {model}.",
            hint="“Test connection” lists its models. The address should end with the version, for example /v1.",
        )
    if any(each in lower for each in _TOO_LONG) or error.status_code == 413:
        return CloudError(
            f"The clip does not fit into the model's context ({words}).",
            hint="Send fewer or smaller frames, or start the server with a longer context (vLLM: --max-model-len).",
        )
    if any(each in lower for each in _TOO_MANY_PICTURES):
        return CloudError(
            f"The server does not take so many pictures ({words}).",
            hint="Send fewer frames, or start it with more allowed (vLLM: --limit-mm-per-prompt '{\"image\": 16}').",
        )
    if any(each in lower for each in _NO_VISION):
        return CloudAccessError(f"The model {model} cannot see pictures ({words}).", hint="Choose a vision model.")
    if error.status_code == 429:
        return CloudError("The server is overloaded.", hint="Send fewer clips at once, or try again later.")
    if error.status_code >= 500:
        return CloudError(f"The server has trouble ({error.status_code}: {words}).", hint="Look at the server's log.")
    return CloudError(f"The server refused the request: {words}.", hint="Look at the server's log.")

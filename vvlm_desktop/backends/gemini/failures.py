"""Gemini's failures: which of them pass, and what the others mean for the person in front of it."""

from __future__ import annotations

import httpx2
from google.genai import errors

from vvlm_desktop.backends.cloud_calls import DeadlinePassedError
from vvlm_desktop.backends.cloud_failures import connection_failure, quoted
from vvlm_desktop.backends.cloud_pace import RETRIED_STATUS, Transient, google_retry_delay_s, retry_after_s
from vvlm_desktop.errors import CloudAccessError, CloudError

#: Everything that the SDK lets through: its own errors, the connection's, and what it raises on an answer that it
#: does not understand: pydantic's errors are ValueErrors, deep JSON recurses.
SDK_ERRORS = (
    *(errors.APIError, errors.UnknownApiResponseError, httpx2.HTTPError),
    *(ValueError, KeyError, RecursionError),
)
_OFFLINE = "Check the network. Nothing is lost; analyse again when it is back."


def transient(error: BaseException) -> Transient | None:
    """Whether the same request may succeed later, and when the server wants it."""
    if isinstance(error, DeadlinePassedError):
        return None
    if isinstance(error, httpx2.TransportError):
        return Transient()
    if isinstance(error, errors.APIError) and error.code in RETRIED_STATUS:
        asked_s = [retry_after_s(getattr(error.response, "headers", None) or {}), google_retry_delay_s(error.details)]
        return Transient(max((each for each in asked_s if each is not None), default=None))
    return None


def is_gone(error: BaseException, *, uncertain: bool) -> bool:
    """Whether a failed deletion means that nothing is there.

    Args:
        uncertain: the upload broke off. Google answers 403 for a file that does not exist.
    """
    return isinstance(error, errors.APIError) and (error.code == 404 or (uncertain and error.code == 403))


def _is_about_a_file(error: errors.APIError) -> bool:
    """Whether the key and the model are good and the upload is gone; also 403 is said then, in words about the file."""
    if error.code not in {403, 404}:
        return False
    request = getattr(error.response, "request", None)
    return (request is not None and "/files/" in request.url.path) or "access the file" in str(error.message).lower()


def explained(error: BaseException, *, key: str, model: str, host: str) -> CloudError:
    """The failure as a sentence and what to do."""
    if isinstance(error, httpx2.HTTPError):
        return connection_failure(error, who="Gemini", host=host, hint=_OFFLINE)
    if not isinstance(error, errors.APIError):
        words = quoted(error, key)
        return CloudError(
            f"Gemini's answer could not be understood ({words}).", hint="Try again; the service may change."
        )
    words = quoted(error.message, key) or f"answer {error.code}"
    if _is_about_a_file(error):
        return CloudError("Google does not have the uploaded video any more.", hint="Analyse this clip again.")
    if error.code in {401, 403} or (error.code == 400 and "api key" in words.lower()):
        return CloudAccessError(
            f"Google did not accept the key for Gemini ({words}).",
            hint="Check the key on Gemini's card; a new one is made at aistudio.google.com.",
        )
    if error.code == 404:
        return CloudAccessError(
            f"Google has no model {model}.",
            hint="Choose another one on Gemini's card; “Test connection” lists those that your key can use.",
        )
    if error.code == 429:
        return CloudError(
            f"The quota of your key is used up ({words}).",
            hint="Wait as long as Google asks, lower the requests a minute, or use a paid key.",
        )
    if error.code == 413:
        return CloudError("The video is too large for Gemini.", hint="Send a narrower picture, or only a part of it.")
    if error.code >= 500:
        return CloudError(f"Google's server has trouble ({error.code}).", hint="Try again in some minutes.")
    if "location" in words.lower() and "support" in words.lower():
        return CloudAccessError(
            "Gemini is not offered in your country by this key.", hint="Use a local model or a server."
        )
    return CloudError(f"Gemini refused the request: {words}.", hint="Try another clip, model or setting.")

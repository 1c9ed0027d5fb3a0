"""What went wrong between here and a server, as sentences; nothing of an SDK's error gets out but its cleaned words."""

from __future__ import annotations

import ssl

import httpx2

from vvlm_desktop.backends.cloud_calls import AnswerRefusedError, DeadlinePassedError
from vvlm_desktop.backends.cloud_keys import without_keys
from vvlm_desktop.errors import CloudAccessError, CloudError

_LONGEST_QUOTE = 300
_MOST_TOKENS = 10**9


def connection_failure(error: BaseException, *, who: str, host: str, hint: str) -> CloudError:
    """The error for a connection that did not come about, or broke.

    Args:
        who: "Gemini" or "The server", to begin a sentence with.
        hint: what to do when nobody answers at all.
    """
    if _is_certificate(error):
        return CloudAccessError(
            f"{who} could not prove to be {host}: its certificate is not valid.",
            hint="Nothing was sent. A proxy may be in between; ask who runs the network. SSL_CERT_FILE names own ones.",
        )
    if isinstance(error, DeadlinePassedError | httpx2.ReadTimeout | httpx2.WriteTimeout):
        return CloudError(f"{who} did not answer in time.", hint="Try again later, or allow more time.")
    if isinstance(error, AnswerRefusedError):
        return CloudError(
            f"What {host} sent was not read: {error}.", hint="Check that the address leads to the right server."
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError):
        return CloudAccessError(f"{who} cannot be reached at {host}.", hint=hint)
    return CloudError(f"The connection to {host} was cut.", hint="Try again; the network may be unsteady.")


def quoted(words: object, *keys: str | None) -> str:
    """A server's own words for a message: short, on one line, without keys."""
    text = " ".join(without_keys(str(words or ""), *keys).split())
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"


def one_line(words: object, *keys: str | None, longest: int = 100) -> str:
    """A name or a reason that a server gave, for a record or a message."""
    return "".join(letter for letter in quoted(words, *keys) if letter.isprintable())[:longest]


def plain_text(text: str, *keys: str | None) -> str:
    """A model's answer as it can be kept: without keys, and without half characters that no file can hold."""
    return without_keys(text, *keys).encode("utf-8", "replace").decode("utf-8")


def tokens_counted(value: object) -> int:
    """A number of tokens as a server gave it; what cannot be one counts as nothing."""
    return value if isinstance(value, int) and 0 <= value < _MOST_TOKENS else 0


def _is_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False

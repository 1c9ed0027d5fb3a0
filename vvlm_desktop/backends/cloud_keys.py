"""Keys of servers inside a worker: where they come from, and that no text ever shows one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from vvlm_desktop.backends.cloud_options import GEMINI_SECRET, SERVER_SECRET
from vvlm_desktop.errors import CloudAccessError

_HIDDEN = "[key]"
_SHORTEST_SECRET = 6


def gemini_key(secrets: Mapping[str, str]) -> str:
    """The key for Gemini: as sent with the request, else from the environment.

    Raises:
        CloudAccessError: there is none.
    """
    for value in (secrets.get(GEMINI_SECRET), os.environ.get("GEMINI_API_KEY"), os.environ.get("GOOGLE_API_KEY")):
        if value and value.strip():
            return _checked(value.strip())
    raise CloudAccessError(
        "There is no key for Gemini.",
        hint="Enter it on Gemini's card, or set GEMINI_API_KEY before the program starts.",
    )


def server_key(secrets: Mapping[str, str], *, base_url: str) -> str | None:
    """The key for a server, None where there is none; many servers in an own network need none.

    OPENAI_API_KEY is somebody's key at OpenAI, so it goes to OpenAI and to nobody else.
    """
    host = urlsplit(base_url).hostname or ""
    at_openai = host == "openai.com" or host.endswith(".openai.com")
    candidates = [secrets.get(SERVER_SECRET), os.environ.get("VVLM_SERVER_KEY")]
    if at_openai:
        candidates.append(os.environ.get("OPENAI_API_KEY"))
    return next((_checked(value.strip()) for value in candidates if value and value.strip()), None)


def _checked(key: str) -> str:
    """One that a request cannot carry would fail later, in words that quote it."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise CloudAccessError(
            "The key holds characters that no key has.", hint="Copy it again, in one piece and without blanks."
        )
    return key


def without_keys(text: str, *keys: str | None) -> str:
    """`text` with every key in it hidden: servers repeat what they were sent."""
    for key in keys:
        if key and len(key) >= _SHORTEST_SECRET:
            text = text.replace(key, _HIDDEN)
    return text


def host_of(address: str) -> str:
    """The computer behind an address: `host` or `host:port`, without user, path or query.

    Raises:
        CloudAccessError: it is not an http address, or would carry a key in the open over the internet.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in {"http", "https"}:
        raise CloudAccessError(
            "The address of the server is not one.",
            hint="It begins with http:// or https://, for example http://10.0.0.7:8000/v1.",
        )
    if parts.username or parts.password:
        raise CloudAccessError(
            "The address of the server contains a user name or a password.",
            hint="Enter the address alone; the key has a field of its own.",
        )
    return f"{host}:{port}" if port else host

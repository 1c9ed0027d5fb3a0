"""The openai client as we use it: our own connections, no retries of its own, nothing from the environment."""

from __future__ import annotations

import httpx2
import openai

from vvlm_desktop.backends.cloud_calls import http_client

#: Servers in an own network often need no key, the client always wants one.
_NO_KEY = "none"


def make_client(base_url: str, key: str | None) -> tuple[openai.OpenAI, httpx2.Client]:
    """The client, and the HTTP client beneath it, which has to be closed.

    Empty organisation and project keep the client from sending those of somebody's OpenAI account to other servers.
    """
    http = http_client(base_url)
    client = openai.OpenAI(
        api_key=key or _NO_KEY,
        base_url=base_url.rstrip("/"),
        organization="",
        project="",
        max_retries=0,
        http_client=http,
    )
    return client, http

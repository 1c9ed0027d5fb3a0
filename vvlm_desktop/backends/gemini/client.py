"""The SDK's client as we use it: named API version, our own connections, the key in a header and nowhere else."""

from __future__ import annotations

import json
import os
from urllib.parse import urlsplit

import httpx2
from google import genai
from google.genai import errors, types

from vvlm_desktop.backends.cloud_calls import http_client
from vvlm_desktop.backends.cloud_keys import host_of
from vvlm_desktop.errors import CloudAccessError

DEFAULT_BASE_URL = "https://generativelanguage.googleapis.com"
#: The names that end in `-latest` exist on this version only.
_API_VERSION = "v1beta"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def base_url() -> str:
    """Where Gemini is: at Google, or where `GOOGLE_GEMINI_BASE_URL` says.

    Raises:
        CloudAccessError: that is no address, or the key would go over the network in the open.
    """
    address = os.environ.get("GOOGLE_GEMINI_BASE_URL", "").strip() or DEFAULT_BASE_URL
    host_of(address)
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise CloudAccessError(
            "GOOGLE_GEMINI_BASE_URL is not an https address, so the key would be readable on the way.",
            hint="Use https, or remove the variable.",
        )
    return address


def make_client(key: str) -> tuple[genai.Client, httpx2.Client]:
    """The SDK's client, and the HTTP client beneath it, which has to be closed."""
    context = httpx2.create_ssl_context()
    http = http_client(base_url(), context)
    http.event_hooks = {"response": [_refuse_unconfirmed_upload, _refuse_unconfirmed_deletion]}
    # The SDK would load all certificates twice more for connections that are never made.
    never_used = httpx2.AsyncClient(verify=context, trust_env=False)
    options = types.HttpOptions(
        api_version=_API_VERSION, base_url=base_url(), httpx_client=http, httpx_async_client=never_used
    )
    return genai.Client(api_key=key, vertexai=False, http_options=options), http


def _refuse_unconfirmed_upload(response: httpx2.Response) -> None:
    """Raise for a piece of an upload that was not taken.

    WORKAROUND google-genai 3.4: without this header the SDK sends the same piece three times and sleeps seven seconds,
    also on an error that will not pass, and cannot be cancelled meanwhile. Can go when uploads honour retry options.
    """
    command = response.request.headers.get("x-goog-upload-command", "")
    if "upload" not in command or response.headers.get("x-goog-upload-status"):
        return
    response.read()
    errors.APIError.raise_for_response(response)
    raise httpx2.RemoteProtocolError("the upload was not confirmed")


def _refuse_unconfirmed_deletion(response: httpx2.Response) -> None:
    """Raise for a deletion that was not answered as the service does, with an object or nothing.

    A network's sign-in page says 200 to everything too, and the SDK takes `null` and `[]` for a confirmation.
    """
    if response.request.method != "DELETE" or response.status_code != 200:
        return
    try:
        said = json.loads(response.read() or b"{}")
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise httpx2.RemoteProtocolError("the deletion was not confirmed")

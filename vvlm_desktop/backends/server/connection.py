"""The server's tool: is it there, which models does it offer, what can it do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit

import openai

from vvlm_desktop.backends.cloud_calls import calling
from vvlm_desktop.backends.cloud_keys import host_of, server_key
from vvlm_desktop.backends.cloud_options import ServerOptions
from vvlm_desktop.backends.server.abilities import probe
from vvlm_desktop.backends.server.client import make_client
from vvlm_desktop.backends.server.failures import SDK_ERRORS, explained
from vvlm_desktop.errors import CloudAccessError

_WITHIN_S = 15.0
_MOST_MODELS = 200


def test_connection(
    arguments: Mapping[str, Any],
    *,
    secrets: Mapping[str, str],
    progress: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Ask the server at `arguments["base_url"]` for its models, and one of them for a word; no picture is sent.

    Returns:
        `host`, `models`, `model` (which would be used), `answer_s`, `schema` (`none` where
        it does not enforce the form of answers), `logprobs` (whether confidence can be had), `warnings`.

    Raises:
        CloudAccessError: the address, the key or the model is not right.
    """
    options = ServerOptions.from_json(arguments)
    host = host_of(options.base_url)
    key = server_key(secrets, base_url=options.base_url)
    client, http = make_client(options.base_url, key)
    with closing(http):
        try:
            progress(0.1, "asking for the models")
            models = model_names(client, cancelled)
            model = options.model or next(iter(models), "")
            if not model or (options.model and models and options.model not in models):
                raise _no_model(host, options.model, models)
            progress(0.4, "asking for a word")
            began = time.monotonic()
            abilities = probe(client, options, model=model, cancelled=cancelled)
        except SDK_ERRORS as error:
            failure = explained(error, key=key, model=options.model or "it offers", host=host)
        else:
            return {
                "host": host,
                "models": models,
                "model": model,
                "answer_s": round(time.monotonic() - began, 3),
                "schema": abilities.schema,
                "logprobs": abilities.logprobs,
                "warnings": _warnings(options.base_url, key),
            }
    raise failure


def model_names(client: openai.OpenAI, cancelled: Callable[[], bool]) -> list[str]:
    """What the server offers, in its own order."""
    offered: Any = None
    with calling(cancelled, within_s=_WITHIN_S), suppress(ValueError, RecursionError, AttributeError):
        # What is no JSON, or no object, makes the client fail in these ways.
        offered = getattr(client.models.list(), "data", None)
    if not isinstance(offered, list):
        raise CloudAccessError(
            "There is no model list at this address.",
            hint="The address should end with the version, for example /v1.",
        )
    return [str(model.id) for model in offered if getattr(model, "id", None)][:_MOST_MODELS]


def first_model(client: openai.OpenAI, cancelled: Callable[[], bool]) -> str:
    """The model that is used where none is named.

    Raises:
        CloudAccessError: the server offers none.
    """
    names = model_names(client, cancelled)
    if not names:
        raise CloudAccessError("The server offers no model.", hint="Start it with one, for example: vllm serve MODEL")
    return names[0]


def _no_model(host: str, wanted: str, models: list[str]) -> CloudAccessError:
    shown = ", ".join(models[:5]) or "none"
    what = f"no model {wanted}" if wanted else "no model"
    return CloudAccessError(f"The server at {host} has {what}.", hint=f"It offers: {shown}.")


def _warnings(base_url: str, key: str | None) -> list[str]:
    parts = urlsplit(base_url)
    if parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}:
        return []
    what = "pictures and the key" if key else "pictures"
    return [f"The connection is not encrypted: everybody on the way can read {what}. Use https where you can."]

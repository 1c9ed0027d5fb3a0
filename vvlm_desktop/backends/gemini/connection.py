"""Gemini's tools: does the key work, which models are there, and cleaning up what was left over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from google import genai

from vvlm_desktop.backends.cloud_calls import calling
from vvlm_desktop.backends.cloud_keys import gemini_key, host_of
from vvlm_desktop.backends.cloud_options import DEFAULT_GEMINI_MODEL
from vvlm_desktop.backends.gemini.client import base_url, make_client
from vvlm_desktop.backends.gemini.failures import SDK_ERRORS, explained
from vvlm_desktop.backends.gemini.uploads import DISPLAY_NAME, Deletion, try_to_delete

_WITHIN_S = 15.0
_MOST_MODELS = 200


def test_connection(
    arguments: Mapping[str, Any],
    *,
    secrets: Mapping[str, str],
    progress: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Ask for the model `arguments["model"]`; nothing of any clip is sent.

    Returns:
        `model`, `title`, `host`, `models` (that can be asked), `left_over` (uploads of ours that are still there).

    Raises:
        CloudError: the key, the name or the network is not right.
    """
    model = str(arguments.get("model") or DEFAULT_GEMINI_MODEL)
    key = gemini_key(secrets)
    host = host_of(base_url())
    client, http = make_client(key)
    with closing(http):
        try:
            with calling(cancelled, within_s=_WITHIN_S):
                progress(0.2, "asking Google")
                found = client.models.get(model=model)
                progress(0.6, "asking for the models")
                models, left_over = _models(client), _left_over(client)
        except SDK_ERRORS as error:
            failure = explained(error, key=key, model=model, host=host)
        else:
            title = found.display_name or model
            return {"model": model, "title": title, "host": host, "models": models, "left_over": left_over}
    raise failure


def delete_uploads(
    arguments: Mapping[str, Any],
    *,
    secrets: Mapping[str, str],
    progress: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Delete the uploads called `arguments["names"]`; without names, all that this program left at Google.

    Returns:
        Names, each in one of three: `deleted`; `absent`, which were not there, or not with this key; `left`, which
        could not be deleted now.

    Raises:
        CloudError: there is no key, or the list cannot be had.
    """
    key = gemini_key(secrets)
    client, http = make_client(key)
    found: dict[Deletion, list[str]] = {"deleted": [], "absent": [], "left": []}
    with closing(http):
        try:
            names = _names(client, arguments, cancelled)
        except SDK_ERRORS as error:
            failure = explained(error, key=key, model=DEFAULT_GEMINI_MODEL, host=host_of(base_url()))
        else:
            for number, name in enumerate(names):
                progress(number / len(names), "deleting what was left over")
                became: Deletion = "left" if cancelled() else try_to_delete(client, name, uncertain=True)
                found[became].append(name)
            return {"deleted": found["deleted"], "absent": found["absent"], "left": found["left"]}
    raise failure


def _names(client: genai.Client, arguments: Mapping[str, Any], cancelled: Callable[[], bool]) -> list[str]:
    """The list is asked for in any case: it proves the key, without which a refusal to delete would say nothing."""
    with calling(cancelled, within_s=_WITHIN_S):
        ours = _left_over(client)
    return ours if arguments.get("names") is None else [str(name) for name in arguments["names"]]


def _left_over(client: genai.Client) -> list[str]:
    """Ours are known by the name that people see; somebody's other files are never touched."""
    return [file.name for file in client.files.list() if file.name and file.display_name == DISPLAY_NAME]


def _models(client: genai.Client) -> list[str]:
    names: list[str] = []
    for model in client.models.list():
        if model.name and "generateContent" in (model.supported_actions or []):
            names.append(model.name.removeprefix("models/"))
        if len(names) >= _MOST_MODELS:
            break
    return names

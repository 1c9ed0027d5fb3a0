"""Asks Gemini or a server whether they are there, in a worker of its own; nothing of any clip is sent."""

from __future__ import annotations

from collections.abc import Callable

from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.models.cloud_view import TestView, connection_words
from vvlm_desktop.workflow.cloud import cloud_options, require_switched_on, secrets_for
from vvlm_desktop.workflow.keys import Keys
from vvlm_desktop.workflow.tools import run_tool


def ask_connection(settings: Settings, backend: str, *, keys: Keys, cancelled: Callable[[], bool]) -> TestView:
    """Whether `backend` can be used as the settings name it; takes seconds.

    Raises:
        ConsentError: nothing may leave this computer, so nobody is asked.
        CloudError: the address, the key, the model or the network is not right.
        JobCancelledError: `cancelled` said so.
    """
    require_switched_on(settings)
    arguments = cloud_options(settings, backend)
    secrets = secrets_for(keys, backend, address=str(arguments.get("base_url", "")))
    return connection_words(backend, run_tool(f"{backend}_test", arguments, secrets=secrets, cancelled=cancelled))

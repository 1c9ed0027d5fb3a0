"""Keeping a key: in the keychain if somebody wants that and there is one, else until the window closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vvlm_desktop.errors import CloudError
from vvlm_desktop.ui.errors_view import Problem

if TYPE_CHECKING:
    from vvlm_desktop.workflow.keys import Keys


def keep_key(keys: Keys, name: str, value: str, *, title: str, in_keychain: bool) -> Problem:
    """Keep it, and return what to say; may take seconds.

    Args:
        name: from `workflow.cloud.key_name`.

    Raises:
        CloudError: this is not a key.
    """
    keys.use_for_this_session(name, value)
    if not in_keychain:
        return Problem(f"The key for {title} is kept until the window closes.", tone="good")
    try:
        keys.store(name, value)
    except CloudError as error:
        variable = _VARIABLES[name.partition("@")[0]]
        hint = f"It is used until the window closes. For later, set {variable} in the environment."
        return Problem(str(error), hint=hint, tone="doubtful")
    return Problem(f"The key for {title} is kept in the system's keychain.", tone="good")


_VARIABLES = {"gemini": "GEMINI_API_KEY", "server": "VVLM_SERVER_KEY"}

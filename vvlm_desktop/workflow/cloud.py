"""Gemini and VLM servers as the settings name them: options for a batch, and the key for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vvlm_desktop.backends.cloud_options import GEMINI_SECRET, SERVER_SECRET, GeminiOptions, ServerOptions
from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.errors import CloudError, ConsentError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.consent import host_of
from vvlm_desktop.workflow.keys import Keys

_SECRETS = {"gemini": GEMINI_SECRET, "server": SERVER_SECRET}


def cloud_options(
    settings: Settings,
    backend: str,
    *,
    model: str | None = None,
    frames: int | None = None,
    fps: float | None = None,
    event_ms: int | None = None,
    width_px: int | None = None,
    votes: int | None = None,
    url: str | None = None,
    per_minute: int | None = None,
    teacher: bool = False,
) -> dict[str, Any]:
    """Options of `gemini` or `server`, from the settings where nothing else is given; without a consent in them.

    Raises:
        BackendError: a value that the backend does not take.
        CloudError: no server is named.
    """
    if backend == "gemini":
        return GeminiOptions(
            model=model or settings.gemini_model,
            teacher=teacher,
            width_px=width_px or settings.gemini_width_px or None,
            event_ms=event_ms,
            fps=fps or settings.gemini_fps,
            votes=votes or settings.gemini_votes,
            per_minute=settings.requests_per_minute if per_minute is None else per_minute,
        ).to_json()
    address = url or settings.server_url
    if not address:
        raise CloudError(
            "No VLM server is set.",
            hint="Enter its address in Settings, or name it with --url: http://10.0.0.7:8000/v1",
        )
    wanted = frames or settings.frames
    around = Sampling("around", frames=wanted, at_ms=event_ms) if event_ms is not None else None
    sampling = around or (Sampling("fps", frames=max(wanted, 64), fps=fps) if fps else Sampling(frames=wanted))
    server = ServerOptions(base_url=address, model=model or settings.server_model, sampling=sampling, teacher=teacher)
    side = width_px or server.longest_side_px
    return replace(server, mode=settings.server_sends, longest_side_px=side, per_minute=per_minute or 0).to_json()


def key_name(backend: str, address: str = "") -> str:
    """Under which name `Keys` keeps the key: a server's belongs to its address, so that no other server is given it."""
    if backend != "server":
        return backend
    try:
        return f"server@{host_of(backend, {'base_url': address})}"
    except ConsentError:
        return "server@"


def secrets_for(keys: Keys, backend: str, *, address: str = "") -> Mapping[str, str]:
    """The key that requests to `backend` carry; empty for a server that asks for none.

    Args:
        address: of the server, `base_url` in its options.

    Raises:
        CloudError: there is no key for Gemini.
    """
    if backend not in _SECRETS:
        return {}
    found = keys.find(key_name(backend, address))
    if found is not None:
        return {_SECRETS[backend]: found.value}
    if backend == "gemini":
        raise CloudError(
            "There is no key for Gemini.",
            hint="Enter it on Gemini's card, or set GEMINI_API_KEY before the program starts.",
        )
    return {}


def require_switched_on(settings: Settings) -> None:
    """Refuse where clips may not leave this computer at all.

    Raises:
        ConsentError: it is switched off.
    """
    if not settings.allow_upload:
        raise ConsentError(
            "Clips may not leave this computer; nothing was sent.",
            hint="Switch on “Allow clips to leave this computer” in Settings; on the command line use --allow-upload.",
        )

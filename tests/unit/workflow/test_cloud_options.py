"""What Gemini and a server are asked with: the settings, unless something else was typed."""

from __future__ import annotations

import pytest

from vvlm_desktop.errors import CloudError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.cloud import cloud_options

SET = Settings(gemini_fps=4.0, gemini_width_px=640, gemini_votes=3, requests_per_minute=15, server_url="http://a/v1")


def test_gemini_is_asked_as_the_settings_say() -> None:
    options = cloud_options(SET, "gemini")

    assert {key: options[key] for key in ("fps", "width_px", "votes", "per_minute")} == {
        "fps": 4.0,
        "width_px": 640,
        "votes": 3,
        "per_minute": 15,
    }
    assert cloud_options(Settings(), "gemini")["width_px"] is None


def test_what_was_typed_comes_before_the_settings() -> None:
    options = cloud_options(SET, "gemini", fps=1.0, width_px=320, votes=1, per_minute=0, model="x")

    assert (options["fps"], options["width_px"], options["votes"]) == (1.0, 320, 1)
    assert (options["per_minute"], options["model"]) == (0, "x")


def test_server_without_an_address_says_where_to_enter_it() -> None:
    with pytest.raises(CloudError, match="No VLM server") as caught:
        cloud_options(Settings(), "server")
    assert "Settings" in caught.value.hint
    assert cloud_options(SET, "server")["base_url"] == "http://a/v1"


def test_a_server_gets_pictures_unless_a_video_is_set() -> None:
    assert cloud_options(SET, "server")["mode"] == "images"
    assert cloud_options(SET.model_copy(update={"server_sends": "video"}), "server")["mode"] == "video"

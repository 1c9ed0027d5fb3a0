"""Clips leave the computer only with `--allow-upload`, with a line in the ledger; the key is nowhere to be found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Vvlm
from vvlm_desktop.store.library import Library

KEY = "AIza-0123456789abcdef"
Add = Callable[..., None]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)


@pytest.mark.parametrize("command", [("analyse",), ("ask", "a.mp4", "Why?")])
def test_without_consent_nothing_is_sent_and_it_says_what_would_be(
    vvlm: Vvlm, add: Add, command: tuple[str, ...]
) -> None:
    add("a")
    done = vvlm(*command, "--backend", "gemini")
    assert done.exit_code == 1
    assert "would leave this computer" in done.stderr
    assert "--allow-upload" in done.stderr
    shown = vvlm("show", "a.mp4", "--json").data
    assert (shown["analyses"], shown["questions"]) == ([], [])


def test_with_consent_it_is_sent_with_the_key_and_the_ledger_has_it(vvlm: Vvlm, add: Add, library: Path) -> None:
    add("a")
    done = vvlm("analyse", "--backend", "gemini", "--allow-upload")
    assert done.exit_code == 0, done.stderr
    assert "would leave this computer" in done.stderr
    shown = vvlm("show", "a.mp4", "--json")
    assert shown.data["analyses"][0]["settings"]["keys"]
    states = [event.payload["state"] for event in _events(library) if event.kind == "upload"]
    assert states == ["asked", "sending", "deleted"]
    assert KEY not in shown.stdout + done.stdout + done.stderr
    assert all(KEY.encode() not in file.read_bytes() for file in library.rglob("*") if file.is_file())


def _events(folder: Path):
    with Library.open(folder) as library:
        return library.history()


def test_without_a_key_it_says_where_to_enter_it(vvlm: Vvlm, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY")
    add("a")
    done = vvlm("analyse", "--backend", "gemini", "--allow-upload")
    assert done.exit_code == 1
    assert "no key for Gemini" in done.stderr


@pytest.mark.parametrize("option", [("--adapter", "x"), ("--rounds", "2"), ("--precision", "bf16")])
def test_what_only_a_local_model_has_is_refused(vvlm: Vvlm, add: Add, option: tuple[str, ...]) -> None:
    add("a")
    done = vvlm("analyse", "--backend", "gemini", *option)
    assert (done.exit_code, f"no {option[0]}" in done.stderr) == (2, True)

"""A library with a signing key from the environment, in the test's own folder."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from vvlm_desktop.store.library import Library

KEY = base64.b64encode(b"a key for tests, 32 bytes long..").decode()


@pytest.fixture(autouse=True)
def signing_key(_isolated_data: None, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("VVLM_SIGNING_KEY", KEY)
    return KEY


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        yield opened

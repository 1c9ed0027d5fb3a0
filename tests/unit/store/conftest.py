"""A library with a signing key from the environment, in the test's own folder."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.quick_libraries import use_real_libraries
from tests.unit.store.builders import reviewed_library
from vvlm_desktop.store.library import Library
from vvlm_desktop.store.signing import SigningKey, signer_from

KEY = base64.b64encode(b"a key for tests, 32 bytes long..").decode()


@pytest.fixture(autouse=True)
def signing_key(_isolated_data: None, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("VVLM_SIGNING_KEY", KEY)
    return KEY


@pytest.fixture
def real_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries are made, opened and written exactly as a user's are; see `tests.quick_libraries`."""
    use_real_libraries(monkeypatch)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture(scope="session")
def key() -> SigningKey:
    """The key of `signing_key`, for fixtures that outlive one test."""
    return SigningKey(lambda: signer_from(KEY))


@pytest.fixture(scope="session")
def reviewed_template(tmp_path_factory: pytest.TempPathFactory, key: SigningKey) -> tuple[Path, bytes]:
    """The folder and the database of a library with ten events in five actions on one analysed clip."""
    folder = tmp_path_factory.mktemp("reviewed")
    with reviewed_library(folder, key=key) as library:
        library.verify()
    return folder, (folder / "library.db").read_bytes()


@pytest.fixture
def reviewed(reviewed_template: tuple[Path, bytes]) -> Iterator[Library]:
    """The reviewed library as it was made; in the same folder each time, because the folder is part of its origin."""
    folder, database = reviewed_template
    for file in folder.iterdir():
        file.unlink()
    (folder / "library.db").write_bytes(database)
    with Library.open(folder) as library:
        yield library

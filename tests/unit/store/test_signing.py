"""The signing key: from the keychain or the environment, else none, and said so. Never from a file."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as ForgetfulKeyring

from tests.unit.store.builders import note
from vvlm_desktop.store import signing
from vvlm_desktop.store.library import Library
from vvlm_desktop.store.signing import KeyUnavailableError, SigningKey, load_signer, new_key, signature_holds


class MemoryKeyring(KeyringBackend):
    """Keeps passwords in a dictionary."""

    priority = 0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


class BrokenKeyring(MemoryKeyring):
    """Raises what no interface promised, as desktop services do."""

    def get_password(self, service: str, username: str) -> str | None:
        raise LookupError("no such collection")


class LockedKeyring(MemoryKeyring):
    """Waits for somebody to unlock it."""

    def __init__(self, unlocked: threading.Event) -> None:
        super().__init__()
        self.unlocked = unlocked

    def get_password(self, service: str, username: str) -> str | None:
        self.unlocked.wait(20)
        return None


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(signing_key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(signing.ENVIRONMENT)
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def test_a_key_is_made_once_and_kept_in_the_keychain(tmp_path: Path) -> None:
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    with Library.open(tmp_path) as library:
        assert backend.kept == {}  # nothing is asked before there is something to sign
        library.append([note("c", "x")])
        first = library.heads()[0]
        assert library.verify().signed
    assert list(backend.kept) == [("vvlm-desktop", "signing-key")]
    with Library.open(tmp_path) as library:
        library.append([note("c", "y")])
        assert library.heads()[0].public_key == first.public_key
        assert library.verify().ok
    secret = backend.kept["vvlm-desktop", "signing-key"]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes()
            assert base64.b64decode(secret) not in file.read_bytes()


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        (NoKeyring(), "no keychain"),
        (ForgetfulKeyring(), "does not keep"),
        (BrokenKeyring(), "LookupError: no such collection"),
    ],
)
def test_without_a_usable_keychain_reviewing_goes_on_unsigned_and_says_so(
    library: Library, backend: KeyringBackend, why: str
) -> None:
    keyring.set_keyring(backend)
    library.append([note("c", "x")])
    report = library.verify()
    assert (report.ok, report.signed) == (True, False)
    assert any(why in line for line in report.notes)
    assert library.heads()[0].signature is None


def test_a_locked_keychain_does_not_hold_up_reviewing() -> None:
    unlocked = threading.Event()
    keyring.set_keyring(LockedKeyring(unlocked))
    try:
        with pytest.raises(KeyUnavailableError, match="did not answer"):
            load_signer(timeout_s=0.05)
    finally:
        unlocked.set()


def test_a_key_in_the_environment_is_used_and_the_keychain_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    monkeypatch.setenv(signing.ENVIRONMENT, new_key())
    assert load_signer().public_key == load_signer().public_key
    assert backend.kept == {}


@pytest.mark.parametrize("value", ["x", "AAAA", "ä", base64.b64encode(b"k" * 33).decode()])
def test_a_wrong_key_in_the_environment_is_told(library: Library, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(signing.ENVIRONMENT, value)
    library.append([note("c", "x")])
    assert any("not the base64 of 32 bytes" in line for line in library.verify().notes)


def test_the_key_is_looked_up_once_a_session(tmp_path: Path) -> None:
    asked = []

    def load() -> signing.Signer:
        asked.append(1)
        raise KeyUnavailableError("none today")

    with Library.open(tmp_path, key=SigningKey(load)) as library:
        library.append([note("c", "x")])
        library.append([note("c", "y")])
        assert "none today" in library.verify().notes[-1]
    assert asked == [1]


def test_events_stored_without_the_key_are_covered_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signing.ENVIRONMENT, new_key())
    with Library.open(tmp_path) as library:
        library.append([note("c", "signed")])
    with Library.open(tmp_path, key=SigningKey(_none)) as library:
        library.append([note("c", "not signed")])
        report = library.verify()
        assert (report.ok, report.signed) == (True, False)
        assert "events 2 to 2 are not covered" in report.notes[0]
    with Library.open(tmp_path) as library:
        library.append([note("c", "signed again")])
        report = library.verify()
        assert (report.ok, report.signed, report.notes) == (True, True, [])


def _none() -> signing.Signer:
    raise KeyUnavailableError("the keychain is locked")


@given(message=st.binary(max_size=40), other=st.binary(max_size=40))
def test_a_signature_holds_for_its_message_and_key_alone(message: bytes, other: bytes) -> None:
    signer = signing.signer_from(base64.b64encode(b"k" * 32).decode())
    signature = signer.sign(message)
    assert signature_holds(signer.public_key, signature, message=message)
    assert signature_holds(signer.public_key, signature, message=other) == (message == other)
    assert not signature_holds(signing.signer_from(new_key()).public_key, signature, message=message)
    assert not signature_holds("nonsense", signature, message=message)
    assert not signature_holds(signer.public_key, "nonsense", message=message)

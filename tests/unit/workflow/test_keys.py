"""Keys: environment, keychain or this session; never shown."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from vvlm_desktop.errors import CloudError
from vvlm_desktop.workflow.keys import Keys

SECRET = "AIzaSecretSecretSecret"


class MemoryKeyring(KeyringBackend):
    priority = 0  # type: ignore[assignment]

    def __init__(self, *, raises: Exception | None = None) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.raises = raises

    def get_password(self, service: str, username: str) -> str | None:
        if self.raises:
            raise self.raises
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.raises:
            raise self.raises
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def keychain(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "VVLM_SERVER_KEY", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(NoKeyring())


def test_keychain_keeps_a_key_for_the_next_session(keychain: MemoryKeyring) -> None:
    Keys().store("gemini", f"  {SECRET}\n")

    found = Keys().find("gemini")

    assert found is not None
    assert (found.value, found.source) == (SECRET, "keychain")
    assert SECRET not in repr(found)


def test_environment_comes_before_the_keychain_and_typed_in_before_both(
    keychain: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Keys()
    keys.store("gemini", "from-the-keychain")
    monkeypatch.setenv("GOOGLE_API_KEY", "from-the-environment")
    environment = keys.find("gemini")
    keys.use_for_this_session("gemini", "typed-in")
    typed = keys.find("gemini")

    assert environment is not None
    assert (environment.value, environment.origin) == ("from-the-environment", "environment variable GOOGLE_API_KEY")
    assert typed is not None
    assert (typed.value, typed.source) == ("typed-in", "session")


def test_session_key_is_gone_with_the_session(keychain: MemoryKeyring) -> None:
    Keys().use_for_this_session("gemini", SECRET)

    assert Keys().find("gemini") is None
    assert keychain.kept == {}


def test_forgotten_key_is_nowhere(keychain: MemoryKeyring) -> None:
    keys = Keys()
    keys.store("gemini", SECRET)
    keys.use_for_this_session("gemini", SECRET)
    keys.forget("gemini")

    assert keys.find("gemini") is None
    assert keychain.kept == {}


@pytest.mark.parametrize("text", ["", "   ", "two words", "tab\tinside", "schlüssel", "x" * 5000])
def test_what_is_no_key_is_refused_without_being_repeated(keychain: MemoryKeyring, text: str) -> None:
    with pytest.raises(CloudError, match="not a key") as caught:
        Keys().store("gemini", text)

    assert not text.strip() or text.strip() not in str(caught.value) + caught.value.hint


def test_broken_keychain_never_repeats_the_key_and_names_the_way_out(keychain: MemoryKeyring) -> None:
    keychain.raises = RuntimeError(f"could not write {SECRET}")

    with pytest.raises(CloudError) as caught:
        Keys().store("gemini", SECRET)

    assert SECRET not in str(caught.value) + caught.value.hint
    assert "this session" in caught.value.hint
    assert Keys().find("gemini") is None


def test_keychain_that_never_answers_holds_nobody_up(keychain: MemoryKeyring) -> None:
    unlocked = threading.Event()

    class Locked(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            unlocked.wait(20)
            return None

    keyring.set_keyring(Locked())
    try:
        assert Keys(timeout_s=0.05).find("gemini") is None
    finally:
        unlocked.set()


def test_forgetting_where_there_is_no_keychain_is_no_failure(keychain: MemoryKeyring) -> None:
    keyring.set_keyring(NoKeyring())
    keys = Keys()
    keys.use_for_this_session("gemini", SECRET)
    keys.forget("gemini")
    assert keys.find("gemini") is None


def test_no_keychain_is_said_in_words(keychain: MemoryKeyring) -> None:
    keyring.set_keyring(NoKeyring())
    with pytest.raises(CloudError, match="there is none here"):
        Keys().store("gemini", SECRET)

"""Keys for servers: from the environment, from the system's keychain, or typed in for this session only.

Never in a file, a log, the database, an address, a command line or an error's text.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Literal, TypeAlias, TypeVar

from vvlm_desktop.errors import CloudError

Source: TypeAlias = Literal["environment", "keychain", "session"]

#: Under which our keys lie in the keychain.
SERVICE = "vvlm-desktop"
#: A keychain that waits for somebody to unlock it must not hold up the program.
KEYCHAIN_TIMEOUT_S = 5.0

_ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "server": ("VVLM_SERVER_KEY",),
    "huggingface": ("HF_TOKEN",),
}
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Key:
    """A key and where it came from; its value is not shown by `repr`.

    Attributes:
        origin: the environment variable, or where else it lies, in words for people.
    """

    value: str = field(repr=False)
    source: Source
    origin: str


class Keys:
    """The keys of one running program."""

    def __init__(self, *, timeout_s: float = KEYCHAIN_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._session: dict[str, str] = {}

    def find(self, name: str) -> Key | None:
        """The key called `name`, None where there is none yet.

        What was typed in for this session comes first: somebody just did that on purpose.
        """
        typed = self._session.get(name)
        if typed:
            return Key(typed, "session", "typed in, for this session only")
        for variable in _ENVIRONMENT.get(name.partition("@")[0], ()):
            value = os.environ.get(variable, "").strip()
            if value:
                return Key(value, "environment", f"environment variable {variable}")
        try:
            stored = self._ask(lambda keyring: keyring.get_password(SERVICE, f"key-{name}"))
        except CloudError:
            return None
        return Key(stored, "keychain", "the system's keychain") if stored else None

    def use_for_this_session(self, name: str, value: str) -> None:
        """Keep a key until the program ends."""
        self._session[name] = _checked(value)

    def store(self, name: str, value: str) -> None:
        """Put a key into the system's keychain.

        Raises:
            CloudError: there is no keychain, it is locked, or it does not keep what it is given.
        """
        value = _checked(value)

        def put(keyring: _Keyring) -> str | None:
            keyring.set_password(SERVICE, f"key-{name}", value)
            return keyring.get_password(SERVICE, f"key-{name}")

        if self._ask(put) != value:
            raise _no_keychain("it does not keep what it is given")
        self._session.pop(name, None)

    def forget(self, name: str) -> None:
        """Forget a key here and in the keychain; one in the environment stays there."""
        self._session.pop(name, None)

        def delete(keyring: _Keyring) -> None:
            if keyring.get_password(SERVICE, f"key-{name}") is not None:
                keyring.delete_password(SERVICE, f"key-{name}")

        with suppress(_NoKeychainError):  # where there is none, nothing is left to forget
            self._ask(delete)

    def _ask(self, work: Callable[[_Keyring], _Answer]) -> _Answer:
        outcome: Future[_Answer] = Future()

        def run() -> None:
            try:
                outcome.set_result(work(_Keyring()))
            except Exception as error:  # noqa: BLE001 (keychain backends are plug-ins of the desktop and raise anything)
                # Only the kind of error: a plug-in may put what it was given into its message.
                outcome.set_exception(_failure(type(error).__name__))

        # A daemon thread, because a keychain may block on a dialog that nobody sees.
        Thread(target=run, name="vvlm-keychain", daemon=True).start()
        try:
            return outcome.result(timeout=self._timeout_s)
        except TimeoutError as error:
            raise _no_keychain(f"no answer within {self._timeout_s:g} s") from error


class _Keyring:
    """The three things that are asked of the keychain; imported only when it is asked."""

    def get_password(self, service: str, name: str) -> str | None:
        import keyring

        return keyring.get_password(service, name)

    def set_password(self, service: str, name: str, value: str) -> None:
        import keyring

        keyring.set_password(service, name, value)

    def delete_password(self, service: str, name: str) -> None:
        import keyring

        keyring.delete_password(service, name)


def _checked(value: str) -> str:
    value = value.strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value or len(value) > 4096:
        raise CloudError("This is not a key.", hint="Copy it again, in one piece and without blanks.")
    return value


class _NoKeychainError(CloudError):
    """This computer has no keychain at all."""


def _failure(kind: str) -> CloudError:
    """`kind` of error, as keyring names it."""
    return _no_keychain("there is none here", _NoKeychainError) if kind == "NoKeyringError" else _no_keychain(kind)


def _no_keychain(reason: str, error: type[CloudError] = CloudError) -> CloudError:
    return error(
        f"The key could not be kept in the system's keychain ({reason}).",
        hint="Use it for this session only, or set it in the environment before the program starts.",
    )

"""Signs the heads of our chains with an Ed25519 key from the keychain, or from the environment; never from a file.

Without either, chains stay unsigned, and `Library.verify` says so and why.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread

import rfc8785

SERVICE = "vvlm-desktop"
KEY_NAME = "signing-key"
ENVIRONMENT = "VVLM_SIGNING_KEY"
#: A keychain that waits for somebody to unlock it must not hold up a review.
KEYCHAIN_TIMEOUT_S = 5.0


class KeyUnavailableError(Exception):
    """There is no usable key; the message says why."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with one key.

    Attributes:
        public_key: base64 of the 32 bytes that check the signatures.
        sign: bytes to base64 of the signature.
    """

    public_key: str
    sign: Callable[[bytes], str]


def head_message(*, origin: str, seq: int, head_hash: str, at: str) -> bytes:
    """What is signed for the head of a chain."""
    return rfc8785.dumps({"v": 1, "what": "vvlm-head", "origin": origin, "seq": seq, "hash": head_hash, "at": at})


def signature_holds(public_key: str, signature: str, *, message: bytes) -> bool:
    """Whether a signature is by that key and over that message."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError):  # binascii.Error is a ValueError
        return False
    return True


def signer_from(key_base64: str) -> Signer:
    """A signer from the base64 of a key's 32 bytes; raises KeyUnavailableError when it is something else."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key_base64.strip(), validate=True))
    except (binascii.Error, ValueError) as error:
        raise KeyUnavailableError("the signing key is not the base64 of 32 bytes") from error
    return Signer(
        public_key=base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        sign=lambda message: base64.b64encode(key.sign(message)).decode(),
    )


def new_key() -> str:
    """Base64 of a fresh random key."""
    return base64.b64encode(os.urandom(32)).decode()


def _key_from_keychain() -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        stored = keyring.get_password(SERVICE, KEY_NAME)
        if stored is None:
            keyring.set_password(SERVICE, KEY_NAME, new_key())
            # Read back: a backend that forgets would give every session another key.
            stored = keyring.get_password(SERVICE, KEY_NAME)
    except KeyringError as error:
        raise KeyUnavailableError(f"this computer offers no keychain ({type(error).__name__})") from error
    if stored is None:
        raise KeyUnavailableError("this computer's keychain does not keep what it is given")
    return stored


def _within(seconds: float, work: Callable[[], str]) -> str:
    """Run on a daemon thread, because a keychain may block on a dialog that nobody sees."""
    outcome: Future[str] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except KeyUnavailableError as error:
            outcome.set_exception(error)
        except Exception as error:  # noqa: BLE001 (keychain backends are plug-ins of the desktop and raise anything)
            outcome.set_exception(KeyUnavailableError(f"the keychain failed ({type(error).__name__}: {error})"))

    Thread(target=run, name="vvlm-keychain", daemon=True).start()
    try:
        return outcome.result(timeout=seconds)
    except TimeoutError as error:
        raise KeyUnavailableError(f"the keychain did not answer within {seconds:g} s") from error


def load_signer(*, timeout_s: float = KEYCHAIN_TIMEOUT_S) -> Signer:
    """The signer of this user on this computer; a key is made the first time.

    The environment is asked first: who sets it means it, and then no keychain can open a dialog.

    Raises:
        KeyUnavailableError: there is none, and why.
    """
    given = os.environ.get(ENVIRONMENT)
    if given:
        return signer_from(given)
    return signer_from(_within(timeout_s, _key_from_keychain))


class SigningKey:
    """The signer of one library session, looked up once, when it is first needed."""

    def __init__(self, load: Callable[[], Signer] = load_signer) -> None:
        self._load = load
        self._lock = Lock()
        self._asked = False
        self._signer: Signer | None = None
        self.missing_because = ""

    def signer(self) -> Signer | None:
        """The signer, or None; then `missing_because` says why."""
        with self._lock:
            if not self._asked:
                try:
                    self._signer = self._load()
                except KeyUnavailableError as error:
                    self.missing_because = str(error)
                self._asked = True
            return self._signer

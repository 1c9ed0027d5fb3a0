"""Keys go in by stdin or unseen, into the keychain or nowhere; no output ever shows one."""

from __future__ import annotations

import keyring
import pytest
from keyring.backend import KeyringBackend
from typer.testing import CliRunner, Result

from vvlm_desktop.cli.commands import app
from vvlm_desktop.workflow.cloud import secrets_for
from vvlm_desktop.workflow.keys import Keys

KEY = "AIzaSy-cli-never-shown-012345"


class Drawer(KeyringBackend):
    """A keychain in memory."""

    priority = 1  # type: ignore[assignment]  # keyring declares a property of the class

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[(service, username)]


@pytest.fixture(autouse=True)
def no_keys_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "VVLM_SERVER_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def drawer(monkeypatch: pytest.MonkeyPatch) -> Drawer:
    made = Drawer()
    monkeypatch.setattr(keyring, "get_password", made.get_password)
    monkeypatch.setattr(keyring, "set_password", made.set_password)
    monkeypatch.setattr(keyring, "delete_password", made.delete_password)
    return made


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["cloud", "key", *arguments], input=stdin)


def test_key_from_stdin_lies_in_the_keychain_and_is_forgotten(drawer: Drawer) -> None:
    done = run("set", "gemini", stdin=f"{KEY}\n")
    assert (done.exit_code, list(drawer.kept.values())) == (0, [KEY])
    where = run("where", "gemini")
    assert "keychain" in where.output
    forgotten = run("forget", "gemini")
    assert (forgotten.output, drawer.kept) == ("Forgotten.\n", {})
    assert "no key" in run("where", "gemini").output
    assert KEY not in done.output + where.output + forgotten.output


def test_key_in_the_environment_stays_and_is_said_to(drawer: Drawer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VVLM_SERVER_KEY", KEY)
    forgotten = run("forget", "server", "--url", "http://10.0.0.7:8000/v1")
    assert forgotten.output == "Forgotten; still there: environment variable VVLM_SERVER_KEY.\n"


def test_key_of_a_server_is_given_to_no_other(drawer: Drawer) -> None:
    mine, other = "http://10.0.0.7:8000/v1", "http://10.0.0.8:8000/v1"
    assert run("set", "server", "--url", mine, stdin=f"{KEY}\n").exit_code == 0

    assert "keychain" in run("where", "server", "--url", mine).output
    assert "no key" in run("where", "server", "--url", other).output
    assert secrets_for(Keys(), "server", address=f"{mine}/") == {"server": KEY}
    assert secrets_for(Keys(), "server", address=other) == {}
    assert secrets_for(Keys(), "server", address="not an address") == {}


def test_key_of_a_server_needs_to_know_which(drawer: Drawer) -> None:
    done = run("set", "server", stdin=f"{KEY}\n")
    assert (done.exit_code, drawer.kept) == (1, {})
    assert "--url" in done.output


def test_without_a_keychain_it_is_said_what_else_there_is() -> None:
    done = run("set", "gemini", stdin=KEY)
    assert (done.exit_code, "could not be kept in the system's keychain" in done.output) == (1, True)
    assert KEY not in done.output


@pytest.mark.parametrize("text", ["", "two words", "  \n"])
def test_what_is_no_key_is_refused(drawer: Drawer, text: str) -> None:
    assert run("set", "gemini", stdin=text).exit_code == 1
    assert drawer.kept == {}


def test_key_as_an_argument_is_not_taken(drawer: Drawer) -> None:
    assert run("set", "gemini", KEY).exit_code == 2
    assert drawer.kept == {}

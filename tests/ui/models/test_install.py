"""Installing the packages of local models from the window."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from vvlm_desktop.errors import BackendUnavailableError, JobCancelledError
from vvlm_desktop.ui.models import install
from vvlm_desktop.ui.models.install import run_install

FOUND = importlib.util.find_spec


def prints(*lines: str, code: int = 0) -> list[str]:
    return [sys.executable, "-c", f"for x in {lines!r}: print(x, flush=True)\nraise SystemExit({code})"]


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "missing_packages", lambda: ("torch", "transformers"))


@pytest.fixture
def bare_page(make_page, nothing_installed):
    return make_page()


def test_every_line_is_told():
    said: list[object] = []
    run_install(said.append, lambda: False, command=prints("one", "two"))
    assert said == ["one", "two"]


def test_failure_has_its_exit_code():
    with pytest.raises(BackendUnavailableError, match="exit code 3"):
        run_install(lambda _line: None, lambda: False, command=prints("no", code=3))


def test_command_that_is_not_there_is_a_sentence():
    with pytest.raises(BackendUnavailableError, match="could not be started"):
        run_install(lambda _line: None, lambda: False, command=["/no/such/python"])


def test_stopped_installation_ends_at_once():
    with pytest.raises(JobCancelledError):
        run_install(lambda _line: None, lambda: True, command=[sys.executable, "-c", "import time; time.sleep(60)"])


def test_missing_packages_are_found_without_importing_them(monkeypatch):
    monkeypatch.undo()  # of the fixture that says that everything is there
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else FOUND("json"))
    assert install.missing_packages() == ("torch",)


def test_source_checkout_installs_by_its_installer_and_a_package_by_pip(monkeypatch):
    assert install.command_to_run()[2].endswith("bootstrap.py")
    assert "bootstrap.py run --local-model" in install.command_to_copy()
    monkeypatch.setattr(install, "_bootstrap", lambda: None)
    assert install.command_to_run()[2:4] == ["-m", "pip"]
    assert install.command_to_copy().startswith(sys.executable)


def test_page_says_what_is_missing_and_what_to_type(bare_page):
    card = bare_page.install_card
    assert card.isVisibleTo(bare_page)
    assert "torch, transformers" in card.sentence.text()
    assert "--local-model" in card.command.text()


def test_nothing_is_said_where_everything_is_there(make_page):
    page = make_page()
    assert not page.install_card.isVisibleTo(page)
    assert not page.installer.possible


def test_installation_runs_in_the_background_and_the_card_goes(bare_page, qtbot, monkeypatch):
    monkeypatch.setattr(install, "command_to_run", lambda: prints("Installing torch", "done"))
    bare_page.install_card.install.click()
    assert bare_page.installer.running
    assert bare_page.shell.tasks.running[0].title == "Installing the packages for local models"
    monkeypatch.setattr(install, "missing_packages", lambda: ())
    qtbot.waitUntil(lambda: not bare_page.installer.running)
    assert not bare_page.install_card.isVisibleTo(bare_page)
    assert "Installing torch" in bare_page.install_card.output.toPlainText()
    assert bare_page.shell.problems[-1].tone == "good"
    assert bare_page.shell.tasks.running == ()


def test_failed_installation_can_be_read_and_tried_again(bare_page, qtbot, monkeypatch):
    monkeypatch.setattr(install, "command_to_run", lambda: prints("No space left", code=1))
    bare_page.installer.start()
    qtbot.waitUntil(lambda: not bare_page.installer.running)
    card = bare_page.install_card
    assert "exit code 1" in card.last.text()
    assert card.install.isVisibleTo(bare_page)
    card.toggle.click()
    assert "No space left" in card.output.toPlainText()
    assert card.output.isVisibleTo(bare_page)


def test_installation_that_changed_nothing_says_so(bare_page, qtbot, monkeypatch):
    monkeypatch.setattr(install, "command_to_run", lambda: prints("fine"))
    bare_page.installer.start()
    qtbot.waitUntil(lambda: not bare_page.installer.running)
    assert "still missing" in bare_page.install_card.last.text()


def test_installation_is_stopped(bare_page, qtbot, monkeypatch):
    sleeps = [sys.executable, "-c", "import time; print('go', flush=True); time.sleep(60)"]
    monkeypatch.setattr(install, "command_to_run", lambda: sleeps)
    bare_page.installer.start()
    qtbot.waitUntil(lambda: "go" in bare_page.install_card.output.toPlainText())
    bare_page.install_card.stop.click()
    qtbot.waitUntil(lambda: not bare_page.installer.running)
    assert bare_page.shell.problems == []
    assert "stopped" in bare_page.install_card.last.text()

"""A start that cannot go on asks what to use instead, and remembers it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from vvlm_desktop import app
from vvlm_desktop.settings import Settings, load_settings, save_settings


def _answer(monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Answer each question with its button `number`; returns what was asked."""
    asked: list[str] = []

    def choose(box: QMessageBox) -> int:
        asked.append(box.text())
        box.buttons()[number].click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", choose)
    return asked


@pytest.fixture
def broken_schema(tmp_path: Path) -> Settings:
    file = tmp_path / "fleet.toml"
    file.write_text('name = "fleet"\nversion = "one"\n')
    settings = Settings(schema_file=str(file), library_dir=str(tmp_path / "library"))
    save_settings(settings)
    return settings


@pytest.mark.modal
def test_broken_schema_can_be_left_for_the_one_that_comes_with_the_program(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, broken_schema: Settings
) -> None:
    asked = _answer(monkeypatch, 0)
    session = app._open_or_ask(broken_schema, None)
    assert session is not None
    with session:
        assert session.schema.key == "dashcam-1"
    assert "line 2" in asked[0]
    assert load_settings().schema_file == ""
    assert Path(broken_schema.schema_file).read_text().startswith('name = "fleet"')


@pytest.mark.modal
def test_quitting_changes_nothing(qapp: QApplication, monkeypatch: pytest.MonkeyPatch, broken_schema: Settings) -> None:
    _answer(monkeypatch, 1)
    assert app._open_or_ask(broken_schema, None) is None
    assert load_settings() == broken_schema


@pytest.mark.modal
def test_unusable_library_can_be_left_for_another_folder(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "library"
    in_the_way.write_text("a file")
    asked = _answer(monkeypatch, 0)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "other"))
    session = app._open_or_ask(Settings(library_dir=str(in_the_way)), None)
    assert session is not None
    with session:
        assert session.library.folder == tmp_path / "other"
    assert len(asked) == 1
    assert load_settings().library_dir == str(tmp_path / "other")
    assert in_the_way.read_text() == "a file"

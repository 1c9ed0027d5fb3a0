"""A settings file that cannot be used is never overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from vvlm_desktop.errors import SettingsError
from vvlm_desktop.settings import Settings, load_settings, save_settings


def test_file_that_cannot_be_used_is_put_aside_each_time(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    for number, name in enumerate(["settings.toml.broken", "settings.toml.broken-2"]):
        file.write_text(f"not toml {number}")
        assert save_settings(Settings(theme="light"), file) == tmp_path / name
        assert (tmp_path / name).read_text() == f"not toml {number}"
        assert load_settings(file).theme == "light"


def test_file_that_can_be_used_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    assert save_settings(Settings(theme="light"), file) is None
    assert save_settings(Settings(theme="dark"), file) is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.toml"]


def test_file_that_cannot_be_put_aside_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("not toml")

    def refuse(_self: Path, _target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(SettingsError, match="could not be saved"):
        save_settings(Settings(theme="light"), file)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("settings.toml", "not toml")]

"""`vvlm schema --use`: a schema is checked, chosen for good, and what then stays apart is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Vvlm
from vvlm_desktop import paths
from vvlm_desktop.settings import load_settings

Add = Callable[..., None]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A fleet's copy of the schema."""
    text = paths.bundled_schema("dashcam").read_text(encoding="utf-8")
    file = tmp_path / "fleet.toml"
    file.write_text(text.replace('name = "dashcam"', 'name = "fleet"'), encoding="utf-8")
    return file


def test_a_schema_is_chosen_and_given_back(vvlm: Vvlm, add: Add, own: Path) -> None:
    add("a")
    vvlm("review", "a.mp4", "--set", "weather=rain")

    chosen = vvlm("schema", "--use", own)
    assert chosen.exit_code == 0, chosen.stderr
    assert "The label schema is fleet-1 now" in chosen.stdout
    assert "apart: 1 clip under dashcam-1" in chosen.stdout
    assert load_settings().schema_file == str(own)
    assert vvlm("schema", "--as", "form").data["schema"] == "fleet-1"

    back = vvlm("schema", "--use", "default")
    assert "dashcam-1 now (the one that comes with the program)" in back.stdout
    assert "apart" not in back.stdout
    assert load_settings().schema_file == ""


def test_what_cannot_be_used_is_not_chosen(vvlm: Vvlm, own: Path, tmp_path: Path) -> None:
    assert vvlm("schema", "--use", own).exit_code == 0
    broken = tmp_path / "broken.toml"
    broken.write_text("name = 1")
    changed = tmp_path / "changed.toml"
    changed.write_text(own.read_text().replace('key = "no_incident"', 'key = "nothing"'), encoding="utf-8")
    for wrong in (broken, tmp_path / "gone.toml", changed):
        refused = vvlm("schema", "--use", wrong)
        assert refused.exit_code == 1
        assert "The label schema cannot be used." in refused.stderr
        assert load_settings().schema_file == str(own)
    assert vvlm("schema", "--use", own, "--file", own).exit_code == 2

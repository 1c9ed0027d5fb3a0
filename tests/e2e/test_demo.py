"""`vvlm demo` does the whole job without a window: what `run` gives on a machine without a display."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Vvlm


@pytest.mark.slow
def test_demo_shows_one_correction_and_says_where_everything_is(vvlm: Vvlm, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    for _ in range(2):
        shown = vvlm("demo", "--out", out, "--json", with_library=False)
        assert shown.exit_code == 0, shown.stderr
        data = shown.data
        assert data["before"][1].startswith("Collision")
        assert data["after"][1].startswith("Near miss (reviewed")
        assert len(data["rows"]) == 7
        assert data["failed"] == []
        (record,) = (out / "ours" / "corrections.jsonl").read_text(encoding="utf-8").splitlines()
        assert json.loads(record)["review"]["broken_rules"] == []
        assert len(data["pictures"]) == 12
        assert all(Path(p).stat().st_size > 10_000 for p in data["pictures"])


def test_demo_refuses_a_folder_that_holds_something_else(vvlm: Vvlm, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    refused = vvlm("demo", "--out", tmp_path, with_library=False)
    assert refused.exit_code == 1
    assert "not empty" in refused.stderr
    assert [f.name for f in tmp_path.iterdir() if f.is_file()] == ["mine.txt"]

"""What tests of the whole program with a cloud share: clips, a good answer, and the search for the key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.clips import clip
from tests.e2e.conftest import Outcome, Vvlm
from vvlm_desktop.domain.schema_json import gemini_schema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.paths import bundled_schema

KEY = "AIzaSy-e2e-never-shown-0123456789"
#: More than one vote is uploaded, however small the clip is.
UPLOADED = ("--backend", "gemini", "--votes", "2", "--per-minute", "0", "--allow-upload")


def add_clips(vvlm: Vvlm, folder: Path, number: int) -> None:
    """Add clips c0, c1, …; a free box at the end makes each another clip with the same pictures."""
    folder.mkdir(exist_ok=True)
    for each in range(number):
        (folder / f"c{each}.mp4").write_bytes(clip("h264_bframes.mp4").read_bytes() + b"\0\0\0\x09free" + bytes([each]))
    assert vvlm("add", folder).exit_code == 0


def is_nowhere(key: str, folder: Path, *outcomes: Outcome) -> None:
    """Fails where `key` can be found in what was printed or stored, the database's own journal included."""
    for done in outcomes:
        assert key not in done.stdout + done.stderr
    assert [file for file in folder.rglob("*") if file.is_file() and key.encode() in file.read_bytes()] == []


def _obeying(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if "anyOf" in schema or (isinstance(kind, list) and "null" in kind):
        return None
    if kind == "object":
        return {key: _obeying(each) for key, each in schema["properties"].items()}
    return {"array": [], "string": "Nothing.", "boolean": False}.get(str(kind), 0)


def _answer() -> str:
    schema = parse_schema(bundled_schema("dashcam").read_text(encoding="utf-8"), source="dashcam")
    return json.dumps(_obeying(gemini_schema(schema)))


ANSWER = _answer()

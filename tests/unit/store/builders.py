"""Small valid records, so that each test says only what it is about."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from vvlm_desktop.domain.analysis import Analysis, EventCandidate
from vvlm_desktop.domain.clip import Clip, clip_id
from vvlm_desktop.domain.review import NewEvent
from vvlm_desktop.store.library import Library
from vvlm_desktop.store.signing import SigningKey

SCHEMA = "dashcam-1"


def make_clip(number: int = 1, **changes: Any) -> Clip:
    """A readable clip; equal numbers give equal content."""
    sha = changes.pop("sha256", hashlib.sha256(str(number).encode()).hexdigest())
    stream = changes.pop("stream_index", 0)
    values: dict[str, Any] = {
        "path": f"/drive/front_{number:04d}.mp4",
        "size_bytes": 1000 + number,
        "frames": 120,
        "duration_s": 4.0 + number / 10,
        "fps": 30.0,
        "width": 320,
        "height": 180,
        "codec": "h264",
        "has_audio": True,
        "keyframes": 4,
        "status": "needs_review",
        "problem": None,
        "recording": f"drive-{number}",
        "added_at": f"2026-01-01T00:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
    }
    return Clip(id=clip_id(sha, stream), sha256=sha, stream_index=stream, **{**values, **changes})


def make_analysis(clip: Clip, name: str = "a", **changes: Any) -> Analysis:
    """An analysis that says near miss."""
    values: dict[str, Any] = {
        "id": f"{name}-{clip.id}",
        "clip_id": clip.id,
        "backend": "signals",
        "model": "signals 1",
        "adapter": None,
        "created_at": "2026-01-02T00:00:00.000Z",
        "schema_key": SCHEMA,
        "schema_labels_sha": "labels",
        "schema_wording_sha": "wording",
        "prompt_sha": None,
        "provenance": "model",
        "labels": {
            "event_type": "near_miss",
            "event_time": {"start_ms": 1000, "end_ms": 2000},
            "cause_of_risk": ["speeding", "late_reaction"],
            "ego_response": [],
            "caption": "A van cuts in.",
        },
        "confidence": {"event_type": 0.75, "caption": None},
        "confidence_kind": "measured_margin",
        "frames_pts": (0, 512, 1024),
        "raw_text": '{"event_type": "near_miss"}',
        "flags": ("A sentence.",),
        "timings": {"decode": 0.5},
        "candidates": (EventCandidate("jolt", 512, 1024, 40, 80, 0.5, "a jolt"),),
        "attention": 0.5,
        "settings": {"frames": 3},
    }
    return Analysis(**{**values, **changes})


def verdict(
    clip: Clip | str,
    value: Any = "collision",
    *,
    field: str = "event_type",
    reviewer: str = "Anna",
    kind: str = "corrected",
    analysis_id: str | None = None,
) -> NewEvent:
    """One field judged; `value` None with kind "none" takes the verdict back."""
    after: Mapping[str, Any] | None = {
        "verdict": kind,
        "value": value,
        "how": "explicit",
        "model_value": None,
        "model_answered": False,
        "reason": "wrong_value" if kind == "corrected" else None,
        "analysis_id": analysis_id,
        "at": "",
    }
    if kind == "none":
        after = None
    return NewEvent("verdict", _id(clip), reviewer, SCHEMA, {"field": field, "after": after}, analysis_id)


def status(clip: Clip | str, after: str = "reviewed", *, reviewer: str = "Anna", reason: str | None = None) -> NewEvent:
    """A review status set."""
    payload = {"after": after, "reason": reason, "words": None, "broken_rules": []}
    return NewEvent("status", _id(clip), reviewer, SCHEMA, payload)


def note(clip: Clip | str, text: str, *, reviewer: str = "Anna") -> NewEvent:
    """A note written."""
    return NewEvent("note", _id(clip), reviewer, SCHEMA, {"after": text})


def evidence(
    clip: Clip | str,
    ranges: list[list[int]],
    *,
    field: str = "event_time",
    value: str | None = None,
    reviewer: str = "Anna",
) -> NewEvent:
    """PTS ranges that show a value."""
    return NewEvent("evidence", _id(clip), reviewer, SCHEMA, {"field": field, "value": value, "after": ranges})


def _id(clip: Clip | str) -> str:
    return clip if isinstance(clip, str) else clip.id


def reviewed_library(folder: Path, *, actions: int = 5, key: SigningKey | None = None) -> Library:
    """A library with one analysed clip and some actions on it."""
    library = Library.open(folder, key=key)
    clip = library.add_clip(make_clip()).clip
    analysis = make_analysis(clip)
    library.add_analysis(analysis)
    for number in range(actions):
        library.append([verdict(clip, f"value_{number}", analysis_id=analysis.id), note(clip, f"note {number}")])
    return library


def tamper(library: Library, *statements: str | tuple[str, tuple[Any, ...]]) -> None:
    """Edit the database behind the program's back, triggers removed, as somebody with a SQLite browser could."""
    with closing(sqlite3.connect(library.folder / "library.db")) as connection:
        for trigger in ("analysis_is_immutable", "event_stays", "event_is_immutable"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            sql, values = statement if isinstance(statement, tuple) else (statement, ())
            assert connection.execute(sql, values).rowcount != 0, f"changed nothing: {sql}"
        connection.commit()

"""A library with clips that need no files: what the use cases do to it is what is tested."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip, clip_id
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.session import Session, open_session


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_session(Settings(reviewer="Ada"), library_dir=tmp_path / "library") as opened:
        yield opened


def put_clip(session: Session, name: str, **changes: Any) -> Clip:
    """A clip that nobody can play."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    clip = Clip(
        id=clip_id(sha256),
        path=f"/clips/{name}",
        sha256=sha256,
        stream_index=0,
        size_bytes=1000,
        frames=250,
        duration_s=10.0,
        fps=25.0,
        width=1280,
        height=720,
        codec="h264",
        has_audio=False,
        keyframes=9,
        status="needs_review",
        problem=None,
        recording=name,
        added_at="2026-01-01T00:00:00.000Z",
    )
    return session.library.add_clip(replace(clip, **changes)).clip


def put_answer(session: Session, clip: Clip, labels: dict[str, Any], **changes: Any) -> Analysis:
    """An answer of some model about `clip`."""
    schema = session.schema
    analysis = Analysis(
        id=hashlib.sha256(f"{clip.id}{labels}{changes}".encode()).hexdigest()[:32],
        clip_id=clip.id,
        backend="signals",
        model="m",
        adapter=None,
        created_at="2026-01-02T00:00:00.000Z",
        schema_key=schema.key,
        schema_labels_sha=schema.labels_sha,
        schema_wording_sha=schema.wording_sha,
        prompt_sha=None,
        provenance="model",
        labels=labels,
        confidence=dict.fromkeys(labels, 0.9),
        confidence_kind="token_probability",
        frames_pts=(0, 512),
        raw_text="{}",
    )
    analysis = replace(analysis, **changes)
    session.library.add_analysis(analysis)
    return analysis

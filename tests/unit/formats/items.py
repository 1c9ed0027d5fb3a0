"""Clips, reviews and analyses to export, with files on disk that need not be videos."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

from vvlm_desktop import paths
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip, clip_id
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.review import PtsRange, Review, Verdict
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.formats.base import ExportContext, ExportItem
from vvlm_desktop.formats.split import assign_split

AT = "2026-11-21T10:00:00.000Z"
CREATED_AT = "2026-11-22T08:00:00.000Z"
REVIEWER = "Zoë Reviewer"


@cache
def dashcam() -> LabelSchema:
    file = paths.bundled_schema("dashcam")
    return parse_schema(file.read_text(encoding="utf-8"), source=file.name)


def context(**changes) -> ExportContext:
    values = {"schema": dashcam(), "prompt": build_prompt(dashcam()), "created_at": CREATED_AT} | changes
    return ExportContext(**values)


def recording_in(split: str, number: int = 0) -> str:
    """Name of a recording that falls into `split`."""
    found = (f"recording-{n}" for n in range(10_000) if assign_split(f"recording-{n}") == split)
    return next(name for place, name in enumerate(found) if place == number)


def make_clip(
    folder: Path, name: str = "a.mp4", *, content: bytes | None = None, split: str = "train", **changes
) -> Clip:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if content is not None else f"pictures of {name}".encode())
    raw = file.read_bytes()
    sha256 = hashlib.sha256(raw).hexdigest()
    values = {
        "id": clip_id(sha256, changes.get("stream_index", 0)),
        "path": str(file),
        "sha256": sha256,
        "stream_index": 0,
        "size_bytes": len(raw),
        "frames": 90,
        "duration_s": 3.0,
        "fps": 30.0,
        "width": 1280,
        "height": 720,
        "codec": "h264",
        "has_audio": False,
        "keyframes": 3,
        "status": "reviewed",
        "problem": None,
        "recording": recording_in(split),
        "added_at": AT,
    }
    return Clip(**(values | changes))


def make_analysis(clip: Clip, labels: dict | None = None, **changes) -> Analysis:
    schema = dashcam()
    values = {
        "id": f"analysis-{clip.id}",
        "clip_id": clip.id,
        "backend": "signals",
        "model": "signals-1",
        "adapter": None,
        "created_at": AT,
        "schema_key": schema.key,
        "schema_labels_sha": schema.labels_sha,
        "schema_wording_sha": schema.wording_sha,
        "prompt_sha": None,
        "provenance": "measurement",
        "labels": labels if labels is not None else {"event_type": "collision", "time_of_day": "night"},
        "confidence": {"event_type": 0.5, "time_of_day": None},
        "confidence_kind": "measured_margin",
        "frames_pts": (0, 512, 1024),
        "raw_text": '{"event_type": "collision"}',
        "timings": {"total": 1.5},
        "settings": {"frames": 16},
    }
    return Analysis(**(values | changes))


def accepted(value, *, how: str = "explicit", **changes) -> Verdict:
    values = {"model_value": value, "model_answered": True, "at": AT} | changes
    return Verdict("accepted", value, how, **values)


def corrected(value, model_value=None, **changes) -> Verdict:
    values = {"model_answered": model_value is not None, "reason": "wrong_value", "at": AT} | changes
    return Verdict("corrected", value, "explicit", model_value=model_value, **values)


def rejected(model_value) -> Verdict:
    return Verdict("rejected", None, "explicit", model_value=model_value, model_answered=True, at=AT)


def make_review(clip: Clip, verdicts: dict[str, Verdict] | None = None, **changes) -> Review:
    values = {
        "clip_id": clip.id,
        "reviewer": REVIEWER,
        "schema_key": dashcam().key,
        "status": "reviewed",
        "verdicts": verdicts
        if verdicts is not None
        else {
            "event_type": corrected("near_miss", "collision"),
            "event_time": corrected({"start_ms": 7840, "end_ms": 8310}),
            "time_of_day": accepted("night", how="bulk"),
            "presence_of_rule_violations": corrected(["failure_to_yield"]),
            "intended_driving_action": corrected(["go_straight", "change_lanes"]),
            "traffic_density": corrected("medium"),
            "visibility": corrected("good"),
            "scene": corrected("suburban"),
            "caption": corrected("A car cuts in. Ego brakes."),
        },
        "evidence": {"event_type": {None: (PtsRange(512, 1024),)}},
        "note": "seen twice",
        "analysis_id": f"analysis-{clip.id}",
        "updated_at": AT,
    }
    return Review(**(values | changes))


def reviewed(clip: Clip, verdicts: dict[str, Verdict] | None = None, **changes) -> ExportItem:
    """An item with one settled review that started from an analysis."""
    review = make_review(clip, verdicts, **changes)
    return ExportItem(clip, dashcam(), reviews=(review,), truth=review, analysis=make_analysis(clip))


def unreviewed(clip: Clip, **changes) -> ExportItem:
    return ExportItem(clip, dashcam(), analysis=make_analysis(clip, **changes))


def in_split(item: ExportItem, split: str, number: int = 0) -> ExportItem:
    return replace(item, clip=replace(item.clip, recording=recording_in(split, number)))


def tree(folder: Path) -> dict[str, bytes]:
    """Bytes of every written file, links left out."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.is_symlink()
    }

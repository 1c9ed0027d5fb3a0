"""Training sets of generated clips: what is to be seen in them is dark or bright, and nothing else tells them apart."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import av
import numpy as np

from tests.tiny_models import tiny_model
from training.run_folder import RunFolder
from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip, clip_id
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.review import Review, Verdict
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.formats.base import ExportContext, ExportItem
from vvlm_desktop.formats.ours import Ours
from vvlm_desktop.formats.split import assign_split

AT = "2026-11-21T10:00:00.000Z"
LIGHT_TOML = """
name = "light"
version = 1
title = "Light"

[prompt]
intro = "Label the clip."

[[field]]
key = "light"
label = "Light"
kind = "one_of"
values = [
  { key = "dark", label = "Dark", means = "little light" },
  { key = "bright", label = "Bright", means = "much light" },
]

[[field]]
key = "event_time"
label = "Event time"
kind = "range"
may_be_absent = true
max_ms = 60_000

[[field]]
key = "seen"
label = "Seen"
kind = "any_of"
values = [
  { key = "night", label = "Night", means = "no sun" },
  { key = "sun", label = "Sun", means = "the sun" },
]
"""
LIGHT = parse_schema(LIGHT_TOML, source="light.toml")


def paint(path: Path, *, bright: bool, seed: int, frames: int = 8) -> Path:
    """A small clip of noise around a dark or a bright grey."""
    random = np.random.default_rng(seed)
    grey = random.integers(190, 240) if bright else random.integers(10, 60)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=4, options={"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.thread_count = 1
        for _ in range(frames):
            picture = np.clip(grey + random.normal(0, 12, (48, 64, 3)), 0, 255).astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    return path


@cache
def recordings(split: str, count: int) -> list[str]:
    """Names of recordings that fall into `split`."""
    names = (f"drive-{number}" for number in range(100_000))
    fitting = (name for name in names if assign_split(name) == split)
    return [next(fitting) for _ in range(count)]


def truth(*, bright: bool) -> dict:
    """What a reviewer said about such a clip."""
    return {
        "light": "bright" if bright else "dark",
        "event_time": {"start_ms": 500, "end_ms": 900} if bright else None,
        "seen": ["sun"] if bright else ["night"],
    }


def verdicts(values: dict, **how) -> dict:
    """Verdicts with these values; explicit unless `how` says otherwise for a field."""
    return {key: Verdict("corrected", value, how.get(key, "explicit"), at=AT) for key, value in values.items()}


def item(path: Path, said: dict, *, split: str, number: int, status: str = "reviewed", **changes) -> ExportItem:
    """A clip with one review."""
    raw = path.read_bytes()
    sha256 = hashlib.sha256(raw).hexdigest()
    values = {
        "id": clip_id(sha256, 0),
        "path": str(path),
        "sha256": sha256,
        "stream_index": 0,
        "size_bytes": len(raw),
        "frames": 8,
        "duration_s": 2.0,
        "fps": 4.0,
        "width": 64,
        "height": 48,
        "codec": "h264",
        "has_audio": False,
        "keyframes": 1,
        "status": status,
        "problem": None,
        "recording": recordings(split, number + 1)[number],
        "added_at": AT,
    }
    clip = Clip(**(values | {key: value for key, value in changes.items() if key in values or key == "is_sample"}))
    review = Review(clip.id, "Zoë", LIGHT.key, status=status, verdicts=said, updated_at=AT)
    settled = review if review.settled else None
    return ExportItem(clip, LIGHT, reviews=(review,), truth=settled, analysis=changes.get("analysis"))


def export(folder: Path, items) -> Path:
    """Write a training set."""
    context = ExportContext(LIGHT, build_prompt(LIGHT), AT, include_samples=True)
    Ours().write(list(items), folder, context=context)
    return folder


def light_items(folder: Path, *, train: int = 8, val: int = 4, test: int = 0) -> list[ExportItem]:
    """Clips that alternate between dark and bright, every one with a full review."""
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for split, count in (("train", train), ("val", val), ("test", test)):
        for number in range(count):
            bright = number % 2 == 1
            path = paint(folder / f"{split}-{number}.mp4", bright=bright, seed=len(items))
            items.append(item(path, verdicts(truth(bright=bright)), split=split, number=number))
    return items


def light_set(folder: Path, **counts: int) -> Path:
    """A training set of such clips."""
    return export(folder / "set", light_items(folder / "clips", **counts))


def config(train_set: Path, run_dir: Path, **changes) -> TrainConfig:
    """A config of a tiny model on the processor."""
    values = {
        "model_dir": str(tiny_model(changes.pop("family", "internvl"))),
        "train_set": str(train_set),
        "run_dir": str(run_dir),
        "cache_dir": str(run_dir.parent / "features"),
        "device": "cpu",
        "precision": "fp32",
        "frames": 4,
        "rank": 8,
        "alpha": 16,
        "dropout": 0.0,
        "batch": 2,
        "accumulation": 1,
        "learning_rate": 5e-3,
        "schedule": "constant",
        "warmup": 0.0,
        "checkpointing": False,
        "eval_clips": 0,
        "eval_every": 1000,
        "save_every": 1000,
    }
    return TrainConfig(**(values | changes))


def told(run_dir: Path, kind: str) -> list[dict]:
    """Events of one kind."""
    return [event for event in RunFolder(run_dir).events() if event["kind"] == kind]


def losses(run_dir: Path) -> dict[int, float]:
    """Loss of each step; of a step that was done twice, the later one."""
    return {event["step"]: event["loss"] for event in told(run_dir, "step")}


def recorded(folder: Path, *, known: set[str], train: int = 1) -> Path:
    """A training set in which only some fields were judged."""
    items = []
    for number in range(train):
        path = paint(folder / f"part-{number}.mp4", bright=False, seed=number)
        said = {key: each for key, each in verdicts(truth(bright=False)).items() if key in known}
        items.append(item(path, said, split="train", number=number))
    return export(folder / "set", items)


def analysis_of(clip: Clip, labels: dict, *, provenance: str = "model") -> Analysis:
    """What a model said about a clip."""
    return Analysis(
        id=f"analysis-{clip.id}",
        clip_id=clip.id,
        backend="local",
        model="tiny",
        adapter=None,
        created_at=AT,
        schema_key=LIGHT.key,
        schema_labels_sha=LIGHT.labels_sha,
        schema_wording_sha=LIGHT.wording_sha,
        prompt_sha=None,
        provenance=provenance,
        labels=labels,
        confidence={},
        confidence_kind=None,
        frames_pts=(),
        raw_text="",
    )


def answered(made: ExportItem, labels: dict, *, provenance: str = "model") -> ExportItem:
    """The same clip, of which a model had said this before it was reviewed."""
    analysis = analysis_of(made.clip, labels, provenance=provenance)
    review = replace(made.reviews[0], analysis_id=analysis.id)
    return replace(made, reviews=(review,), truth=review, analysis=analysis)


def corrected_set(folder: Path, *, train: int = 4, val: int = 0, right: int = 0) -> Path:
    """A set in which a model had taken bright for dark and dark for bright; in the first `right` clips it had not."""
    items = []
    for number, made in enumerate(light_items(folder / "clips", train=train, val=val)):
        bright = made.truth.verdicts["light"].value == "bright"
        items.append(answered(made, truth(bright=bright if number < right else not bright)))
    return export(folder / "set", items)


def corrected_answers(clips: list[Path]) -> list[ExportItem]:
    """Clips with a full review each, of which a model had said the opposite."""
    return [
        answered(
            item(path, verdicts(truth(bright=number % 2 == 1)), split="train", number=number),
            truth(bright=number % 2 == 0),
        )
        for number, path in enumerate(clips)
    ]

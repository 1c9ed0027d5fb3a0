"""From what a model said in its last look to the answer that is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib import metadata
from typing import Any

from vvlm_desktop.backends.base import Answer
from vvlm_desktop.backends.local.confidence import CONFIDENCE_KIND, field_confidences
from vvlm_desktop.backends.local.decoding import Decoded
from vvlm_desktop.backends.local.loading import LoadedModel
from vvlm_desktop.backends.local.looking import prompt_of
from vvlm_desktop.backends.local.resident import Plan
from vvlm_desktop.backends.local.stepping_down import told
from vvlm_desktop.backends.local.tasks import Task
from vvlm_desktop.domain.labels import broken_rules, normalise
from vvlm_desktop.domain.prompt import prompt_sha
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.errors import BackendError

_PACKAGES = ("torch", "transformers", "llguidance", "peft", "bitsandbytes", "av")


def read_labels(schema: LabelSchema, text: str) -> tuple[dict[str, LabelValue], tuple[str, ...]]:
    """The labels in a text that a grammar has made, and a sentence for each repair and each broken rule.

    Raises:
        BackendError: it is no JSON, which the grammar should have prevented.
    """
    try:
        said: Any = json.loads(text)
    except ValueError as error:
        raise BackendError(
            f"The model's answer is not complete: {error}.",
            hint="Analyse the clip again. If it happens again, please report it with the raw text.",
        ) from error
    labels, repairs = normalise(schema, said)
    return labels, (*repairs, *broken_rules(schema, labels))


def labels_answer(task: Task, said: Decoded, *, loaded: LoadedModel, plan: Plan) -> Answer:
    """The answer to the schema's fields."""
    schema = task.job.schema
    labels, flags = read_labels(schema, said.text)
    confidence, legal_mass, value_confidence = field_confidences(said, schema)
    known: Mapping[str, float | None] = {key: confidence.get(key) for key in labels}
    return Answer(
        labels=labels,
        confidence=known,
        confidence_kind=CONFIDENCE_KIND if any(value is not None for value in known.values()) else None,
        legal_mass={key: value for key, value in legal_mass.items() if key in labels},
        value_confidence={key: value for key, value in value_confidence.items() if key in labels},
        **_common(task, said, loaded=loaded, plan=plan, flags=(*flags, *_outside(task, labels))),
    )


def question_answer(task: Task, said: Decoded, *, loaded: LoadedModel, plan: Plan) -> Answer:
    """The answer to a free question."""
    flags = ("The answer was cut off: it was longer than allowed.",) if said.stop == "budget" else ()
    return Answer(
        labels={},
        confidence={},
        confidence_kind=None,
        kind="question",
        question=task.question,
        **_common(task, said, loaded=loaded, plan=plan, flags=flags),
    )


def _common(task: Task, said: Decoded, *, loaded: LoadedModel, plan: Plan, flags: tuple[str, ...]) -> dict[str, Any]:
    frames = task.frames
    if frames is None:
        raise ValueError("an answer without frames")
    counts = {key: float(value) for key, value in task.counts.items()}
    task.flag(loaded.adapter_note)
    return {
        "frames_pts": frames.pts,
        "raw_text": said.text,
        "model": task.options.model,
        "adapter": task.options.adapter if task.options.adapter_dir else None,
        "provenance": "teacher_draft" if task.options.teacher else "model",
        "flags": tuple(dict.fromkeys((*plan.flags, *told(task.asked, task.level), *task.flags, *flags))),
        "timings": {key: round(value, 4) for key, value in task.seconds.items()} | counts,
        "settings": _settings(task, loaded=loaded, plan=plan),
        "prompt_sha": prompt_sha(prompt_of(task)),
        "rounds": tuple(task.rounds),
    }


def _settings(task: Task, *, loaded: LoadedModel, plan: Plan) -> dict[str, Any]:
    """Enough to run it again, and to tell whether two answers are comparable."""
    count, height, width = task.shape
    return {
        "revision": task.options.revision,
        "family": plan.family.name,
        "precision": loaded.precision,
        "device": str(loaded.device),
        "frames": count,
        "size_px": [width, height],
        "sampling": asdict(task.options.sampling),
        "range_ms": list(task.job.request.range_ms) if task.job.request.range_ms else None,
        "rounds": task.options.rounds,
        "batch": task.batch,
        "attention": getattr(loaded.model.config, "_attn_implementation", None),
        "versions": _versions(),
    }


def _outside(task: Task, labels: Mapping[str, LabelValue]) -> tuple[str, ...]:
    """A model may name any time that the schema allows; a person should know when the clip has no such time."""
    end_ms = round(task.index.duration_s * 1000) if task.index is not None else 0
    return tuple(
        f"{task.job.schema.field(key).label}: the time lies outside of the clip, which ends at {end_ms / 1000:.1f} s."
        for key, value in labels.items()
        if isinstance(value, dict) and value["end_ms"] > end_ms
    )


@cache
def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found

"""What reviews teach about a model's confidence: pairs of how sure it was and whether it was right."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.review import SETTLED, Review
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.store.library import ClipFilter
from vvlm_desktop.workflow.calibration_training import SeenInTraining
from vvlm_desktop.workflow.judging import is_right
from vvlm_desktop.workflow.session import Session

#: Answers that can be right or wrong: no scripts of a demo, and no drafts, which wait for a person to say so.
_COUNTED_PROVENANCE = frozenset({"model", "measurement"})
_PAGE = 200
#: Rounding of full weights changes confidences in the third place; packed weights change them visibly.
_FULL_PRECISION = frozenset({"fp32", "bf16", "fp16"})
_FEW_FRAMES, _MANY_FRAMES = 8, 32


@dataclass(frozen=True, slots=True)
class ModelKey:
    """Whose confidence is calibrated; another adapter, other labels or another kind of number is another curve.

    So is another way of running the model, but only where it changes confidence notably: each further key spreads the
    same reviews over more curves. Left out on purpose are the device, the batch, the size of pictures, the wording of
    labels, the exact number of frames, and whether full weights are fp32 or bf16.

    Attributes:
        revision: the weights behind the name: the commit, or the version that a service says it answered with.
        precision: `full`, or the packing of the weights (`int8`, `nf4`).
        looks: how much was looked at: fewer than 8, 8 to 31, or more frames; one look or several; how many votes.
            Bands, since a step down for want of memory or a short clip should not make another model of it.
    """

    backend: str
    model: str
    adapter: str | None
    schema_labels_sha: str
    confidence_kind: str
    revision: str = ""
    precision: str = ""
    looks: str = ""

    @property
    def fingerprint(self) -> str:
        """Hex digest, usable as the name of a file whatever the model is called."""
        parts = [str(part) for part in asdict(self).values()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]

    @property
    def title(self) -> str:
        """For people."""
        name = f"{self.model or self.backend} + {self.adapter}" if self.adapter else self.model or self.backend
        how = ", ".join(part for part in (self.precision, self.looks, self.revision[:12]) if part)
        return f"{name} ({how})" if how else name


@dataclass(frozen=True, slots=True)
class Pair:
    """One answer to one field that a person has judged.

    Attributes:
        confidence: 0..1, as the model gave it.
        right: the person holds the same value to be true.
        group: of the field, see `domain.schema.GROUPS`.
        recording: clips of one drive look alike; they are kept together when a curve is tested.
    """

    confidence: float
    right: bool
    group: str
    recording: str


def model_key(analysis: Analysis) -> ModelKey | None:
    """Whose confidence an analysis carries; None where it has none, or is not meant to be true."""
    if analysis.confidence_kind is None or analysis.kind != "labels" or analysis.provenance not in _COUNTED_PROVENANCE:
        return None
    settings = analysis.settings
    return ModelKey(
        analysis.backend,
        analysis.model,
        analysis.adapter,
        analysis.schema_labels_sha,
        analysis.confidence_kind,
        revision=_text(settings, "revision") or _text(settings, "answered_by"),
        precision="full" if (packing := _text(settings, "precision")) in _FULL_PRECISION else packing,
        looks=", ".join(_looks(settings)),
    )


def _looks(settings: Mapping[str, Any]) -> Iterator[str]:
    frames, rounds, votes = (_count(settings, name) for name in ("frames", "rounds", "votes"))
    if frames:
        band = f"under {_FEW_FRAMES}" if frames < _FEW_FRAMES else f"{_FEW_FRAMES} to {_MANY_FRAMES - 1}"
        yield f"{f'{_MANY_FRAMES} or more' if frames >= _MANY_FRAMES else band} frames"
    if rounds > 1:
        yield "several looks"
    if votes > 1:
        yield f"{votes} votes"


def _text(settings: Mapping[str, Any], name: str) -> str:
    value = settings.get(name)
    return value if isinstance(value, str) else ""


def _count(settings: Mapping[str, Any], name: str) -> int:
    value = settings.get(name)
    return value if type(value) is int else 0


def can_be_calibrated(field: Field) -> bool:
    """Times and texts are right or wrong by degrees, so no share of right ones can be counted for them."""
    return field.has_values


@dataclass(frozen=True, slots=True)
class Judged:
    """What reviews say about each model.

    Attributes:
        pairs: by model; answers of an adapter about recordings that it was trained on are left out.
        untold: why that could not be done, by model; its pairs must not be fitted.
    """

    pairs: Mapping[ModelKey, list[Pair]]
    untold: Mapping[ModelKey, str]


def collect_pairs(session: Session, *, cancelled: Callable[[], bool] = lambda: False) -> Judged:
    """Every judged answer in the library, by model; of several answers of one model about a clip, the newest.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    found: dict[ModelKey, list[Pair]] = defaultdict(list)
    untold: dict[ModelKey, str] = {}
    library, schema, training = session.library, session.schema, SeenInTraining(session)
    rowids = library.clip_rowids(ClipFilter(status=tuple(sorted(SETTLED))))
    for start in range(0, len(rowids), _PAGE):
        for row in library.clip_rows(rowids[start : start + _PAGE]):
            if cancelled():
                raise JobCancelledError("Calibration was stopped. What was stored before still holds.")
            truth = library.truth(row.clip.id, schema_key=schema.key)
            if truth is None:
                continue
            recording = row.clip.recording or row.clip.id
            analyses = library.analyses(row.clip.id)
            scripts = frozenset(each.id for each in analyses if each.provenance == "demo_script")
            for key, analysis in _newest_by_model(analyses, schema).items():
                seen = training.by(analysis)
                if seen.covers(row.clip):
                    continue
                if seen.reason:
                    untold[key] = seen.reason
                found[key].extend(pairs_of(schema, analysis, truth, recording=recording, scripts=scripts))
    return Judged({key: pairs for key, pairs in found.items() if pairs}, untold)


def _newest_by_model(analyses: list[Analysis], schema: LabelSchema) -> dict[ModelKey, Analysis]:
    newest: dict[ModelKey, Analysis] = {}
    for analysis in analyses:  # the newest first
        key = model_key(analysis)
        if key is not None and analysis.schema_key == schema.key and key.schema_labels_sha == schema.labels_sha:
            newest.setdefault(key, analysis)
    return newest


def pairs_of(
    schema: LabelSchema, analysis: Analysis, truth: Review, *, recording: str, scripts: frozenset[str] = frozenset()
) -> Iterator[Pair]:
    """How sure `analysis` was of each field, and whether it was right by `truth`.

    Args:
        scripts: ids of a demo's scripted answers; waving one of those through says nothing about a model.
    """
    for field in schema.fields:
        confidence = analysis.confidence.get(field.key)
        verdict = truth.verdicts.get(field.key)
        if confidence is None or verdict is None or field.key not in analysis.labels or not can_be_calibrated(field):
            continue
        right = is_right(field, analysis.labels[field.key], verdict, scripts=scripts)
        if right is not None and 0.0 <= confidence <= 1.0:
            yield Pair(confidence, right, field.group, recording)

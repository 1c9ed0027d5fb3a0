"""The shape that a record of ours must have, as strict models: an import may come from anyone."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vvlm_desktop.domain.analysis import KINDS, PROVENANCE
from vvlm_desktop.domain.review import DISMISS_REASONS, REASONS, STATUSES

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
_MAX_INT = 2**63 - 1


def _time(value: str) -> str:
    if value and not _TIME.fullmatch(value):
        raise ValueError("not a time such as 2026-11-21T10:00:00.000Z")
    return value


def _file_name(value: str) -> str:
    if value in ("", ".", "..") or re.search(r"[/\\:\x00-\x1f]", value):
        raise ValueError("not the plain name of a file")
    return value


def _relative_path(value: str) -> str:
    path = PurePosixPath(value)
    if (
        not path.parts
        or path.is_absolute()
        or ".." in path.parts
        or PureWindowsPath(value).drive
        or re.search(r"[\\\x00-\x1f]", value)
    ):
        raise ValueError("not a path inside the export")
    return value


def _known(allowed: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"not one of {', '.join(allowed)}")
        return value

    return AfterValidator(check)


Sha: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Time: TypeAlias = Annotated[str, AfterValidator(_time)]
FileName: TypeAlias = Annotated[str, Field(max_length=255), AfterValidator(_file_name)]
RelativePath: TypeAlias = Annotated[str, Field(max_length=4096), AfterValidator(_relative_path)]
Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Short: TypeAlias = Annotated[str, Field(max_length=2_000)]
Long: TypeAlias = Annotated[str, Field(max_length=2_000_000)]
Code: TypeAlias = Annotated[str, Field(pattern=r"^R[1-9][0-9]{0,5}$")]
Count: TypeAlias = Annotated[int, Field(ge=0, le=_MAX_INT)]
Pts: TypeAlias = Annotated[int, Field(ge=-_MAX_INT, le=_MAX_INT)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Seconds: TypeAlias = Annotated[float, Field(ge=0)]
LabelJson: TypeAlias = (
    Short | Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)] | dict[Id, Count] | None
)
Key: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]


class _Shape(BaseModel):
    """Strict: no value is converted. Keys that are not known are kept apart, to be flagged."""

    model_config = ConfigDict(strict=True, extra="allow")


class ClipShape(_Shape):
    """The clip of a record."""

    id: Id
    sha256: Sha
    stream_index: Annotated[int, Field(ge=0, le=1000)]
    name: FileName
    size_bytes: Count
    frames: Count
    duration_s: Seconds
    recording: Short
    is_sample: bool


class SchemaShape(_Shape):
    """The label schema that a record speaks of."""

    key: Id
    labels_sha: Sha
    wording_sha: Sha


class SchemaEntryShape(SchemaShape):
    """A label schema in a manifest, with its text."""

    document: Annotated[str, Field(max_length=1_000_000)]


class EvidenceShape(_Shape):
    """Where in the clip a value, or the field, shows."""

    value: Short | None
    ranges: Annotated[list[Annotated[list[Pts], Field(min_length=2, max_length=2)]], Field(max_length=10_000)]


class FieldShape(_Shape):
    """What a reviewer said about one field; only evidence where `verdict` is null."""

    verdict: Literal["accepted", "corrected", "rejected"] | None
    how: Literal["explicit", "bulk", "bulk_unseen"] | None = None
    value: LabelJson = None
    reason: Annotated[str, _known(REASONS)] | None = None
    at: Time = ""
    model_answered: bool = False
    model_value: LabelJson = None
    analysis_id: Id | None = None
    reviewer: Code
    evidence: Annotated[list[EvidenceShape], Field(max_length=100)]


class ReviewShape(_Shape):
    """A review."""

    status: Annotated[str, _known(STATUSES)]
    fields: Annotated[dict[Key, FieldShape], Field(max_length=200)]
    note: Annotated[str, Field(max_length=200_000)]
    dismiss_reason: Annotated[str, _known(DISMISS_REASONS)] | None
    broken_rules: Annotated[list[Short], Field(max_length=200)]
    analysis_id: Id | None
    updated_at: Time


class CandidateShape(_Shape):
    """A moment worth a look."""

    kind: Short
    start_pts: Pts
    end_pts: Pts
    start_ms: Pts
    end_ms: Pts
    score: float | None
    reason: Short


class RoundShape(_Shape):
    """One look of a model at the clip."""

    purpose: Short
    frames_pts: Annotated[list[Pts], Field(max_length=1_000_000)]
    spans_ms: Annotated[list[Annotated[list[Pts], Field(min_length=2, max_length=2)]], Field(max_length=10_000)] = []
    raw_text: Long = ""
    note: Short = ""


class AnalysisShape(_Shape):
    """An analysis; what has a default is not in every file."""

    id: Id
    backend: Short
    model: Short
    adapter: Short | None
    created_at: Time
    schema_key: Id
    schema_labels_sha: Short
    schema_wording_sha: Short
    prompt_sha: Short | None
    provenance: Annotated[str, _known(PROVENANCE)]
    labels: Annotated[dict[Key, LabelJson], Field(max_length=200)]
    confidence: Annotated[dict[Key, Share | None], Field(max_length=200)]
    confidence_kind: Short | None
    frames_pts: Annotated[list[Pts], Field(max_length=1_000_000)]
    raw_text: Long
    flags: Annotated[list[Long], Field(max_length=10_000)]
    timings: Annotated[dict[Key, float | None], Field(max_length=1_000)]
    candidates: Annotated[list[CandidateShape], Field(max_length=10_000)]
    attention: Share | None
    settings: dict[str, Any]
    kind: Annotated[str, _known(KINDS)] = "labels"
    question: Short | None = None
    legal_mass: Annotated[dict[Key, Share], Field(max_length=200)] = {}
    value_confidence: Annotated[
        dict[Key, Annotated[dict[Key, Share], Field(max_length=200)]], Field(max_length=200)
    ] = {}
    rounds: Annotated[list[RoundShape], Field(max_length=100)] = []


class SamplingShape(BaseModel):
    """Which frames our sampler chose; its settings are whatever the sampler has."""

    model_config = ConfigDict(strict=True, extra="allow")

    frames_pts: Annotated[list[Pts], Field(max_length=1_000_000)]


class RecordShape(_Shape):
    """One line of `corrections.jsonl`."""

    format: Literal["vvlm-corrections"]
    version: Literal[1]
    clip: ClipShape
    file: RelativePath | None
    split: Literal["train", "val", "test"]
    schema_: SchemaShape = Field(alias="schema")
    prompt_sha: Sha | None
    source: Literal["review", "analysis"]
    reviewer: Code | None
    truth: bool
    labels: dict[Key, LabelJson]
    supervised: dict[Key, LabelJson]
    review: ReviewShape | None
    analysis: AnalysisShape | None
    sampling: SamplingShape | None = None
    group: Short = ""
    weight: Annotated[float, Field(ge=0, le=1_000_000)] | None = None


class FileShape(_Shape):
    """A file of an export, as the manifest describes it."""

    sha256: Sha
    bytes: Count


class ManifestShape(_Shape):
    """What is needed of `manifest.json`; the rest is for people and other tools."""

    format: Literal["vvlm-corrections"]
    version: Literal[1]
    created_at: Time
    records: Count
    schemas: Annotated[list[SchemaEntryShape], Field(max_length=100)]
    heads: Annotated[list[dict[str, Any]], Field(max_length=100_000)]
    files: dict[FileName, FileShape]


def unknown_keys(shape: BaseModel, where: str = "") -> list[str]:
    """Dotted names of keys that this version does not know, at any depth."""
    if isinstance(shape, SamplingShape):
        return []
    found = [f"{where}{key}" for key in (shape.model_extra or {})]
    for name in type(shape).model_fields:
        value = getattr(shape, name)
        prefix = f"{where}{name.rstrip('_')}."
        if isinstance(value, BaseModel):
            found += unknown_keys(value, prefix)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, BaseModel):
                    found += unknown_keys(item, f"{prefix}{key}.")
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, BaseModel):
                    found += unknown_keys(item, prefix)
    return found

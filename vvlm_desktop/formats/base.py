"""What every format is handed and hands back: plain dataclasses, filled by the workflow from the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.clip_times import lies_within
from vvlm_desktop.domain.review import Review
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import Json, LabelValue
from vvlm_desktop.formats.split import Split, assign_split

Source: TypeAlias = Literal["review", "analysis"]


def _never() -> bool:
    return False


def _not_known(_clip: Clip) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ExportItem:
    """Everything known about one clip under one label schema.

    Attributes:
        reviews: of all reviewers, settled or not.
        truth: the review that holds, None when no settled one exists.
        analysis: the latest one.
        analyses: those that reviews started from, where they are not `analysis`.
        drafted: a review of the clip's recording began from a teacher's draft.
        assigned: the part that the library has decided on; by the recording's name alone where it has not.
        sampled_pts: the frames that our own sampler chooses, for trainers that can be told; empty where unknown.
        group: what must not be separated (a recording, and what looks the same); empty where not looked for.
        weight: how often the clip should be drawn compared with others, None where that was not asked for.
        kept_out: why the library keeps the clip out of training, empty where it does not.
        settled_under: other label schemas under which a person has settled the clip.
    """

    clip: Clip
    schema: LabelSchema
    reviews: tuple[Review, ...] = ()
    truth: Review | None = None
    analysis: Analysis | None = None
    analyses: tuple[Analysis, ...] = ()
    drafted: bool = False
    assigned: Split | None = None
    sampled_pts: tuple[int, ...] = ()
    group: str = ""
    weight: float | None = None
    kept_out: str = ""
    settled_under: tuple[str, ...] = ()

    @property
    def unsettled_reason(self) -> str:
        """Why there is no settled review, for a clip that has none under its schema."""
        if not self.settled_under:
            return "not reviewed yet"
        return f"reviewed under {' and '.join(self.settled_under)}, and the library now uses {self.schema.key}"

    @property
    def settled_truth(self) -> Review | None:
        """The review whose labels are settled by a person."""
        return self.truth if self.truth is not None and self.truth.settled else None

    @property
    def source(self) -> Source:
        """Where the exported labels come from."""
        return "review" if self.settled_truth is not None else "analysis"

    @property
    def split(self) -> Split:
        """Split of the clip's recording."""
        if self.assigned is not None:
            return self.assigned
        return assign_split(self.clip.recording or self.clip.id, drafted=self.drafted)

    @property
    def labels(self) -> dict[str, LabelValue]:
        """Labels that hold: the settled review's, else the analysis with what a person has touched so far on top.

        A machine's time that the clip does not have is none; it stays in the analysis as it was said.
        """
        if self.settled_truth is not None:
            return self.settled_truth.labels()
        said = self.analysis.labels if self.analysis else {}
        labels = {key: value for key, value in said.items() if lies_within(value, self.clip.duration_s)}
        for review in sorted(self.reviews, key=lambda review: review.updated_at):
            for key, verdict in review.verdicts.items():
                if verdict.how == "explicit":
                    labels.pop(key, None)
                    if verdict.verdict != "rejected":
                        labels[key] = verdict.value
        return labels

    def analysis_of(self, review: Review | None) -> Analysis | None:
        """The analysis that a review started from; the latest one where there is no review."""
        if review is None:
            return self.analysis
        known = (*self.analyses, *((self.analysis,) if self.analysis else ()))
        return next((analysis for analysis in known if analysis.id == review.analysis_id), None)


@dataclass(frozen=True, slots=True)
class ExportContext:
    """What holds for a whole export.

    Attributes:
        prompt: what a model is asked; goes into formats that carry one.
        created_at: the only time written; equal input gives equal bytes.
        copy: copy the clips; otherwise they are linked.
        unreviewed: also clips that no person has settled; every record then says where its labels come from.
        include_samples: let sample clips into training formats, to show the mechanism.
        heads: signed head of each event chain.
        events: the chains verbatim; they hold the reviewers' names.
        sampler: settings of our own frame sampler, for trainers that can be told.
        untouched: whether a clip's file is surely the one that was added; the content of others is compared.
        out: where the export will lie, for formats that name places absolutely; a format sets it itself.
        extra: what else the manifest says, by key.
        progress: called with clips done, clips in all, and the name of the one in work.
    """

    schema: LabelSchema
    prompt: str
    created_at: str
    copy: bool = False
    unreviewed: bool = False
    include_samples: bool = False
    heads: Sequence[Mapping[str, Any]] = ()
    events: Iterable[Mapping[str, Any]] | None = None
    sampler: Mapping[str, Any] = field(default_factory=dict)
    untouched: Callable[[Clip], bool] = _not_known
    out: Path = field(default_factory=Path)
    extra: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[int, int, str], None] | None = None
    cancelled: Callable[[], bool] = _never


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A clip that is not in the export, or not wholly, and why."""

    clip_id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did.

    Attributes:
        clips: files in the media folder; `linked` and `hardlinked` and `copied` say how they got there.
        left_out: by rule.
        failed: wanted, but could not be exported; the command then ends with 1.
        notes: sentences that the user should read.
    """

    format: str
    out: Path
    records: int
    clips: int
    linked: int
    hardlinked: int
    copied: int
    splits: Mapping[str, int]
    left_out: tuple[LeftOut, ...] = ()
    failed: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """For `--json`."""
        return {
            "format": self.format,
            "out": str(self.out),
            "records": self.records,
            "clips": self.clips,
            "linked": self.linked,
            "hardlinked": self.hardlinked,
            "copied": self.copied,
            "splits": dict(self.splits),
            "left_out": [{"clip_id": row.clip_id, "name": row.name, "reason": row.reason} for row in self.left_out],
            "failed": [{"clip_id": row.clip_id, "name": row.name, "reason": row.reason} for row in self.failed],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class ImportedClip:
    """A clip as an import names it; found again in the library by its content."""

    id: str
    sha256: str
    stream_index: int
    name: str
    size_bytes: int
    frames: int
    duration_s: float
    recording: str
    is_sample: bool
    file: str | None


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """One (clip, schema, reviewer) of an import.

    Attributes:
        review: None for a clip that was exported without one; its `reviewer` is a code such as R1.
        truth: whether this review held at the exporting side.
        sampling: the frames that the set's own sampler chose, with its settings; empty where the export has none.
        weight: how often the clip should be drawn, None where that was not asked for.
        group: what must not be separated; empty where not looked for.
    """

    clip: ImportedClip
    schema: LabelSchema
    reviewer: str | None
    review: Review | None
    analysis: Analysis | None
    truth: bool
    split: str
    sampling: Mapping[str, Any] = field(default_factory=dict)
    weight: float | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class ImportedSet:
    """What was read from an export, checked.

    Attributes:
        fingerprint: sha256 of the records' file; the same file imported twice has the same one.
        schemas: those that came along in the manifest.
        events: chains, verbatim; the store verifies them.
        flags: what was left out or taken with a change, as sentences.
    """

    format: str
    source: Path
    fingerprint: str
    created_at: str
    records: tuple[ImportedRecord, ...]
    schemas: tuple[LabelSchema, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    heads: tuple[dict[str, Any], ...] = ()
    flags: tuple[str, ...] = ()


class ExportFormat(Protocol):
    """One external format. Adding one is adding one file with a `FORMATS` tuple to this package."""

    @property
    def name(self) -> str:
        """What is typed: `vvlm export NAME OUT`."""

    @property
    def title(self) -> str:
        """What is shown in a menu."""

    @property
    def description(self) -> str:
        """One sentence: who reads it."""

    @property
    def losses(self) -> tuple[str, ...]:
        """What this format cannot carry, concretely."""

    def write(self, items: Sequence[ExportItem], out: Path, *, context: ExportContext) -> ExportReport:
        """Write `out` completely or not at all.

        Raises:
            FormatError: `out` is not empty, or there is nothing to export.
            StorageFullError: the disk is full or the folder read-only.
            JobCancelledError: `context.cancelled` said so.
        """

    def sniff(self, path: Path) -> bool:
        """Whether `path` looks like an export in this format."""


@runtime_checkable
class CanRead(Protocol):
    """A format of this program's own records."""

    def read(self, path: Path, *, schemas: Sequence[LabelSchema]) -> ImportedSet:
        """Read and check an export.

        Raises:
            FormatError: with file, line and reason; nothing is taken from a file that has an error.
        """


class ImportFormat(ExportFormat, CanRead, Protocol):
    """A format that can also be read back."""

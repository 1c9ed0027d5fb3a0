"""The way every format that fills a folder goes: choose clips, place their files, write, then appear all at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from vvlm_desktop.domain.review import Review
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.base import ExportContext, ExportItem, ExportReport, LeftOut
from vvlm_desktop.formats.losses import LOSSES_FILE, Contents, losses_document
from vvlm_desktop.formats.media import PlacedMedia, place_media, safe_name
from vvlm_desktop.formats.record import projection
from vvlm_desktop.formats.sampling import SAMPLING_FILE, sampling_document
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.staging import require_empty, staged_folder, write_text
from vvlm_desktop.formats.target import UNTRAINABLE


@dataclass(frozen=True, slots=True)
class Placed:
    """An item with the path of its clip in the export; None when the file is missing."""

    item: ExportItem
    file: str | None


@dataclass(frozen=True, slots=True)
class Filled:
    """What a format wrote: records in all and per split, and what the user should know."""

    splits: Counter[Split]
    failed: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


class FolderFormat(ABC):
    """Base of the formats; a subclass says what to leave out and writes its files.

    Attributes:
        media_dir: folder of the clips inside the export.
        keeps_without_file: whether a record is worth having when the clip's file is gone.
        first_step: what to do where there is nothing to export.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    losses: ClassVar[tuple[str, ...]]
    media_dir: ClassVar[str] = "clips"
    keeps_without_file: ClassVar[bool] = False
    first_step: ClassVar[str] = "Review a clip first, or use --unreviewed to export what the analyses say."

    @abstractmethod
    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Why an item does not belong in this export, None when it does."""

    @abstractmethod
    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write this format's files into `folder`, where the clips already are."""

    def arrange(self, folder: Path, placed: Sequence[Placed]) -> Sequence[Placed]:
        """Move the clips within `folder` where their reader wants them elsewhere than in `media_dir`."""
        del folder
        return placed

    @abstractmethod
    def sniff(self, path: Path) -> bool:
        """Whether `path` looks like an export in this format."""

    def write(self, items: Sequence[ExportItem], out: Path, *, context: ExportContext) -> ExportReport:
        """Write `out` completely or not at all; see `ExportFormat`."""
        out = require_empty(out)
        kept, left_out = self._choose(items, context=context)
        if not kept:
            raise self._nothing_to_export(left_out)
        with staged_folder(out) as folder:
            media = place_media(
                [item.clip for item in kept],
                folder / self.media_dir,
                copy=context.copy,
                untouched=context.untouched,
                progress=context.progress,
                cancelled=context.cancelled,
            )
            placed, failed = self._placed(kept, media)
            if not placed:
                raise self._nothing_to_export(failed)
            placed = list(self.arrange(folder, placed))
            filled = self.fill(folder, placed, context=replace(context, out=out))
            failed += filled.failed
            contents = Contents(
                records=filled.splits.total(),
                clips=len(media.files),
                splits={split: filled.splits[split] for split in SPLITS},
                left_out=left_out,
                failed=failed,
                notes=(*filled.notes, *_media_notes(media)),
            )
            seen = [(entry.item, entry.file) for entry in placed]
            write_text(folder / SAMPLING_FILE, sampling_document(seen, context=context))
            write_text(folder / LOSSES_FILE, losses_document(self, contents, context=context))
        return ExportReport(
            format=self.name,
            out=out,
            records=contents.records,
            clips=contents.clips,
            linked=media.linked,
            hardlinked=media.hardlinked,
            copied=media.copied,
            splits=contents.splits,
            left_out=tuple(left_out),
            failed=tuple(failed),
            notes=tuple(contents.notes),
        )

    def _choose(self, items: Sequence[ExportItem], *, context: ExportContext) -> tuple[list[ExportItem], list[LeftOut]]:
        """Items to export, in an order that depends on the clips alone, and the others with the reason."""
        ordered = sorted(items, key=lambda item: (safe_name(item.clip.path), item.clip.id, item.schema.key))
        twice = [key for key, n in Counter((item.clip.id, item.schema.key) for item in items).items() if n > 1]
        if twice:
            raise ValueError(f"items given twice: {twice[:3]}")
        kept: list[ExportItem] = []
        left_out: list[LeftOut] = []
        for item in ordered:
            reason = self.reason_to_leave_out(item, context=context)
            if reason is None:
                kept.append(item)
            else:
                left_out.append(LeftOut(item.clip.id, safe_name(item.clip.path), reason))
        return kept, left_out

    def _nothing_to_export(self, left_out: Sequence[LeftOut]) -> FormatError:
        return FormatError(_why_nothing(left_out), hint=_way_out(left_out) or self.first_step)

    def _placed(self, kept: Iterable[ExportItem], media: PlacedMedia) -> tuple[list[Placed], list[LeftOut]]:
        placed: list[Placed] = []
        failed: list[LeftOut] = []
        for item in kept:
            name = media.files.get(item.clip.sha256)
            if name is None:
                reason = media.failed[item.clip.sha256]
                if self.keeps_without_file:
                    reason += "; its record is in the export, the clip is not"
                failed.append(LeftOut(item.clip.id, safe_name(item.clip.path), reason))
            if name is not None or self.keeps_without_file:
                placed.append(Placed(item, f"{self.media_dir}/{name}" if name is not None else None))
        return placed, failed


def not_trainable(item: ExportItem, *, context: ExportContext, names_streams: bool = False) -> str | None:
    """Why a clip must not train a model, None when it may. Shared by all training formats.

    Args:
        names_streams: whether the format can name a later video stream of a file.
    """
    if item.kept_out:
        return item.kept_out
    if item.schema.labels_sha != context.schema.labels_sha:
        return f"described by another label schema ({item.schema.key})"
    if item.clip.is_sample and not context.include_samples:
        return "sample clips train nobody unless they are let in"
    if not item.clip.readable:
        return "gives no pictures"
    if item.clip.stream_index and not names_streams:
        return "a later video stream of its file, which this format cannot name"
    if item.settled_truth is None:
        reason = _unsettled(item, context=context)
        if reason:
            return reason
    if not projection(item):
        return "nobody has judged any field with the clip in view"
    return None


def _unsettled(item: ExportItem, *, context: ExportContext) -> str | None:
    dismissed: Review | None = next((review for review in item.reviews if review.status == "dismissed"), None)
    if dismissed:
        return f"dismissed ({(dismissed.dismiss_reason or 'no reason').replace('_', ' ')})"
    if not context.unreviewed:
        return item.unsettled_reason
    if item.analysis is None:
        return "neither reviewed nor analysed"
    if item.analysis.provenance in UNTRAINABLE:
        return f"analysed only by a {item.analysis.provenance.replace('_', ' ')}, which never trains a model"
    return None


def _media_notes(media: PlacedMedia) -> tuple[str, ...]:
    if media.hardlinked:
        return (f"{media.hardlinked} clips share their content with the original file (hard link): do not edit them.",)
    return ()


def _why_nothing(left_out: Sequence[LeftOut]) -> str:
    by_reason: dict[str, list[str]] = {}
    for row in left_out:
        by_reason.setdefault(row.reason, []).append(row.name)
    tally = "; ".join(
        f"{reason} ({', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''})"
        for reason, names in list(by_reason.items())[:5]
    )
    return f"There is nothing to export: {tally}." if tally else "There is nothing to export."


def _way_out(left_out: Sequence[LeftOut]) -> str:
    """What mends the reasons, as far as they are special ones."""
    reasons = {row.reason for row in left_out}
    if reasons and all("no longer" in reason for reason in reasons):
        return "Add the folder that the clips were moved to; they are recognised by their content."
    if any("sample clips" in reason for reason in reasons):
        return "To try the format on the sample clips, let them in with --samples."
    if any(reason.startswith("reviewed under ") for reason in reasons):
        return "Choose the label schema that the clips were reviewed under (`vvlm schema --use`), or review them anew."
    return ""

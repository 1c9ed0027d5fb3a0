"""Clips that a set had and that may train no more: by name, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vvlm_desktop.errors import ClipNotFoundError
from vvlm_desktop.formats.base import LeftOut
from vvlm_desktop.formats.training_set import TrainingSetFormat
from vvlm_desktop.workflow.exporting import export_context, gather
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_shelf import TrainingSet

_ERASED = "erased from the library"
_AGAIN = "it may train again now, make the next version"


def withdrawn_before(session: Session, training_set: TrainingSet) -> list[LeftOut]:
    """Clips of earlier sets that were not in this one, and why they may not train today."""
    rows = training_set.about.get("withdrawn", ())
    first_in = {str(row["clip"]): str(row["first_in"]) for row in rows}
    return [
        LeftOut(row.clip_id, row.name, f"{row.reason}; was in {_short(first_in[row.clip_id])}")
        for row in told_withdrawn(session, list(first_in), include_samples=False)
    ]


def told_withdrawn(session: Session, clip_ids: Sequence[str], *, include_samples: bool) -> list[LeftOut]:
    """These clips by name, each with why it may not train."""
    context = export_context(session, copy=False, include_samples=include_samples, cancelled=lambda: False)
    found = []
    for clip_id in clip_ids:
        try:
            item = gather(session, session.library.clip(clip_id))
        except ClipNotFoundError:
            found.append(LeftOut(clip_id, f"clip {clip_id[:8]}", _ERASED))
            continue
        reason = TrainingSetFormat().reason_to_leave_out(item, context=context)
        found.append(LeftOut(clip_id, Path(item.clip.path).name, reason or _AGAIN))
    return found


def _short(folder: str) -> str:
    """NAME-NUMBER of a set's folder, without the id."""
    return folder.rpartition("-")[0] or folder

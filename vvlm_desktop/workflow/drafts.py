"""Drafts by a teacher: a larger model fills in what a person then checks.

A draft is an analysis, marked machine-made. It never sets a status, is never truth and never trains. A review that
began from one never measures a model: its recording stays out of the test part of every export.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vvlm_desktop.backends.catalogue import backend_info
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Review
from vvlm_desktop.errors import UsageError
from vvlm_desktop.workflow.review_queue import UNFINISHED
from vvlm_desktop.workflow.session import Session

DRAFT = "teacher_draft"
#: Key of a batch's options, of any backend: what it answers are drafts.
TEACHER = "teacher"


def as_draft(provenance: str) -> str:
    """What an answer's provenance becomes where it was asked for as a draft; a measurement stays one."""
    return provenance if provenance == "measurement" else DRAFT


def teacher_options(backend: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a batch whose answers are drafts.

    Raises:
        UsageError: what only measures is no teacher.
    """
    info = backend_info(backend)
    if not info.answers_questions:
        raise UsageError(
            f"{info.title} cannot be a teacher: most fields are left open.",
            hint="Take a large local model (--backend local), a server or Gemini.",
        )
    return {**options, TEACHER: True}


def awaiting_a_draft(clips: Iterable[Clip]) -> list[Clip]:
    """Those of `clips` that a draft can help: nobody has finished with them."""
    return [clip for clip in clips if clip.status in UNFINISHED]


def began_from(review: Review, analysis_ids: frozenset[str]) -> bool:
    """Whether a review, or any verdict in it, started from one of these analyses."""
    return review.analysis_id in analysis_ids or any(
        verdict.analysis_id in analysis_ids for verdict in review.verdicts.values()
    )


def drafted_recordings(session: Session) -> frozenset[str]:
    """Recordings that measure nobody: a settled review began from a draft, or there is nothing but a draft yet.

    A clip without a recording is one by itself, under its id.
    """
    found = set()
    for clip_id, draft_ids in session.library.drafts().items():
        clip = session.library.clip(clip_id)
        settled = [review for review in session.library.reviews(clip_id) if review.settled]
        if not settled or any(began_from(review, draft_ids) for review in settled):
            found.add(clip.recording or clip.id)
    return frozenset(found)

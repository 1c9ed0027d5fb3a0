"""Export reviews: gather from the library, hand to a format, say what was left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import (
    ClipMissingError,
    ClipReplacedError,
    ClipUnreadableError,
    FormatError,
    JobCancelledError,
    UsageError,
)
from vvlm_desktop.formats.base import ExportContext, ExportItem, ExportReport
from vvlm_desktop.formats.registry import get_format
from vvlm_desktop.video.sampling import uniform
from vvlm_desktop.workflow.add import regroup_unfinished
from vvlm_desktop.workflow.clip_files import is_untouched, likely_path
from vvlm_desktop.workflow.drafts import drafted_recordings
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.near_duplicates import known_look_alikes
from vvlm_desktop.workflow.review_state import starting_point
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_splits import SETS_FOLDER, Member, place, read_book

_log = logging.getLogger(__name__)

#: How many frames of a clip a model is shown when training follows our own sampling.
DEFAULT_FRAMES = 16
SAMPLER = {"name": "uniform", "frames": DEFAULT_FRAMES}


def export(
    session: Session,
    format_name: str,
    out: Path,
    *,
    clips: Sequence[Clip] | None = None,
    unreviewed: bool = False,
    copy: bool = False,
    include_samples: bool = False,
    with_log: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportReport:
    """Write reviewed clips (all, or those of `clips`) to the new folder `out`, completely or not at all.

    Args:
        unreviewed: also clips that no person has settled; each record then says where its labels come from.
        copy: copy the clips instead of linking them.
        include_samples: let the sample clips into training formats.
        with_log: add the event log as it is; it holds the reviewers' names.

    Raises:
        UsageError: there is no such format.
        FormatError: nothing to export, or `out` is not usable.
        StorageFullError: the disk is full.
    """
    try:
        chosen = get_format(format_name)
    except FormatError as error:
        raise UsageError(str(error), hint=error.hint) from error
    out = out.expanduser().absolute()
    library_folder = session.library.folder.absolute()
    if out == library_folder or library_folder in out.parents:
        raise FormatError(f"{out} is inside the library folder.", hint="Choose a folder elsewhere.")
    items = _in_their_parts(session, gather_all(session, clips))
    context = export_context(session, copy=copy, include_samples=include_samples, cancelled=cancelled)
    context = replace(
        context,
        unreviewed=unreviewed,
        events=session.library.export_events() if with_log else None,
        progress=progress,
    )
    return chosen.write(_with_frames(session, items, cancelled=cancelled), out, context=context)


def export_context(
    session: Session, *, copy: bool, include_samples: bool, cancelled: Callable[[], bool]
) -> ExportContext:
    """What holds for every export of this library."""
    return ExportContext(
        schema=session.schema,
        prompt=build_prompt(session.schema),
        created_at=utc_now(),
        copy=copy,
        include_samples=include_samples,
        # Our own first: an import names the reviewers after it.
        heads=[
            head.to_json()
            for head in sorted(session.library.heads(), key=lambda head: head.origin != session.library.origin)
        ],
        sampler=SAMPLER,
        untouched=lambda clip: is_untouched(session, clip),
        cancelled=cancelled,
    )


def gather_all(session: Session, clips: Sequence[Clip] | None) -> list[ExportItem]:
    """Everything known about all clips, or about those of `clips`, grouped into recordings first."""
    regroup_unfinished(session)
    wanted = clips if clips is not None else session.library.all_clips()
    drafted = drafted_recordings(session)
    return [
        gather(session, clip if clip.recording else session.library.clip(clip.id), drafted=drafted) for clip in wanted
    ]


def _in_their_parts(session: Session, items: Sequence[ExportItem]) -> list[ExportItem]:
    """Items in the parts that training sets have decided on; a clip of a test part trains nobody elsewhere either."""
    book = read_book(session.library.folder / SETS_FOLDER)
    if not book:
        return list(items)
    drafted = drafted_recordings(session)
    members = [
        Member(clip.id, clip.recording or clip.id, (clip.recording or clip.id) in drafted)
        for clip in session.library.all_clips()
    ]
    placements = place(members, similar=known_look_alikes(session), book=book, taking_part=())
    return [
        replace(
            item,
            assigned=placements[item.clip.id].split,
            group=placements[item.clip.id].group,
            kept_out=placements[item.clip.id].problem,
        )
        for item in items
    ]


def _with_frames(session: Session, items: Sequence[ExportItem], *, cancelled: Callable[[], bool]) -> list[ExportItem]:
    found = []
    for item in items:
        if cancelled():
            raise JobCancelledError("The export was cancelled; nothing was written.")
        found.append(replace(item, sampled_pts=sampled_pts(session, item, frames=DEFAULT_FRAMES)))
    return found


def sampled_pts(session: Session, item: ExportItem, *, frames: int) -> tuple[int, ...]:
    """The frames that our sampler chooses; none where the clip is unsettled, or its index cannot be had."""
    if item.settled_truth is None or not item.clip.readable:
        return ()
    try:
        index = index_of(session, item.clip)
    except (ClipMissingError, ClipReplacedError, ClipUnreadableError) as error:
        _log.info("No frames of %s: %s", item.clip.path, error)
        return ()
    return tuple(index.pts[i] for i in uniform(index, frames))


def gather(session: Session, clip: Clip, *, drafted: frozenset[str] = frozenset()) -> ExportItem:
    """Everything known about one clip in the session's schema; `drafted` are recordings that measure nobody."""
    library = session.library
    key = session.schema.key
    analyses = [a for a in library.analyses(clip.id) if a.schema_key == key]
    every = library.reviews(clip.id)
    reviews = tuple(r for r in every if r.schema_key == key)
    return ExportItem(
        clip=replace(clip, path=str(likely_path(session, clip))),
        schema=session.schema,
        reviews=reviews,
        truth=library.truth(clip.id, schema_key=key),
        analysis=starting_point(analyses, session.schema),
        analyses=tuple(analyses),
        drafted=(clip.recording or clip.id) in drafted,
        settled_under=tuple(sorted({r.schema_key for r in every if r.settled and r.schema_key != key})),
    )

"""Export reviews: gather from the library, hand to a format, say what was left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import FormatError, UsageError
from vvlm_desktop.formats.base import ExportContext, ExportItem, ExportReport
from vvlm_desktop.formats.registry import get_format
from vvlm_desktop.workflow.add import regroup_unfinished
from vvlm_desktop.workflow.clip_files import is_untouched, likely_path
from vvlm_desktop.workflow.drafts import drafted_recordings
from vvlm_desktop.workflow.review_state import starting_point
from vvlm_desktop.workflow.session import Session

#: How a model is shown the clip when training follows our own sampling.
SAMPLER = {"name": "uniform", "frames": 16}


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
    regroup_unfinished(session)
    wanted = clips if clips is not None else session.library.all_clips()
    drafted = drafted_recordings(session)
    items = [
        gather(session, clip if clip.recording else session.library.clip(clip.id), drafted=drafted) for clip in wanted
    ]
    context = ExportContext(
        schema=session.schema,
        prompt=build_prompt(session.schema),
        created_at=utc_now(),
        copy=copy,
        unreviewed=unreviewed,
        include_samples=include_samples,
        # Our own first: an import names the reviewers after it.
        heads=[
            head.to_json()
            for head in sorted(session.library.heads(), key=lambda head: head.origin != session.library.origin)
        ],
        events=session.library.export_events() if with_log else None,
        sampler=SAMPLER,
        untouched=lambda clip: is_untouched(session, clip),
        progress=progress,
        cancelled=cancelled,
    )
    return chosen.write(items, out, context=context)


def gather(session: Session, clip: Clip, *, drafted: frozenset[str] = frozenset()) -> ExportItem:
    """Everything known about one clip in the session's schema; `drafted` are recordings that measure nobody."""
    library = session.library
    key = session.schema.key
    analyses = [a for a in library.analyses(clip.id) if a.schema_key == key]
    reviews = tuple(r for r in library.reviews(clip.id) if r.schema_key == key)
    return ExportItem(
        clip=replace(clip, path=str(likely_path(session, clip))),
        schema=session.schema,
        reviews=reviews,
        truth=library.truth(clip.id, schema_key=key),
        analysis=starting_point(analyses, session.schema),
        analyses=tuple(analyses),
        drafted=(clip.recording or clip.id) in drafted,
    )

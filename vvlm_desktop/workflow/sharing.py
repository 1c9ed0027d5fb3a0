"""Several programs on one library: what another one is analysing in the same way is left to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.store.records import Batch
from vvlm_desktop.workflow.interrupted import continue_or_begin, options_to_keep, same_work
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.workers import is_running


def begin_batch(
    session: Session, clips: Sequence[Clip], *, backend: str, options: Mapping[str, Any]
) -> tuple[str | None, list[Clip], frozenset[str]]:
    """The batch to work on, its clips, and the ids of those that another running program is analysing just so.

    The batch is noted first and compared then, with those noted before it, so that of two programs that begin at the
    same moment one leaves the clips to the other, and never both.
    """
    batch_id, todo = continue_or_begin(session, clips, backend=backend, options=options)
    if batch_id is not None or not todo:
        return batch_id, todo, frozenset()
    library = session.library
    kept = options_to_keep(options, schema=session.schema, owner=_this_process())
    batch_id = library.open_batch(backend, [clip.id for clip in todo], options=kept)
    others = pending_elsewhere(session, backend=backend, options=options, before=batch_id)
    taken = others & {clip.id for clip in todo}
    for clip_id in taken:
        library.batch_done(batch_id, clip_id)
    if len(taken) == len(todo):
        library.close_batch(batch_id)
        return None, [], taken
    return batch_id, [clip for clip in todo if clip.id not in taken], taken


def pending_elsewhere(
    session: Session, *, backend: str, options: Mapping[str, Any], before: str | None = None
) -> frozenset[str]:
    """Clips that another running program is going to analyse with the same backend and options.

    Args:
        before: only batches that were noted before this one.
    """
    found: set[str] = set()
    for batch in session.library.unfinished_batches():
        if batch.id == before:
            break
        if batch.pending and _elsewhere(batch) and same_work(batch, session, backend=backend, options=options):
            found.update(session.library.batch_pending(batch.id))
    return frozenset(found)


def _elsewhere(batch: Batch) -> bool:
    owner = batch.options.get("owner")
    return isinstance(owner, dict) and is_running(owner) and owner["pid"] != psutil.Process().pid


def _this_process() -> dict[str, Any]:
    """Until workers take the batch: alive for others, free to be taken here."""
    process = psutil.Process()
    return {"pid": process.pid, "created": process.create_time(), "token": ""}

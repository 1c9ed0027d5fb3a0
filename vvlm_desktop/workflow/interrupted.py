"""Batches that a killed program, or a window that took another library, left behind: found, and taken over once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.store.records import Batch
from vvlm_desktop.workflow.consent import ALLOWED
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.workers import is_running

#: What the library is told of a batch beside the backend's own options.
_KEPT = frozenset({"owner", "schema_key", "labels_sha"})


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A batch that nobody works on any more.

    Attributes:
        fits: whether it was opened with the labels of this session; the answers would not be what was asked for.
    """

    batch_id: str
    backend: str
    clips: tuple[Clip, ...]
    options: Mapping[str, Any]
    schema_key: str
    fits: bool


def options_to_keep(options: Mapping[str, Any], *, schema: LabelSchema, owner: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a batch as the library keeps them."""
    return {**options, "owner": dict(owner), "schema_key": schema.key, "labels_sha": schema.labels_sha}


def interrupted_batches(session: Session) -> list[Interrupted]:
    """Batches that nobody works on any more although clips are left; those that have nothing left are closed."""
    found = []
    for batch in session.library.unfinished_batches():
        if is_running(batch.options.get("owner")):
            continue
        clips = tuple(session.library.batch_clips(batch.id))
        if not clips:
            session.library.close_batch(batch.id)
            continue
        schema_key = str(batch.options.get("schema_key", session.schema.key))
        fits = _fits(batch, session.schema)
        found.append(Interrupted(batch.id, batch.backend, clips, _own_options(batch), schema_key, fits))
    return found


def take_over(session: Session, batch_id: str, *, owner: Mapping[str, Any]) -> bool:
    """Make a batch that nobody works on ours; False when somebody else was faster."""
    options = session.library.batch_options(batch_id)
    if options is None or is_running(options.get("owner")):
        return False
    return session.library.claim_batch(batch_id, owner=dict(owner), expected_owner=options.get("owner"))


def continue_or_begin(
    session: Session, clips: Sequence[Clip], *, backend: str, options: Mapping[str, Any]
) -> tuple[str | None, list[Clip]]:
    """The batch to go on with, and its remaining clips, where a killed program was asked for just these before."""
    wanted = {c.id for c in clips}
    for batch in session.library.unfinished_batches():
        if not same_work(batch, session, backend=backend, options=options):
            continue
        if is_running(batch.options.get("owner")):
            continue
        pending = set(session.library.batch_pending(batch.id))
        if pending and (pending == wanted or (pending <= wanted and batch.total == len(wanted))):
            return batch.id, [c for c in clips if c.id in pending]
    return None, list(clips)


def pending_clip_ids(session: Session, backend: str) -> frozenset[str]:
    """Clips that a running program, this one or another, is going to analyse with `backend`."""
    return frozenset(
        clip_id
        for batch in session.library.unfinished_batches()
        if batch.backend == backend and batch.pending and is_running(batch.options.get("owner"))
        for clip_id in session.library.batch_pending(batch.id)
    )


def same_work(batch: Batch, session: Session, *, backend: str, options: Mapping[str, Any]) -> bool:
    """Whether a batch gives the answers that are asked for: same backend, options and labels."""
    same = batch.backend == backend and _without_consent(_own_options(batch)) == _without_consent(options)
    return same and _fits(batch, session.schema)


def _own_options(batch: Batch) -> dict[str, Any]:
    return {key: value for key, value in batch.options.items() if key not in _KEPT}


def _without_consent(options: Mapping[str, Any]) -> dict[str, Any]:
    """Each time a command is given its consent is another one; the work is the same."""
    return {key: value for key, value in options.items() if key != ALLOWED}


def _fits(batch: Batch, schema: LabelSchema) -> bool:
    kept = (batch.options.get("schema_key", schema.key), batch.options.get("labels_sha", schema.labels_sha))
    return kept == (schema.key, schema.labels_sha)

"""Batches of analyses: what is still to do survives a crash, and goes on where it was."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, exists, func, insert, or_, select, update

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.clips import CLIP_COLUMNS, clip_from
from vvlm_desktop.store.engine import Database
from vvlm_desktop.store.records import Batch


class BatchStore(Database):
    """Opening, advancing and closing batches; a result itself is stored with `add_analysis(…, batch_id=…)`."""

    def open_batch(self, backend: str, clip_ids: Iterable[str], *, options: Mapping[str, Any]) -> str:
        """Remember what is to be analysed; returns the batch's id.

        Args:
            options: JSON; `owner` among them says who works on the batch, see `claim_batch`.
        """
        batch_id = uuid.uuid4().hex
        items = [
            {"batch_id": batch_id, "clip_id": clip_id, "position": position, "state": "pending"}
            for position, clip_id in enumerate(dict.fromkeys(clip_ids))
        ]
        with self.write() as connection:
            row = {
                "id": batch_id,
                "backend": backend,
                "options": json.dumps(dict(options)),
                "created_at": utc_now(),
                "after_row": int(connection.scalar(select(func.max(t.analysis.c.analysis_row))) or 0),
            }
            connection.execute(insert(t.batch), [row])
            if items:
                connection.execute(insert(t.batch_item), items)
        return batch_id

    def batch_pending(self, batch_id: str) -> list[str]:
        """Clips of a batch that are still to do, in order."""
        item = t.batch_item.c
        query = select(item.clip_id).where(item.batch_id == batch_id, item.state == "pending").order_by(item.position)
        with self.read() as connection:
            return list(connection.scalars(query))

    def batch_clips(self, batch_id: str) -> list[Clip]:
        """Clips of a batch that are to do, in order; without those that were analysed here since it was opened.

        Where the batch's options name a model, only that one counts, with the adapter that they name or without any.
        """
        item, a, b = t.batch_item.c, t.analysis.c, t.batch.c
        model, adapter = (func.json_extract(b.options, f"$.{name}") for name in ("model", "adapter"))
        same_adapter = func.coalesce(a.adapter, "") == func.coalesce(adapter, "")
        since = exists().where(
            a.clip_id == item.clip_id,
            a.backend == b.backend,
            a.kind == "labels",
            a.analysis_row > b.after_row,
            or_(model.is_(None), and_(a.model == model, same_adapter)),
        )
        query = (
            select(*CLIP_COLUMNS)
            .select_from(
                t.batch_item.join(t.batch, b.id == item.batch_id)
                .join(t.clip, t.clip.c.id == item.clip_id)
                .join(t.clip_state, t.clip_state.c.clip_row == t.clip.c.clip_row)
            )
            .where(item.batch_id == batch_id, item.state == "pending", ~since.where(~a.imported))
            .order_by(item.position)
        )
        with self.read() as connection:
            return [clip_from(row) for row in connection.execute(query)]

    def batch_options(self, batch_id: str) -> dict[str, Any] | None:
        """Options of a batch; None for one that was closed, or never was."""
        b = t.batch.c
        with self.read() as connection:
            found = connection.scalar(select(b.options).where(b.id == batch_id, b.closed_at.is_(None)))
        return None if found is None else dict(json.loads(found))

    def claim_batch(self, batch_id: str, *, owner: Any, expected_owner: Any) -> bool:
        """Make `owner` the one who works on a batch; False when `expected_owner` no longer is, or it is closed."""
        b = t.batch.c
        with self.write() as connection:
            found = connection.scalar(select(b.options).where(b.id == batch_id, b.closed_at.is_(None)))
            options = json.loads(found) if found is not None else None
            if options is None or options.get("owner") != expected_owner:
                return False
            claimed = json.dumps({**options, "owner": owner})
            connection.execute(update(t.batch).where(b.id == batch_id).values(options=claimed))
        return True

    def batch_errors(self, batch_id: str) -> dict[str, str]:
        """Clips of a batch that failed, with the reason."""
        item = t.batch_item.c
        query = select(item.clip_id, item.error).where(item.batch_id == batch_id, item.state == "failed")
        with self.read() as connection:
            return {clip_id: error or "" for clip_id, error in connection.execute(query.order_by(item.position))}

    def batch_done(self, batch_id: str, clip_id: str, *, error: str | None = None) -> None:
        """Say that a clip of a batch needs no more work; with an error, that it failed.

        What was stored successfully stays done.
        """
        item = t.batch_item.c
        with self.write() as connection:
            connection.execute(
                update(t.batch_item)
                .where(item.batch_id == batch_id, item.clip_id == clip_id, item.state != "done")
                .values(state="done" if error is None else "failed", error=error)
            )

    def unfinished_batches(self) -> list[Batch]:
        """Batches that were not closed, the oldest first."""
        item, b = t.batch_item.c, t.batch.c
        query = (
            select(
                b.id,
                b.backend,
                b.options,
                b.created_at,
                func.count(item.clip_id),
                func.count(item.clip_id).filter(item.state == "pending"),
                func.count(item.clip_id).filter(item.state == "failed"),
            )
            .select_from(t.batch.outerjoin(t.batch_item, item.batch_id == b.id))
            .where(b.closed_at.is_(None))
            .group_by(b.id)
            .order_by(b.created_at, b.id)
        )
        with self.read() as connection:
            rows = connection.execute(query).all()
        return [
            Batch(id_, backend, json.loads(options), created_at, total, pending, failed)
            for id_, backend, options, created_at, total, pending, failed in rows
        ]

    def close_batch(self, batch_id: str) -> None:
        """Say that a batch is over, finished or given up."""
        with self.write() as connection:
            connection.execute(
                update(t.batch)
                .where(t.batch.c.id == batch_id, t.batch.c.closed_at.is_(None))
                .values(closed_at=utc_now())
            )

"""The event log: appending, reading reviews, undo and redo.

An append is one transaction: events, projections and the chain's signed head are on the disk together, or not at all.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, select, text, update

from vvlm_desktop.domain.fold import FOLDED_KINDS, apply, compensation, complete_payload, fold, fold_order, review_key
from vvlm_desktop.domain.review import Change, Event, EventKind, NewEvent, Review
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import LibraryDamagedError, ReviewChangedError, UsageError
from vvlm_desktop.store import projections, undo_stacks
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.chain import GENESIS, Link, new_link
from vvlm_desktop.store.derived import LINK_COLUMNS, links_of_clips
from vvlm_desktop.store.engine import Database
from vvlm_desktop.store.review_codec import review_from_text
from vvlm_desktop.store.signing import SigningKey, head_message

_OWN = select(t.origin.c.origin).where(t.origin.c.own)


@dataclass(slots=True)
class _Tail:
    """Where a chain ends while events are put on it."""

    seq: int
    hash: str
    lamport: int


class EventLog(Database):
    """Writing and reading review events."""

    def __init__(self, folder: Path, engine: Engine, *, origin: str, key: SigningKey) -> None:
        super().__init__(folder, engine)
        self.origin = origin
        self.key = key

    def append(
        self,
        events: Sequence[NewEvent],
        *,
        action_id: str | None = None,
        undoes: str | None = None,
        based_on: Review | None = None,
    ) -> Change:
        """Store events as one action; when this returns they are on the disk.

        `before` in each payload is filled in with what the review really held, so that a second window's stale view
        cannot falsify the log.

        Args:
            based_on: the review that the reviewer was looking at.

        Raises:
            ReviewChangedError: the review is not `based_on` any more; then nothing is stored.
            ValueError: an event that cannot be folded; then nothing is stored.
        """
        if not events:
            return Change()
        self.key.signer()  # may ask the keychain: not while the database is locked
        with self.write() as connection:
            if based_on is not None:
                _require_unchanged(connection, based_on)
            return self._append(connection, events, action_id=action_id or uuid.uuid4().hex, undoes=undoes)

    def _append(
        self, connection: Connection, events: Sequence[NewEvent], *, action_id: str, undoes: str | None
    ) -> Change:
        tail = self._tail(connection)
        at = utc_now()
        reviews: dict[tuple[str, str, str], Review] = {}
        links: list[Link] = []
        for new in events:
            if new.kind in FOLDED_KINDS and new.clip_id is None:
                raise ValueError(f"a {new.kind} event without a clip")
            key = (new.clip_id or "", new.reviewer, new.schema_key)
            before = reviews.get(key) or _stored_review(connection, key)
            payload = complete_payload(new.kind, new.payload, review=before)
            link = new_link(
                origin=self.origin,
                seq=tail.seq + 1,
                prev=tail.hash,
                kind=new.kind,
                at=at,
                lamport=tail.lamport + 1,
                action_id=action_id,
                undoes=undoes,
                clip_id=new.clip_id,
                content={
                    "reviewer": new.reviewer,
                    "schema_key": new.schema_key,
                    "analysis_id": new.analysis_id,
                    "analysis_sha256": _analysis_sha(connection, new.analysis_id),
                    "data": payload,
                },
            )
            links.append(link)
            tail = _Tail(link.seq, link.hash, link.lamport)
            if new.kind in FOLDED_KINDS:
                reviews[key] = apply(before, link.event())
        connection.execute(insert(t.event_log), [link_row(link) for link in links])
        for reviewer in dict.fromkeys(new.reviewer for new in events if new.kind in FOLDED_KINDS):
            undo_stacks.record(connection, reviewer=reviewer, action_id=action_id, undoes=undoes)
        clip_ids = tuple(dict.fromkeys(new.clip_id for new in events if new.clip_id is not None))
        projections.refresh(connection, clip_ids)
        self._store_head(connection, tail, at=at)
        return Change(clip_ids=clip_ids, what=frozenset({"review"}), action_id=action_id)

    def _tail(self, connection: Connection) -> _Tail:
        row = connection.execute(select(t.head.c.seq, t.head.c.hash).where(t.head.c.origin == self.origin)).first()
        e = t.event_log.c
        last = int(connection.scalar(select(func.max(e.seq)).where(e.origin == self.origin)) or 0)
        if last > (row.seq if row is not None else 0):
            raise LibraryDamagedError(
                f"The review history in {self.folder} does not end where its head says.",
                hint="`vvlm verify` names the place. Put a backup back to go on; nothing was stored now.",
            )
        lamport = int(connection.scalar(select(func.max(e.lamport))) or 0)
        return _Tail(0, GENESIS, lamport) if row is None else _Tail(row.seq, row.hash, lamport)

    def _store_head(self, connection: Connection, tail: _Tail, *, at: str) -> None:
        head = {"origin": self.origin, "seq": tail.seq, "hash": tail.hash, "at": at}
        connection.execute(insert(t.head).prefix_with("OR REPLACE"), [head])
        signer = self.key.signer()
        if signer is None or not self._signed_part_holds(connection):
            return
        message = head_message(origin=self.origin, seq=tail.seq, head_hash=tail.hash, at=at)
        signed = {**head, "public_key": signer.public_key, "signature": signer.sign(message)}
        connection.execute(insert(t.signature).prefix_with("OR REPLACE"), [signed])
        o = t.origin.c
        connection.execute(
            update(t.origin).where(o.origin == self.origin, o.public_key.is_(None)).values(public_key=signer.public_key)
        )

    def _signed_part_holds(self, connection: Connection) -> bool:
        """Whether what was signed before is still there; otherwise a new signature would cover up what was done."""
        s, e = t.signature.c, t.event_log.c
        signed = connection.execute(select(s.seq, s.hash).where(s.origin == self.origin)).first()
        if signed is None:
            return True
        here = connection.scalar(select(e.hash).where(e.origin == self.origin, e.seq == signed.seq))
        return bool(here == signed.hash)

    def review(self, clip_id: str, *, reviewer: str, schema_key: str) -> Review:
        """A reviewer's review of a clip; an empty one when there is none."""
        with self.read() as connection:
            return _stored_review(connection, (clip_id, reviewer, schema_key))

    def reviews(self, clip_id: str) -> list[Review]:
        """Every review of a clip, the one changed last first."""
        r = t.review.c
        latest_first = (r.lamport.desc(), r.origin.desc(), r.seq.desc())
        with self.read() as connection:
            documents = connection.scalars(select(r.document).where(r.clip_id == clip_id).order_by(*latest_first))
            return [review_from_text(document) for document in documents]

    def truth(self, clip_id: str, *, schema_key: str) -> Review | None:
        """What holds of a clip: the latest review that a person has settled."""
        settled = (review for review in self.reviews(clip_id) if review.schema_key == schema_key and review.settled)
        return next(settled, None)

    def truths(self, clip_ids: Sequence[str], *, schema_key: str) -> dict[str, Review]:
        """The same for many clips at once; clips that nobody has settled are left out."""
        r = t.review.c
        query = (
            select(r.clip_id, r.document)
            .where(r.clip_id.in_(text("SELECT value FROM json_each(:ids)")), r.schema_key == schema_key, r.settled)
            .order_by(r.lamport, r.origin, r.seq)
        )
        with self.read() as connection:
            found = connection.execute(query, {"ids": json.dumps(list(clip_ids))})
            latest = {str(row.clip_id): str(row.document) for row in found}  # the last of each clip
        return {clip_id: review_from_text(document) for clip_id, document in latest.items()}

    def settled_by_schema(self) -> dict[str, int]:
        """How many clips a person has settled under each label schema."""
        r = t.review.c
        query = select(r.schema_key, func.count(r.clip_id.distinct())).where(r.settled).group_by(r.schema_key)
        with self.read() as connection:
            return {str(key): int(count) for key, count in connection.execute(query)}

    def history(self, clip_id: str | None = None, *, limit: int | None = None) -> list[Event]:
        """Events in the order of the fold, of one clip or of all; with a limit, the latest ones."""
        e = t.event_log.c
        query = select(*LINK_COLUMNS).order_by(e.lamport.desc(), e.origin.desc(), e.seq.desc())
        if clip_id is not None:
            query = query.where(e.clip_id == clip_id)
        if limit is not None:
            query = query.limit(limit)
        with self.read() as connection:
            return [Link(*row).event() for row in connection.execute(query)][::-1]

    def events_of_kind(self, kind: EventKind, *, after: int = 0) -> list[Event]:
        """Events of one kind in this library's own chains, in the order of the fold; those after a lamport time."""
        e = t.event_log.c
        query = select(*LINK_COLUMNS).where(e.kind == kind, e.lamport > after).order_by(e.lamport, e.origin, e.seq)
        with self.read() as connection:
            # Origins are looked at here: asked for them, SQLite reads whole chains instead of what is new.
            own = frozenset(connection.scalars(_OWN))
            return [Link(*row).event() for row in connection.execute(query) if row.origin in own]

    def undo(self, reviewer: str, *, schema_key: str | None = None) -> Change | None:
        """Take back this reviewer's latest action, as a new action; None when there is none left.

        Raises:
            UsageError: it was done under another schema than `schema_key`, where its effect could not be seen.
        """
        return self._take_back(reviewer, "undo", schema_key=schema_key)

    def redo(self, reviewer: str, *, schema_key: str | None = None) -> Change | None:
        """Do again what this reviewer took back last; None when there is nothing.

        Raises:
            UsageError: it was done under another schema than `schema_key`.
        """
        return self._take_back(reviewer, "redo", schema_key=schema_key)

    def _take_back(self, reviewer: str, side: undo_stacks.Side, *, schema_key: str | None) -> Change | None:
        self.key.signer()
        with self.write() as connection:
            while (action_id := undo_stacks.top(connection, reviewer, side)) is not None:
                events = self._compensations(connection, reviewer, action_id)
                other = next((e.schema_key for e in events if schema_key not in (None, e.schema_key)), None)
                if other is not None:
                    raise UsageError(
                        f"The last action was done with the label schema {other}.",
                        hint="Choose that schema in Settings to take it back.",
                    )
                if events:
                    return self._append(connection, events, action_id=uuid.uuid4().hex, undoes=action_id)
                undo_stacks.pop(connection, reviewer, side)  # its payloads were erased: there is nothing to restore
        return None

    def _compensations(self, connection: Connection, reviewer: str, action_id: str) -> list[NewEvent]:
        e = t.event_log.c
        query = select(*LINK_COLUMNS).where(e.action_id == action_id, e.origin.in_(_OWN))
        action = sorted((Link(*row).event() for row in connection.execute(query)), key=fold_order)
        by_review: dict[tuple[str, str, str], list[Event]] = {}
        for event in action:
            key = review_key(event)
            if key is not None and event.reviewer == reviewer:
                by_review.setdefault(key, []).append(event)
        result = []
        for key, events in reversed(by_review.items()):
            log = [link.event() for link in links_of_clips(connection, [key[0]])]
            log = [event for event in log if review_key(event) == key]
            first, last = fold_order(events[0]), fold_order(events[-1])
            before = fold(event for event in log if fold_order(event) < first).get(key) or Review(*key)
            after = fold(event for event in log if fold_order(event) <= last)[key]
            now = fold(log)[key]
            result += [
                NewEvent(kind, key[0], reviewer, key[2], payload)
                for kind, payload in compensation(events, before=before, after=after, now=now)
            ]
        return result


def link_row(link: Link) -> dict[str, object]:
    """An event as a row of its table."""
    return {name: getattr(link, name) for name in Link.__dataclass_fields__}


def _stored_review(connection: Connection, key: tuple[str, str, str]) -> Review:
    r = t.review.c
    query = select(r.document).where(r.clip_id == key[0], r.reviewer == key[1], r.schema_key == key[2])
    document = connection.scalar(query)
    return Review(*key) if document is None else review_from_text(str(document))


def _require_unchanged(connection: Connection, shown: Review) -> None:
    key = (shown.clip_id, shown.reviewer, shown.schema_key)
    if _stored_review(connection, key) != shown:
        path = connection.scalar(select(t.clip.c.name).where(t.clip.c.id == shown.clip_id))
        raise ReviewChangedError(str(path or shown.clip_id))


def _analysis_sha(connection: Connection, analysis_id: str | None) -> str | None:
    """Fingerprint of the analysis that an event refers to, so that the chain vouches for it too."""
    if analysis_id is None:
        return None
    found = connection.scalar(select(t.analysis.c.sha256).where(t.analysis.c.id == analysis_id))
    return None if found is None else str(found)

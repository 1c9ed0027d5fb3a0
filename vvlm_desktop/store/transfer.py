"""Chains to and from other libraries, verbatim, and the erasing of what is private in them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from vvlm_desktop.domain.fold import FOLDED_KINDS
from vvlm_desktop.domain.review import Change, NewEvent
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import FormatError
from vvlm_desktop.store import projections, undo_stacks
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.chain import GENESIS, Link, fault_of
from vvlm_desktop.store.derived import LINK_COLUMNS
from vvlm_desktop.store.events import EventLog, link_row
from vvlm_desktop.store.records import Head
from vvlm_desktop.store.signing import head_message, signature_holds


@dataclass(frozen=True, slots=True)
class _Known:
    """What the library already has of a chain."""

    seq: int
    hash: str


class Transfer(EventLog):
    """Exporting, importing and erasing events."""

    def export_events(self) -> Iterator[dict[str, Any]]:
        """Every event of every chain, verbatim, as `import_events` takes them; a consistent snapshot."""
        e = t.event_log.c
        with self.read() as connection:
            for row in connection.execute(select(*LINK_COLUMNS).order_by(e.origin, e.seq)):
                yield Link(*row).to_json()

    def heads(self) -> list[Head]:
        """The end of every chain, signed where it could be; write them into whatever leaves this computer."""
        s = t.signature.c
        covers = (s.origin == t.head.c.origin) & (s.seq == t.head.c.seq) & (s.hash == t.head.c.hash)
        columns = (t.head.c.origin, t.head.c.seq, t.head.c.hash, t.head.c.at, s.public_key, s.signature)
        query = select(*columns).select_from(t.head.outerjoin(t.signature, covers)).order_by(t.head.c.origin)
        with self.read() as connection:
            return [Head(*row) for row in connection.execute(query)]

    def reviewers_by_origin(self) -> dict[str, frozenset[str]]:
        """Who wrote in each chain; all chains of this library count as `self.origin`."""
        e, o = t.event_log.c, t.origin.c
        name = func.json_extract(e.payload, "$.reviewer")
        written = select(e.origin, name).where(e.kind.in_(FOLDED_KINDS), e.payload.is_not(None)).distinct()
        found: dict[str, set[str]] = defaultdict(set)
        with self.read() as connection:
            own = set(connection.scalars(select(o.origin).where(o.own)))
            for origin, reviewer in connection.execute(written):
                found[self.origin if origin in own else origin].add(reviewer)
        return {origin: frozenset(names) for origin, names in found.items()}

    def import_events(
        self, events: Iterable[Mapping[str, Any]], *, heads: Sequence[Head] = (), source: str = ""
    ) -> Change:
        """Store another library's chains verbatim, after checking every link; what is known already is skipped.

        Args:
            events: as `export_events` gave them.
            heads: their signed ends, where they came along.
            source: name of the file, for the log.

        Raises:
            FormatError: a link does not hold, a part is missing, or a chain went two ways; then nothing is stored.
        """
        chains = _chains(events)
        self.key.signer()
        with self.write() as connection:
            fresh = {origin: _fresh_links(connection, origin, links) for origin, links in sorted(chains.items())}
            fresh = {origin: links for origin, links in fresh.items() if links}
            if not fresh:
                return Change()
            clip_ids: dict[str, None] = {}
            for origin, links in fresh.items():
                _store_chain(connection, origin, links)
                clip_ids |= {link.clip_id: None for link in links if link.clip_id is not None}
            for head in heads:
                _store_signature(connection, head)
            try:
                projections.refresh(connection, list(clip_ids))
                undo_stacks.rebuild(connection)  # a restored backup may bring events of our own
            except (KeyError, TypeError, ValueError) as error:
                raise FormatError(
                    f"The review history to import holds something that this version does not know ({error}).",
                    hint="Update the program and import again. Nothing was imported.",
                ) from error
            records = [
                NewEvent("import", None, "", "", {"source": source, "origin": origin, "events": len(links)})
                for origin, links in fresh.items()
            ]
            change = self._append(connection, records, action_id=uuid.uuid4().hex, undoes=None)
        return Change(clip_ids=tuple(clip_ids), what=frozenset({"review"}), action_id=change.action_id)

    def erase_payloads(self, clip_id: str) -> int:
        """Erase names, notes, captions and values from every event about a clip; returns how many were erased.

        The chain keeps its links, and a new event says which payloads were erased. It cannot be undone. Analyses and
        the clip itself stay.
        """
        e = t.event_log.c
        self.key.signer()
        with self.write() as connection:
            # Overwrite what is deleted, so that it cannot be read out of the database file.
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
            query = (
                select(e.origin, e.seq).where(e.clip_id == clip_id, e.payload.is_not(None)).order_by(e.origin, e.seq)
            )
            erased = [[origin, seq] for origin, seq in connection.execute(query)]
            if not erased:
                return 0
            connection.execute(update(t.event_log).where(e.clip_id == clip_id).values(payload=None, salt=None))
            projections.refresh(connection, [clip_id])
            undo_stacks.rebuild(connection)
            record = NewEvent("erase", None, "", "", {"clip": clip_id, "events": erased})
            self._append(connection, [record], action_id=uuid.uuid4().hex, undoes=None)
            connection.execute(text("INSERT INTO clip_text (clip_text) VALUES ('optimize')"))
        self.checkpoint()  # the write-ahead log still holds the old pages until it is folded back
        return len(erased)


def _chains(events: Iterable[Mapping[str, Any]]) -> dict[str, list[Link]]:
    chains: dict[str, list[Link]] = defaultdict(list)
    for number, document in enumerate(events, start=1):
        try:
            link = Link.from_json(document)
        except ValueError as error:
            raise FormatError(
                f"The review history to import is damaged: its event no. {number} cannot be read ({error}).",
                hint="Export it again from where it came. Nothing was imported.",
            ) from error
        chains[link.origin].append(link)
    return {origin: sorted(links, key=lambda link: link.seq) for origin, links in chains.items()}


def _fresh_links(connection: Connection, origin: str, links: Sequence[Link]) -> list[Link]:
    """Links that are not here yet, each checked; raises FormatError where the chain breaks or forks."""
    e = t.event_log.c
    here = dict(connection.execute(select(e.seq, e.hash).where(e.origin == origin)).all())
    end = max(here, default=0)
    fresh: list[Link] = []
    prev = here.get(end, GENESIS)
    for link in links:
        if link.seq in here:
            if here[link.seq] != link.hash:
                raise FormatError(
                    f"The review history {origin} went two different ways: event {link.seq} to import differs from the "
                    "one in this library.",
                    hint="One of the two was changed, or a backup was restored and worked on. Nothing was imported; "
                    "`vvlm verify` checks this library.",
                )
            continue
        expected_seq = end + len(fresh) + 1
        fault = fault_of(link, seq=expected_seq, prev=prev)
        if fault is not None:
            raise FormatError(
                f"The review history {origin} to import does not hold: {fault}.",
                hint="Export it again from where it came. Nothing was imported.",
            )
        fresh.append(link)
        prev = link.hash
    return fresh


def _store_chain(connection: Connection, origin: str, links: Sequence[Link]) -> None:
    row = {"origin": origin, "own": False, "created_at": utc_now()}
    connection.execute(insert(t.origin).prefix_with("OR IGNORE"), [row])
    connection.execute(insert(t.event_log), [link_row(link) for link in links])
    last = links[-1]
    head = {"origin": origin, "seq": last.seq, "hash": last.hash, "at": last.at}
    connection.execute(insert(t.head).prefix_with("OR REPLACE"), [head])


def _store_signature(connection: Connection, head: Head) -> None:
    """Keep the signature of an imported chain's head, if it is one; raises FormatError for a false one."""
    if head.public_key is None or head.signature is None:
        return
    e, s = t.event_log.c, t.signature.c
    here = connection.scalar(select(e.hash).where(e.origin == head.origin, e.seq == head.seq))
    signed = connection.scalar(select(s.seq).where(s.origin == head.origin))
    if here is None or (signed is not None and signed >= head.seq):
        return
    message = head_message(origin=head.origin, seq=head.seq, head_hash=head.hash, at=head.at)
    if here != head.hash or not signature_holds(head.public_key, head.signature, message=message):
        raise FormatError(
            f"The signature of the review history {head.origin} does not fit its events.",
            hint="The file was changed after it was exported. Nothing was imported.",
        )
    connection.execute(insert(t.signature).prefix_with("OR REPLACE"), [head.to_json()])
    o = t.origin.c
    connection.execute(
        update(t.origin).where(o.origin == head.origin, o.public_key.is_(None)).values(public_key=head.public_key)
    )

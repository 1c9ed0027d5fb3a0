"""Checks that nothing stored was changed, and recreates what can be derived."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, select, text

from vvlm_desktop.store import projections, undo_stacks
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.analyses import text_sha256
from vvlm_desktop.store.chain import GENESIS, Link, fault_of
from vvlm_desktop.store.derived import LINK_COLUMNS, expected
from vvlm_desktop.store.events import EventLog
from vvlm_desktop.store.records import Head, VerifyReport
from vvlm_desktop.store.signing import head_message, signature_holds

#: How many differing clips are named before the report only counts them.
_NAMED = 5


@dataclass(slots=True)
class _Findings:
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    events: int = 0
    erased: int = 0
    #: origin → (seq, hash) of its last event
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    #: analysis id → (its fingerprint when a reviewer looked at it, whether by an event of our own)
    referred: dict[str, tuple[str, bool]] = field(default_factory=dict)
    unsigned: list[str] = field(default_factory=list)


class Audit(EventLog):
    """Verifying and rebuilding."""

    def rebuild(self) -> int:
        """Recreate every projection from events and analyses; returns for how many clips."""
        with self.write() as connection:
            clip_ids = projections.known_clip_ids(connection)
            projections.clear(connection)
            projections.refresh(connection, clip_ids)
            undo_stacks.rebuild(connection)
        return len(clip_ids)

    def verify(self, *, heads: Sequence[Head] = ()) -> VerifyReport:
        """Check every chain, its head and signature, every analysis, and every projection.

        Args:
            heads: ends of chains kept elsewhere, in an export or a backup. Only these can show a tail or a whole
                chain that was removed or rewritten by somebody who also has the signing key or removed the signatures.
        """
        found = _Findings()
        signer = self.key.signer()
        with self.read() as connection:
            for line in connection.scalars(text("PRAGMA quick_check")):
                if line != "ok":
                    found.problems.append(f"The database file is damaged: {line}.")
            own = set(connection.scalars(select(t.origin.c.origin).where(t.origin.c.own)))
            _check_chains(connection, found, own=own)
            _check_heads(connection, found)
            _check_signatures(connection, found, own=own)
            for head in heads:
                _check_known_head(connection, found, head)
            _check_analyses(connection, found)
            key = connection.scalar(select(t.signature.c.public_key).where(t.signature.c.origin == self.origin))
            if not found.problems:
                _check_projections(connection, found)
            else:
                found.notes.append("The lists were not compared with the history, because that does not hold.")
        if signer is None:
            found.notes.append(f"Chains are not signed here: {self.key.missing_because}.")
        elif key is not None and key != signer.public_key:
            found.problems.append(
                f"Chain {self.origin} is signed with another key than this computer's: "
                "the key was replaced, or somebody else wrote the chain."
            )
        own_unsigned = own.intersection(found.unsigned)
        return VerifyReport(
            ok=not found.problems,
            events=found.events,
            origins=len(found.ends),
            problems=found.problems,
            notes=found.notes,
            signed=not own_unsigned and (bool(own.intersection(found.ends)) or signer is not None),
            erased=found.erased,
        )


def _check_chains(connection: Connection, found: _Findings, *, own: set[str]) -> None:
    e = t.event_log.c
    on_record = _erased_on_record(connection)
    rows = connection.execute(select(*LINK_COLUMNS).order_by(e.origin, e.seq))
    links: Iterator[Link] = (Link(*row) for row in rows)
    for origin, chain in groupby(links, key=attrgetter("origin")):
        prev, broken = GENESIS, False
        for seq, link in enumerate(chain, start=1):
            found.events += 1
            found.ends[origin] = (link.seq, link.hash)
            if broken:
                continue
            fault = fault_of(link, seq=seq, prev=prev)
            if fault is None and link.payload is None:
                found.erased += 1
                if (origin, seq) not in on_record:
                    fault = f"the payload of event {seq} was removed, and no erasure is on record"
            if fault is not None:
                found.problems.append(f"Chain {origin} breaks: {fault}.")
                broken = True
                continue
            prev = link.hash
            _note_reference(found, link, own=own)


def _erased_on_record(connection: Connection) -> set[tuple[str, int]]:
    e = t.event_log.c
    result: set[tuple[str, int]] = set()
    for payload in connection.scalars(select(e.payload).where(e.kind == "erase", e.payload.is_not(None))):
        try:
            result.update((origin, seq) for origin, seq in json.loads(payload)["data"]["events"])
        except (KeyError, TypeError, ValueError):
            continue  # an edited payload; its own hash tells
    return result


def _note_reference(found: _Findings, link: Link, *, own: set[str]) -> None:
    if link.payload is None:
        return
    content = json.loads(link.payload)
    analysis_id, sha = content.get("analysis_id"), content.get("analysis_sha256")
    if analysis_id is not None and sha is not None:
        found.referred[analysis_id] = (sha, link.origin in own)


def _check_heads(connection: Connection, found: _Findings) -> None:
    heads = {row.origin: row for row in connection.execute(select(t.head))}
    for origin, (seq, last_hash) in found.ends.items():
        head = heads.get(origin)
        if head is None:
            found.problems.append(f"Chain {origin} has no head.")
        elif head.seq > seq:
            found.problems.append(f"Chain {origin} breaks: its tail, events {seq + 1} to {head.seq}, was removed.")
        elif head.seq < seq:
            found.problems.append(f"Chain {origin} breaks: events {head.seq + 1} to {seq} are beyond its head.")
        elif head.hash != last_hash:
            found.problems.append(f"Chain {origin} was rewritten: its last event {seq} is not the one its head names.")
    for origin in heads.keys() - found.ends.keys():
        found.problems.append(f"Chain {origin} breaks: all its events, 1 to {heads[origin].seq}, were removed.")


def _check_signatures(connection: Connection, found: _Findings, *, own: set[str]) -> None:
    o = t.origin.c
    first_key = dict(connection.execute(select(o.origin, o.public_key)).all())
    signed = {row.origin: row for row in connection.execute(select(t.signature))}
    for origin, row in sorted(signed.items()):
        message = head_message(origin=origin, seq=row.seq, head_hash=row.hash, at=row.at)
        if not signature_holds(row.public_key, row.signature, message=message):
            found.problems.append(f"The signature of chain {origin} at event {row.seq} is false.")
        if first_key.get(origin) != row.public_key:
            found.problems.append(
                f"Chain {origin} was first signed with another key than it is now: "
                "the key was replaced, or somebody else wrote the chain."
            )
        fault = _head_fault(connection, found, Head(origin, row.seq, row.hash, row.at))
        if fault is not None:
            found.problems.append(f"Chain {origin} {fault}; the signed head shows it.")
    for origin, (seq, _) in found.ends.items():
        covered = signed[origin].seq if origin in signed else 0
        if covered < seq:
            found.unsigned.append(origin)
            if covered == 0 and first_key.get(origin) is not None:
                found.problems.append(f"The signature of chain {origin} was removed.")
            else:
                whose = "Chain" if origin in own else "Imported chain"
                found.notes.append(f"{whose} {origin}: events {covered + 1} to {seq} are not covered by a signature.")


def _head_fault(connection: Connection, found: _Findings, head: Head) -> str | None:
    """How a chain contradicts an end it once had."""
    e = t.event_log.c
    if head.origin not in found.ends:
        return f"is missing: it had {head.seq} events"
    last = found.ends[head.origin][0]
    if last < head.seq:
        return f"breaks: its tail, events {last + 1} to {head.seq}, was removed"
    here = connection.scalar(select(e.hash).where(e.origin == head.origin, e.seq == head.seq))
    return None if here == head.hash else f"was rewritten: its event {head.seq} is not the one that once was there"


def _check_known_head(connection: Connection, found: _Findings, head: Head) -> None:
    if head.signature is not None and head.public_key is not None:
        message = head_message(origin=head.origin, seq=head.seq, head_hash=head.hash, at=head.at)
        if not signature_holds(head.public_key, head.signature, message=message):
            found.problems.append(f"The given head of chain {head.origin} at event {head.seq} has a false signature.")
            return
        first_key = connection.scalar(select(t.origin.c.public_key).where(t.origin.c.origin == head.origin))
        if first_key is not None and first_key != head.public_key:
            found.problems.append(f"Chain {head.origin} is signed with another key than the given head.")
    fault = _head_fault(connection, found, head)
    if fault is not None:
        found.problems.append(f"Chain {head.origin} {fault}; the given head of {head.at} shows it.")


def _check_analyses(connection: Connection, found: _Findings) -> None:
    facts = ("clip_id", "backend", "model", "adapter", "kind", "schema_key", "schema_labels_sha", "created_at")
    columns = ("id", *facts, "attention")
    query = select(t.analysis.c.document, t.analysis.c.sha256, *(t.analysis.c[name] for name in columns))
    here: dict[str, str] = {}
    for document, sha, *values in connection.execute(query):
        here[values[0]] = sha
        if text_sha256(document) != sha:
            found.problems.append(f"Analysis {values[0]} of clip {values[1]} was changed.")
            continue
        content = {"kind": "labels", **json.loads(document)}  # which is not written where it is that
        if [content[name] for name in columns] != values:
            found.problems.append(f"Analysis {values[0]} is listed with other facts than it holds.")
    for analysis_id, (sha, by_us) in found.referred.items():
        if analysis_id not in here:
            if by_us:
                found.problems.append(f"Analysis {analysis_id}, which a reviewer judged, was removed.")
        elif here[analysis_id] != sha:
            found.problems.append(f"Analysis {analysis_id} is not the one that a reviewer judged.")


def _check_projections(connection: Connection, found: _Findings) -> None:
    differing = []
    clip_ids = projections.known_clip_ids(connection)
    for start in range(0, len(clip_ids), projections.CHUNK):
        chunk = clip_ids[start : start + projections.CHUNK]
        wanted, there = expected(connection, chunk), projections.stored(connection, chunk)
        differing += [clip_id for clip_id in chunk if wanted[clip_id] != there[clip_id]]
    mend = "`vvlm rebuild` recreates it"
    found.problems += [
        f"What is stored of clip {clip_id} differs from its history; {mend}." for clip_id in differing[:_NAMED]
    ]
    if len(differing) > _NAMED:
        found.problems.append(f"The same holds for {len(differing) - _NAMED} more clips.")
    found.problems += [
        f"{name} has rows of clips that do not exist; {mend}." for name in projections.orphans(connection)
    ]
    if undo_stacks.expected(connection) != undo_stacks.stored(connection):
        found.problems.append(f"What can be undone differs from the history; {mend}.")

"""Import reviews that were exported by this program, here or elsewhere; importing twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import EventKind, NewEvent, Review
from vvlm_desktop.errors import ClipNotFoundError
from vvlm_desktop.formats.base import ImportedRecord, ImportedSet
from vvlm_desktop.formats.registry import import_format_of
from vvlm_desktop.store.records import Head
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.session import Session


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        imported: reviews that are new here.
        known: reviews that were here already.
        problems: sentences; each names the clip that could not be taken.
    """

    imported: int
    known: int
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"imported": self.imported, "known": self.known, "problems": list(self.problems)}


def import_file(session: Session, file: Path) -> ImportReport:
    """Take the reviews of an export into the library.

    With an event log in the export the chains are taken as they are; otherwise each review becomes one action of a
    reviewer named after the export ("R1 of 3fa9c1d2"), so that it is never mistaken for a local person's.

    Raises:
        FormatError: the file is no export that can be read; nothing is taken from it then.
    """
    file = file.expanduser()
    chosen = import_format_of(file)
    imported = chosen.read(file, schemas=[session.schema])
    for schema in imported.schemas:
        session.library.remember_schema(schema)
    folder = imported.source if imported.source.is_dir() else imported.source.parent
    clips, problems = _clips_here(session, imported, folder)
    problems += imported.flags
    if imported.events:
        heads = [Head.from_json(head) for head in imported.heads]
        events = [dict(event) for event in imported.events]
        change = session.library.import_events(events, heads=heads, source=file.name)
        known = len(imported.records) if change.action_id is None and not change.clip_ids else 0
        return ImportReport(len(imported.records) - known, known, tuple(problems))
    return _as_actions(session, imported, clips=clips, problems=problems)


def _clips_here(session: Session, imported: ImportedSet, folder: Path) -> tuple[dict[str, Clip], list[str]]:
    """Clips of the export that are in the library; files that came along with it are added."""
    found: dict[str, Clip] = {}
    problems: list[str] = []
    for record in imported.records:
        if record.clip.id in found:
            continue
        try:
            found[record.clip.id] = session.library.clip(record.clip.id)
            continue
        except ClipNotFoundError:
            pass
        file = folder / record.clip.file if record.clip.file else None
        added = add_paths(session, [file.resolve()]).items if file and file.is_file() else ()
        clip = next((item.clip for item in added if item.clip and item.clip.id == record.clip.id), None)
        if clip is None:
            problems.append(f"{record.clip.name}: this clip is not in the library; add its file, then import again.")
        else:
            found[clip.id] = clip
    return found, problems


def _as_actions(
    session: Session, imported: ImportedSet, *, clips: dict[str, Clip], problems: Sequence[str]
) -> ImportReport:
    origin = next((str(head["origin"]) for head in imported.heads), imported.fingerprint)
    own = origin == session.library.origin
    new = known = 0
    for record in imported.records:
        clip = clips.get(record.clip.id)
        if clip is None or record.review is None:
            continue
        events = [] if own else _events_of(session, record, reviewer=f"{record.reviewer} of {origin[:8]}")
        if not events:
            known += 1
            continue
        known_ids = {analysis.id for analysis in session.library.analyses(clip.id)}
        if record.analysis is not None and record.analysis.id not in known_ids:
            session.library.add_analysis(record.analysis)
        session.library.append(events)
        new += 1
    return ImportReport(new, known, tuple(problems))


def _events_of(session: Session, record: ImportedRecord, *, reviewer: str) -> list[NewEvent]:
    """Events that bring this reviewer's review to what the record says; none when it is so already."""
    review = record.review
    if review is None:
        raise ValueError("a record without a review")
    key = record.schema.key
    held = session.library.review(record.clip.id, reviewer=reviewer, schema_key=key)
    if _same(held, review):
        return []

    def event(kind: EventKind, payload: dict[str, Any]) -> NewEvent:
        return NewEvent(kind, record.clip.id, reviewer, key, payload, analysis_id=review.analysis_id)

    events: list[NewEvent] = []
    payload: dict[str, Any]
    for field, verdict in review.verdicts.items():
        before = held.verdicts.get(field)
        if before != verdict:
            payload = {"field": field, "before": asdict(before) if before else None, "after": asdict(verdict)}
            events.append(event("verdict", payload))
    for field, values in review.evidence.items():
        for value, spans in values.items():
            before_spans = held.evidence.get(field, {}).get(value, ())
            payload = {
                "field": field,
                "value": value,
                "before": [[s.start_pts, s.end_pts] for s in before_spans],
                "after": [[s.start_pts, s.end_pts] for s in spans],
            }
            events.append(event("evidence", payload))
    if review.note != held.note:
        events.append(event("note", {"before": held.note, "after": review.note}))
    payload = {
        "before": held.status,
        "after": review.status,
        "reason": review.dismiss_reason,
        "words": None,
        "broken_rules": list(review.broken_rules),
    }
    events.append(event("status", payload))
    return events


def _same(held: Review, wanted: Review) -> bool:
    return (held.verdicts, held.evidence, held.note, held.status) == (
        wanted.verdicts,
        wanted.evidence,
        wanted.note,
        wanted.status,
    )

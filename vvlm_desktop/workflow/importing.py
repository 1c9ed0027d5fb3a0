"""Import reviews that were exported by this program or by another one; importing twice changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.clip_times import outside
from vvlm_desktop.domain.fold import FoldedKind, apply, verdict_to_json
from vvlm_desktop.domain.review import Event, NewEvent, Review, Verdict
from vvlm_desktop.errors import ClipNotFoundError
from vvlm_desktop.formats.base import CanRead, ImportedClip, ImportedSet
from vvlm_desktop.formats.foreign import ForeignSet
from vvlm_desktop.formats.registry import import_format_of
from vvlm_desktop.store.records import Head
from vvlm_desktop.video.probe import sha256_of
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.import_rows import take_rows
from vvlm_desktop.workflow.session import Session

_NEWER = (
    "This export is newer than the reviews that are here from {origin}, which came with their event log: nothing was"
    " taken. Export again with --log, and import that."
)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        imported: reviews that are new here.
        known: reviews that were here already.
        problems: sentences; each names the clip that could not be taken.
        notes: what is no problem but should be known.
    """

    imported: int
    known: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "imported": self.imported,
            "known": self.known,
            "problems": list(self.problems),
            "notes": list(self.notes),
        }


def import_file(session: Session, file: Path) -> ImportReport:
    """Take the reviews of an export into the library.

    Labels of another program become reviews, too, of a reviewer named after their format; see `import_rows`.
    With an event log in the export the chains are taken as they are; otherwise each review becomes one action of a
    reviewer named after the export ("R1 of 3fa9c1d2"), so that it is never mistaken for a local person's.

    Raises:
        FormatError: the file is no export that can be read; nothing is taken from it then.
    """
    file = file.expanduser()
    chosen = import_format_of(file)
    if not isinstance(chosen, CanRead):
        return _of_another_program(session, chosen.read_rows(file, schema=session.schema))
    imported = chosen.read(file, schemas=[session.schema])
    for schema in imported.schemas:
        session.library.remember_schema(schema)
    folder = imported.source if imported.source.is_dir() else imported.source.parent
    clips, problems = _clips_here(session, imported, folder)
    problems += imported.flags
    if imported.events:
        report = _as_chains(session, imported, clips=clips, source=file.name, problems=problems)
    else:
        report = _as_actions(session, imported, clips=clips, problems=problems)
    return replace(report, notes=(*report.notes, *_times_outside(imported, clips)))


def _times_outside(imported: ImportedSet, clips: Mapping[str, Clip]) -> list[str]:
    """A sentence for each review with a time that its clip does not have; what somebody said is taken as it is."""
    told = {}
    for record in imported.records:
        clip = clips.get(record.clip.id)
        if clip is not None and record.review is not None and outside(record.review.labels(), clip.duration_s):
            told[clip.id] = (
                f"{record.clip.name}: its event's time lies beyond the end of the clip ({clip.duration_s:.1f} s); it"
                " is kept as it was said, and nothing is looked for there."
            )
    return list(told.values())


def _of_another_program(session: Session, found: ForeignSet) -> ImportReport:
    """Where a person here has settled a clip, what the file says stays beside it and does not hold."""
    taken = take_rows(session, found)
    new = known = 0
    for each in taken.reviews:
        reviewer = f"{found.format} {found.fingerprint[:8]}"
        held = session.library.review(each.clip_id, reviewer=reviewer, schema_key=each.schema_key)
        if held.status != "needs_review":  # taken before: whether it held then was decided then
            each = replace(each, status=held.status, broken_rules=held.broken_rules)  # noqa: PLW2901
        events = _events_of(session, each.clip_id, each.schema_key, each, reviewer=reviewer)
        if events:
            session.library.append(events)
        new, known = new + bool(events), known + (not events)
    return ImportReport(new, known, taken.problems, notes=taken.notes)


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
        file = _file_that_came_along(record.clip, folder)
        added = add_paths(session, [file]).items if file is not None else ()
        clip = next((item.clip for item in added if item.clip and item.clip.id == record.clip.id), None)
        if clip is None:
            problems.append(f"{record.clip.name}: this clip is not in the library; add its file, then import again.")
        else:
            found[clip.id] = clip
    return found, problems


def _file_that_came_along(clip: ImportedClip, folder: Path) -> Path | None:
    """The clip's file in the export, if it really lies there and holds the clip.

    An export may come from anyone: a link out of it could put any file of this computer into the library.
    """
    if clip.file is None:
        return None
    try:
        file = (folder / clip.file).resolve()
        inside = file.is_relative_to(folder.resolve()) and file.is_file()
        return file if inside and sha256_of(file) == clip.sha256 else None
    except (OSError, RuntimeError, ValueError):  # RuntimeError: links in a circle
        return None


def _as_chains(
    session: Session, imported: ImportedSet, *, clips: Mapping[str, Clip], source: str, problems: Sequence[str]
) -> ImportReport:
    before = session.library.reviewers_by_origin()
    heads = [Head.from_json(head) for head in imported.heads]
    events = [dict(event) for event in imported.events]
    change = session.library.import_events(events, heads=heads, source=source)
    for record in imported.records:
        if record.analysis is not None and record.clip.id in clips:  # what the reviews began from
            session.library.add_analysis(record.analysis, imported=True)
    known = len(imported.records) if change.action_id is None and not change.clip_ids else 0
    notes = _one_name_for_several(before, session.library.reviewers_by_origin(), here=session.library.origin)
    return ImportReport(len(imported.records) - known, known, tuple(problems), notes=notes)


def _one_name_for_several(
    before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]], *, here: str
) -> tuple[str, ...]:
    """A sentence for each reviewer's name that an import brought although somebody else already had it.

    The chains are taken as they are, so both count as one person; nothing in them tells whether they are.
    """
    sentences = []
    for origin in sorted(after.keys() - {here}):
        for name in sorted(after[origin] - before.get(origin, frozenset())):
            others = [other for other in sorted(after) if other != origin and name in after[other]]
            if others:
                where = "here" if here in others else f"from {others[0][:8]}"
                sentences.append(
                    f"“{name}” reviewed {where} and from {origin[:8]}; both now count as one person, and where they"
                    " reviewed the same clip the later word holds. If they are two, let one choose another name in"
                    " Settings."
                )
    return tuple(sentences)


def _as_actions(
    session: Session, imported: ImportedSet, *, clips: dict[str, Clip], problems: Sequence[str]
) -> ImportReport:
    origin = next((str(head["origin"]) for head in imported.heads), imported.fingerprint)
    reviews = sum(record.review is not None for record in imported.records)
    here = next((head for head in session.library.heads() if head.origin == origin), None)
    if here is not None:
        # Its chain, with the reviewers' names, came before, or it is our own: taken again it would count twice.
        later = any(int(head["seq"]) > here.seq for head in imported.heads if head["origin"] == origin)
        missed = (_NEWER.format(origin=origin[:8]),) if later else ()
        return ImportReport(0, reviews, (*problems, *missed))
    new = known = 0
    for record in imported.records:
        clip = clips.get(record.clip.id)
        if clip is None or record.review is None:
            continue
        reviewer = f"{record.reviewer} of {origin[:8]}"
        events = _events_of(session, record.clip.id, record.schema.key, record.review, reviewer=reviewer)
        if not events:
            known += 1
            continue
        if record.analysis is not None:
            session.library.add_analysis(record.analysis, imported=True)
        session.library.append(events)
        new += 1
    return ImportReport(new, known, tuple(problems))


def _events_of(session: Session, clip_id: str, key: str, wanted: Review, *, reviewer: str) -> list[NewEvent]:
    """Events that bring this reviewer's review to what was imported; none when it is so already."""
    held = session.library.review(clip_id, reviewer=reviewer, schema_key=key)
    state = held
    events: list[NewEvent] = []

    def put(kind: FoldedKind, payload: dict[str, Any]) -> None:
        nonlocal state
        events.append(NewEvent(kind, clip_id, reviewer, key, payload, analysis_id=wanted.analysis_id))
        state = apply(state, Event("", 0, kind, wanted.updated_at, 0, "", None, "", payload=payload))

    for field in dict.fromkeys((*wanted.verdicts, *held.verdicts)):
        before, after = held.verdicts.get(field), wanted.verdicts.get(field)
        if not _same_verdict(before, after):
            put("verdict", {"field": field, "before": _json_of(before), "after": _json_of(after)})
    spans, spans_held = _spans(wanted), _spans(held)
    for place in dict.fromkeys((*spans, *spans_held)):
        there, then = spans_held.get(place, []), spans.get(place, [])
        if there != then:
            put("evidence", {"field": place[0], "value": place[1], "before": there, "after": then})
    if wanted.note != held.note:
        put("note", {"before": held.note, "after": wanted.note})
    reason = wanted.dismiss_reason if wanted.status == "dismissed" else None
    if (state.status, state.dismiss_reason, state.broken_rules) != (wanted.status, reason, wanted.broken_rules):
        put(
            "status",
            {
                "before": state.status,
                "after": wanted.status,
                "reason": reason,
                "words": None,
                "broken_rules": list(wanted.broken_rules),
            },
        )
    return events


def _same_verdict(held: Verdict | None, wanted: Verdict | None) -> bool:
    """Whether a verdict is the wanted one; a record without its time says nothing about that."""
    if held is None or wanted is None:
        return held is wanted
    return held == (wanted if wanted.at else replace(wanted, at=held.at))


def _json_of(verdict: Verdict | None) -> dict[str, Any] | None:
    return None if verdict is None else verdict_to_json(verdict)


def _spans(review: Review) -> dict[tuple[str, str | None], list[list[int]]]:
    """Evidence that there is, as payloads hold it."""
    return {
        (field, value): [[span.start_pts, span.end_pts] for span in spans]
        for field, by_value in review.evidence.items()
        for value, spans in by_value.items()
        if spans
    }

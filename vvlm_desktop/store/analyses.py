"""Analyses, which are stored once and never changed, and the label schemas that they and the reviews refer to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

from sqlalchemy import Connection, exists, func, insert, select, text, update

from vvlm_desktop.domain.analysis import Analysis, EventCandidate, Round
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Change
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.store import projections
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.clips import CLIP_COLUMNS, CLIP_TABLES, clip_from, require_clip
from vvlm_desktop.store.engine import Database
from vvlm_desktop.store.records import AnswerHead

#: Fields that came later, as they stand where they say nothing. They are then left out of the document, so that an
#: analysis that was stored, fingerprinted and judged before they existed is the same text when it is written again.
_LATER_FIELDS: dict[str, Any] = {
    "kind": "labels",
    "question": None,
    "legal_mass": {},
    "value_confidence": {},
    "rounds": (),
}
#: What takes most of a document and is not needed where answers are counted; parsing it takes most of the time.
_AT_LENGTH = ("raw_text", "confidence", "value_confidence", "legal_mass", "rounds", "candidates", "timings")
_BRIEF: dict[str, Any] = {"raw_text": "", "confidence": {}, "candidates": ()}
_NEWEST_FIRST = (t.analysis.c.imported, t.analysis.c.analysis_row.desc())


class StoredSchema(Protocol):
    """What the library keeps of a label schema."""

    @property
    def key(self) -> str:
        """Name and version."""

    @property
    def document(self) -> str:
        """The TOML text."""

    @property
    def labels_sha(self) -> str:
        """Fingerprint of fields and values."""

    @property
    def wording_sha(self) -> str:
        """Fingerprint of labels, definitions and prompt text."""


def analysis_to_text(analysis: Analysis) -> str:
    """JSON of an analysis, as it is stored and fingerprinted."""
    content = {key: value for key, value in asdict(analysis).items() if _says_something(key, value)}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _says_something(key: str, value: Any) -> bool:
    return key not in _LATER_FIELDS or value != _LATER_FIELDS[key]


def analysis_from_text(document: str) -> Analysis:
    """The inverse of `analysis_to_text`."""
    return _analysis(json.loads(document))


def _analysis(content: dict[str, Any]) -> Analysis:
    content["frames_pts"] = tuple(content["frames_pts"])
    content["flags"] = tuple(content["flags"])
    content["candidates"] = tuple(EventCandidate(**candidate) for candidate in content["candidates"])
    content["rounds"] = tuple(Round.from_json(each) for each in content.get("rounds", ()))
    return Analysis(**content)


def text_sha256(document: str) -> str:
    """Fingerprint of a stored document."""
    return hashlib.sha256(document.encode()).hexdigest()


class AnalysisStore(Database):
    """Adding and reading analyses."""

    def add_analysis(self, analysis: Analysis, *, batch_id: str | None = None, imported: bool = False) -> Change:
        """Store an analysis; with a batch, its clip is marked done in the same transaction, and nothing twice.

        Storing the same analysis again changes nothing; another one under the same id is a ValueError, or left out
        where it comes from elsewhere.

        Args:
            imported: it was not made here; it never comes before one that was.
        """
        document = analysis_to_text(analysis)
        with self.write() as connection:
            require_clip(connection, analysis.clip_id)
            if batch_id is not None and not _take_from_batch(connection, batch_id, analysis):
                return Change()
            there = connection.scalar(select(t.analysis.c.document).where(t.analysis.c.id == analysis.id))
            if there is not None:
                if there != document and not imported:
                    raise ValueError(f"another analysis has the id {analysis.id!r}")
                return Change()
            row = {
                "id": analysis.id,
                "clip_id": analysis.clip_id,
                "backend": analysis.backend,
                "model": analysis.model,
                "schema_key": analysis.schema_key,
                "schema_labels_sha": analysis.schema_labels_sha,
                "created_at": analysis.created_at,
                "attention": analysis.attention,
                "document": document,
                "sha256": text_sha256(document),
                "imported": imported,
                "kind": analysis.kind,
                "adapter": analysis.adapter,
            }
            connection.execute(insert(t.analysis), [row])
            projections.refresh(connection, [analysis.clip_id])
        return Change(clip_ids=(analysis.clip_id,), what=frozenset({"analyses"}))

    def analyses(self, clip_id: str) -> list[Analysis]:
        """Every labelling of a clip, the newest first, what was imported last; without answers to questions.

        The newest is the one that arrived last: a clock can be wrong or be set back.
        """
        return self._of_kind("labels", clip_id)

    def questions(self, clip_id: str) -> list[Analysis]:
        """Every answer to a free question about a clip, the newest first, what was imported last."""
        return self._of_kind("question", clip_id)

    def _of_kind(self, kind: str, clip_id: str) -> list[Analysis]:
        a = t.analysis.c
        query = select(a.document).where(a.clip_id == clip_id, a.kind == kind).order_by(*_NEWEST_FIRST)
        with self.read() as connection:
            return [analysis_from_text(document) for document in connection.scalars(query)]

    def latest_analysis(self, clip_id: str, *, schema_key: str | None = None) -> Analysis | None:
        """The newest labelling of a clip, by any schema or by one."""
        a = t.analysis.c
        query = select(a.document).where(a.clip_id == clip_id, a.kind == "labels").order_by(*_NEWEST_FIRST)
        if schema_key is not None:
            query = query.where(a.schema_key == schema_key)
        with self.read() as connection:
            document = connection.scalar(query.limit(1))
        return None if document is None else analysis_from_text(str(document))

    def answer_heads(self, *, schema_key: str) -> list[AnswerHead]:
        """Who gave which labelling by a schema, clip by clip, the newest first; no document is read for it."""
        a = t.analysis.c
        provenance = func.json_extract(a.document, "$.provenance")
        query = (
            select(t.clip.c.clip_row, a.analysis_row, a.backend, a.model, a.adapter, provenance)
            .join(t.clip, t.clip.c.id == a.clip_id)
            .where(a.kind == "labels", a.schema_key == schema_key)
            .order_by(t.clip.c.clip_row, *_NEWEST_FIRST)
        )
        with self.read() as connection:
            return [AnswerHead(*row) for row in connection.execute(query)]

    def analyses_by_row(self, rows: Sequence[int], *, brief: bool = False) -> dict[int, Analysis]:
        """Analyses by the numbers that `answer_heads` gave; numbers of none are left out.

        Args:
            brief: without texts, confidences and looks, in a third of the time.
        """
        a = t.analysis.c
        document = func.json_remove(a.document, *(f"$.{name}" for name in _AT_LENGTH)) if brief else a.document
        wanted = a.analysis_row.in_(text("SELECT value FROM json_each(:rows)"))
        with self.read() as connection:
            found = connection.execute(select(a.analysis_row, document).where(wanted), {"rows": json.dumps(list(rows))})
            missing = _BRIEF if brief else {}
            return {number: _analysis({**missing, **json.loads(each)}) for number, each in found}

    def drafts(self) -> dict[str, frozenset[str]]:
        """Ids of the teacher's drafts of each clip that has any."""
        a = t.analysis.c
        query = select(a.clip_id, a.id).where(
            a.kind == "labels", func.json_extract(a.document, "$.provenance") == "teacher_draft"
        )
        found: dict[str, set[str]] = {}
        with self.read() as connection:
            for clip_id, analysis_id in connection.execute(query):
                found.setdefault(clip_id, set()).add(analysis_id)
        return {clip_id: frozenset(ids) for clip_id, ids in found.items()}

    def clips_without(
        self,
        backend: str,
        *,
        model: str | None = None,
        adapter: str | None = None,
        schema_labels_sha: str | None = None,
        drafts: bool | None = None,
    ) -> list[Clip]:
        """Readable clips that a backend has not labelled, in order of adding; answers to questions do not count.

        Args:
            model: only what this model said counts.
            adapter: only what was said with this adapter counts; with "" only what the model said without any.
            schema_labels_sha: only what was said under these labels counts.
            drafts: whether only drafts count, or only what is none; None for both.
        """
        a = t.analysis.c
        said = exists().where(a.clip_id == t.clip.c.id, a.backend == backend, a.kind == "labels")
        if model is not None:
            said = said.where(a.model == model)
        if adapter is not None:
            said = said.where(func.coalesce(a.adapter, "") == adapter)
        if schema_labels_sha is not None:
            said = said.where(a.schema_labels_sha == schema_labels_sha)
        if drafts is not None:
            is_draft = func.json_extract(a.document, "$.provenance") == "teacher_draft"
            said = said.where(is_draft if drafts else ~is_draft)
        query = select(*CLIP_COLUMNS).select_from(CLIP_TABLES).where(t.clip.c.frames > 0, ~said)
        with self.read() as connection:
            return [clip_from(row) for row in connection.execute(query.order_by(t.clip.c.clip_row))]

    def remember_schema(self, schema: StoredSchema) -> None:
        """Keep a schema's document, so that what refers to it stays readable."""
        s = t.schema_document.c
        here = exists().where(s.labels_sha == schema.labels_sha, s.wording_sha == schema.wording_sha)
        with self.read() as connection:
            if connection.scalar(select(here)):
                return
        row = {
            "labels_sha": schema.labels_sha,
            "wording_sha": schema.wording_sha,
            "key": schema.key,
            "document": schema.document,
            "at": utc_now(),
        }
        with self.write() as connection:
            connection.execute(insert(t.schema_document).prefix_with("OR IGNORE"), [row])

    def known_labels_shas(self, schema_key: str) -> set[str]:
        """Labels fingerprints that were seen under a schema's name and version; more than one would mix them up."""
        s = t.schema_document.c
        with self.read() as connection:
            return set(connection.scalars(select(s.labels_sha).where(s.key == schema_key)))

    def schema_document(self, labels_sha: str, wording_sha: str) -> str | None:
        """The TOML text of a remembered schema."""
        s = t.schema_document.c
        with self.read() as connection:
            found = connection.scalar(
                select(s.document).where(s.labels_sha == labels_sha, s.wording_sha == wording_sha)
            )
        return None if found is None else str(found)


def _take_from_batch(connection: Connection, batch_id: str, analysis: Analysis) -> bool:
    """Mark a batch's clip as done; False when it was done before, so that its analysis is not wanted twice."""
    item = t.batch_item.c
    taken = connection.execute(
        update(t.batch_item)
        .where(item.batch_id == batch_id, item.clip_id == analysis.clip_id, item.state != "done")
        .values(state="done", error=None, analysis_id=analysis.id)
    )
    if taken.rowcount:
        return True
    if connection.scalar(select(exists().where(item.batch_id == batch_id, item.clip_id == analysis.clip_id))):
        return False
    raise ValueError(f"clip {analysis.clip_id!r} is not in batch {batch_id!r}")

"""Clips, the paths they were seen at, and files that could not be read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    ScalarSelect,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import ClipNotFoundError
from vvlm_desktop.store import projections
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.engine import Database
from vvlm_desktop.store.records import AddOutcome, ClipPlace, ProblemFile

#: What another look at the same content may find out better; the rest stays as it was first stored.
_EXAMINED = (
    "frames",
    "duration_s",
    "fps",
    "width",
    "height",
    "codec",
    "has_audio",
    "keyframes",
    "problem",
)
CLIP_COLUMNS = [t.clip_state.c.status if name == "status" else t.clip.c[name] for name in Clip.__dataclass_fields__]
CLIP_TABLES = t.clip.join(t.clip_state, t.clip_state.c.clip_row == t.clip.c.clip_row)
_CLIPS = select(*CLIP_COLUMNS).select_from(CLIP_TABLES)


def clip_from(row: Sequence[Any]) -> Clip:
    """A clip from a row whose first columns are `CLIP_COLUMNS`."""
    return Clip(*row[: len(CLIP_COLUMNS)])


def display_name(path: str) -> str:
    """The file's name as text that can be shown and searched, whatever bytes the file system gave."""
    return Path(path).name.encode("utf-8", "replace").decode()


class ClipStore(Database):
    """Adding and finding single clips."""

    def add_clip(self, clip: Clip, *, mtime_ns: int | None = None, ends_sha256: str | None = None) -> AddOutcome:
        """Store a clip, or recognise it by its content; every path it was seen at is remembered.

        Args:
            mtime_ns: of the file before its content was read; later tells cheaply that it is still the same.
            ends_sha256: hash of the file's two ends, for files that are too large to be read whole each time.
        """
        with self.write() as connection:
            known = connection.scalar(select(t.clip.c.path).where(t.clip.c.id == clip.id))
            connection.execute(delete(t.problem_file).where(t.problem_file.c.path == clip.path))
            if known is None:
                values = {name: value for name, value in asdict(clip).items() if name != "status"}
                row = {**values, "name": display_name(clip.path), "ends_sha256": ends_sha256}
                connection.execute(insert(t.clip), [row])
                self._see(connection, clip.id, clip.path, mtime_ns=mtime_ns)
                projections.refresh(connection, [clip.id])
                return AddOutcome(_one(connection, clip.id), "added")
            at_this_path = self._see(connection, clip.id, clip.path, mtime_ns=mtime_ns)
            found_out: dict[str, Any] = {name: getattr(clip, name) for name in _EXAMINED}
            if ends_sha256 is not None:
                found_out["ends_sha256"] = ends_sha256
            connection.execute(update(t.clip).where(t.clip.c.id == clip.id).values(found_out))
            if known != clip.path and not self._still_at(connection, clip, known):
                self._move(connection, clip.id, clip.path)
            return AddOutcome(_one(connection, clip.id), "known" if at_this_path else "moved")

    def _see(self, connection: Connection, clip_id: str, path: str, *, mtime_ns: int | None = None) -> bool:
        """Remember a path; returns whether the clip was already known there."""
        p = t.clip_path.c
        now = int(connection.scalar(select(func.max(p.seen))) or 0) + 1
        here = (p.clip_id == clip_id) & (p.path == path)
        seen = connection.execute(update(t.clip_path).where(here).values(seen=now, mtime_ns=mtime_ns))
        if seen.rowcount == 0:
            row = {"clip_id": clip_id, "path": path, "first_seen": utc_now(), "seen": now, "mtime_ns": mtime_ns}
            connection.execute(insert(t.clip_path), [row])
        return seen.rowcount > 0

    def _still_at(self, connection: Connection, clip: Clip, path: str) -> bool:
        """Whether a clip's file is still there: no other content was seen at the path since, and the size fits."""
        if connection.scalar(select(_content_at(path))) != clip.sha256:
            return False
        try:
            return Path(path).stat().st_size == clip.size_bytes
        except (OSError, ValueError):
            return False

    def _move(self, connection: Connection, clip_id: str, path: str) -> None:
        connection.execute(update(t.clip).where(t.clip.c.id == clip_id).values(path=path, name=display_name(path)))
        projections.refresh(connection, [clip_id])

    def clip(self, clip_id: str) -> Clip:
        """The clip with this id; raises ClipNotFoundError."""
        with self.read() as connection:
            return _one(connection, clip_id)

    def all_clips(self) -> list[Clip]:
        """Every clip, in order of adding; for exports, not for lists on the screen."""
        with self.read() as connection:
            return [clip_from(row) for row in connection.execute(_CLIPS.order_by(t.clip.c.clip_row))]

    def clips_in_folder(self, folder: Path | str) -> list[Clip]:
        """Clips that were seen directly in a folder, by path there, with that path; a clip may have others elsewhere.

        Left out are clips in whose place another content was seen since, once their recording is known.
        """
        wanted = Path(folder)
        start = str(wanted).rstrip(os.sep) + os.sep
        end = start[:-1] + chr(ord(os.sep) + 1)
        p = t.clip_path.c
        # Ranges instead of a prefix pattern, so that the index on paths is used; names that are no text are bytes.
        start_bytes, end_bytes = (literal(os.fsencode(each), LargeBinary) for each in (start, end))
        inside = ((p.path >= start) & (p.path < end)) | ((p.path >= start_bytes) & (p.path < end_bytes))
        query = (
            select(*CLIP_COLUMNS, p.path)
            .select_from(CLIP_TABLES.join(t.clip_path, p.clip_id == t.clip.c.id))
            .where(inside)
            .order_by(p.path, p.seen)
        )
        with self.read() as connection:
            found = [replace(clip_from(row), path=row[-1]) for row in connection.execute(query)]
        latest = {clip.path: clip.sha256 for clip in found}
        return [
            clip
            for clip in found
            if Path(clip.path).parent == wanted and (latest[clip.path] == clip.sha256 or not clip.recording)
        ]

    def folders_without_recording(self) -> list[str]:
        """Folders with clips whose recording was never worked out, because adding them was interrupted."""
        query = select(t.clip_path.c.path).join(t.clip, t.clip.c.id == t.clip_path.c.clip_id)
        with self.read() as connection:
            paths = connection.scalars(query.where(t.clip.c.recording == ""))
            return sorted({str(Path(path).parent) for path in paths})

    def rowid_of(self, clip_id: str) -> int | None:
        """Row id of a clip, as lists use it; None when there is no such clip."""
        with self.read() as connection:
            return connection.scalar(select(t.clip.c.clip_row).where(t.clip.c.id == clip_id))

    def find_clip(self, text: str) -> Clip:
        """The clip that somebody means: an id, the beginning of one (from 4 digits), a path, or a part of its name.

        Raises:
            ClipNotFoundError: none or several fit; the hint lists candidates.
        """
        name = text.encode("utf-8", "replace").decode()
        with self.read() as connection:
            for condition in (
                t.clip.c.id == name,
                t.clip.c.id == _id_at(text),
                t.clip.c.id == _id_at(os.path.abspath(text)),  # noqa: PTH100 (resolve would follow links)
                t.clip.c.name == name,
            ):
                exact = connection.execute(_CLIPS.where(condition).limit(2)).all()
                if len(exact) == 1:
                    return clip_from(exact[0])
            fits = t.clip.c.name.contains(name, autoescape=True)
            if len(name) >= 4:
                fits = fits | t.clip.c.id.startswith(name.lower(), autoescape=True)
            found = [clip_from(row) for row in connection.execute(_CLIPS.where(fits).limit(9))] if name else []
        if len(found) == 1:
            return found[0]
        if not found:
            raise ClipNotFoundError(f"No clip fits “{text}”.", hint="`vvlm clips` lists the clips of this library.")
        names = [f"{display_name(clip.path)} ({clip.id})" for clip in found[:8]]
        raise ClipNotFoundError(
            f"Several clips fit “{text}”.",
            hint="Be more exact: " + ", ".join(names) + (" and more" if len(found) > 8 else "") + ".",
        )

    def clip_by_path(self, path: Path | str) -> Clip | None:
        """The clip last seen at a path, by its first video stream."""
        with self.read() as connection:
            row = connection.execute(_CLIPS.where(t.clip.c.id == _id_at(str(path)))).first()
            return None if row is None else clip_from(row)

    def paths_of(self, clip_id: str) -> list[str]:
        """Every path at which a clip was seen, the latest first."""
        query = select(t.clip_path.c.path).where(t.clip_path.c.clip_id == clip_id).order_by(t.clip_path.c.seen.desc())
        with self.read() as connection:
            return list(connection.scalars(query))

    def places_of(self, clip_id: str) -> list[ClipPlace]:
        """What is known of a clip's file at every path where it was seen, the latest first."""
        p = t.clip_path.c
        latest = _content_at(p.path) == t.clip.c.sha256
        query = (
            select(p.path, p.mtime_ns, latest, t.clip.c.ends_sha256)
            .join(t.clip, t.clip.c.id == p.clip_id)
            .where(p.clip_id == clip_id)
            .order_by(p.seen.desc())
        )
        with self.read() as connection:
            return [ClipPlace(*row) for row in connection.execute(query)]

    def note_unchanged(self, clip: Clip, path: Path | str, *, mtime_ns: int) -> None:
        """Remember that the whole content of the file at a path was compared and is the clip's."""
        p = t.clip_path.c
        same = select(t.clip.c.id).where(t.clip.c.sha256 == clip.sha256)
        with self.write() as connection:
            connection.execute(
                update(t.clip_path).where(p.path == str(path), p.clip_id.in_(same)).values(mtime_ns=mtime_ns)
            )

    def set_path(self, clip_id: str, path: Path | str) -> None:
        """Say where a clip's file is now."""
        with self.write() as connection:
            _one(connection, clip_id)
            self._see(connection, clip_id, str(path))
            self._move(connection, clip_id, str(path))

    def set_recording(self, clip_id: str, recording: str) -> None:
        """Correct which recording a clip belongs to."""
        with self.write() as connection:
            _one(connection, clip_id)
            connection.execute(update(t.clip).where(t.clip.c.id == clip_id).values(recording=recording))

    def set_recordings(self, of_clips: Mapping[str, str], *, joined: Mapping[str, str]) -> None:
        """Store what grouping found.

        Args:
            of_clips: recording by clip id.
            joined: recordings that turned out to be part of another one, by name; all their clips move along.
        """
        with self.write() as connection:
            for old, new in joined.items():
                connection.execute(update(t.clip).where(t.clip.c.recording == old).values(recording=new))
            rows = [{"of": clip_id, "now": name} for clip_id, name in of_clips.items()]
            if rows:
                statement = update(t.clip).where(t.clip.c.id == bindparam("of")).values(recording=bindparam("now"))
                connection.execute(statement, rows)

    def add_problem_file(self, path: Path | str, problem: str) -> None:
        """Remember a file that could not be read; adding its clip later forgets it."""
        row = {"path": str(path), "problem": problem, "at": utc_now()}
        with self.write() as connection:
            connection.execute(insert(t.problem_file).prefix_with("OR REPLACE"), [row])

    def problem_files(self) -> list[ProblemFile]:
        """Files that could not be read, by path."""
        with self.read() as connection:
            return [ProblemFile(*row) for row in connection.execute(select(t.problem_file).order_by("path"))]

    def forget_problem_file(self, path: Path | str) -> None:
        """Forget a file that could not be read."""
        with self.write() as connection:
            connection.execute(delete(t.problem_file).where(t.problem_file.c.path == str(path)))


def _content_at(path: str | ColumnElement[Any]) -> ScalarSelect[str]:
    """Hash of the content last seen at a path."""
    clip, place = t.clip.alias(), t.clip_path.alias()
    return (
        select(clip.c.sha256)
        .join(place, place.c.clip_id == clip.c.id)
        .where(place.c.path == path)
        .order_by(place.c.seen.desc())
        .limit(1)
        .scalar_subquery()
    )


def _id_at(path: str) -> ScalarSelect[str]:
    """Id of the first video stream of the content last seen at a path."""
    return (
        select(t.clip.c.id)
        .join(t.clip_path, t.clip_path.c.clip_id == t.clip.c.id)
        .where(t.clip_path.c.path == path, t.clip.c.sha256 == _content_at(path))
        .order_by(t.clip.c.stream_index)
        .limit(1)
        .scalar_subquery()
    )


def require_clip(connection: Connection, clip_id: str) -> None:
    """Raise ClipNotFoundError unless the clip exists."""
    _one(connection, clip_id)


def _one(connection: Connection, clip_id: str) -> Clip:
    row = connection.execute(_CLIPS.where(t.clip.c.id == clip_id)).first()
    if row is None:
        raise ClipNotFoundError(
            f"There is no clip {clip_id} in this library.", hint="`vvlm clips` lists the clips of this library."
        )
    return clip_from(row)

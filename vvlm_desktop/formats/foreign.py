"""Labels in files of other programs: rows that name a clip by its file and say something about it.

Such a file may come from anyone. Sizes and depth are bounded, nothing that it names is opened here, and a name is only
sorted into what it is: a file beside it, a file elsewhere on this computer, or an address in a network.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, Protocol, TypeAlias
from urllib.parse import unquote, urlsplit

from vvlm_desktop.domain.labels import normalise
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.json_text import parse_json, read_lines, with_whole_characters
from vvlm_desktop.formats.ours_convert import Flags

MAX_ROWS = 200_000
_MAX_NAME = 4096
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")

PlaceKind: TypeAlias = Literal["beside", "elsewhere", "network", "nonsense"]


@dataclass(frozen=True, slots=True)
class Place:
    """What the name of a clip in a foreign file is; `path` is as written, relative for `beside`."""

    kind: PlaceKind
    path: str


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """What a row says about one clip.

    Attributes:
        where: file and line, for sentences.
        places: names under which the clip's file may lie, the likeliest first.
        labels: valid values only.
        seen_ms: the stretch of time that shows the event, to become evidence; None where the row has none.
    """

    where: str
    places: tuple[Place, ...]
    labels: Mapping[str, LabelValue]
    seen_ms: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ForeignSet:
    """What was read from a foreign file.

    Attributes:
        folder: beside which the clips are looked for.
        fingerprint: sha256 of the files read; the same ones imported twice have the same one.
        flags: what was left out or taken with a change, as sentences.
        notes: what is no problem but should be known.
    """

    format: str
    folder: Path
    fingerprint: str
    rows: tuple[ForeignRow, ...]
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class RowsReader(Protocol):
    """A format of another program that can be read. One file with a `READERS` tuple, or a format that also writes."""

    @property
    def name(self) -> str:
        """One word for it."""

    @property
    def title(self) -> str:
        """What is shown to people."""

    def sniff(self, path: Path) -> bool:
        """Whether `path` looks like it."""

    def read_rows(self, path: Path, *, schema: LabelSchema) -> ForeignSet:
        """Read and check a file.

        Raises:
            FormatError: with file, line and reason; nothing is taken from a file that has an error.
        """


def place_of(name: str) -> Place:
    """What the name of a clip in a foreign file is; nothing is opened to find out."""
    name = name.strip()
    if not name or len(name) > _MAX_NAME or _CONTROL.search(name):
        return Place("nonsense", name[:80])
    drive = PureWindowsPath(name).drive
    if name.startswith(("//", "\\\\")):  # a share: on Windows even looking sends a password's hash
        return Place("network", name)
    if _SCHEME.match(name) and len(drive) != 2:
        return _place_of_url(name)
    if drive or name.startswith(("/", "\\", "~")):
        return Place("elsewhere", name)
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts:
        return Place("elsewhere", name)
    return Place("beside", "/".join(parts))


def _place_of_url(name: str) -> Place:
    try:
        url = urlsplit(name)
    except ValueError:
        return Place("nonsense", name[:80])
    if url.scheme.lower() == "file" and url.netloc in ("", "localhost"):
        path = unquote(url.path)
        if PureWindowsPath(path[1:]).drive:  # file:///C:/clips/a.mp4
            path = path[1:]
        if path and not path.startswith("//") and not _CONTROL.search(path):
            return Place("elsewhere", path)
        return Place("nonsense", name[:80])
    return Place("network", name)


def first_object(file: Path) -> dict[str, Any] | None:
    """The object in the first line of a file, None where there is none."""
    try:
        if not file.is_file():
            return None
        _, line = next(read_lines(file), (0, b"null"))
        value = parse_json(line, where=file.name)
    except (FormatError, OSError):
        return None
    return value if isinstance(value, dict) else None


def objects(files: Sequence[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of JSON-lines files, with where it stands.

    Raises:
        FormatError: a line is no object, or there are too many.
    """
    count = 0
    for file in files:
        for number, line in read_lines(file):
            where = f"{file.name}, line {number}"
            count += 1
            if count > MAX_ROWS:
                raise FormatError(f"{file.name} holds more than {MAX_ROWS} rows.", hint="Cut it into several files.")
            value = with_whole_characters(parse_json(line, where=where))
            if not isinstance(value, dict):
                raise FormatError(f"{where}: not an object with keys.")
            yield where, value


def text_of(row: Mapping[str, Any], key: str, *, where: str) -> str:
    """A text of a row.

    Raises:
        FormatError: it is not there, or is none.
    """
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise FormatError(f"{where}: “{key}” is not a text.")
    return value


def fingerprint_of(files: Sequence[Path]) -> str:
    """Hash of the files' contents, in the order given.

    Raises:
        FormatError: one cannot be read.
    """
    digest = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
        except OSError as error:
            raise FormatError(f"{file.name} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


@dataclass(slots=True)
class Rows:
    """Collects rows of one foreign file; every clip once."""

    schema: LabelSchema
    flags: Flags = field(default_factory=Flags)
    found: list[ForeignRow] = field(default_factory=list)
    _seen: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        where: str,
        names: Sequence[str],
        said: Mapping[str, Any],
        *,
        seen_ms: tuple[int, int] | None = None,
    ) -> None:
        """Take what a row says; what cannot be understood is told and left out.

        Raises:
            FormatError: an earlier row speaks of the same clip.
        """
        places = tuple(place_of(name) for name in names)
        earlier = self._seen.setdefault(places[0].path, where)
        if earlier != where:
            raise FormatError(f"{where}: speaks of the same clip as {earlier}.", hint="Keep one row for each clip.")
        labels, told = normalise(self.schema, said)
        for sentence in told:
            self.flags.at(f"{where}: ").add(sentence.rstrip("."))
        self.found.append(ForeignRow(where, places, labels, seen_ms))


def read_prompt_text(path: Path, files: Sequence[Path], *, schema: LabelSchema, marks: tuple[str, str]) -> ForeignSet:
    """Rows of format B: the answer is the JSON behind the second mark.

    Raises:
        FormatError: a row has no answer, or several.
    """
    rows = Rows(schema)
    question_mark, answer_mark = marks
    for where, row in objects(files):
        text = text_of(row, "text", where=where)
        parts = text.split(answer_mark)
        if len(parts) != 2 or not text.lstrip().startswith(question_mark):
            raise FormatError(f"{where}: “text” is not one {question_mark} and one {answer_mark}.")
        answer = with_whole_characters(parse_json(parts[1].strip().encode(), where=f"{where}, answer"))
        if not isinstance(answer, dict):
            raise FormatError(f"{where}: the answer is not an object with fields.")
        rows.add(where, [text_of(row, "video_path", where=where)], answer)
    return finished("prompt-text", path, files, rows)


def finished(name: str, path: Path, files: Sequence[Path], rows: Rows, *, notes: Sequence[str] = ()) -> ForeignSet:
    """The set of the rows collected.

    Raises:
        FormatError: there are none.
    """
    if not rows.found:
        raise FormatError(f"{path.name} holds no row that speaks of a clip.")
    folder = path if path.is_dir() else path.parent
    return ForeignSet(name, folder, fingerprint_of(files), tuple(rows.found), rows.flags.sentences(), tuple(notes))

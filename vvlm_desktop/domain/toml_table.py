"""TOML with line numbers: where each key of a document stands, and tables that refuse what is wrong with its line.

`tomllib` says where a syntax error is and then forgets every position, so a second look finds the lines of the keys.
It reads only texts that `tomllib` has accepted, and so need not check what it passes.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from vvlm_desktop.errors import SchemaError

Path: TypeAlias = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE_VALUE = re.compile(r"[^,\]}\n#]*")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"""(?:"{0,2})', re.DOTALL),
    re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\])*"'),
    re.compile(r"'[^']*'"),
)


def key_lines(text: str) -> dict[Path, int]:
    """Line of every key, table and array item of a valid TOML text; array items are numbers in the path."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.lines: dict[Path, int] = {}
        self.array_items: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while True:
            self.skip(_BLANK)
            if self.at >= len(self.text):
                return self.lines
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)

    def skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match.group()

    def note(self, path: Path) -> None:
        self.lines.setdefault(path, bisect_right(self.starts, self.at))

    def header(self) -> Path:
        is_array = self.text.startswith("[[", self.at)
        line_at = self.at
        self.at += 2 if is_array else 1
        *parents, last = self.dotted_key()
        self.at, after = line_at, self.at
        path: Path = ()
        for part in parents:
            path = self.latest_item((*path, part))
        path = (*path, last)
        self.note(path)
        if is_array:
            self.array_items[path] = self.array_items.get(path, -1) + 1
        path = self.latest_item(path)
        self.note(path)
        self.at = after + (2 if is_array else 1)
        return path

    def latest_item(self, path: Path) -> Path:
        count = self.array_items.get(path)
        return path if count is None else (*path, count)

    def dotted_key(self) -> list[str]:
        """Read a key up to what follows it, blanks included."""
        parts: list[str] = []
        while True:
            self.skip(_BLANK)
            parts.append(self.simple_key())
            self.skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def simple_key(self) -> str:
        for pattern in _STRINGS[2:]:
            raw = self.skip(pattern)
            if raw:
                return str(tomllib.loads(f"key = {raw}")["key"])
        return self.skip(_BARE_KEY)

    def pair(self, table: Path) -> None:
        start = self.at
        parts = self.dotted_key()
        self.at, after = start, self.at
        for length in range(1, len(parts) + 1):
            self.note((*table, *parts[:length]))
        self.at = after + 1  # the equals sign
        self.skip(_BLANK)
        self.value((*table, *parts))

    def value(self, path: Path) -> None:
        opening = self.text[self.at : self.at + 1]
        if opening == "[":
            self.at += 1
            self.array(path)
        elif opening == "{":
            self.at += 1
            self.inline_table(path)
        elif not any(self.skip(pattern) for pattern in _STRINGS):
            self.skip(_BARE_VALUE)

    def array(self, path: Path) -> None:
        index = 0
        while True:
            self.skip(_BLANK)
            if self.closes("]"):
                return
            self.note((*path, index))
            self.value((*path, index))
            index += 1

    def inline_table(self, path: Path) -> None:
        while True:
            self.skip(_BLANK)
            if self.closes("}"):
                return
            self.pair(path)

    def closes(self, bracket: str) -> bool:
        """Step over a comma; True at the closing bracket, which is stepped over too, and at the end of the text."""
        if self.text.startswith(",", self.at):
            self.at += 1
            self.skip(_BLANK)
        if self.at >= len(self.text):
            return True
        if self.text.startswith(bracket, self.at):
            self.at += 1
            return True
        return False


class Document:
    """Name and line numbers of a file being read."""

    def __init__(self, source: str, lines: Mapping[Path, int]) -> None:
        self.source = source
        self.lines = lines

    def refuse(self, reason: str, path: Path) -> NoReturn:
        """Raise `SchemaError` with the line of the nearest key that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        raise SchemaError(self.source, reason, line=self.lines.get(path, 1))


class Table:
    """A table of the file whose keys are taken one by one; what remains is unknown and refused."""

    def __init__(self, document: Document, data: Any, path: Path, *, what: str, known: Sequence[str]) -> None:
        self.document = document
        self.path = path
        self.what = what
        if not isinstance(data, dict):
            self.refuse(f"{what} is not a table, such as {{ … }} or [[…]].")
        self.data: dict[str, Any] = data
        for key in self.data:
            if key not in known:
                self.refuse(f"{what} has an unknown key “{shown(key)}”. Known: {', '.join(known)}.", key)

    def refuse(self, reason: str, *inside: str | int) -> NoReturn:
        """Raise `SchemaError` with the line of a key of this table, or of the table."""
        self.document.refuse(reason, (*self.path, *inside))

    def __contains__(self, key: object) -> bool:
        return key in self.data

    def text(self, key: str, *, default: str | None = None, max_length: int = 600) -> str:
        """Text for people: blanks collapsed, not empty unless `default` is given and the key is missing."""
        if key not in self.data and default is not None:
            return default
        if key not in self.data:
            self.refuse(f"{self.what} has no `{key}`.")
        value = self.data[key]
        if not isinstance(value, str):
            self.refuse(f"`{key}` of {self.what} is {kind_of(value)}, but a text is needed.", key)
        return self.checked_text(value, key, max_length=max_length)

    def checked_text(self, value: str, key: str, *inside: int, max_length: int) -> str:
        """Text with its blanks collapsed; refused when empty, too long, or with control characters."""
        collapsed = " ".join(value.split())
        if not collapsed:
            self.refuse(f"`{key}` of {self.what} is empty.", key, *inside)
        if len(collapsed) > max_length:
            self.refuse(f"`{key}` of {self.what} is longer than {max_length} characters.", key, *inside)
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in collapsed):
            self.refuse(f"`{key}` of {self.what} has control characters.", key, *inside)
        return collapsed

    def flag(self, key: str, *, default: bool) -> bool:
        """Value of a true/false key."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            self.refuse(f"`{key}` of {self.what} is {kind_of(value)}, but true or false is needed.", key)
        return value

    def number(self, key: str, *, low: int, high: int) -> int:
        """Whole number within limits."""
        if key not in self.data:
            self.refuse(f"{self.what} has no `{key}`.")
        value = self.data[key]
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(f"`{key}` of {self.what} is {kind_of(value)}, but a whole number is needed.", key)
        if not low <= value <= high:
            self.refuse(f"`{key}` of {self.what} is not between {low} and {high}.", key)
        return value

    def items(self, key: str, *, at_most: int) -> list[Any]:
        """List, empty when the key is missing."""
        value = self.data.get(key, [])
        if not isinstance(value, list):
            self.refuse(f"`{key}` of {self.what} is {kind_of(value)}, but a list is needed.", key)
        if len(value) > at_most:
            self.refuse(
                f"`{key}` of {self.what} has {len(value)} entries; at most {at_most} are allowed.", key, at_most
            )
        return value

    def texts(self, key: str, *, at_most: int, max_length: int = 80) -> tuple[str, ...]:
        """List of texts, empty when the key is missing."""
        found: list[str] = []
        for index, item in enumerate(self.items(key, at_most=at_most)):
            if not isinstance(item, str):
                self.refuse(f"`{key}` of {self.what} holds {kind_of(item)}, but texts are needed.", key, index)
            found.append(self.checked_text(item, key, index, max_length=max_length))
        return tuple(found)


def kind_of(value: object) -> str:
    """What a TOML value is, in words."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")


def shown(text: str, *, limit: int = 40) -> str:
    """Text shortened and made harmless for a message."""
    clean = "".join(character if character.isprintable() else "�" for character in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"

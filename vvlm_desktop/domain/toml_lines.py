"""The line of every key of a TOML text.

`tomllib` says where a syntax error is and then forgets every position, so a second look finds them. It reads only texts
that `tomllib` has accepted, and so need not check what it passes.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import TypeAlias

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
            self.note((*path, part))
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

"""Tables of a TOML file whose keys are taken one by one; what is wrong is refused with its line."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from vvlm_desktop.domain.toml_lines import Path
from vvlm_desktop.errors import SchemaError


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

"""Recognise a field or a value however it is spelt: by key, label, alias, other case, hyphens or blanks."""

from __future__ import annotations

import re
from functools import lru_cache

from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.values import CANNOT_TELL

_SEPARATORS = re.compile(r"[\W_]+")
_APOSTROPHES = re.compile(r"['’]")
#: What models write where nothing can be told; used only where the schema itself has no such value.
_CANNOT_TELL_SPELLINGS = frozenset(
    {
        "cannot_tell",
        "can_not_tell",
        "cant_tell",
        "unknown",
        "unclear",
        "unsure",
        "not_sure",
        "undetermined",
        "not_visible",
    }
)


def folded(text: str) -> str:
    """Text as one snake_case word, so that "Near-miss" and "near miss" are the same."""
    return _SEPARATORS.sub("_", _APOSTROPHES.sub("", text.casefold())).strip("_")


def find_value(field: Field, text: str) -> str | None:
    """Key of the value that a text means, None if there is none."""
    word = folded(text)
    key = _value_spellings(field).get(word)
    if key is None and field.has_values and word in _CANNOT_TELL_SPELLINGS:
        return CANNOT_TELL
    return key


@lru_cache(maxsize=1024)
def _value_spellings(field: Field) -> dict[str, str]:
    keys = {value.key: value.key for value in field.choices}
    others = {folded(each): value.key for value in field.choices for each in (value.label, *value.aliases)}
    others.pop("", None)
    return others | keys


def find_field(schema: LabelSchema, text: str) -> Field | None:
    """Field that a text means, None if there is none."""
    return _field_spellings(schema.fields).get(folded(text))


@lru_cache(maxsize=64)
def _field_spellings(fields: tuple[Field, ...]) -> dict[str, Field]:
    keys = {field.key: field for field in fields}
    others = {folded(each): field for field in fields for each in (field.label, *field.aliases)}
    others.pop("", None)
    return others | keys

"""Recognise a field or a value however it is spelt: by key, label, alias, other case, hyphens or blanks."""

from __future__ import annotations

import re

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
    for value in field.choices:
        if word == value.key:
            return value.key
    for value in field.choices:
        if word and word in {folded(spelling) for spelling in (value.label, *value.aliases)}:
            return value.key
    return CANNOT_TELL if field.has_values and word in _CANNOT_TELL_SPELLINGS else None


def find_field(schema: LabelSchema, text: str) -> Field | None:
    """Field that a text means, None if there is none."""
    word = folded(text)
    for field in schema.fields:
        if word == field.key:
            return field
    for field in schema.fields:
        if word and word in {folded(spelling) for spelling in (field.label, *field.aliases)}:
            return field
    return None

"""Read the rules, derivations and hidden fields of a label schema's TOML file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast, get_args

from vvlm_desktop.domain.schema import Condition, DeriveCase, Field, HiddenFields, Operator, Rule
from vvlm_desktop.domain.toml_table import Table, kind_of, shown

MAX_RULES = 200
MAX_FIELDS = 60
_OPERATORS = tuple(each for each in get_args(Operator) if each not in ("any_of", "only"))


class Scope:
    """The fields that rules may name."""

    def __init__(self, fields: dict[str, Field], off: set[str]) -> None:
        self.fields = fields
        self.off = off

    def field(self, table: Table, key: str, *inside: str | int) -> Field:
        """Field by its key, or a refusal at the place that names it."""
        if key in self.off:
            table.refuse(f"{table.what} names the field “{key}”, which is switched off.", *inside)
        if key not in self.fields:
            table.refuse(f"{table.what} names an unknown field “{shown(key)}”.", *inside)
        return self.fields[key]


def tables(top: Table, key: str, known: tuple[str, ...], *, at_most: int = MAX_RULES) -> Iterator[Table]:
    """Tables of one array of tables of the file."""
    for index, data in enumerate(top.items(key, at_most=at_most)):
        yield Table(top.document, data, (key, index), what=f"[[{key}]] number {index + 1}", known=known)


def _conditions(table: Table, key: str, scope: Scope) -> dict[str, Condition]:
    data = table.data.get(key)
    if not isinstance(data, dict) or not data:
        table.refuse(f'{table.what} has no `{key}` with at least one field, such as {{ weather = ["rain"] }}.', key)
    found: dict[str, Condition] = {}
    for field_key, written in data.items():
        field = scope.field(table, field_key, key, field_key)
        found[field_key] = _condition(table, field, written, (key, field_key))
    return found


def _condition(table: Table, field: Field, written: Any, inside: tuple[str | int, ...]) -> Condition:
    if isinstance(written, str):
        return _word_condition(table, field, written, inside)
    operator: Operator = "any_of"
    if isinstance(written, dict):
        if set(written) != {"only"}:
            table.refuse(f'{table.what}: a table can only say {{ only = ["value"] }}.', *inside)
        operator, written, inside = "only", written["only"], (*inside, "only")
        if field.kind != "any_of":
            table.refuse(f"{table.what}: `only` is for fields of kind any_of; “{field.key}” is {field.kind}.", *inside)
    if not isinstance(written, list) or not written:
        table.refuse(f"{table.what}: {kind_of(written)} or nothing where a list of values is needed.", *inside)
    for index, value in enumerate(written):
        if value not in field.value_keys:
            name = shown(value) if isinstance(value, str) else kind_of(value)
            table.refuse(f"{table.what}: “{name}” is not a value of “{field.key}”.", *inside, index)
    return Condition(operator, tuple(written))


def _word_condition(table: Table, field: Field, word: str, inside: tuple[str | int, ...]) -> Condition:
    if word not in _OPERATORS:
        table.refuse(
            f"{table.what}: “{shown(word)}” is not an operator. Known: a list of values, {', '.join(_OPERATORS)}.",
            *inside,
        )
    fits = {"absent": field.kind == "range", "present": True}.get(word, field.kind == "any_of")
    if not fits:
        table.refuse(f"{table.what}: `{word}` does not fit “{field.key}”, which is {field.kind}.", *inside)
    if word == "absent" and not field.may_be_absent:
        table.refuse(f"{table.what}: “{field.key}” can never be absent.", *inside)
    return Condition(cast("Operator", word))


def read_rule(table: Table, scope: Scope) -> Rule:
    """One `[[rule]]`."""
    return Rule(
        when=_conditions(table, "when", scope),
        then=_conditions(table, "then", scope),
        message=table.text("message", max_length=200),
        asks=table.flag("asks", default=False),
    )


def read_derive(table: Table, scope: Scope) -> DeriveCase:
    """One `[[derive]]`."""
    field = scope.field(table, table.text("field"), "field")
    if not field.derived:
        table.refuse(f"{table.what} derives “{field.key}”, which does not say `derived = true`.", "field")
    value = table.text("value")
    if value not in field.value_keys:
        table.refuse(f"“{shown(value)}” is not a value of “{field.key}”.", "value")
    when = _conditions(table, "when", scope)
    if field.key in when:
        table.refuse(f"{table.what} derives “{field.key}” from itself.", "when", field.key)
    return DeriveCase(field.key, value, when)


def read_hidden(table: Table, scope: Scope) -> HiddenFields:
    """One `[[hidden]]`."""
    when = _conditions(table, "when", scope)
    keys = table.texts("fields", at_most=MAX_FIELDS)
    if not keys:
        table.refuse(f"{table.what} has no `fields`.", "fields")
    for index, key in enumerate(keys):
        scope.field(table, key, "fields", index)
        if key in when:
            table.refuse(f"{table.what} hides “{key}”, on which it depends.", "fields", index)
    return HiddenFields(keys, when)

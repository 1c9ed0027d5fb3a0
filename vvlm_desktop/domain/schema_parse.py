"""Read a label schema from its TOML text, or refuse it with the line and the reason."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from typing import Any, cast

from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.schema import (
    CANNOT_TELL_VALUE,
    GROUPS,
    KINDS,
    MAX_VALUES,
    Field,
    LabelSchema,
    Value,
    labels_fingerprint,
    wording_fingerprint,
)
from vvlm_desktop.domain.schema_parse_rules import MAX_FIELDS, Scope, read_derive, read_hidden, read_rule, tables
from vvlm_desktop.domain.spelling import folded
from vvlm_desktop.domain.toml_lines import key_lines
from vvlm_desktop.domain.toml_table import Document, Table, shown
from vvlm_desktop.domain.values import CANNOT_TELL
from vvlm_desktop.errors import SchemaError

MAX_BYTES = 1_000_000
MAX_LINE_LENGTH = 4000
#: A dotted key takes the square of its parts in time.
MAX_DOTS = 100
MAX_TEXT_LENGTH = 4000
MAX_RANGE_MS = 86_400_000  # a day

_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_MAX_KEY_LENGTH = 48
_TOML_LINE = re.compile(r"at line (\d+)")

_TOP_KEYS = ("name", "version", "title", "prompt", "field", "rule", "derive", "hidden")
_FIELD_KEYS = ("key", "label", "kind", "values", "group", "help", "aliases", "required", "enabled", "ask_model")
_KIND_KEYS = {"one_of": (), "any_of": (), "range": ("max_ms", "may_be_absent"), "text": ("max_length", "max_sentences")}


def parse_schema(text: str, *, source: str) -> LabelSchema:
    """Label schema of a TOML text.

    Args:
        text: the whole file.
        source: what to call the file in messages.

    Raises:
        SchemaError: with the line of what is wrong; whatever the text, no other error.
    """
    data, document = _read_toml(text, source)
    top = Table(document, data, (), what="the file", known=_TOP_KEYS)
    name = _key_of(top, "name")
    version = top.number("version", low=1, high=1_000_000)
    title = top.text("title", max_length=80)
    prompt = Table(document, top.data.get("prompt", {}), ("prompt",), what="[prompt]", known=("intro",))
    intro = prompt.text("intro", default="", max_length=3000)

    every = _fields(top)
    fields = tuple(each for each, enabled in every if enabled)
    if not fields:
        top.refuse("there is no field; a schema needs at least one [[field]].", "field")
    scope = Scope({each.key: each for each in fields}, {each.key for each, enabled in every if not enabled})
    schema = LabelSchema(
        name=name,
        version=version,
        title=title,
        fields=fields,
        rules=tuple(read_rule(table, scope) for table in tables(top, "rule", ("when", "then", "message", "asks"))),
        derive=tuple(read_derive(table, scope) for table in tables(top, "derive", ("field", "value", "when"))),
        hidden=tuple(read_hidden(table, scope) for table in tables(top, "hidden", ("fields", "when"))),
        off_fields=tuple(each for each, enabled in every if not enabled),
        intro=intro,
        document=text,
        labels_sha=labels_fingerprint(fields),
    )
    _check_derived_fields(top, schema)
    return replace(schema, wording_sha=wording_fingerprint(schema, prompt=build_prompt(schema)))


def _read_toml(text: str, source: str) -> tuple[dict[str, Any], Document]:
    if not text.strip():
        raise SchemaError(source, "the file is empty.", line=1)
    if len(text) > MAX_BYTES or len(text.encode("utf-8", errors="replace")) > MAX_BYTES:
        raise SchemaError(source, f"the file is larger than {MAX_BYTES // 1000} kB; a schema is a few pages of text.")
    for number, written in enumerate(text.split("\n"), start=1):
        if len(written) > MAX_LINE_LENGTH:
            raise SchemaError(source, f"the line is longer than {MAX_LINE_LENGTH} characters.", line=number)
        if written.count(".") > MAX_DOTS:
            raise SchemaError(source, f"the line has more than {MAX_DOTS} dots.", line=number)
    try:
        text.encode("utf-8")
        data = tomllib.loads(text)
        return data, Document(source, key_lines(text.replace("\r\n", "\n")))
    except tomllib.TOMLDecodeError as error:
        found = _TOML_LINE.search(str(error))
        line = int(found.group(1)) if found else text.rstrip().count("\n") + 1
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise SchemaError(source, f"this is not valid TOML: {shown(reason, limit=200)}.", line=line) from error
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise SchemaError(source, "the text holds half a character (a lone surrogate).", line=line) from error
    except RecursionError as error:
        raise SchemaError(source, "lists or tables are nested too deeply.") from error
    except ValueError as error:  # a number of thousands of digits, which tomllib hands on to int()
        raise SchemaError(source, f"a value cannot be read: {shown(str(error), limit=120)}.") from error


def _key_of(table: Table, key: str) -> str:
    value = table.text(key)
    if value != table.data[key] or not _KEY.fullmatch(value) or len(value) > _MAX_KEY_LENGTH:
        table.refuse(
            f"“{shown(value)}” is no key: small ASCII letters, digits and single underscores, starting with a letter;"
            f" at most {_MAX_KEY_LENGTH}.",
            key,
        )
    return value


def _fields(top: Table) -> list[tuple[Field, bool]]:
    known = (*_FIELD_KEYS, "derived", "max_length", "max_sentences", "max_ms", "may_be_absent")
    found: list[tuple[Field, bool]] = []
    spellings: dict[str, str] = {}
    keys = [data.get("key") for data in top.items("field", at_most=MAX_FIELDS) if isinstance(data, dict)]
    for table in tables(top, "field", known, at_most=MAX_FIELDS):
        field = _field(table)
        if keys.count(field.key) > 1 and any(other.key == field.key for other, _ in found):
            table.refuse(f"the field “{field.key}” is there twice.", "key")
        if folded(field.label) in keys and folded(field.label) != field.key:
            table.refuse(f"the label “{field.label}” is the key of another field.", "label")
        if spellings.setdefault(folded(field.label), field.key) != field.key:
            table.refuse(f"the label “{field.label}” also stands for “{spellings[folded(field.label)]}”.", "label")
        for index, alias in enumerate(field.aliases):
            if folded(alias) in keys and folded(alias) != field.key:
                table.refuse(f"the alias “{alias}” is the key of another field.", "aliases", index)
        _claim_spellings(table, spellings, field.key, field.aliases)
        found.append((field, table.flag("enabled", default=True)))
    return found


def _claim_spellings(table: Table, taken: dict[str, str], owner: str, aliases: tuple[str, ...]) -> None:
    for index, alias in enumerate(aliases):
        if taken.setdefault(folded(alias), owner) != owner:
            table.refuse(f"the alias “{alias}” also stands for “{taken[folded(alias)]}”.", "aliases", index)


def _field(table: Table) -> Field:
    key = _key_of(table, "key")
    table.what = f"the field “{key}”"
    kind = table.text("kind")
    if kind not in KINDS:
        table.refuse(f"“{shown(kind)}” is not a kind of field. Known: {', '.join(KINDS)}.", "kind")
    group = table.text("group", default="text" if kind == "text" else "context")
    if group not in GROUPS:
        table.refuse(f"“{shown(group)}” is not a group. Known: {', '.join(GROUPS)}.", "group")
    _refuse_foreign_keys(table, kind)
    derived = table.flag("derived", default=False)
    if derived and kind != "one_of":
        table.refuse(f"{table.what} cannot be derived; only a field of kind one_of can.", "derived")
    return Field(
        key=key,
        label=table.text("label", max_length=60),
        kind=cast("Any", kind),
        values=_values(table) if kind in ("one_of", "any_of") else (),
        group=cast("Any", group),
        max_length=table.number("max_length", low=1, high=MAX_TEXT_LENGTH) if kind == "text" else None,
        max_sentences=table.number("max_sentences", low=1, high=50) if "max_sentences" in table else None,
        required=table.flag("required", default=False),
        ask_model=table.flag("ask_model", default=not derived),
        derived=derived,
        help=table.text("help", default=""),
        may_be_absent=table.flag("may_be_absent", default=False),
        max_ms=table.number("max_ms", low=1, high=MAX_RANGE_MS) if kind == "range" else None,
        aliases=table.texts("aliases", at_most=40),
    )


def _refuse_foreign_keys(table: Table, kind: str) -> None:
    for other, keys in _KIND_KEYS.items():
        for key in keys:
            if other != kind and key in table:
                table.refuse(f"`{key}` belongs to fields of kind {other}, not {kind}.", key)
    if kind in ("range", "text") and "values" in table:
        table.refuse(f"{table.what} is a {kind} and has no values.", "values")


def _values(table: Table) -> tuple[Value, ...]:
    items = table.items("values", at_most=10_000)
    if not items:
        table.refuse(f"{table.what} has no values.", "values")
    if len(items) > MAX_VALUES:
        reason = (
            f"{table.what} has {len(items)} values; at most {MAX_VALUES} are allowed, one for each of the keys 1–9."
        )
        table.refuse(reason, "values", MAX_VALUES)
    values: list[Value] = []
    taken: dict[str, str] = {CANNOT_TELL: CANNOT_TELL}
    for index, data in enumerate(items):
        what = f"value {index + 1} of {table.what}"
        path = (*table.path, "values", index)
        item = Table(table.document, data, path, what=what, known=("key", "label", "means", "aliases"))
        values.append(_value(item, taken, {value.key for value in values}))
    _check_value_aliases(table, values)
    return tuple(values)


def _value(item: Table, taken: dict[str, str], before: set[str]) -> Value:
    key = _key_of(item, "key")
    if key == CANNOT_TELL:
        item.refuse(f"“{CANNOT_TELL}” is always allowed (“{CANNOT_TELL_VALUE.label}”) and is not listed.", "key")
    if key in before:
        item.refuse(f"the value “{key}” is there twice.", "key")
    item.what = f"the value “{key}”"
    value = Value(
        key=key,
        label=item.text("label", max_length=60),
        means=item.text("means"),
        aliases=item.texts("aliases", at_most=40),
    )
    if taken.setdefault(folded(value.label), key) != key:
        item.refuse(f"the label “{value.label}” also stands for “{taken[folded(value.label)]}”.", "label")
    _claim_spellings(item, taken, key, value.aliases)
    return value


def _check_value_aliases(table: Table, values: list[Value]) -> None:
    """Refuse a label or an alias that is the key of another value, wherever that one stands."""
    keys = {value.key for value in values}
    for index, value in enumerate(values):
        for spelling in (value.label, *value.aliases):
            if folded(spelling) in keys - {value.key}:
                table.refuse(f"“{spelling}” of “{value.key}” is the key of another value.", "values", index)


def _check_derived_fields(top: Table, schema: LabelSchema) -> None:
    cases = {case.field for case in schema.derive}
    every = top.data["field"]
    for field in schema.fields:
        if field.derived and field.key not in cases:
            index = next(i for i, data in enumerate(every) if data["key"] == field.key)
            top.refuse(
                f"the field “{field.key}” is derived, but no [[derive]] gives it a value.", "field", index, "derived"
            )

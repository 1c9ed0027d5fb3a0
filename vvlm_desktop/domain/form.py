"""The review form as data, for the window and for anybody who builds another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vvlm_desktop.domain.schema import CANNOT_TELL_VALUE, GROUPS, Condition, Field, Group, LabelSchema, Value

_GROUP_LABELS: dict[Group, str] = {"core": "Event", "event": "Details", "context": "Context", "text": "Description"}
CANNOT_TELL_SHORTCUT = "U"
NONE_SEEN_SHORTCUT = "0"


def form_document(schema: LabelSchema) -> dict[str, Any]:
    """Groups with their fields, values, definitions and keys, then rules and what is hidden when; JSON."""
    return {
        "schema": schema.key,
        "title": schema.title,
        "labels_sha": schema.labels_sha,
        "wording_sha": schema.wording_sha,
        "groups": [_group(schema, group) for group in GROUPS if any(each.group == group for each in schema.fields)],
        "rules": [
            {
                "when": _conditions(rule.when),
                "then": _conditions(rule.then),
                "message": rule.message,
                "asks": rule.asks,
            }
            for rule in schema.rules
        ],
        "hidden": [{"fields": list(hidden.fields), "when": _conditions(hidden.when)} for hidden in schema.hidden],
    }


def _group(schema: LabelSchema, group: Group) -> dict[str, Any]:
    fields = [_field(each) for each in schema.fields if each.group == group]
    return {"key": group, "label": _GROUP_LABELS[group], "open": group in ("core", "text"), "fields": fields}


def _field(field: Field) -> dict[str, Any]:
    document: dict[str, Any] = {
        "key": field.key,
        "label": field.label,
        "kind": field.kind,
        "help": field.help,
        "required": field.required,
        "derived": field.derived,
        "ask_model": field.ask_model,
    }
    if field.has_values:
        document["values"] = [_value(value, str(number)) for number, value in enumerate(field.values, start=1)]
        document["cannot_tell"] = _value(CANNOT_TELL_VALUE, CANNOT_TELL_SHORTCUT)
    if field.kind == "any_of":
        document["none_seen"] = {"label": "None seen", "shortcut": NONE_SEEN_SHORTCUT}
    if field.kind == "range":
        document |= {"max_ms": field.max_ms, "may_be_absent": field.may_be_absent}
    if field.kind == "text":
        document |= {"max_length": field.max_length, "max_sentences": field.max_sentences}
    return document


def _value(value: Value, shortcut: str) -> dict[str, Any]:
    return {"key": value.key, "label": value.label, "means": value.means, "shortcut": shortcut}


def _conditions(conditions: Mapping[str, Condition]) -> dict[str, Any]:
    return {key: _condition(condition) for key, condition in conditions.items()}


def _condition(condition: Condition) -> Any:
    """A condition in the form in which the file writes it."""
    if condition.operator == "any_of":
        return list(condition.values)
    return {"only": list(condition.values)} if condition.operator == "only" else condition.operator

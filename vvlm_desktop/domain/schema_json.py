"""JSON schemas of a model's answer: one for constrained decoding on this computer, one for Gemini."""

from __future__ import annotations

from typing import Any

from vvlm_desktop.domain.schema import Field, LabelSchema

#: Keywords that both of Gemini's schema dialects and other hosted models understand; we check the rest ourselves.
GEMINI_KEYWORDS = frozenset(
    {"type", "properties", "required", "enum", "items", "maxItems", "minimum", "maximum", "description"}
    | {"propertyOrdering", "anyOf"}
)
#: A character of a JSON text may be written as an escape, `\u00e9`.
_CHARS_PER_CHARACTER = 6


def json_schema(schema: LabelSchema) -> dict[str, Any]:
    """Schema for constrained decoding: keys in schema order, every text, list and number bounded, nothing optional.

    Bounds make sure that the JSON ends. `number`, `if`/`then` and `uniqueItems` are not enforced by decoders and so not
    used; rules and repetitions are checked after decoding.
    """
    fields = schema.model_fields
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.key: _strict(field) for field in fields},
        "required": [field.key for field in fields],
    }


def _strict(field: Field) -> dict[str, Any]:
    if field.kind == "one_of":
        return {"type": "string", "enum": list(field.value_keys)}
    if field.kind == "any_of":
        items = {"type": "string", "enum": list(field.value_keys)}
        return {"type": "array", "items": items, "maxItems": len(field.values)}
    if field.kind == "text":
        return {"type": "string", "maxLength": field.max_length}
    time = {"type": "integer", "minimum": 0, "maximum": field.max_ms}
    both = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"start_ms": time, "end_ms": dict(time)},
        "required": ["start_ms", "end_ms"],
    }
    return {"anyOf": [both, {"type": "null"}]} if field.may_be_absent else both


def gemini_schema(schema: LabelSchema) -> dict[str, Any]:
    """Schema of portable keywords only; the order of keys is written out, because Gemini sorts them otherwise."""
    return _ordered_object({field.key: _portable(field) for field in schema.model_fields})


def _portable(field: Field) -> dict[str, Any]:
    choice = {"type": "string", "enum": list(field.value_keys)}
    if field.kind == "one_of":
        return {**choice, "description": field.label}
    if field.kind == "any_of":
        return {"type": "array", "items": choice, "maxItems": len(field.values), "description": field.label}
    if field.kind == "text":
        limit = f"{field.label}, at most {field.max_length} characters"
        return {"type": "string", "description": limit}
    time = {
        "type": "integer",
        "minimum": 0,
        "maximum": field.max_ms,
        "description": "milliseconds from the first frame",
    }
    both = _ordered_object({"start_ms": time, "end_ms": dict(time)})
    if not field.may_be_absent:
        return {**both, "description": field.label}
    return {"anyOf": [both, {"type": "null"}], "description": f"{field.label}, null if there is none"}


def _ordered_object(properties: dict[str, Any]) -> dict[str, Any]:
    keys = list(properties)
    return {"type": "object", "properties": properties, "required": keys, "propertyOrdering": list(keys)}


def max_json_chars(schema: LabelSchema) -> int:
    """Length of the longest compact JSON that `json_schema` allows; bounds the tokens of an answer."""
    fields = schema.model_fields
    return 2 + sum(len(field.key) + 3 + _longest_value(field) for field in fields) + max(len(fields) - 1, 0)


def _longest_value(field: Field) -> int:
    longest_choice = max((len(key) for key in field.value_keys), default=0) + 2
    if field.kind == "one_of":
        return longest_choice
    if field.kind == "any_of":
        return 2 + len(field.values) * (longest_choice + 1) - 1
    if field.kind == "text":
        return 2 + (field.max_length or 0) * _CHARS_PER_CHARACTER
    return len('{"start_ms":,"end_ms":}') + 2 * len(str(field.max_ms))

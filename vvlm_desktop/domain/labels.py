"""Values of labels: read from people and models, checked, shown, compared. The one module that other rooms import."""

from __future__ import annotations

from typing import Any, NoReturn

from vvlm_desktop.domain.clock import format_range, parse_range
from vvlm_desktop.domain.normalise import ABSENT_WORDS, NOTHING_WORDS, described, in_schema_order, normalise
from vvlm_desktop.domain.rules import (
    broken,
    broken_rules,
    dependent_fields,
    derive_severity,
    derived_values,
    hidden_fields,
    implied_values,
)
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.sentences import clean_text, split_sentences
from vvlm_desktop.domain.spelling import find_value, folded
from vvlm_desktop.domain.values import CANNOT_TELL, LabelValue
from vvlm_desktop.errors import LabelError

__all__ = [
    "broken",
    "broken_rules",
    "check_value",
    "dependent_fields",
    "derive_severity",
    "derived_values",
    "format_value",
    "hidden_fields",
    "implied_values",
    "infer_reason",
    "normalise",
    "parse_cli_value",
]

_EVENTS = ("collision", "near_miss")


def check_value(schema: LabelSchema, field_key: str, value: Any) -> LabelValue:
    """Reviewer's value in its stored form; `LabelError` with what is allowed if it is not one.

    Strict where `normalise` is tolerant: nothing that a person says is changed, except that lists come back in the
    order of the schema and texts on one line.
    """
    field = schema.field(field_key)
    if field.kind == "one_of":
        return _checked_choice(field, value)
    if field.kind == "any_of":
        return _checked_list(field, value)
    return _checked_range(field, value) if field.kind == "range" else _checked_text(field, value)


def _refuse(field: Field, reason: str) -> NoReturn:
    raise LabelError(f"{field.label}: {reason}", hint=field.allowed())


def _checked_choice(field: Field, value: Any) -> str:
    if not isinstance(value, str) or value not in field.value_keys:
        _refuse(field, f"{described(value)} is not a value.")
    return value


def _checked_list(field: Field, value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        _refuse(field, f"{described(value)} is not a list.")
    for item in value:
        _checked_choice(field, item)
    chosen = in_schema_order(field, list(value))
    if CANNOT_TELL in chosen and len(chosen) > 1:
        _refuse(field, "“Cannot tell” cannot stand beside other values.")
    return chosen


def _checked_range(field: Field, value: Any) -> dict[str, int] | None:
    if value is None:
        if not field.may_be_absent:
            _refuse(field, "a range is needed.")
        return None
    if not isinstance(value, dict) or set(value) != {"start_ms", "end_ms"}:
        _refuse(field, f"{described(value)} is not a time range.")
    start_ms, end_ms = value["start_ms"], value["end_ms"]
    if type(start_ms) is not int or type(end_ms) is not int:
        _refuse(field, "start and end are whole milliseconds.")
    if start_ms > end_ms:
        _refuse(field, "the end comes before the start.")
    if start_ms < 0 or end_ms > (field.max_ms or 0):
        _refuse(field, f"the range reaches beyond {format_range(0, field.max_ms or 0)}.")
    return {"start_ms": start_ms, "end_ms": end_ms}


def _checked_text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        _refuse(field, f"{described(value)} is not a text.")
    clean = clean_text(value)
    if not clean:
        _refuse(field, "the text is empty. To say that it is wrong without writing another, reject it.")
    if field.max_length is not None and len(clean) > field.max_length:
        _refuse(field, f"the text has {len(clean)} characters, {len(clean) - field.max_length} too many.")
    sentences = len(split_sentences(clean))
    if field.max_sentences is not None and sentences > field.max_sentences:
        _refuse(field, f"the text has {sentences} sentences; at most {field.max_sentences} are allowed.")
    return clean


def parse_cli_value(schema: LabelSchema, field_key: str, text: str) -> LabelValue:
    """Value as typed: a key, a label or an alias; `a,b` or `none`; `1.2..3.4` seconds or `absent`; a text."""
    field = schema.field(field_key)
    if field.kind == "text":
        return check_value(schema, field_key, text)
    if field.kind == "range":
        return _typed_range(schema, field, text)
    if field.kind == "one_of":
        return _typed_value(field, text)
    whole = find_value(field, text)
    if whole is not None:
        return [whole]
    if folded(text) in NOTHING_WORDS:
        return []
    return check_value(schema, field_key, [_typed_value(field, part) for part in text.split(",") if part.strip()])


def _typed_value(field: Field, text: str) -> str:
    key = find_value(field, text)
    if key is None:
        _refuse(field, f"{described(text)} is not a value.")
    return key


def _typed_range(schema: LabelSchema, field: Field, text: str) -> LabelValue:
    if folded(text) in ABSENT_WORDS:
        return check_value(schema, field.key, None)
    times = parse_range(text)
    if times is None:
        _refuse(field, f"{described(text)} is not a time range.")
    return check_value(schema, field.key, {"start_ms": times[0], "end_ms": times[1]})


def format_value(schema: LabelSchema, field_key: str, value: LabelValue) -> str:
    """Value for people; one that an older schema knew is made readable instead of failing."""
    field = schema.field(field_key)
    if value is None:
        return "absent" if field.kind == "range" else "not answered"
    if isinstance(value, dict):
        return format_range(value.get("start_ms", 0), value.get("end_ms", 0))
    if isinstance(value, list):
        return ", ".join(field.label_of(key) for key in value) if value else "none seen"
    return field.label_of(value) if field.has_values else value


def infer_reason(field_key: str, before: LabelValue, after: LabelValue, *, answered: bool) -> str:
    """Reason of a correction as far as the values tell it; one of `review.REASONS`."""
    if field_key == "event_type":
        if after in _EVENTS and (before == "no_incident" or not answered):
            return "missed_event"
        if before in _EVENTS and after == "no_incident":
            return "false_alarm"
    if answered and (isinstance(before, dict) or isinstance(after, dict)):
        return "wrong_time"
    return "wrong_value"

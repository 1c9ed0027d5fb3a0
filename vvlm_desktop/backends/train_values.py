"""What each value of a training config may be, in words: for refusals and for the list of all values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

_NUMBERS = {int: "a whole number", float: "a number"}
_BOUNDS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}


def allowed(field: FieldInfo) -> str:
    """Words or range that a value may have; empty where any text may stand."""
    if field.annotation is bool:
        return "true or false"
    if get_origin(field.annotation) is Literal:
        return _either(get_args(field.annotation))
    if field.annotation in _NUMBERS:
        return f"{_NUMBERS[field.annotation]}{_range(_bounds(field))}"
    longest = _bounds(field, "max_length").get("max_length")
    return f"at most {longest} characters" if longest is not None else ""


def refusal(key: str, field: FieldInfo | None, error: Mapping[str, Any]) -> str:
    """Why a value is refused, as one finding of pydantic has it, without a full stop."""
    kind, given = str(error["type"]), error.get("input")
    if kind == "extra_forbidden":
        return f"{key}: there is no such value"
    if kind in ("missing", "string_too_short"):
        return f"{key}: it is needed"
    words = allowed(field) if field is not None else ""
    if field is None or not words:
        return f"{key}: {error['msg']}" if key else str(error["msg"]).removeprefix("Value error, ")
    said = f"{key} must be {_one_of(field)}{words}; {_shown(given)} is not"
    example = field.default
    numeric = field.annotation in _NUMBERS and isinstance(example, int | float)
    return f"{said}. For example {_plain(example)}" if numeric else said


def _one_of(field: FieldInfo) -> str:
    return "one of " if get_origin(field.annotation) is Literal else ""


def _bounds(field: FieldInfo, *names: str) -> dict[str, Any]:
    wanted = names or tuple(_BOUNDS)
    return {
        name: getattr(rule, name) for name in wanted for rule in field.metadata if getattr(rule, name, None) is not None
    }


def _range(bounds: Mapping[str, Any]) -> str:
    if {"ge", "le"} <= bounds.keys():
        return f" from {_plain(bounds['ge'])} to {_plain(bounds['le'])}"
    said = " and ".join(words.format(_plain(bounds[name])) for name, words in _BOUNDS.items() if name in bounds)
    return f", {said}" if said else ""


def _plain(value: Any) -> str:
    """A number without an exponent, as people type it."""
    return f"{value:.10f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _shown(given: Any) -> str:
    text = str(given)
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


def _either(words: Sequence[Any]) -> str:
    *most, last = map(str, words)
    return f"{', '.join(most)} or {last}" if most else last

"""Read a model's answer, or labels of another system: whatever can be understood is kept, each repair is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeAlias

from vvlm_desktop.domain.clock import format_range, parse_range
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.sentences import clean_text, cut_text, split_sentences
from vvlm_desktop.domain.spelling import find_field, find_value, folded
from vvlm_desktop.domain.values import CANNOT_TELL, LabelValue

NOTHING_WORDS = frozenset({"", "no", "none", "none_seen", "nothing", "empty", "null", "n_a", "na"})
ABSENT_WORDS = frozenset({"", "absent", "none", "null", "n_a", "na", "no_event"})
_SHOWN_KEYS = 8
_MOST_FLAGS = 100
_MOST_ITEMS = 50
_LONGEST_NUMBER = 15


class _Nothing(Enum):
    UNANSWERED = 0


UNANSWERED = _Nothing.UNANSWERED
_Tell: TypeAlias = Callable[[str], None]


def normalise(schema: LabelSchema, labels: Mapping[str, Any]) -> tuple[dict[str, LabelValue], tuple[str, ...]]:
    """Labels in schema order, and a sentence for each repair.

    Args:
        schema: what can be said.
        labels: any JSON; what is no mapping counts as no answer.

    Returns:
        Only valid values. What cannot be understood is left unanswered. Reading the result again changes nothing and
        tells nothing.
    """
    flags: list[str] = []
    given = _by_field(schema, labels, flags.append)
    answered: dict[str, LabelValue] = {}
    for field in schema.fields:
        if field.key in given:
            value = _READERS[field.kind](field, given[field.key], flags.append)
            if value is not UNANSWERED:
                answered[field.key] = value
    told = tuple(dict.fromkeys(flags))
    if len(told) > _MOST_FLAGS:
        told = (*told[:_MOST_FLAGS], "There were more repairs than are listed here.")
    return answered, told


def _by_field(schema: LabelSchema, labels: Any, tell: _Tell) -> dict[str, Any]:
    if not isinstance(labels, Mapping):
        tell(f"The answer is {described(labels)}, not an object with fields.")
        return {}
    exact = {key: value for key, value in labels.items() if key in schema}
    given = dict(exact)
    unknown: list[str] = []
    for key, value in labels.items():
        if key in exact:
            continue
        field = find_field(schema, key) if isinstance(key, str) else None
        if field is None:
            unknown.append(described(key))
        elif field.key in given:
            tell(f"{field.label}: given twice; {described(key)} was left out.")
        else:
            tell(f"{described(key)} was read as {field.label}.")
            given[field.key] = value
    if unknown:
        more = f" and {len(unknown) - _SHOWN_KEYS} more" if len(unknown) > _SHOWN_KEYS else ""
        tell(f"Not fields of {schema.key}, left out: {', '.join(unknown[:_SHOWN_KEYS])}{more}.")
    return given


def _read_choice(field: Field, given: Any, tell: _Tell) -> LabelValue | _Nothing:
    if isinstance(given, list):
        return _read_choice_from_list(field, given, tell)
    if given is None:
        tell(f"{field.label}: no answer.")
        return UNANSWERED
    key = find_value(field, _as_word(given))
    if key is None:
        tell(f"{field.label}: {described(given)} is not a value and was left out.")
        return UNANSWERED
    if key != given:
        tell(f"{field.label}: {described(given)} was read as {field.label_of(key)}.")
    return key


def _read_choice_from_list(field: Field, given: list[Any], tell: _Tell) -> LabelValue | _Nothing:
    keys = [key for key in (find_value(field, _as_word(item)) for item in given[:_MOST_ITEMS]) if key is not None]
    if not keys:
        tell(f"{field.label}: {described(given)} is not one value and was left out.")
        return UNANSWERED
    tell(f"{field.label}: a list was given; {field.label_of(keys[0])} was taken from it.")
    return keys[0]


def _read_list(field: Field, given: Any, tell: _Tell) -> LabelValue | _Nothing:
    if isinstance(given, str):
        return _read_list_from_text(field, given, tell)
    if not isinstance(given, list):
        tell(f"{field.label}: {'no answer' if given is None else f'{described(given)} is not a list'}.")
        return UNANSWERED
    if len(given) > _MOST_ITEMS:
        tell(f"{field.label}: only the first {_MOST_ITEMS} of {len(given)} values were read.")
    found: list[str] = []
    nothing_said = False
    for item in given[:_MOST_ITEMS]:
        key = find_value(field, _as_word(item))
        if key is None and isinstance(item, str) and folded(item) in NOTHING_WORDS:
            nothing_said = True
            continue
        if key is None:
            tell(f"{field.label}: {described(item)} is not a value and was left out.")
            continue
        if key != item:
            tell(f"{field.label}: {described(item)} was read as {field.label_of(key)}.")
        found.append(key)
    if given and not found:
        # "none" is an answer; a list of things that nobody understands is not.
        if not nothing_said:
            return UNANSWERED
        tell(f"{field.label}: {described(given[0])} was read as none seen.")
    return _tidy_list(field, found, tell)


def _read_list_from_text(field: Field, given: str, tell: _Tell) -> LabelValue | _Nothing:
    whole = find_value(field, given)
    if whole is not None:
        tell(f"{field.label}: the text {described(given)} was read as a list.")
        return [whole]
    if folded(given) in NOTHING_WORDS:
        tell(f"{field.label}: the text {described(given)} was read as none seen.")
        return []
    return _read_list(field, [part.strip() for part in given.split(",")], tell)


def _tidy_list(field: Field, found: list[str], tell: _Tell) -> list[str]:
    chosen = in_schema_order(field, found)
    if len(chosen) < len(found):
        tell(f"{field.label}: repeated values were left out.")
    elif chosen != found:
        tell(f"{field.label}: the values were put in the order of the schema.")
    if CANNOT_TELL in chosen and len(chosen) > 1:
        chosen.remove(CANNOT_TELL)
        tell(f"{field.label}: “Cannot tell” was left out, because values were named beside it.")
    return chosen


def in_schema_order(field: Field, keys: list[str]) -> list[str]:
    """Each key once, in the order of the schema."""
    return [key for key in field.value_keys if key in keys]


def _read_range(field: Field, given: Any, tell: _Tell) -> LabelValue | _Nothing:
    if given is None or (isinstance(given, str) and folded(given) in ABSENT_WORDS):
        if not field.may_be_absent:
            tell(f"{field.label}: no answer.")
            return UNANSWERED
        if given is not None:
            tell(f"{field.label}: {described(given)} was read as absent.")
        return None
    times = _range_times(field, given, tell)
    if times is None:
        tell(f"{field.label}: {described(given)} is not a time range and was left out.")
        return UNANSWERED
    start_ms, end_ms = times
    if start_ms > end_ms:
        tell(f"{field.label}: start and end were the wrong way round.")
        start_ms, end_ms = end_ms, start_ms
    limit_ms = field.max_ms or 0
    kept = (min(max(start_ms, 0), limit_ms), min(max(end_ms, 0), limit_ms))
    if kept != (start_ms, end_ms):
        tell(f"{field.label}: the range reached beyond its limits and was cut to {format_range(*kept)}.")
    return {"start_ms": kept[0], "end_ms": kept[1]}


def _range_times(field: Field, given: Any, tell: _Tell) -> tuple[int, int] | None:
    """Start and end as given, repaired as little as possible; None if there are none."""
    if isinstance(given, str):
        times = parse_range(given)
        if times is not None:
            tell(f"{field.label}: the text {described(given)} was read as a time range.")
        return times
    if isinstance(given, list) and len(given) == 2:
        tell(f"{field.label}: a list of two was read as start and end in milliseconds.")
        given = {"start_ms": given[0], "end_ms": given[1]}
    if not isinstance(given, Mapping):
        return None
    start_ms, end_ms = _milliseconds(given.get("start_ms")), _milliseconds(given.get("end_ms"))
    if start_ms is None and end_ms is None:
        return None
    if start_ms is None or end_ms is None:
        tell(f"{field.label}: only one of start and end was given; it was taken for both.")
    elif dict(given) != {"start_ms": start_ms, "end_ms": end_ms} or any(type(ms) is not int for ms in given.values()):
        tell(f"{field.label}: the range was brought to two whole numbers of milliseconds.")
    start_ms = end_ms if start_ms is None else start_ms
    end_ms = start_ms if end_ms is None else end_ms
    return None if start_ms is None or end_ms is None else (start_ms, end_ms)


def _milliseconds(given: Any) -> int | None:
    if isinstance(given, str) and len(given) <= _LONGEST_NUMBER:
        try:
            given = float(given)
        except ValueError:
            return None
    if isinstance(given, float):
        return round(given) if math.isfinite(given) else None
    return given if type(given) is int else None


def _read_text(field: Field, given: Any, tell: _Tell) -> LabelValue | _Nothing:
    if not isinstance(given, str):
        tell(f"{field.label}: {'no answer' if given is None else f'{described(given)} is not a text'}.")
        return UNANSWERED
    clean = clean_text(given)
    if not clean:
        tell(f"{field.label}: the text is empty.")
        return UNANSWERED
    if clean != given:
        tell(f"{field.label}: line breaks, repeated blanks or control characters were taken out.")
    kept = cut_text(clean, max_length=field.max_length or len(clean), max_sentences=field.max_sentences)
    if kept != clean:
        sentences = len(split_sentences(clean))
        tell(f"{field.label}: {len(clean)} characters, sentences: {sentences}; cut to {len(kept)} characters.")
    return kept


_READERS: dict[str, Callable[[Field, Any, _Tell], LabelValue | _Nothing]] = {
    "one_of": _read_choice,
    "any_of": _read_list,
    "range": _read_range,
    "text": _read_text,
}


def _as_word(given: Any) -> str:
    """Text to look a value up by; JSON's true and false stand for yes and no."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    return given[:200] if isinstance(given, str) else ""


def described(value: object) -> str:
    """JSON value for a sentence: a short text in quotes, else what it is."""
    if isinstance(value, str):
        clean = clean_text(value[:200])
        return f"“{clean if len(clean) <= 40 else clean[:39] + '…'}”"
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")

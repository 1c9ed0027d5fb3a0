"""What the rules of a schema say about labels: what they break, what follows from them, what the form need not show.

Three answers are possible to a condition. It holds, it does not, or nothing can be said: the field is unanswered, or
the answer is "cannot tell". A rule fires only where all of `when` hold, and is broken only where one of `then`
does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from vvlm_desktop.domain.schema import Condition, LabelSchema, Rule
from vvlm_desktop.domain.values import CANNOT_TELL, Labels, LabelValue


def holds(condition: Condition, labels: Labels, *, field_key: str) -> bool | None:
    """Whether a condition holds; None where it cannot be said."""
    operator = condition.operator
    if field_key not in labels:
        return False if operator == "present" else None
    value = labels[field_key]
    if operator == "present":
        return value is not None
    if operator == "absent":
        return value is None
    chosen = [value] if isinstance(value, str) else value
    if not isinstance(chosen, list):
        return None
    if operator == "any_of":
        return _contains_any(chosen, condition.values)
    if chosen == [CANNOT_TELL]:
        return None
    if operator == "only":
        return set(chosen) <= set(condition.values)
    return bool(chosen) == (operator == "not_empty")


def _contains_any(chosen: list[str], wanted: tuple[str, ...]) -> bool | None:
    if any(value in wanted for value in chosen):
        return True
    return None if chosen == [CANNOT_TELL] else False


def fires(when: Mapping[str, Condition], labels: Labels) -> bool:
    """Whether all conditions hold."""
    return all(holds(condition, labels, field_key=key) is True for key, condition in when.items())


def broken(schema: LabelSchema, labels: Labels) -> tuple[Rule, ...]:
    """Rules that the labels break, in the order of the file; `asks` says which are only questions."""
    return tuple(
        rule
        for rule in schema.rules
        if fires(rule.when, labels)
        and any(holds(condition, labels, field_key=key) is False for key, condition in rule.then.items())
    )


def broken_rules(schema: LabelSchema, labels: Labels) -> tuple[str, ...]:
    """Sentences for people, one for each broken rule."""
    return tuple(rule.message for rule in broken(schema, labels))


def derived_values(schema: LabelSchema, labels: Labels) -> dict[str, str]:
    """Values of the derived fields that follow from the other labels; those that do not follow are left out."""
    found: dict[str, str] = {}
    for case in schema.derive:
        if case.field not in found and fires(case.when, labels):
            found[case.field] = case.value
    return found


def derive_severity(schema: LabelSchema, labels: Labels) -> str | None:
    """Severity that follows from the other labels, None where it does not."""
    return derived_values(schema, labels).get("severity")


def implied_values(schema: LabelSchema, labels: Labels) -> dict[str, LabelValue]:
    """Values that a fired rule leaves as the only possibility, e.g. no event time where there was no incident."""
    implied: dict[str, LabelValue] = {}
    for rule in schema.rules:
        if rule.asks or not fires(rule.when, labels):
            continue
        for key, condition in rule.then.items():
            if condition.operator == "absent":
                implied[key] = None
            elif condition.operator == "empty":
                implied[key] = []
            elif condition.operator == "any_of" and len(condition.values) == 1 and schema.field(key).kind == "one_of":
                implied[key] = condition.values[0]
    return implied


def dependent_fields(schema: LabelSchema, unknown: frozenset[str]) -> frozenset[str]:
    """Fields of which nothing can be said while the truth of `unknown` is open, e.g. an event's time and its severity.

    Rules that only ask do not count: rain says little about the road once it is open whether it rained.
    """
    by_rule = {key for rule in schema.rules if not rule.asks and unknown & set(rule.when) for key in rule.then}
    by_case = {case.field for case in schema.derive if unknown & set(case.when)}
    return frozenset(by_rule | by_case) - unknown


def hidden_fields(schema: LabelSchema, labels: Labels) -> frozenset[str]:
    """Keys of the fields that the form does not show for these labels."""
    return frozenset(key for hidden in schema.hidden if fires(hidden.when, labels) for key in hidden.fields)

"""The prompt for a model, made from the schema. Training and inference use the same one."""

from __future__ import annotations

import hashlib

from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.values import CANNOT_TELL

_ANSWER_FORM = (
    "Answer with one JSON object in compact form: one line, no blanks outside texts, no Markdown, nothing before or"
    " after it. Give every key below, in this order."
)
_CANNOT_TELL = (
    f'In every field with listed values "{CANNOT_TELL}" is also allowed. Use it when the frames do not show enough to'
    " judge, not as a way out of a hard choice."
)
_LIST = (
    f'A list holds every value that applies, in the order given; [] means you looked and saw none; ["{CANNOT_TELL}"]'
)
_TIMES = "Times are whole milliseconds from the first frame."


def build_prompt(schema: LabelSchema) -> str:
    """Instructions, definitions, rules and the form of the answer; the same schema always gives the same text."""
    fields = schema.model_fields
    parts = [part for part in (schema.intro, _ANSWER_FORM, " ".join(_notes(fields))) if part]
    parts += ["\n".join(_field_lines(field)) for field in fields]
    rules = _rule_lines(schema)
    if rules:
        parts.append("\n".join(["Rules:", *rules]))
    parts.append(f"Answer form: {answer_form(fields)}")
    return "\n\n".join(parts) + "\n"


def prompt_sha(prompt: str) -> str:
    """Hex SHA-256 of a prompt, stored with every analysis that it led to."""
    return hashlib.sha256(prompt.encode("utf-8")).hexdigest()


def answer_form(fields: tuple[Field, ...]) -> str:
    """Compact JSON object with a placeholder for each value."""
    return "{" + ",".join(f'"{field.key}":{_placeholder(field)}' for field in fields) + "}"


def _placeholder(field: Field) -> str:
    if field.kind == "range":
        return '{"start_ms":…,"end_ms":…}' + (" or null" if field.may_be_absent else "")
    return {"one_of": '"…"', "any_of": '["…"]', "text": '"…"'}[field.kind]


def _notes(fields: tuple[Field, ...]) -> list[str]:
    notes = [_CANNOT_TELL] if any(field.has_values for field in fields) else []
    if any(field.kind == "any_of" for field in fields):
        notes.append(f"{_LIST} stands alone.")
    if any(field.kind == "range" for field in fields):
        notes.append(_TIMES)
    return notes


def _field_lines(field: Field) -> list[str]:
    head = f"{field.key} ({_kind_words(field)})"
    lines = [f"{head}: {field.help}" if field.help else f"{head}:"]
    lines += [f"- {value.key}: {value.means}" for value in field.values]
    return lines


def _kind_words(field: Field) -> str:
    if field.kind == "range":
        absent = "; null if there is none" if field.may_be_absent else ""
        return f"start and end time{absent}"
    if field.kind == "text":
        sentences = f", at most {field.max_sentences} sentences" if field.max_sentences else ""
        return f"text of at most {field.max_length} characters{sentences}"
    return "one value" if field.kind == "one_of" else "list of values"


def _rule_lines(schema: LabelSchema) -> list[str]:
    """Sentences of the rules among asked fields; a rule that only asks a person is no instruction."""
    asked = {field.key for field in schema.model_fields}
    return [
        f"- {rule.message}" for rule in schema.rules if not rule.asks and asked.issuperset({*rule.when, *rule.then})
    ]

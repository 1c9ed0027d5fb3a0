"""The label schema: the fields that a clip is described by, their values, wording and rules; one TOML file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vvlm_desktop.domain.values import CANNOT_TELL
from vvlm_desktop.errors import LabelError

Kind: TypeAlias = Literal["one_of", "any_of", "range", "text"]
Group: TypeAlias = Literal["core", "event", "context", "text"]
Operator: TypeAlias = Literal["any_of", "only", "absent", "present", "empty", "not_empty"]

KINDS: tuple[Kind, ...] = ("one_of", "any_of", "range", "text")
GROUPS: tuple[Group, ...] = ("core", "event", "context", "text")
#: The keys 1–9 choose a value, so a field has no more than nine.
MAX_VALUES = 9


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a field; `aliases` are spellings that imports and models use for it."""

    key: str
    label: str
    means: str
    aliases: tuple[str, ...] = ()


#: Allowed for every choice and list without being written in the file.
CANNOT_TELL_VALUE = Value(CANNOT_TELL, "Cannot tell", "The clip does not show it.")


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is said about a clip.

    Attributes:
        required: a review is not complete without it.
        ask_model: whether a model is asked; people can always answer.
        derived: filled by the schema's `derive` cases until a person overrides it.
        max_length, max_sentences: limits of a text.
        max_ms: the largest time of a range.
        may_be_absent: a range may say "there is none".
    """

    key: str
    label: str
    kind: Kind
    values: tuple[Value, ...] = ()
    group: Group = "context"
    max_length: int | None = None
    max_sentences: int | None = None
    required: bool = False
    ask_model: bool = True
    derived: bool = False
    help: str = ""
    may_be_absent: bool = False
    max_ms: int | None = None
    aliases: tuple[str, ...] = ()

    @property
    def has_values(self) -> bool:
        """Whether it is answered by choosing among values."""
        return self.kind in ("one_of", "any_of")

    @property
    def choices(self) -> tuple[Value, ...]:
        """Values in schema order, "Cannot tell" last; empty for ranges and texts."""
        return (*self.values, CANNOT_TELL_VALUE) if self.has_values else ()

    @property
    def value_keys(self) -> tuple[str, ...]:
        """Keys of `choices`."""
        return tuple(value.key for value in self.choices)

    def value(self, key: str) -> Value:
        """Value by its key; `LabelError` with the allowed ones if there is none."""
        for value in self.choices:
            if value.key == key:
                return value
        raise LabelError(f"“{key}” is not a value of {self.label}.", hint=self.allowed())

    def label_of(self, value_key: str) -> str:
        """Label for people; a key of another schema is made readable instead of failing."""
        for value in self.choices:
            if value.key == value_key:
                return value.label
        return value_key.replace("_", " ").strip().capitalize()

    def allowed(self) -> str:
        """Sentence that says what can be answered, for hints."""
        if self.kind == "range":
            absent = ", or “absent”" if self.may_be_absent else ""
            return f"{self.label} is a start and an end in seconds, such as 7.84..8.31{absent}."
        if self.kind == "text":
            return f"{self.label} is a text of at most {self.max_length} characters."
        return f"{self.label} can be: {', '.join(self.value_keys)}."


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule says about one field.

    `any_of`: the value is one of `values`, or the list contains one of them. `only`: the list holds nothing but
    `values`. `absent`, `present`: a range is None or is not; any other field is answered. `empty`, `not_empty`: lists.
    """

    operator: Operator
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Where all of `when` hold, all of `then` should; `asks` marks a question rather than a contradiction."""

    when: Mapping[str, Condition]
    then: Mapping[str, Condition]
    message: str
    asks: bool = False


@dataclass(frozen=True, slots=True)
class DeriveCase:
    """A derived field takes the value of its first case whose conditions all hold."""

    field: str
    value: str
    when: Mapping[str, Condition]


@dataclass(frozen=True, slots=True)
class HiddenFields:
    """Fields that the form does not show while all of `when` hold."""

    fields: tuple[str, ...]
    when: Mapping[str, Condition]


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """A label schema as read from its file.

    Attributes:
        fields: in the order of the file, which is the order of forms, prompts and answers.
        off_fields: written in the file but switched off there (`enabled = false`).
        intro: first paragraph of the prompt.
        document: the TOML text.
        labels_sha: fingerprint of what can be said: fields, kinds, values, order, limits.
        wording_sha: fingerprint of how it is said: labels, definitions, help, prompt.
    """

    name: str
    version: int
    title: str
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    derive: tuple[DeriveCase, ...] = ()
    hidden: tuple[HiddenFields, ...] = ()
    off_fields: tuple[Field, ...] = ()
    intro: str = ""
    document: str = ""
    labels_sha: str = ""
    wording_sha: str = ""
    _by_key: dict[str, Field] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_key.update({each.key: each for each in self.fields})

    @property
    def key(self) -> str:
        """Name and version, e.g. `dashcam-1`."""
        return f"{self.name}-{self.version}"

    @property
    def model_fields(self) -> tuple[Field, ...]:
        """Fields that a model is asked."""
        return tuple(each for each in self.fields if each.ask_model)

    def __hash__(self) -> int:
        return hash(self.document)

    def __contains__(self, field_key: object) -> bool:
        return field_key in self._by_key

    def field(self, key: str) -> Field:
        """Field by its key; `LabelError` with the known ones if there is none."""
        found = self._by_key.get(key)
        if found is not None:
            return found
        if any(each.key == key for each in self.off_fields):
            raise LabelError(
                f"The field “{key}” is switched off in {self.key}.",
                hint="Write `enabled = true` for it in a copy of the schema file.",
            )
        raise LabelError(f"{self.key} has no field “{key}”.", hint=f"Fields: {', '.join(self._by_key)}.")


def labels_fingerprint(fields: tuple[Field, ...]) -> str:
    """Hex SHA-256 of what can be said: fields, kinds, values, order, limits; never of how it is worded."""
    shape = [
        {
            "key": each.key,
            "kind": each.kind,
            "values": [value.key for value in each.values],
            "limits": [each.max_length, each.max_sentences, each.max_ms, each.may_be_absent],
        }
        for each in fields
    ]
    return fingerprint(shape)


def wording_fingerprint(schema: LabelSchema, *, prompt: str) -> str:
    """Hex SHA-256 of how it is said: title, labels, definitions, help, rule sentences and the prompt."""
    wording = {
        "title": schema.title,
        "fields": [
            [each.key, each.label, each.help, [[value.key, value.label, value.means] for value in each.values]]
            for each in schema.fields
        ],
        "rules": [rule.message for rule in schema.rules],
        "prompt": prompt,
    }
    return fingerprint(wording)


def fingerprint(value: object) -> str:
    """Hex SHA-256 of a JSON value written in one canonical way."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()

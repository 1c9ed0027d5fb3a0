"""Values of a run as they are typed: what they start from, which differ from that, and which are not allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.ui.training.form_start import Start

Kind = Literal["choice", "switch", "whole", "number", "text"]
#: Chosen over the form, or known only when the run is made.
ELSEWHERE: Mapping[str, str] = {
    "model_dir": "chosen above",
    "train_set": "chosen in the first step",
    "run_dir": "made when the run is",
    "model_id": "of the model that is chosen",
    "model_revision": "of the model that is chosen",
    "preset": "chosen above",
    "name": "chosen above",
}
#: Shown at once; all others fold out.
IMPORTANT = ("epochs", "learning_rate", "rank", "frames", "precision", "objective")
_STAND_IN = {"model_dir": "model", "train_set": "set"}


def kind_of(info: FieldInfo) -> Kind:
    """How a value is edited."""
    if get_origin(info.annotation) is Literal:
        return "choice"
    if info.annotation is bool:
        return "switch"
    if info.annotation is int:
        return "whole"
    return "number" if info.annotation is float else "text"


def choices_of(info: FieldInfo) -> tuple[str, ...]:
    """What can be chosen."""
    return tuple(str(each) for each in get_args(info.annotation))


def text_of(value: Any) -> str:
    """A value as it is typed: 0.0001 stays readable, 3.0 is 3."""
    if isinstance(value, float):
        return f"{value:g}" if math.isfinite(value) else str(value)
    return str(value)


@dataclass(slots=True)
class FormValues:
    """What was typed over what it starts from.

    Attributes:
        start: preset and values of this computer.
        typed: key → text, choice or switch, where somebody changed something.
    """

    start: Start
    typed: dict[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> TrainConfig:
        """What it starts from."""
        return TrainConfig.model_validate({**_STAND_IN, "preset": self.start.preset, **self.start.values})

    @property
    def given(self) -> dict[str, Any]:
        """Values for a plan: what differs from the preset alone."""
        return {"preset": self.start.preset, **self.start.values, **self.typed}

    def put(self, key: str, value: Any) -> None:
        """Note what was typed; what equals the start is no change."""
        base = getattr(self.base, key)
        same = value == base or (not isinstance(base, bool) and str(value).strip() == text_of(base))
        if same:
            self.typed.pop(key, None)
        else:
            self.typed[key] = value.strip() if isinstance(value, str) else value

    def changed(self, key: str) -> bool:
        """Whether it differs from what it starts from."""
        return key in self.typed

    def value(self, key: str) -> Any:
        """What is shown in a field."""
        return self.typed[key] if key in self.typed else getattr(self.base, key)

    def checked(self) -> tuple[TrainConfig | None, dict[str, str]]:
        """The config with stand-ins for model and set, or why it is none: key → message; "" for all together."""
        try:
            return TrainConfig.model_validate({**_STAND_IN, **self.given}), {}
        except ValidationError as error:
            return None, _messages(error)


def _messages(error: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in error.errors(include_url=False):
        key = str(each["loc"][0]) if each["loc"] else ""
        found.setdefault(key, _in_words(each["type"], each.get("ctx", {}), each["msg"]))
    if "" in found:  # a rule over several values names the first of them
        named = found[""].split(" ", 1)[0]
        if named in TrainConfig.model_fields:
            found[named] = found.pop("")
    return found


def _in_words(kind: str, context: Mapping[str, Any], message: str) -> str:
    limits = {
        "greater_than": ("gt", "More than"),
        "greater_than_equal": ("ge", "At least"),
        "less_than": ("lt", "Less than"),
        "less_than_equal": ("le", "At most"),
    }
    if kind in limits:
        name, words = limits[kind]
        return f"{words} {text_of(context.get(name))}."
    if kind.startswith("int_"):
        return "A whole number is needed."
    if kind.startswith(("float_", "finite")):
        return "A number is needed, such as 0.0001."
    return message.removeprefix("Value error, ").rstrip(".") + "."

"""The answer that a model is taught, and which of its tokens carry loss.

At inference the grammar asks for every field, in schema order. A review may leave fields open. Leaving them out of the
answer would teach the model to skip keys that the grammar then forces on it, and training only on complete reviews
would throw most of them away. So the answer always has the full form: a field of which nothing is known gets a neutral
stand-in ("cannot tell", absent, an empty text), and no token that touches a stand-in carries loss. The keys and the
end do. What a person left open is thus neither learnt nor unlearnt.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.values import CANNOT_TELL, LabelValue
from vvlm_desktop.formats.target import target_json

if TYPE_CHECKING:
    from torch import Tensor

#: What a token without loss is labelled with, in PyTorch and transformers alike.
IGNORED = -100


Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TargetText:
    """The taught answer.

    Attributes:
        unknown: places of stand-ins, as characters.
        values: place of each field's value.
    """

    text: str
    unknown: tuple[Span, ...]
    values: Mapping[str, Span]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The taught answer as tokens, the end token included; `labels` are -100 where no loss is taken. Shape [tokens]."""

    ids: Tensor
    labels: Tensor


def target_text(schema: LabelSchema, known: Mapping[str, LabelValue]) -> TargetText:
    """The answer in full form; equal to `formats.target.target_json` where every field is known."""
    text, values = "{", {}
    for place, field in enumerate(schema.model_fields):
        value = known[field.key] if field.key in known else _stand_in(field)
        member = target_json(schema, {field.key: value})[1:-1]
        text += ("," if place else "") + member
        values[field.key] = (len(text) - len(member) + len(f'"{field.key}":'), len(text))
    return TargetText(text + "}", tuple(span for key, span in values.items() if key not in known), values)


def tokenize_target(tokenizer: Any, target: TargetText, *, judged: Collection[str] | None = None) -> Target:
    """Tokens of an answer and the end token.

    Args:
        judged: only tokens that touch the values of these fields are labelled; None for all that are known.
    """
    import torch

    encoded = tokenizer(target.text, add_special_tokens=False, return_offsets_mapping=True)
    end_token = tokenizer.eos_token_id
    wanted = ((0, len(target.text)),) if judged is None else tuple(target.values[key] for key in judged)
    labels = [
        token if _touches(wanted, start, end) and not _touches(target.unknown, start, end) else IGNORED
        for token, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
    ]
    last = end_token if judged is None else IGNORED
    return Target(torch.tensor([*encoded["input_ids"], end_token]), torch.tensor([*labels, last]))


def _touches(spans: Sequence[Span], start: int, end: int) -> bool:
    return any(start < span_end and end > span_start for span_start, span_end in spans)


def _stand_in(field: Field) -> LabelValue:
    if field.kind == "one_of":
        return CANNOT_TELL
    if field.kind == "any_of":
        return [CANNOT_TELL]
    if field.kind == "text":
        return ""
    return None if field.may_be_absent else {"start_ms": 0, "end_ms": 0}

"""Confidence from the token probabilities that a server gives along with its answer.

The same definition as for local models: the probability of a value is the product over the tokens that overlap its
text. The server's probabilities are over its whole vocabulary, before its grammar forbade anything, so they are not
comparable with a local model's, which are among the legal tokens, and there is no legal mass.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue

CONFIDENCE_KIND = "token_probability_unmasked"
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the answer: its bytes, and the natural logarithm of its probability."""

    data: bytes
    log_p: float


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands in the answer's text, in characters, end excluded."""

    start: int
    end: int
    value: Any


def field_confidence(
    schema: LabelSchema,
    text: str,
    tokens: Sequence[Token],
    labels: Mapping[str, LabelValue],
    *,
    json_start: int | None,
) -> tuple[dict[str, float | None], dict[str, dict[str, float]]] | None:
    """Confidence per field, and per chosen value of a list; None where the tokens do not make up the text.

    Only what was read as it was written has one: a repaired value, a field of another spelling and a text have none.
    """
    encoded = text.encode("utf-8")
    if json_start is None or not tokens or b"".join(token.data for token in tokens) != encoded:
        return None
    spans = member_spans(text, json_start)
    ends = list(accumulate(len(token.data) for token in tokens))
    confidence: dict[str, float | None] = dict.fromkeys(labels)
    values: dict[str, dict[str, float]] = {}

    def probability(start: int, end: int) -> float:
        first, last = len(text[:start].encode()), len(text[:end].encode())
        covered = (
            token.log_p
            for token, token_end in zip(tokens, ends, strict=True)
            if token_end > first and token_end - len(token.data) < last
        )
        return round(math.exp(min(0.0, sum(covered))), 6)

    for key, value in labels.items():
        span = spans.get(key)
        if span is None or span.value != value or schema.field(key).kind == "text":
            continue
        confidence[key] = probability(span.start, span.end)
        if isinstance(value, list):
            items = item_spans(text, span)
            values[key] = {str(item.value): probability(item.start, item.end) for item in items}
    return confidence, values


def member_spans(text: str, start: int) -> dict[str, Span]:
    """Where the values of the object that begins at `start` stand; a key given twice keeps the last, as JSON does."""
    decoder = json.JSONDecoder(strict=False)
    spans: dict[str, Span] = {}
    at = _after_blanks(text, start + 1)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        at = _after_blanks(text, _after_blanks(text, at) + 1)
        value, end = decoder.raw_decode(text, at)
        spans[key] = Span(at, end, value)
        at = _next_member(text, end)
    return spans


def item_spans(text: str, array: Span) -> list[Span]:
    """Where the items of an array stand."""
    decoder = json.JSONDecoder(strict=False)
    items: list[Span] = []
    at = _after_blanks(text, array.start + 1)
    while text[at] != "]":
        value, end = decoder.raw_decode(text, at)
        items.append(Span(at, end, value))
        at = _next_member(text, end)
    return items


def _next_member(text: str, end: int) -> int:
    """Past the comma, or on the closing bracket."""
    at = _after_blanks(text, end)
    return _after_blanks(text, at + 1) if text[at] == "," else at


def _after_blanks(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at

"""How sure a model was of each field, read off the tokens of its answer.

A field's confidence is the probability of its value under the grammar: the product over the tokens that overlap the
value's bytes. Forced tokens count as 1. The last token may reach beyond the value (`",` where another value could
follow): then all legal tokens that finish the value alike are summed, so that what follows doesn't weigh on it.
The first token may begin before it (`":"`). Where all legal tokens there spell the same, shorter or longer, and reach
no further than the value's opening quote or bracket, which is certain, only the cut was open, and it counts as 1.

The legal mass is the smallest share of its own probability that the model gave to what the grammar allows, over the
tokens where it had a choice. Forced tokens are left out: the grammar insists on one of several spellings of the same
bytes there, so their share says how the tokenizer cuts, not whether the model wanted JSON. Where a whole value was
forced they are all there is, and are taken.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple, TypeAlias

from vvlm_desktop.backends.local.decoding import Decoded
from vvlm_desktop.domain.schema import LabelSchema

#: `Analysis.confidence_kind` of these numbers.
CONFIDENCE_KIND: Final = "token_probability"
_Span: TypeAlias = tuple[int, int]


class FieldConfidences(NamedTuple):
    """What `Analysis` keeps of an answer's probabilities, by field.

    Attributes:
        confidence: 0..1; None for texts. Of a field with a measured distribution the probability of its value there,
            which counts every way to write it; of a list that of the whole list.
        legal_mass: 0..1, for the fields that have a confidence.
        value_confidence: the distribution of a choice where it was measured; each value of a list, given those before.
    """

    confidence: dict[str, float | None]
    legal_mass: dict[str, float]
    value_confidence: dict[str, dict[str, float]]


def field_confidences(decoded: Decoded, schema: LabelSchema) -> FieldConfidences:
    """Confidence of every field that the answer has; of an answer that was stopped, of those it completed.

    Args:
        decoded: an answer under the grammar of `schema`.
        schema: as it was asked.
    """
    found = FieldConfidences({}, {}, {})
    tokens = _Tokens(decoded)
    spans = dict(_members(tokens.text))
    for each in schema.model_fields:
        span = spans.get(each.key)
        if span is None:
            continue
        if each.kind == "text":
            found.confidence[each.key] = None
            continue
        confidence = tokens.probability(span)
        distribution = decoded.distributions.get(each.key)
        if distribution is not None:
            found.value_confidence[each.key] = dict(distribution)
            confidence = distribution.get(json.loads(tokens.text[slice(*span)]), confidence)
        if each.kind == "any_of":
            found.value_confidence[each.key] = _list_values(tokens, span)
        found.confidence[each.key] = confidence
        found.legal_mass[each.key] = tokens.legal_mass(span)
    return found


def _list_values(tokens: _Tokens, span: _Span) -> dict[str, float]:
    """Probability of each value; of a repeated one where it was said first."""
    values: dict[str, float] = {}
    for item in _items(tokens.text, span):
        values.setdefault(json.loads(tokens.text[slice(*item)]), tokens.probability(item))
    return values


class _Tokens:
    """The tokens of an answer with their places in its bytes."""

    def __init__(self, decoded: Decoded) -> None:
        self._decoded = decoded
        self._ends = list(accumulate(len(each) for each in decoded.token_bytes))
        self.text = b"".join(decoded.token_bytes)

    def _overlapping(self, span: _Span) -> Iterator[tuple[int, int, int]]:
        """Index, start and end of each token that shares a byte with `span`."""
        for index, end in enumerate(self._ends):
            start = end - len(self._decoded.token_bytes[index])
            if start < span[1] and end > span[0]:
                yield index, start, end

    def probability(self, span: _Span) -> float:
        """Probability of the bytes of `span`, given those before."""
        log_p = sum(self._log_p(index, start, span) for index, start, _ in self._overlapping(span))
        return min(1.0, math.exp(log_p))

    def _log_p(self, index: int, start: int, span: _Span) -> float:
        legal, end = self._decoded.legal[index], self._ends[index]
        if legal is None:
            return self._decoded.log_p[index]
        opening = start < span[0] and end <= span[0] + 1 and self.text[span[0] : span[0] + 1] in (b'"', b"[")
        if opening and all(self.text.startswith(each, start) for each in legal):
            return 0.0
        if end < span[1]:
            return self._decoded.log_p[index]
        needed = self.text[start : span[1]]
        return math.log(sum(math.exp(log_p) for each, log_p in legal.items() if each.startswith(needed)))

    def legal_mass(self, span: _Span) -> float:
        """Smallest share of the legal tokens, where there was a choice."""
        mass, forced = self._decoded.mass, self._decoded.forced
        inside = [index for index, _, _ in self._overlapping(span)]
        chosen = [mass[index] for index in inside if not forced[index]]
        known = [mass[index] for index in inside if not math.isnan(mass[index])]
        return min(chosen or known, default=1.0)


def _members(text: bytes) -> Iterator[tuple[str, _Span]]:
    """Key and place of each value of a compact JSON object, up to where it breaks off."""
    position = 1
    while position < len(text) and text[position : position + 1] == b'"':
        key_end = _value_end(text, position)
        end = None if key_end is None else _value_end(text, key_end + 1)
        if key_end is None or end is None:
            return
        yield json.loads(text[position:key_end]), (key_end + 1, end)
        position = end + 1


def _items(text: bytes, span: _Span) -> Iterator[_Span]:
    """Places of the values of a compact JSON list."""
    position = span[0] + 1
    while position < span[1] - 1:
        end = _value_end(text, position)
        if end is None:
            return
        yield position, end
        position = end + 1


def _value_end(text: bytes, start: int) -> int | None:
    """Where the JSON value at `start` ends; None if the text breaks off before that can be known."""
    depth = 0
    position = start
    while position < len(text):
        byte = text[position : position + 1]
        if byte == b'"':
            closing = _closing_quote(text, position)
            if closing is None:
                return None
            position = closing
        elif byte in b"{[":
            depth += 1
        elif byte in b"}]" and depth:
            depth -= 1
        elif depth == 0 and byte in b",]}":
            # A number or a word ends where the next separator begins.
            return position
        position += 1
        if depth == 0 and byte in b'"]}':
            return position
    return None


def _closing_quote(text: bytes, opening: int) -> int | None:
    position = opening + 1
    while position < len(text):
        if text[position : position + 1] == b'"':
            return position
        position += 2 if text[position : position + 1] == b"\\" else 1
    return None

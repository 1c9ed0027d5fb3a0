"""The grammar of an answer: from a JSON schema to the tokens that may come next, and to those that must."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import llguidance
import llguidance.hf
import numpy as np
import numpy.typing as npt

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_json import max_json_chars

#: Up to so many legal tokens are handled as a list of ids, more as a mask over the vocabulary.
FEW_TOKENS = 256
#: Escapes other than these two are line breaks and control characters, which no text of an answer keeps.
_ESCAPES = '"\\'
_COMPACT: Any = {
    "whitespace_flexible": False,
    "json_allowed_escapes": _ESCAPES,
    "json_allow_general_unicode_escapes": False,
}
_KEPT_GRAMMARS = 32

#: Building one takes a second at 151,000 entries, so it is kept as long as the tokenizer lives.
_tokenizers: WeakKeyDictionary[Any, dict[int, llguidance.LLTokenizer]] = WeakKeyDictionary()
_grammars: OrderedDict[tuple[int, str], Grammar] = OrderedDict()


@dataclass(frozen=True, slots=True, eq=False)
class Legal:
    """What may come next: the ids in ascending order where they are few, else packed bits, lowest bit first."""

    ids: npt.NDArray[np.int64] | None
    bits: npt.NDArray[np.uint8]

    @classmethod
    def from_bits(cls, packed: bytes) -> Legal:
        """Legal tokens of a bitmask as llguidance writes it."""
        bits = np.frombuffer(packed, np.uint8)
        filled = np.flatnonzero(bits)
        if len(filled) > FEW_TOKENS:
            return cls(None, bits)
        rows, columns = np.nonzero(np.unpackbits(bits[filled, None], axis=1, bitorder="little"))
        ids = filled[rows] * 8 + columns
        return cls(ids.astype(np.int64) if len(ids) <= FEW_TOKENS else None, bits)

    def mask(self, vocab_size: int) -> npt.NDArray[np.bool_]:
        """True where a token is legal, shape [vocab_size]."""
        return np.unpackbits(self.bits, bitorder="little")[:vocab_size].astype(np.bool_)


@dataclass(slots=True, eq=False)
class Grammar:
    """A compiled schema for one tokenizer; shared by all rows and clips.

    Attributes:
        kept: what others derive from it once, e.g. the tree of a field's options.
    """

    tokenizer: llguidance.LLTokenizer
    vocab_size: int
    schema_json: Mapping[str, Any]
    start: llguidance.LLMatcher
    kept: dict[Any, Any] = field(default_factory=dict)

    def state(self) -> GrammarState:
        """At the beginning of an answer."""
        return GrammarState(self.start.deep_copy(), self)

    def token_bytes(self, token: int) -> bytes:
        """Bytes that the token stands for."""
        decoded: bytes = self.tokenizer.decode_bytes([token])
        return decoded


class GrammarState:
    """Where one answer is in its grammar."""

    def __init__(self, matcher: llguidance.LLMatcher, grammar: Grammar) -> None:
        self._matcher = matcher
        self.grammar = grammar
        self._ends = frozenset(grammar.tokenizer.eos_tokens)

    @property
    def ended(self) -> bool:
        """Whether nothing but the end can follow."""
        return bool(self._matcher.is_stopped())

    def copy(self) -> GrammarState:
        """A state that goes its own way from here."""
        return GrammarState(self._matcher.deep_copy(), self.grammar)

    def take(self, token: int) -> None:
        """Go on with `token`, which has to be legal."""
        if not self._matcher.consume_token(token):
            raise ValueError(f"token {token} is not legal here: {self._matcher.get_error()}")

    def legal(self) -> Legal:
        """What may come next."""
        packed = self._matcher.compute_bitmask()
        if self._matcher.is_error():
            raise RuntimeError(f"the grammar failed: {self._matcher.get_error()}")
        return Legal.from_bits(packed)

    def follow(self) -> tuple[list[int], Legal | None]:
        """Take everything that must come, up to where there is a choice.

        Returns:
            The tokens that were taken, and the choice that follows them; None at the end of the answer.
        """
        forced: list[int] = []
        while not self.ended:
            run: list[int] = self._matcher.compute_ff_tokens()
            if not run:
                legal = self.legal()
                if legal.ids is None or len(legal.ids) != 1:
                    return forced, legal
                run = [int(legal.ids[0])]
                if run[0] in self._ends:
                    return forced, None
            if not self._matcher.consume_tokens(run):
                raise RuntimeError(f"the grammar forbids what it forces: {self._matcher.get_error()}")
            forced += run
        return forced, None


def compile_grammar(tokenizer: Any, *, vocab_size: int, schema_json: Mapping[str, Any]) -> Grammar:
    """The grammar of compact JSON that `schema_json` allows; a second call with the same schema is free.

    Args:
        tokenizer: fast Hugging Face tokenizer.
        vocab_size: width of the model's logits, which is often padded beyond the tokenizer.
        schema_json: as from `domain.schema_json.json_schema`; every text, list and number bounded.

    Raises:
        ValueError: a keyword that cannot be enforced.
    """
    wrapped = _wrapped(tokenizer, vocab_size)
    source = json.dumps(schema_json, ensure_ascii=False)
    key = (id(wrapped), source)
    if key in _grammars:
        _grammars.move_to_end(key)
        return _grammars[key]
    start = llguidance.LLMatcher(wrapped, llguidance.LLMatcher.grammar_from_json_schema(source, defaults=_COMPACT))
    if start.is_error():
        raise ValueError(f"the schema cannot be enforced: {start.get_error()}")
    # The grammar holds the tokenizer, so an id in a key never belongs to another one.
    _grammars[key] = Grammar(wrapped, vocab_size, json.loads(source), start)
    if len(_grammars) > _KEPT_GRAMMARS:
        _grammars.popitem(last=False)
    return _grammars[key]


def _wrapped(tokenizer: Any, vocab_size: int) -> llguidance.LLTokenizer:
    by_size = _tokenizers.setdefault(tokenizer, {})
    if vocab_size not in by_size:
        by_size[vocab_size] = llguidance.hf.from_tokenizer(tokenizer, n_vocab=vocab_size)
    return by_size[vocab_size]


def token_budget(schema: LabelSchema) -> int:
    """Tokens after which every answer to `schema` has ended: the longest JSON at one byte a token, and the end.

    `max_json_chars` counts six bytes for a character of a text; the grammar allows at most four.
    """
    return max_json_chars(schema) + 1

"""Greedy decoding of a batch, under a grammar or free, that spends no pass where there is nothing to choose.

Tokens that the grammar forces (keys, quotes, the rest of a value) go into the model together with the token that was
chosen before them. Every row goes its own way through the grammar; a pass ends with one choice in each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vvlm_desktop.backends.local.choosing import Choice, choose
from vvlm_desktop.backends.local.grammar import Grammar, GrammarState, Legal
from vvlm_desktop.backends.local.kv_cache import KeptCache
from vvlm_desktop.backends.local.option_tree import OptionTree, build_option_tree, measure_options

Stop: TypeAlias = Literal["end", "budget", "cancelled"]


@dataclass(slots=True)
class Decoded:
    """What one row said; the lists have one entry a token, the token that ends the answer is left out.

    Attributes:
        token_bytes: what each token stands for; `text` is their concatenation, for free text without special tokens.
        log_p: natural logarithm of the token's probability among the legal ones; 0 where it was forced.
        mass: probability that the model itself put on the legal tokens; NaN for forced tokens where it was not asked.
        forced: whether the grammar left no choice.
        legal: every legal token's bytes with its log p, None where there were too many or no choice.
        distributions: for the fields asked for, the probability of each value.
        forward_passes: passes that this row took part in, the prompt's included.
        stop: `end` by the grammar or the end token, `budget` after `max_new_tokens`, `cancelled` between passes.
    """

    token_ids: list[int] = field(default_factory=list)
    token_bytes: list[bytes] = field(default_factory=list)
    text: str = ""
    log_p: list[float] = field(default_factory=list)
    mass: list[float] = field(default_factory=list)
    forced: list[bool] = field(default_factory=list)
    legal: list[dict[bytes, float] | None] = field(default_factory=list)
    distributions: dict[str, dict[str, float]] = field(default_factory=dict)
    forward_passes: int = 0
    stop: Stop = "end"


#: One for the whole batch, or one for each row.
Cancelled: TypeAlias = Callable[[], bool] | Sequence[Callable[[], bool]]


def decode(
    model: Any,
    inputs: Mapping[str, Tensor],
    *,
    tokenizer: Any,
    grammar: Grammar | None,
    max_new_tokens: int,
    cancelled: Cancelled = lambda: False,
    on_token: Callable[[int, int], None] | None = None,
    distributions: Sequence[str] = (),
    fast_forward: bool = True,
    forced_mass: bool = True,
) -> list[Decoded]:
    """Answer every row of `inputs`.

    Args:
        model: in evaluation mode.
        inputs: as from the processor, on the model's device, padded on the left.
        tokenizer: the model's own.
        grammar: None for free text, which ends with the end token or the budget.
        max_new_tokens: `grammar.token_budget` for a schema, so that the grammar ends every answer.
        cancelled: looked at before every pass; a cancelled row leaves the batch.
        on_token: called after every pass with row and number of its tokens so far.
        distributions: choice fields whose whole distribution is measured, at one more pass each.
        fast_forward: False feeds one token a pass, to compare with.
        forced_mass: whether the probability of forced tokens is read from the passes they go through.
    """
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens}")
    with torch.inference_mode():
        batch = _Batch(model, inputs, tokenizer, grammar=grammar, budget=max_new_tokens)
        batch.fast_forward, batch.forced_mass = fast_forward, forced_mass
        return batch.run(cancelled, on_token=on_token, distributions=tuple(distributions))


class _Row:
    """One answer in the making."""

    def __init__(self, index: int, state: GrammarState | None) -> None:
        self.index = index
        self.state = state
        self.said = Decoded()
        self.written = bytearray()
        self.legal: Legal | None = None
        self.ended = False
        #: Tokens that the model has not seen yet, and where they begin in the answer.
        self.run: list[int] = []
        self.run_start = 0

    def add(self, token: int, token_bytes: bytes, choice: Choice | None) -> None:
        """Write one token; without a choice it was forced."""
        said = self.said
        self.run.append(token)
        self.written += token_bytes
        said.token_ids.append(token)
        said.token_bytes.append(token_bytes)
        said.forced.append(choice is None or (choice.ids is not None and len(choice.ids) == 1))
        said.log_p.append(0.0 if choice is None else choice.log_p)
        said.mass.append(math.nan if choice is None else choice.mass)
        said.legal.append(None)

    def cut(self, budget: int) -> None:
        """Stop at `budget` tokens if there are more, or if more would come."""
        said = self.said
        if len(said.token_ids) < budget or (self.ended and len(said.token_ids) == budget):
            return
        for each in (said.token_ids, said.token_bytes, said.forced, said.log_p, said.mass, said.legal):
            del each[budget:]
        said.stop, self.ended = "budget", True


class _Batch:
    """All rows of one call; a recipe that is read from `run`."""

    fast_forward = True
    forced_mass = True

    def __init__(
        self, model: Any, inputs: Mapping[str, Tensor], tokenizer: Any, *, grammar: Grammar | None, budget: int
    ) -> None:
        self._cache = KeptCache(model, inputs)
        self._tokenizer = tokenizer
        self._grammar = grammar
        self._budget = budget
        self._ends = _end_tokens(model, tokenizer)
        states = [None if grammar is None else grammar.state() for _ in range(self._cache.row_count)]
        self._rows = [_Row(index, state) for index, state in enumerate(states)]

    def run(
        self, cancelled: Cancelled, *, on_token: Callable[[int, int], None] | None, distributions: tuple[str, ...]
    ) -> list[Decoded]:
        rows = self._rows
        for row in rows:
            self._follow(row)
        if not self._going_on(rows, cancelled):
            return self._finished()
        # The grammar is the same for all rows, and so is what it begins with.
        forced = rows[0].run
        logits = self._cache.prefill(forced, keep=len(forced) + 1 if self.forced_mass else 1)
        while True:
            for row in rows:
                row.said.forward_passes += 1
            self._measure(rows, logits[:, -1], distributions)
            self._step(rows, logits)
            if on_token is not None:
                for row in rows:
                    on_token(row.index, len(row.said.token_ids))
            staying = self._going_on(rows, cancelled)
            if not staying:
                return self._finished()
            if len(staying) < len(rows):
                self._cache.keep_rows([rows.index(row) for row in staying])
            rows = staying
            logits = self._cache.feed([row.run for row in rows], keep=None if self.forced_mass else 1)

    def _going_on(self, rows: list[_Row], cancelled: Cancelled) -> list[_Row]:
        """Rows that have neither ended nor been cancelled."""
        everything = cancelled() if callable(cancelled) else False
        for row in rows:
            if not row.ended and (everything or (not callable(cancelled) and cancelled[row.index]())):
                row.said.stop, row.ended = "cancelled", True
        return [row for row in rows if not row.ended]

    def _step(self, rows: list[_Row], logits: Tensor) -> None:
        """Choose one token in each row, and take what the grammar forces after it."""
        probabilities = self._run_probabilities(rows, logits)
        choices, known = choose(logits[:, -1], [row.legal for row in rows], along=probabilities)
        if known is not None:
            self._note_mass(rows, known)
        for row, choice in zip(rows, choices, strict=True):
            row.run, row.run_start = [], len(row.said.token_ids)
            self._take(row, choice)

    def _take(self, row: _Row, choice: Choice) -> None:
        if choice.token in self._ends:
            row.ended = True
            return
        if row.state is None or self._grammar is None:
            row.add(choice.token, b"", choice)
        else:
            token_bytes = self._grammar.token_bytes
            row.add(choice.token, token_bytes(choice.token), choice)
            if choice.ids is not None and choice.log_ps is not None:
                legal = zip(choice.ids.tolist(), choice.log_ps.tolist(), strict=True)
                row.said.legal[-1] = {token_bytes(token): log_p for token, log_p in legal}
            row.state.take(choice.token)
        self._follow(row)

    def _follow(self, row: _Row) -> None:
        """Take what must come, and find out what may come then."""
        if row.state is not None and self._grammar is not None:
            if row.state.ended:
                row.ended = True
            elif self.fast_forward:
                forced, row.legal = row.state.follow()
                for token in forced:
                    row.add(token, self._grammar.token_bytes(token), None)
                row.ended = row.legal is None
            else:
                row.legal = row.state.legal()
        row.cut(self._budget)

    def _run_probabilities(self, rows: list[_Row], logits: Tensor) -> Tensor | None:
        """The model's own probability of every token that it was just fed, but the first column's.

        Args:
            rows: with the runs that were fed.
            logits: of the columns, the last for what comes next, shape [rows, columns, vocabulary].

        Returns:
            Shape [rows, columns − 1]; what stands in holes is to be ignored.
        """
        width = logits.shape[1] - 1
        if width == 0:
            return None
        fed = np.zeros((len(rows), width), np.int64)
        for index, row in enumerate(rows):
            tail = row.run[-width:]
            fed[index, width - len(tail) :] = tail
        before = logits[:, :-1].float()
        picked = before.gather(2, torch.from_numpy(fed).to(logits.device)[:, :, None])[:, :, 0]
        return (picked - before.logsumexp(-1)).exp()

    def _note_mass(self, rows: list[_Row], known: npt.NDArray[np.float32]) -> None:
        for row, probabilities in zip(rows, known.tolist(), strict=True):
            count = min(len(row.run), len(probabilities))
            end = row.run_start + len(row.run)
            for index, probability in zip(
                range(end - count, end), probabilities[len(probabilities) - count :], strict=True
            ):
                if math.isnan(row.said.mass[index]):
                    row.said.mass[index] = probability

    def _measure(self, rows: list[_Row], logits: Tensor, fields: tuple[str, ...]) -> None:
        """The distributions of the fields whose value begins here."""
        for key in fields:
            due = [row for row in rows if key not in row.said.distributions and row.written.endswith(_before(key))]
            for written in (b"", b'"'):
                here = [row for row in due if row.written.endswith(b'":' + written)]
                tree = self._tree(here[0], key, written) if here else None
                if tree is None:
                    continue
                measured = measure_options(self._cache, tree, logits)
                for row in here:
                    row.said.distributions[key] = measured[rows.index(row)]
                    row.said.forward_passes += int(len(tree.forks) > 1)

    def _tree(self, row: _Row, key: str, written: bytes) -> OptionTree | None:
        """The options of a choice field; the same in every answer, so built once."""
        if self._grammar is None or row.state is None or row.legal is None:
            return None
        kept = self._grammar.kept
        name = (key, written)
        if name not in kept:
            options = self._grammar.schema_json.get("properties", {}).get(key, {}).get("enum")
            kept[name] = (
                None if options is None else build_option_tree(row.state, row.legal, options=options, written=written)
            )
        tree: OptionTree | None = kept[name]
        return tree

    def _finished(self) -> list[Decoded]:
        for row in self._rows:
            said = row.said
            if self._grammar is None:
                said.text = self._tokenizer.decode(said.token_ids, skip_special_tokens=True)
            else:
                # An answer that was stopped may end inside a character.
                said.text = b"".join(said.token_bytes).decode("utf-8", errors="replace")
        return [row.said for row in self._rows]


def _before(key: str) -> tuple[bytes, bytes]:
    """How an answer ends where the value of `key` begins; inside a text the quotes would be escaped."""
    name = f'"{key}":'.encode()
    return name, name + b'"'


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end an answer: the tokenizer's, and those of the model's own settings."""
    given = getattr(model.generation_config, "eos_token_id", None)
    several = given if isinstance(given, list) else [given]
    return frozenset(token for token in (tokenizer.eos_token_id, *several) if token is not None)

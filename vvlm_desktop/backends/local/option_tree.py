"""The whole distribution over a field's options, exactly as the grammar and the model give it, from the kept cache.

An option can be written with several sequences of tokens ("c" and "ollision", "col" and "lision"), and the grammar
allows all of them up to where only one option is left. Those ways form a small tree that is known before the model is
asked. One pass with a tree-shaped mask measures it; an option's probability is the sum over its ways, and the sum over
all options is 1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vvlm_desktop.backends.local.choosing import log_softmax
from vvlm_desktop.backends.local.grammar import GrammarState, Legal
from vvlm_desktop.backends.local.kv_cache import KeptCache


@dataclass(slots=True)
class Fork:
    """A place where the grammar leaves a choice.

    Attributes:
        after: index of the tree's token that it follows, −1 for the place where the row is.
        ids: legal tokens.
        leads_to: for each, the index of the fork that follows (an int) or the option that is then certain (a text).
    """

    after: int
    ids: npt.NDArray[np.int64]
    leads_to: list[int | str] = field(default_factory=list)


@dataclass(slots=True)
class OptionTree:
    """All ways to write one of the options; `forks[0]` is where the row is, parents come before children."""

    options: tuple[str, ...]
    tokens: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    forks: list[Fork] = field(default_factory=list)


def build_option_tree(
    state: GrammarState, legal: Legal, *, options: Sequence[str], written: bytes
) -> OptionTree | None:
    """The tree of all ways to go on.

    Args:
        state: where the row is; not changed.
        legal: what may come next there.
        options: values of the field.
        written: what of the JSON value is written already, `"` or nothing.

    Returns:
        None where the grammar there is not one of these options.
    """
    tree = OptionTree(tuple(options))
    texts = {json.dumps(option, ensure_ascii=False).encode(): option for option in options}
    return tree if _add_fork(tree, state, legal, texts, written=written, after=-1) else None


def _add_fork(
    tree: OptionTree, state: GrammarState, legal: Legal, texts: dict[bytes, str], *, written: bytes, after: int
) -> bool:
    if legal.ids is None:
        return False
    fork = Fork(after, legal.ids)
    tree.forks.append(fork)
    for token in legal.ids.tolist():
        branch = state.copy()
        branch.take(token)
        text = written + state.grammar.token_bytes(token)
        possible = _possible(texts, text)
        if len(possible) == 1:
            fork.leads_to.append(possible[0])
            continue
        forced, following = branch.follow()
        text += b"".join(state.grammar.token_bytes(each) for each in forced)
        possible = _possible(texts, text)
        if len(possible) == 1:
            fork.leads_to.append(possible[0])
            continue
        if not possible or following is None:
            return False
        last = after
        for each in (token, *forced):
            tree.tokens.append(each)
            tree.parents.append(last)
            last = len(tree.tokens) - 1
        fork.leads_to.append(len(tree.forks))
        if not _add_fork(tree, branch, following, texts, written=text, after=last):
            return False
    return True


def _possible(texts: dict[bytes, str], text: bytes) -> list[str]:
    return [option for full, option in texts.items() if full.startswith(text) or text.startswith(full)]


def measure_options(cache: KeptCache, tree: OptionTree, logits: Tensor) -> list[dict[str, float]]:
    """Probability of each option, for every row of the batch; at most one pass, and the cache stays as it was.

    Args:
        cache: whose rows are all at the tree's beginning, or the answer for them is to be ignored.
        tree: as built there.
        logits: of the rows' next token, shape [rows, vocabulary].
    """
    deeper = [fork for fork in tree.forks if fork.after >= 0]
    scores = logits[:, None].float()
    if deeper:
        ahead = cache.look_ahead(tree.tokens, tree.parents, at=[fork.after for fork in deeper])
        scores = torch.cat([scores, ahead.float()], 1)
    width = max(len(fork.ids) for fork in tree.forks)
    padded = np.zeros((len(tree.forks), width), np.int64)
    for index, fork in enumerate(tree.forks):
        padded[index, : len(fork.ids)] = fork.ids
    wanted = torch.from_numpy(padded).to(scores.device).expand(scores.shape[0], -1, -1)
    fetched = scores.gather(2, wanted).cpu().numpy()
    return [summed(tree, row) for row in fetched]


def summed(tree: OptionTree, scores: npt.NDArray[np.float32]) -> dict[str, float]:
    """Probability of each option.

    Args:
        tree: the ways to write them.
        scores: for each fork the logits of its legal tokens, padded, shape [forks, width].
    """
    total = dict.fromkeys(tree.options, 0.0)
    reached = {0: 1.0}
    for index, fork in enumerate(tree.forks):
        shares = np.exp(log_softmax(scores[index, : len(fork.ids)]))
        for share, target in zip(shares.tolist(), fork.leads_to, strict=True):
            probability = reached[index] * share
            if isinstance(target, int):
                reached[target] = probability
            else:
                total[target] += probability
    return total

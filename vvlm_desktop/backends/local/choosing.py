"""One greedy choice per row among the legal tokens, with one transfer from the device for the whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vvlm_desktop.backends.local.grammar import Legal


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What a row goes on with.

    Attributes:
        log_p: natural logarithm of its probability among the legal tokens.
        mass: probability that the model itself put on all legal tokens together.
        ids, log_ps: every legal token with its `log_p`, where they are few.
    """

    token: int
    log_p: float
    mass: float
    ids: npt.NDArray[np.int64] | None = None
    log_ps: npt.NDArray[np.float64] | None = None


def choose(
    logits: Tensor, legal: Sequence[Legal | None], *, along: Tensor | None = None
) -> tuple[list[Choice], npt.NDArray[np.float32] | None]:
    """The most probable legal token of each row.

    Args:
        logits: shape [rows, vocabulary].
        legal: for each row; None where everything is.
        along: float32 numbers that are to be fetched in the same transfer.

    Returns:
        A choice for each row, and `along` on this side.
    """
    logits = logits.float()
    few = [row for row, each in enumerate(legal) if each is not None and each.ids is not None]
    many = [row for row in range(len(legal)) if row not in few]
    width = max((len(_ids(legal[row])) for row in few), default=0)
    parts = [logits.logsumexp(-1)]
    if few:
        parts.append(_gathered(logits, few, [_ids(legal[row]) for row in few], width).reshape(-1))
    if many:
        parts.append(_best(logits, many, [legal[row] for row in many]).reshape(-1))
    if along is not None:
        parts.append(along.reshape(-1))
    fetched = torch.cat(parts).cpu().numpy()
    whole, few_scores, many_scores, rest = np.split(
        fetched, np.cumsum([len(legal), len(few) * width, len(many) * 3]).tolist()
    )
    choices: dict[int, Choice] = {}
    for row, scores in zip(few, few_scores.reshape(len(few), width), strict=True):
        choices[row] = _among_few(_ids(legal[row]), scores, float(whole[row]))
    for row, (token, score, total) in zip(many, many_scores.reshape(len(many), 3), strict=True):
        mass = float(np.exp(min(total - whole[row], 0.0)))
        choices[row] = Choice(int(token), float(min(score - total, 0.0)), mass)
    return [choices[row] for row in range(len(legal))], None if along is None else rest.reshape(along.shape)


def log_softmax(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Natural logarithms of the probabilities that `scores` stand for."""
    exact = scores.astype(np.float64) - float(scores.max())
    shifted: npt.NDArray[np.float64] = exact - np.log(np.exp(exact).sum())
    return shifted


def _ids(legal: Legal | None) -> npt.NDArray[np.int64]:
    assert legal is not None
    assert legal.ids is not None
    return legal.ids


def _among_few(ids: npt.NDArray[np.int64], scores: npt.NDArray[np.float32], whole: float) -> Choice:
    scores = scores[: len(ids)]
    log_ps = log_softmax(scores)
    best = int(scores.argmax())
    total = float(scores[best]) - float(log_ps[best])
    return Choice(int(ids[best]), float(log_ps[best]), float(np.exp(min(total - whole, 0.0))), ids, log_ps)


def _gathered(logits: Tensor, rows: list[int], ids: list[npt.NDArray[np.int64]], width: int) -> Tensor:
    """Logits of the ids of each row, shape [len(rows), width]; what pads the shorter ones is to be ignored."""
    padded = np.zeros((len(rows), width), np.int64)
    for index, each in enumerate(ids):
        padded[index, : len(each)] = each
    scores = logits[rows] if len(rows) < len(logits) else logits
    return scores.gather(1, torch.from_numpy(padded).to(logits.device))


def _best(logits: Tensor, rows: list[int], legal: list[Legal | None]) -> Tensor:
    """Best token, its logit and the log-sum of all legal logits, shape [len(rows), 3]."""
    masked = logits[rows] if len(rows) < len(logits) else logits
    if any(each is not None for each in legal):
        masked = masked.masked_fill(~_mask(legal, logits), -torch.inf)
    score, token = masked.max(-1)
    # An id is below 2^24, so float32 holds it exactly.
    return torch.stack([token.float(), score, masked.logsumexp(-1)], 1)


def _mask(legal: list[Legal | None], logits: Tensor) -> Tensor:
    vocab_size = logits.shape[-1]
    size = (vocab_size + 7) // 8
    packed = np.full((len(legal), size), 255, np.uint8)
    for index, each in enumerate(legal):
        if each is not None:
            packed[index] = each.bits[:size]
    if logits.device.type == "cpu":
        bits = np.unpackbits(packed, axis=1, bitorder="little")[:, :vocab_size]
        return torch.from_numpy(bits.view(np.bool_))
    # An eighth of the bytes goes up; the bits are spread out on the device.
    return spread_bits(torch.from_numpy(packed).to(logits.device, non_blocking=True), vocab_size)


def spread_bits(packed: Tensor, vocab_size: int) -> Tensor:
    """Bits of uint8, lowest first, as booleans of shape [rows, vocab_size], where `packed` is."""
    places = torch.arange(8, dtype=torch.uint8, device=packed.device)
    spread = (packed[:, :, None] >> places) & 1
    return spread.reshape(len(packed), -1)[:, :vocab_size].bool()

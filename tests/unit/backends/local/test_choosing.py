import math

import numpy as np
import pytest
import torch

from vvlm_desktop.backends.local.choosing import choose, log_softmax, spread_bits
from vvlm_desktop.backends.local.grammar import Legal

VOCABULARY = 1_003


def legal(*tokens):
    mask = np.zeros(1_008, np.bool_)
    mask[list(tokens)] = True
    return Legal.from_bits(np.packbits(mask, bitorder="little").tobytes())


MANY = legal(*range(5, 900))
FEW = legal(3, 700, 1_002)


@pytest.mark.parametrize(
    "rows", [[FEW], [MANY], [None], [FEW, MANY, None, FEW], [MANY, FEW], [legal(9), FEW]], ids=range(6)
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_best_legal_token_with_its_probability_and_mass(rows, dtype):
    logits = (torch.randn(len(rows), VOCABULARY, generator=torch.Generator().manual_seed(1)) * 4).to(dtype)
    along = torch.arange(len(rows) * 2, dtype=torch.float32).reshape(len(rows), 2)
    choices, fetched = choose(logits, rows, along=along)
    assert fetched.tolist() == along.tolist()
    for scores, allowed, choice in zip(logits.double(), rows, choices, strict=True):
        ids = range(VOCABULARY) if allowed is None else np.flatnonzero(allowed.mask(VOCABULARY)).tolist()
        probabilities = scores.softmax(0)[list(ids)]
        mass = float(probabilities.sum())
        assert choice.token == ids[int(probabilities.argmax())]
        assert choice.mass == pytest.approx(mass, rel=1e-4)
        assert choice.log_p == pytest.approx(math.log(float(probabilities.max()) / mass), abs=1e-4)
        if allowed is FEW:
            assert np.exp(choice.log_ps).tolist() == pytest.approx((probabilities / mass).tolist(), abs=1e-5)


def test_a_mass_is_never_above_one_and_a_probability_neither():
    logits = torch.zeros(2, VOCABULARY)
    logits[:, 7] = 90.0
    for choice in choose(logits, [None, legal(7)])[0]:
        assert choice.mass <= 1.0
        assert choice.log_p <= 0.0


def test_log_softmax_of_large_scores():
    assert np.exp(log_softmax(np.array([1e4, 1e4], np.float32))).tolist() == pytest.approx([0.5, 0.5])


def test_bits_are_spread_as_numpy_does_it():
    packed = np.random.default_rng(0).integers(0, 256, (3, 126), dtype=np.uint8)
    expected = np.unpackbits(packed, axis=1, bitorder="little")[:, :VOCABULARY].astype(bool)
    assert spread_bits(torch.from_numpy(packed), VOCABULARY).numpy().tolist() == expected.tolist()

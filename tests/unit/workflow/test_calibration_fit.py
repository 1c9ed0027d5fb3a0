"""The ends of curves of free shape: no percentage rests on a handful of answers."""

import random

import pytest

from vvlm_desktop.workflow.calibration_fit import ISOTONIC_FROM, fit_curve
from vvlm_desktop.workflow.calibration_pairs import Pair


@pytest.mark.parametrize("seed", range(6))
def test_a_few_right_answers_at_the_very_top_do_not_make_certainty(seed):
    chance = random.Random(seed)
    surest = sorted((0.9 + 0.0999 * chance.random() for _ in range(ISOTONIC_FROM)), reverse=True)
    pairs = []
    for place, confidence in enumerate(surest):
        right = place < 3 or chance.random() < (0.7 if confidence > 0.95 else 0.5)  # the three surest are right
        pairs.append(Pair(confidence, right, "event", str(place % 40)))
    curve = fit_curve(pairs)
    assert curve is not None
    assert curve.method == "isotonic"
    assert curve.apply(1.0) < 0.93
    assert curve.apply(0.9) > 0.2

import pytest

from vvlm_desktop.domain.statistics import bootstrapped, mcnemar, wilson


def test_wilson_as_in_the_textbook():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)


def test_mcnemar_is_the_exact_binomial():
    assert mcnemar(0, 6) == pytest.approx(2 / 64)
    assert mcnemar(3, 3) == 1.0
    assert mcnemar(0, 0) == 1.0


def test_bootstrap_holds_the_measure_and_is_the_same_each_time():
    rows = [0.0] * 40 + [1.0] * 60
    value, low, high = bootstrapped(rows, lambda each: sum(each) / len(each))
    assert value == 0.6
    # The normal interval of 60 of 100 is 0.504 to 0.696.
    assert low == pytest.approx(0.504, abs=0.03)
    assert high == pytest.approx(0.696, abs=0.03)
    assert bootstrapped(rows, lambda each: sum(each) / len(each)) == (value, low, high)


def test_a_stricter_level_gives_a_wider_interval():
    rows = [float(number % 3) for number in range(50)]
    _, low, high = bootstrapped(rows, lambda each: sum(each) / len(each))
    _, lower, higher = bootstrapped(rows, lambda each: sum(each) / len(each), level=0.01)
    assert lower < low < high < higher


def test_nothing_cannot_be_resampled():
    with pytest.raises(ValueError, match="nothing"):
        bootstrapped([], len)

import cv2
import numpy as np
import pytest

from vvlm_desktop.video.ego_motion import EgoMotion

WIDTH, HEIGHT = 320, 180


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(2)
    coarse = rng.integers(0, 255, (60, 100), dtype=np.uint8)
    return cv2.resize(coarse, (600, 360), interpolation=cv2.INTER_CUBIC)


def view(scene, *, right=0.0, down=0.0, scale=1.0):
    """The middle of the scene, moved right and down by pixels and grown by `scale`."""
    move = np.array(
        [
            [scale, 0, WIDTH / 2 - scale * 300 + right],
            [0, scale, HEIGHT / 2 - scale * 180 + down],
        ]
    )
    return cv2.warpAffine(scene, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)


def motion(before, after, gap_s=0.1):
    ego = EgoMotion()
    assert np.isnan(ego.update(before, 5.0).forward)
    return ego.update(after, 5.0 + gap_s)


@pytest.mark.parametrize("growth", [0.01, 0.03, -0.02])
def test_growth_is_measured_per_second(scene, growth):
    found = motion(view(scene), view(scene, scale=1 + growth))
    assert found.forward == pytest.approx(growth / 0.1, rel=0.15)
    assert abs(found.yaw) < 0.02


@pytest.mark.parametrize("right", [-12.0, -3.0, 0.5, 8.0])
def test_a_view_that_moves_left_is_a_turn_to_the_right(scene, right):
    found = motion(view(scene), view(scene, right=right))
    assert found.yaw == pytest.approx(-right / WIDTH / 0.1, rel=0.1, abs=0.003)
    assert found.forward == pytest.approx(0.0, abs=0.02)
    assert found.still > 0.8  # the whole picture moves, nothing moves within it


def test_turn_growth_and_nod_are_told_apart(scene):
    found = motion(view(scene), view(scene, right=5, down=-4, scale=1.02))
    assert found.yaw == pytest.approx(-5 / WIDTH / 0.1, rel=0.15)
    assert found.forward == pytest.approx(0.2, rel=0.2)
    assert np.nanmedian(found.shift_y) == pytest.approx(-4 / WIDTH, rel=0.15)


def test_one_that_stands_is_still_although_a_car_passes(scene):
    before, after = view(scene), view(scene)
    before[60:120, 40:110], after[60:120, 52:122] = scene[:60, :70], scene[:60, :70]
    found = motion(before, after)
    assert found.forward == pytest.approx(0.0, abs=0.01)
    assert found.yaw == pytest.approx(0.0, abs=0.005)
    assert found.still > 0.6


def test_a_car_that_takes_half_the_view_along_is_no_turn(scene):
    before, after = view(scene), view(scene)
    before[20:170, 0:150], after[20:170, 10:160] = scene[:150, :150], scene[:150, :150]
    assert abs(motion(before, after).yaw) < 0.02


def test_the_burnt_in_clock_does_not_count_as_standing(scene):
    before, after = view(scene), view(scene, right=6)
    for picture in (before, after):
        cv2.putText(picture, "2026-03-01 12:00:00 SPEED 50", (2, 177), cv2.FONT_HERSHEY_PLAIN, 1.0, 255)
        cv2.putText(picture, "CAMERA", (2, 12), cv2.FONT_HERSHEY_PLAIN, 1.0, 255)
    assert motion(before, after).yaw == pytest.approx(-6 / WIDTH / 0.1, rel=0.1)


@pytest.mark.parametrize(
    ("before", "after", "gap_s"),
    [
        (np.full((HEIGHT, WIDTH), 90, np.uint8), np.full((HEIGHT, WIDTH), 90, np.uint8), 0.1),
        (np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint8), 0.1),
        (np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((WIDTH, HEIGHT), np.uint8), 0.1),
    ],
    ids=["even", "tiny", "another size"],
)
def test_where_nothing_can_be_followed_nothing_is_claimed(before, after, gap_s):
    found = motion(before, after, gap_s)
    assert np.isnan([found.forward, found.yaw, found.still, *found.shift_x]).all()


@pytest.mark.parametrize("gap_s", [0.0, -1.0, 3.0])
def test_across_a_gap_or_backwards_nothing_is_measured(scene, gap_s):
    assert np.isnan(motion(view(scene), view(scene), gap_s).forward)


def test_unrelated_pictures_give_no_jump(scene):
    rng = np.random.default_rng(8)
    other = cv2.resize(rng.integers(0, 255, (60, 100), dtype=np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    found = motion(view(scene), other)
    assert found.tracked < 30
    assert np.isnan(found.shift_x).sum() >= 2

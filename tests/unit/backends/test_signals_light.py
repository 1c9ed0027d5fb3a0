import cv2
import numpy as np
import pytest

from tests.unit.backends.scenes import constant, pictures, write


@pytest.fixture(scope="module")
def drive():
    return list(pictures(constant(8.0), seconds=2.0))


@pytest.fixture
def look(tmp_path, analyse, drive):
    """Analyse one and the same drive, seen through `change`."""

    def run(change=lambda frame, _i: frame):
        return analyse(write(tmp_path / "clip.mp4", [change(frame, i) for i, frame in enumerate(drive)]))

    return run


def night(frame, _i):
    """Dark but for a cone of light on the road and a few lamps."""
    height, width = frame.shape
    y, x = np.mgrid[0:height, 0:width]
    cone = np.clip(1.2 - np.abs(x - width / 2) / 60, 0, 1) * np.clip((y - 100) / 30, 0, 1)
    dark = frame * (0.02 + 0.9 * cone)
    dark[80:86, 100:106] = dark[82:86, 200:204] = 255
    return dark.astype(np.uint8)


def test_a_bright_sky_over_a_grey_road_is_day_and_normal(look):
    labels = look().labels
    assert labels["time_of_day"] == "day"
    assert labels["light_conditions"] == "normal"
    assert labels["visibility"] == "good"
    assert "camera_problem" not in labels, "dirt and drops cannot be measured, so nothing is ruled out"


def test_a_cone_of_light_in_the_dark_is_night_and_dark(look):
    answer = look(night)
    assert answer.labels["time_of_day"] == "night"
    assert answer.labels["light_conditions"] == "dark"
    assert "visibility" not in answer.labels
    assert answer.labels.get("camera_problem") is None


def test_halos_that_fill_the_picture_at_night_are_glare(look):
    def dazzled(frame, i):
        dark = night(frame, i)
        y, x = np.mgrid[0 : frame.shape[0], 0 : frame.shape[1]]
        dark[np.hypot(x - 150, y - 85) < 38] = 255
        return dark

    assert look(dazzled).labels["light_conditions"] == "glare"


def test_a_white_road_is_washed_out(look):
    assert look(lambda frame, _i: np.clip(frame.astype(int) * 3, 0, 255).astype(np.uint8)).labels[
        "light_conditions"
    ] == ("bright")


def test_between_day_and_night_it_does_not_say(look):
    answer = look(lambda frame, _i: (frame * 0.42).astype(np.uint8))
    assert answer.labels.get("time_of_day") not in {"day", "night"}


def test_fog_takes_good_sight_away(look):
    """The haze of 60 m of sight, by distance: nothing is left at the horizon."""

    def fog(frame, _i):
        y = np.arange(frame.shape[0], dtype=np.float32)[:, None] - frame.shape[0] / 2
        distance_m = np.where(y > 1, 1.3 * 160 / np.maximum(y, 1), 1e3)
        let_through = np.exp(-3 * distance_m / 60)
        return (frame * let_through + 190 * (1 - let_through)).astype(np.uint8)

    assert look(fog).labels["visibility"] == "bad"


def test_a_blurred_lens_is_out_of_focus_in_spite_of_a_crisp_clock(look):
    def soft(frame, i):
        blurred = cv2.GaussianBlur(frame, (0, 0), 3.5)
        cv2.putText(blurred, f"2026-03-01 12:00:{i:02}", (5, 176), cv2.FONT_HERSHEY_PLAIN, 0.9, 255)
        return blurred

    answer = look(soft)
    assert answer.labels["camera_problem"] == ["unfocused"]
    assert answer.labels["visibility"] == "bad"


def test_half_the_view_behind_dirt_is_obstructed(look):
    def covered(frame, _i):
        frame = frame.copy()
        frame[:, 170:] = 95
        return frame

    answer = look(covered)
    assert answer.labels["camera_problem"] == ["obstructed"]
    assert answer.labels["visibility"] == "bad"
    assert answer.confidence["camera_problem"] <= 0.8


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_picture_is_a_loss_and_nothing_else_is_said_of_it(look, level):
    answer = look(lambda frame, _i: np.full_like(frame, level))
    assert answer.labels == {"visibility": "bad", "camera_problem": ["picture_loss"]}


def test_a_loss_in_between_is_found(look):
    answer = look(lambda frame, i: frame * (not 10 <= i < 18))
    assert answer.labels["camera_problem"] == ["picture_loss"]


def test_a_covered_lens_with_sensor_noise_is_not_called_night(look):
    rng = np.random.default_rng(3)
    answer = look(lambda frame, _i: rng.integers(0, 9, frame.shape, dtype=np.uint8))
    assert "time_of_day" not in answer.labels


def test_every_confidence_says_it_is_a_margin_and_none_is_certain(look):
    answer = look()
    assert answer.confidence_kind == "measured_margin"
    assert set(answer.confidence) == set(answer.labels)
    assert all(0.5 <= value <= 0.95 for value in answer.confidence.values())


def test_it_never_claims_what_it_cannot_measure(look):
    for answer in (look(), look(night)):
        assert set(answer.labels) <= {
            "time_of_day",
            "light_conditions",
            "visibility",
            "intended_driving_action",
            "camera_problem",
        }
        assert answer.provenance == "measurement"

import numpy as np
import pytest

from tests.unit.backends.scenes import FPS, constant, pictures, write
from vvlm_desktop.video.curves import load_npz


@pytest.fixture
def drive(tmp_path, analyse):
    """Analyse a drive; gives the answer and the curves."""

    def run(speed_mps, *, fps=FPS, sound=None, **changes):
        path = write(tmp_path / "drive.mp4", pictures(speed_mps, fps=fps, **changes), fps=fps, sound=sound)
        answer = analyse(path, curves=tmp_path / "c.npz")
        return answer, load_npz(tmp_path / "c.npz")

    return run


def middle(values):
    return float(np.nanmedian(values))


def test_driving_forward_grows_and_is_straight(drive):
    answer, curves = drive(constant(12.0))
    assert middle(curves.forward) > 0.2
    assert abs(middle(curves.yaw)) < 0.01
    assert answer.labels["intended_driving_action"] == ["go_straight"]
    assert answer.candidates == ()


def test_twice_the_speed_is_about_twice_the_growth(drive):
    slow, fast = (middle(drive(constant(v), seconds=2.0)[1].forward) for v in (4.0, 8.0))
    assert fast / slow == pytest.approx(2.0, rel=0.35)


def test_a_view_that_shrinks_is_not_called_driving_forward(drive):
    answer, curves = drive(constant(-8.0))
    assert middle(curves.forward) < -0.1
    assert "intended_driving_action" not in answer.labels


@pytest.mark.parametrize(("rate", "action"), [(0.35, "turn_right"), (-0.35, "turn_left")])
def test_a_corner_is_a_turn_to_its_side(drive, rate, action):
    # 20 degrees a second for 4.5 seconds: a right angle.
    answer, curves = drive(constant(6.0), seconds=6.0, yaw_rate=lambda t: rate if 0.8 < t < 5.3 else 0.0)
    # A lens of 90 degrees: in the middle of the picture a width is two radians.
    assert middle(curves.yaw[30:60]) == pytest.approx(rate / 2, rel=0.3)
    assert answer.labels["intended_driving_action"] == [action]


def test_a_highway_bend_is_no_corner(drive):
    # 30 m/s through a bend of 500 m.
    answer, _ = drive(constant(30.0), seconds=6.0, yaw_rate=constant(0.06))
    assert not {"turn_left", "turn_right"} & set(answer.labels.get("intended_driving_action", []))


def test_a_hard_stop_is_a_moment_with_its_numbers_and_a_stop(drive):
    answer, _ = drive(lambda t: float(np.clip(12.0 - 8.0 * (t - 2.5), 0.0, 12.0)), seconds=6.0)
    (moment,) = answer.candidates
    assert moment.kind == "sudden_stop"
    assert 2300 <= moment.start_ms <= 3700
    assert 3300 <= moment.end_ms <= 4500
    assert moment.reason.startswith("sudden stop: forward motion fell by ")
    assert " % in " in moment.reason
    assert answer.labels["intended_driving_action"] == ["go_straight", "stop"]
    assert answer.attention > 0.4


def test_a_gentle_stop_is_a_stop_but_no_moment(drive):
    answer, _ = drive(lambda t: float(np.clip(12.0 - 1.7 * (t - 0.5), 0.0, 12.0)), seconds=9.5)
    assert answer.candidates == ()
    assert "stop" in answer.labels["intended_driving_action"]


def test_standing_with_nothing_moving_is_parked(drive):
    answer, curves = drive(constant(0.0))
    assert abs(middle(curves.forward)) < 0.01
    assert answer.labels["intended_driving_action"] == ["parked"]


def test_standing_in_traffic_is_not_called_parked(tmp_path, analyse):
    frames = list(pictures(constant(0.0)))
    for i, frame in enumerate(frames):
        left = (i * 9) % 250
        frame[80:130, left : left + 70] = 230
        frame[90:120, left + 10 : left + 60] = 40
    answer = analyse(write(tmp_path / "clip.mp4", frames))
    assert "intended_driving_action" not in answer.labels


def test_a_blow_is_a_jolt_where_it_happens(drive):
    answer, curves = drive(constant(10.0), pitch=lambda t: 0.06 if 2.0 <= t < 2.1 else 0.0)
    jolts = [moment for moment in answer.candidates if moment.kind == "jolt"]
    assert len(jolts) == 1
    assert 1850 <= jolts[0].start_ms <= jolts[0].end_ms <= 2300
    # 0.06 radians are 0.03 widths of a lens of 90 degrees.
    assert np.nanmax(curves.jolt) == pytest.approx(0.03, rel=0.35)
    assert "3." in jolts[0].reason or "2." in jolts[0].reason


def test_a_car_that_crosses_is_no_jolt(tmp_path, analyse):
    frames = list(pictures(constant(8.0)))
    for i, frame in enumerate(frames):
        left = -150 + i * 14
        if 0 <= left < 200:
            frame[60:160, left : left + 120] = 230
            frame[70:150, left + 20 : left + 100 : 12] = 30
    answer = analyse(write(tmp_path / "clip.mp4", frames))
    assert [moment for moment in answer.candidates if moment.kind == "jolt"] == []


def test_a_rocking_ride_is_not_one_jolt_after_the_other(drive):
    answer, _ = drive(constant(10.0), pitch=lambda t: 0.01 * np.sin(9 * t))
    assert answer.candidates == ()


def test_the_frame_rate_does_not_change_what_is_said(drive):
    slow, fast = drive(constant(10.0), seconds=2.0), drive(constant(10.0), seconds=2.0, fps=60)
    assert middle(fast[1].forward) == pytest.approx(middle(slow[1].forward), rel=0.25)
    assert slow[0].labels["intended_driving_action"] == fast[0].labels["intended_driving_action"]
    assert len(fast[1]) == pytest.approx(len(slow[1]), abs=3)


def test_too_short_for_a_drive_is_left_open(drive):
    answer, _ = drive(constant(10.0), seconds=1.0)
    assert "intended_driving_action" not in answer.labels


def test_a_bang_is_a_sound_peak(drive):
    rng = np.random.default_rng(5)
    sound = rng.normal(0.0, 0.01, 16_000 * 4)
    sound[32_000:33_600] *= 60.0
    answer, curves = drive(constant(10.0), sound=sound)
    (moment,) = answer.candidates
    assert moment.kind == "sound_peak"
    assert 1900 <= moment.start_ms <= 2100
    assert "dB above" in moment.reason
    assert np.nanmax(curves.sound) > np.nanmedian(curves.sound) + 15


def test_talk_is_no_sound_peak(drive):
    rng = np.random.default_rng(6)
    loud = np.repeat(rng.choice([0.01, 0.05, 0.2], 4 * 8), 2_000)
    answer, _ = drive(constant(10.0), sound=rng.normal(0.0, 1.0, 64_000) * loud)
    assert answer.candidates == ()

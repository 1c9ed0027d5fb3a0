"""The axes of what was measured in picture and sound: from where to where, in which unit."""

from __future__ import annotations

import numpy as np

from vvlm_desktop.ui.review.timeline_build import curve_lanes
from vvlm_desktop.video.curves import Curves


def measured(**changed) -> Curves:
    flat = np.full(4, 0.25, np.float32)
    fields = dict.fromkeys(("brightness", "contrast", "sharpness", "motion", "forward", "yaw", "jolt"), flat)
    return Curves(**{"pts": np.arange(4), "t_s": np.arange(4, dtype=np.float32), **fields, **changed})


def lanes(curves: Curves):
    return {lane.name: lane for lane in curve_lanes(curves)}


def test_every_lane_has_an_axis_a_unit_and_says_what_it_is():
    sound = np.array([-60, -58, -40, -20.6], np.float32)
    found = lanes(measured(motion=np.array([0, 0.02, 0.084, 0.01], np.float32), sound=sound))
    assert found["motion"].scale == "0–8 %"
    assert found["brightness"].scale == "0–100 %"
    assert found["sound"].scale == "−63…−21 dBFS"
    assert all(lane.help for lane in found.values())


def test_value_under_the_pointer_has_the_unit_of_the_axis():
    found = lanes(measured(motion=np.array([0, 0.02, 0.084, 0.01], np.float32)))
    assert found["motion"].text_at(2.0) == "8.40 %"
    assert found["brightness"].text_at(1.0) == "25 %"
    assert "sound" not in found


def test_noise_of_a_car_that_stands_does_not_fill_the_row():
    still = lanes(measured(motion=np.array([0, 0.001, 0.002, 0.001], np.float32)))["motion"]
    assert still.scale == "0.0–1.0 %"
    assert still.level.max() < 0.25
    nothing = lanes(measured(motion=np.full(4, np.nan, np.float32)))
    assert "motion" not in nothing

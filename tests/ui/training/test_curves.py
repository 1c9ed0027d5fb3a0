"""The plot: ticks, thinning, cursor, zoom, words for those who cannot see it."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.curves import Curves
from vvlm_desktop.ui.training.plot_card import PlotCard
from vvlm_desktop.ui.training.plot_paint import curve
from vvlm_desktop.ui.training.plot_scale import (
    as_arrays,
    number_words,
    smoothed,
    thinned,
    tick_words,
    ticks,
    value_at,
    value_range,
)
from vvlm_desktop.ui.training.plot_style import CurveStyle, style_of

LINE = CurveStyle()


@pytest.fixture
def plot(qtbot, look):
    made = Curves("Loss")
    qtbot.addWidget(made)
    made.resize(500, 240)
    made.show_curves(
        [
            curve("a", "Loss", [(step, 2.0 - step / 100) for step in range(1, 101)], LINE),
            curve("b", "Validation", [(50, 1.6), (100, 1.2)], style_of(1)),
        ]
    )
    made.show()
    return made


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.31, 0.34, [0.31, 0.315, 0.32, 0.325, 0.33, 0.335, 0.34])],
)
def test_ticks_are_round_numbers_within_the_range(low, high, found):
    assert ticks(low, high) == pytest.approx(found)


def test_ticks_of_steps_are_whole_however_few_there_are():
    assert ticks(1, 3, most=8, whole=True) == [1, 2, 3]
    assert ticks(0, 5000, whole=True) == [0, 1000, 2000, 3000, 4000, 5000]


def test_tick_words_tell_neighbours_apart():
    for values in ([0.31, 0.315, 0.32], [1000.0, 2000.0], [1e-5, 1.5e-5, 2e-5], [0.0, 2.5, 5.0]):
        words = tick_words(values, "number")
        assert len(set(words)) == len(values), words
    assert tick_words([0.0, 0.5], "share") == ["0 %", "50 %"]


def test_numbers_are_read_in_their_unit():
    assert number_words(0.51234, "number") == "0.5123"
    assert number_words(0.5, "share") == "50.0 %"
    assert number_words(2.5e-5, "number") == "2.5e-5"


def test_thinning_keeps_every_peak_that_a_screen_could_show():
    chance = random.Random(1)
    points = [(step, chance.random()) for step in range(20_000)]
    points[12_345] = (12_345, 9.0)
    points[777] = (777, -9.0)
    xs, ys = as_arrays(points)
    across, down = thinned(xs, ys, low=0, high=19_999, columns=300)
    assert len(across) < 1300
    assert (down.max(), down.min()) == (9.0, -9.0)
    assert np.all(np.diff(across) >= 0)


def test_thinning_of_a_range_keeps_one_point_beyond_each_end():
    xs, ys = as_arrays([(step, step) for step in range(100)])
    across, _ = thinned(xs, ys, low=10, high=20, columns=300)
    assert (across[0], across[-1]) == (9, 21)


def test_smoothing_follows_the_mean_and_keeps_the_steps():
    chance = random.Random(2)
    points = [(step, 1.0 + chance.uniform(-0.5, 0.5)) for step in range(1, 2001)]
    found = smoothed(points)
    assert [step for step, _ in found] == [step for step, _ in points]
    assert all(abs(value - 1.0) < 0.2 for _, value in found[200:])


def test_what_is_no_number_is_left_out():
    xs, ys = as_arrays([(1, 1.0), (2, math.nan), (3, math.inf), (4, 2.0)])
    assert xs.tolist() == [1, 4]
    assert ys.tolist() == [1.0, 2.0]
    assert [value for _, value in smoothed([(n, math.nan if n == 3 else 1.0) for n in range(8)])] == [1.0] * 7


def test_value_before_the_first_point_is_unknown():
    xs, ys = as_arrays([(50, 1.6), (100, 1.2)])
    assert value_at(xs, ys, 49) is None
    assert value_at(xs, ys, 99) == (50, 1.6)


def test_one_value_alone_gets_room_around_it():
    low, high = value_range([np.array([0.7])])
    assert low < 0.7 < high


def test_styles_differ_in_more_than_colour():
    every = [style_of(number) for number in range(20)]
    assert len({(style.shape, style.dash) for style in every}) == 20


def test_description_says_the_newest_values_until_there_is_a_cursor(plot):
    assert plot.accessibleName() == "Loss"
    assert plot.accessibleDescription() == "Step 100: Loss 1.0000, Validation 1.2000"
    plot.point_at(60)
    assert plot.accessibleDescription() == "Step 60: Loss 1.4000, Validation 1.6000 (of step 50)"


def test_arrow_keys_walk_from_step_to_step(plot, qtbot):
    told = []
    plot.cursor_moved.connect(told.append)
    plot.setFocus()
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Right, Qt.Key.Key_Right):
        QTest.keyClick(plot, key)
    QTest.keyClick(plot, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(plot, Qt.Key.Key_Left)
    assert told == [1, 2, 3, 13, 12]
    QTest.keyClick(plot, Qt.Key.Key_End)
    assert plot.cursor_step == 100


def test_mouse_finds_the_nearest_step(plot):
    frame = plot.frame()
    QTest.mouseMove(plot, QPoint(round(frame.x(40)), 100))
    assert abs(plot.cursor_step - 40) <= 1


def test_dragging_zooms_and_a_double_click_shows_all(plot):
    told = []
    plot.range_changed.connect(told.append)
    frame = plot.frame()
    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(frame.x(20)), 90))
    QTest.mouseMove(plot, QPoint(round(frame.x(60)), 90))
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(frame.x(60)), 90))
    assert plot.range == pytest.approx((20, 60), abs=1)
    values = plot.frame().values
    assert values[1] < 2.0, "the values fit what is zoomed into"
    QTest.mouseDClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(100, 90))
    assert plot.range is None
    assert told[-1] is None


def test_keys_zoom_around_the_cursor_and_back(plot):
    plot.setFocus()
    QTest.keyClick(plot, Qt.Key.Key_End)
    QTest.keyClick(plot, Qt.Key.Key_Plus)
    low, high = plot.range
    assert high == 100
    assert low > 20
    QTest.keyClick(plot, Qt.Key.Key_0)
    assert plot.range is None


def test_a_click_alone_does_not_zoom(plot):
    QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(200, 90))
    assert plot.range is None


def test_copied_numbers_are_a_line_for_each_step(plot):
    plot.copy_numbers()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0] == "step,Loss,Validation"
    assert lines[50] == "50,1.5,1.6"
    assert lines[51] == "51,1.49,"
    assert len(lines) == 101


def test_thousands_of_points_are_drawn_once_while_the_cursor_moves(plot, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "vvlm_desktop.ui.training.curves.paint_curve", lambda _painter, _frame, of: drawn.append(of.key)
    )
    plot.show_curves([curve("many", "Loss", [(step, step % 7) for step in range(50_000)], LINE)])
    for place in range(20):
        plot.point_at(place * 100)
        plot.grab()
    assert drawn == ["many"]
    plot.zoom((0, 1000))
    plot.grab()
    assert drawn == ["many", "many"]


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_curve_is_painted_in_the_theme_s_colour(plot, look, choice):
    look.choose(choice)
    picture = plot.grab().toImage()
    wanted = theme.colour("accent").rgb()
    found = sum(picture.pixel(x, y) == wanted for x in range(picture.width()) for y in range(0, picture.height(), 2))
    assert found > 20


def test_empty_plot_says_what_it_waits_for(qtbot, look):
    made = Curves("Loss", nothing="The first step is not done yet")
    qtbot.addWidget(made)
    made.show()
    made.grab()
    QTest.keyClick(made, Qt.Key.Key_Right)
    assert made.accessibleDescription() == "The first step is not done yet"


def test_legend_switches_a_curve_off_and_on(qtbot, look):
    card = PlotCard("Loss")
    qtbot.addWidget(card)
    card.show_curves([curve("a", "A", [(1, 1.0)], LINE), curve("b", "B", [(1, 2.0)], style_of(1))])
    card.items["a"].click()
    assert [each.key for each in card.curves.shown] == ["b"]
    card.show_curves([curve("a", "A", [(1, 1.0), (2, 1.0)], LINE), curve("b", "B", [(1, 2.0)], style_of(1))])
    assert [each.key for each in card.curves.shown] == ["b"], "more points do not bring it back"
    card.items["a"].click()
    assert [each.key for each in card.curves.shown] == ["a", "b"]


def test_of_many_curves_the_legend_names_those_that_are_shown(qtbot, look):
    card = PlotCard("Fields")
    qtbot.addWidget(card)
    card.show()
    many = [curve(str(n), f"Field {n}", [(1, 0.5)], style_of(n)) for n in range(12)]
    card.show_curves(many, hidden=[str(n) for n in range(3, 12)])
    assert list(card.items) == ["0", "1", "2"]
    assert card.choose.isVisible()
    card.set_shown("7", True)
    qtbot.waitUntil(lambda: list(card.items) == ["0", "1", "2", "7"])
    assert card.shown_keys == ["0", "1", "2", "7"]

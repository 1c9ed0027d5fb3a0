from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vvlm_desktop.domain.review import STATUSES
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets import marks
from vvlm_desktop.ui.widgets.buttons import IconButton, PrimaryButton
from vvlm_desktop.ui.widgets.chip import Chip
from vvlm_desktop.ui.widgets.empty_state import EmptyState, Offer
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout
from vvlm_desktop.ui.widgets.labels import ElidedLabel, KeyCap


def drawn(mark: str) -> bytes:
    image = QImage(24, 24, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    marks.paint_mark(painter, QRect(0, 0, 24, 24).toRectF(), mark, QColor("black"))
    painter.end()
    return bytes(image.constBits())


def test_every_mark_is_a_shape_of_its_own(qapp):
    pictures = {mark: drawn(mark) for mark in marks._DRAW}
    assert len(set(pictures.values())) == len(pictures)
    assert all(any(picture) for picture in pictures.values())


def test_every_status_has_a_word_and_a_shape():
    assert set(marks.STATUS_MARKS) == set(STATUSES)
    words = [word for word, _, _ in marks.STATUS_MARKS.values()]
    assert len(set(words)) == len(words)
    assert not any("_" in word for word in words)


def test_elided_label_says_the_whole_in_its_tooltip(look, qtbot):
    label = ElidedLabel("a very long name of a clip that does not fit")
    qtbot.addWidget(label)
    label.resize(60, 20)
    label.grab()
    assert label.toolTip() == label.text()
    label.resize(600, 20)
    label.grab()
    assert label.toolTip() == ""


def test_primary_button_tells_its_key_to_screen_readers(look, qtbot):
    button = PrimaryButton("Accept the rest, next clip", key="Enter")
    qtbot.addWidget(button)
    plain = button.sizeHint().width()
    assert button.accessibleName() == "Accept the rest, next clip (Enter)"
    button.set_key("")
    assert button.sizeHint().width() < plain


def test_icon_button_has_a_name_and_says_its_key(look, qtbot):
    clicks: list[int] = []
    button = IconButton("play", "Play", lambda: clicks.append(1), key="Space")
    qtbot.addWidget(button)
    assert (button.accessibleName(), button.toolTip()) == ("Play", "Play (Space)")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert clicks == [1]


def test_chip_takes_the_focus_only_where_it_can_be_clicked(look, qtbot):
    still, clickable = Chip("Day"), Chip("Glare", kind="doubtful", clickable=True)
    for chip in (still, clickable):
        qtbot.addWidget(chip)
    assert still.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert clickable.focusPolicy() == Qt.FocusPolicy.TabFocus
    assert clickable.accessibleName() == "Glare, doubtful"
    with qtbot.waitSignal(clickable.clicked):
        qtbot.keyClick(clickable, Qt.Key.Key_Space)


def test_empty_state_offers_its_first_button_as_the_primary(look, qtbot):
    done: list[str] = []
    empty = EmptyState(
        "library",
        "No clips yet",
        "Drop some.",
        [Offer("Open a folder…", lambda: done.append("folder")), Offer("Samples", lambda: done.append("samples"))],
    )
    qtbot.addWidget(empty)
    assert [button.property("kind") for button in empty.buttons] == ["primary", "normal"]
    for button in empty.buttons:
        button.click()
    assert done == ["folder", "samples"]


def test_flow_layout_goes_on_in_the_next_line(qtbot):
    holder = QWidget()
    qtbot.addWidget(holder)
    flow = FlowLayout(holder, gap=10)
    boxes = [QWidget() for _ in range(3)]
    for box in boxes:
        box.setFixedSize(QSize(40, 20))
        flow.addWidget(box)
    assert flow.heightForWidth(500) == 20
    assert flow.heightForWidth(100) == 50
    flow.setGeometry(QRect(0, 0, 100, 50))
    assert [(box.x(), box.y()) for box in boxes] == [(0, 0), (50, 0), (0, 30)]


def test_key_cap_is_at_least_square(look, qtbot):
    for key in ("1", "Ctrl+Shift+Z"):
        cap = KeyCap(key)
        qtbot.addWidget(cap)
        assert cap.sizeHint().width() >= cap.sizeHint().height()


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_widgets_paint_in_both_themes(look, qtbot, choice):
    look.choose(choice)
    page = QWidget()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    for widget in (PrimaryButton("Go", key="Enter"), Chip("x", kind="doubtful", mark="ring"), KeyCap("K")):
        column.addWidget(widget)
    picture = page.grab().toImage()
    assert theme.tokens().accent in {
        picture.pixelColor(x, y).name() for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)
    }

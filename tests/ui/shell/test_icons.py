from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtSvg import QSvgRenderer

from vvlm_desktop import paths
from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.page_list import PAGES

FILES = sorted((paths.resources_dir() / "icons").glob("*.svg"))
LINES = [file for file in FILES if file.stem != "app"]


def inks(image: QImage) -> set[str]:
    """Colours of the opaque pixels."""
    return {
        QColor(image.pixel(x, y)).name()
        for x in range(image.width())
        for y in range(image.height())
        if QColor.fromRgba(image.pixel(x, y)).alpha() == 255
    }


@pytest.mark.parametrize("file", LINES, ids=lambda f: f.stem)
def test_icon_is_a_line_drawing_in_the_current_colour(file):
    text = file.read_text()
    assert 'stroke="currentColor"' in text
    assert 'stroke-width="1.6"' in text
    assert "#" not in text
    assert QSvgRenderer(str(file)).isValid()


def test_app_icon_is_a_picture(qapp):
    assert not QIcon(str(paths.resources_dir() / "icons" / "app.svg")).pixmap(64, 64).isNull()


def test_every_page_has_its_icon():
    assert {page.icon for page in PAGES} <= set(icons.names())


def test_unknown_icon_is_refused():
    with pytest.raises(FileNotFoundError):
        icons.icon("no-such-icon")


def test_icon_follows_the_theme_without_being_given_again(look):
    icon = icons.icon("pause", "text")
    assert theme.DARK.text in inks(icon.pixmap(QSize(24, 24)).toImage())
    look.choose("light")
    assert theme.LIGHT.text in inks(icon.pixmap(QSize(24, 24)).toImage())


def test_icon_is_drawn_at_the_scale_of_the_screen(look):
    pixmap = icons.icon("play").pixmap(QSize(18, 18), 2.0)
    assert pixmap.size() == QSize(36, 36)
    assert pixmap.devicePixelRatio() == 2.0
    assert icons.pixmap("play", size_px=18, scale=2.0).size() == QSize(36, 36)

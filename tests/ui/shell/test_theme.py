from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPalette
from PySide6.QtWidgets import QLabel

from vvlm_desktop import paths
from vvlm_desktop.ui import theme

SURFACES = ("background", "panel", "raised", "selected")
INKS = ("text", "muted", "good", "doubtful", "bad", "model")


def luminance(colour: str) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(colour).getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_as_defined():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#777777") == pytest.approx(1.0)


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT], ids=lambda t: t.name)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("ink", INKS)
def test_text_is_readable_on_every_surface(tokens, ink, surface):
    assert contrast(getattr(tokens, ink), getattr(tokens, surface)) >= 4.5


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT], ids=lambda t: t.name)
def test_links_and_the_primary_button_are_readable(tokens):
    for surface in ("background", "panel", "raised"):
        assert contrast(tokens.accent, getattr(tokens, surface)) >= 4.5
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    assert contrast(tokens.on_accent, tokens.accent_hover) >= 4.5


def test_theme_switches_live(look, qapp):
    label = QLabel("text")
    look.choose("light")
    assert theme.tokens() is theme.LIGHT
    assert label.palette().color(QPalette.ColorRole.WindowText) == QColor(theme.LIGHT.text)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(theme.LIGHT.background)
    look.choose("dark")
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(theme.DARK.background)


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [(Qt.ColorScheme.Light, "light"), (Qt.ColorScheme.Dark, "dark"), (Qt.ColorScheme.Unknown, "dark")],
)
def test_system_choice_follows_the_system(look, monkeypatch, scheme, expected):
    class Hints:
        def colorScheme(self):
            return scheme

    monkeypatch.setattr(look, "_app", _AppWith(look._app, Hints()))
    look.choose("system")
    assert theme.tokens().name == expected


class _AppWith:
    def __init__(self, app, hints) -> None:
        self._app, self._hints = app, hints

    def styleHints(self):
        return self._hints

    def __getattr__(self, name):
        return getattr(self._app, name)


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT], ids=lambda t: t.name)
def test_style_sheet_leaves_no_name_unresolved(look, tokens, tmp_path: Path):
    sheet = theme.stylesheet(tokens, files=tmp_path)
    assert "@" not in sheet
    for file in re.findall(r"url\(([^)]+)\)", sheet):
        assert "currentColor" not in Path(file).read_text()


def test_no_colour_is_written_anywhere_else():
    package = Path(theme.__file__).parent
    offenders = [
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if file.name != "theme.py" and re.search(r"[\"']#[0-9a-fA-F]{3,8}[\"']|QColor\([\d\"']", file.read_text())
    ]
    assert not offenders
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", (paths.resources_dir() / "style" / "app.qss").read_text())


def test_sizes_follow_the_text_size_of_the_system(look, monkeypatch):
    assert [theme.font(role).pixelSize() for role in ("body", "small", "title")] == [13, 11, 16]
    monkeypatch.setattr(theme, "_body_px", 26)
    assert theme.font("title").pixelSize() == 32
    assert theme.px(10) == 20


def test_figures_are_of_equal_width(look):
    for role in ("body", "small", "title", "strong"):
        metrics = QFontMetricsF(theme.font(role))
        assert metrics.horizontalAdvance("11:11.11") == pytest.approx(metrics.horizontalAdvance("00:00.00"))

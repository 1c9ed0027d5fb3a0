"""Colours, spacing and type of the whole window; no colour is written anywhere else.

A widget that paints itself asks `tokens()` inside `paintEvent`; a theme change repaints every widget, so nothing
needs to be connected. Everything else is styled by `resources/style/app.qss`, whose `@names` are these tokens.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from vvlm_desktop import paths

ThemeChoice = Literal["system", "dark", "light"]
FontRole = Literal["body", "strong", "small", "title", "mono"]

#: Spacing in px: within a group, around it, around a page.
GAP, PAD, MARGIN = 8, 12, 16
RADIUS = 5


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme's colours, each by what it is for."""

    name: Literal["dark", "light"]
    background: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    selected: str
    good: str
    doubtful: str
    bad: str
    model: str
    #: behind pictures, whatever the theme: the eye judges a frame against black
    picture: str


DARK = Tokens(
    name="dark",
    background="#14171c",
    panel="#1b1f26",
    raised="#232932",
    line="#2d3440",
    text="#e6e9ee",
    muted="#98a2b3",
    accent="#4c9ffe",
    accent_hover="#6cb1ff",
    on_accent="#0c1420",
    selected="#22344b",
    good="#3fb68b",
    doubtful="#e0a83e",
    bad="#ee7d76",
    model="#a597f6",
    picture="#000000",
)
LIGHT = Tokens(
    name="light",
    background="#f3f5f8",
    panel="#ffffff",
    raised="#eef1f5",
    line="#d5dae2",
    text="#1b2230",
    muted="#566171",
    accent="#1769d6",
    accent_hover="#0f59ba",
    on_accent="#ffffff",
    selected="#dfeafb",
    good="#146f4e",
    doubtful="#855b00",
    bad="#b9352f",
    model="#5b45c9",
    picture="#000000",
)

_active: Tokens = DARK
_body_px = 13


def tokens() -> Tokens:
    """Colours of the theme in force; ask when painting, do not keep."""
    return _active


def colour(name: str, *, alpha: float = 1.0) -> QColor:
    """The token `name` as a colour to paint with."""
    result = QColor(getattr(_active, name))
    result.setAlphaF(alpha)
    return result


def px(size: float) -> int:
    """`size`, given for 13 px text, at the text size that the user's system asks for."""
    return round(size * _body_px / 13)


def font(role: FontRole = "body") -> QFont:
    """The application's font in one of the few sizes there are, with figures of equal width."""
    result = QFont(QApplication.font())
    if role == "mono":
        result.setFamilies(["monospace"])
        result.setStyleHint(QFont.StyleHint.Monospace)
    result.setPixelSize(px({"body": 13, "strong": 13, "small": 11, "title": 16, "mono": 12}[role]))
    result.setWeight(QFont.Weight.DemiBold if role in {"strong", "title"} else QFont.Weight.Normal)
    return result


class Theme(QObject):
    """Applies a theme to the application and follows the system's while the choice is "system"."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: ThemeChoice = "system") -> None:
        super().__init__(app)
        self._app = app
        self._choice: ThemeChoice = choice
        self._files = QTemporaryDir()
        app.setStyle("Fusion")
        self._set_font()
        app.styleHints().colorSchemeChanged.connect(self._on_scheme_changed)
        self._apply()

    @property
    def choice(self) -> ThemeChoice:
        """What the user chose."""
        return self._choice

    def choose(self, choice: ThemeChoice) -> None:
        """Switch at once."""
        self._choice = choice
        self._apply()

    def _on_scheme_changed(self) -> None:
        if self._choice == "system":
            self._apply()

    def _resolve(self) -> Tokens:
        if self._choice != "system":
            return DARK if self._choice == "dark" else LIGHT
        # Bare X11 and offscreen say Unknown; a reviewer's screen is dark unless the system says otherwise.
        return LIGHT if self._app.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK

    def _set_font(self) -> None:
        global _body_px  # noqa: PLW0603  one application, one text size
        base = QFont(self._app.font())
        _body_px = max(13, QFontInfo(base).pixelSize())
        base.setPixelSize(_body_px)
        base.setFeature(QFont.Tag("tnum"), 1)
        self._app.setFont(base)

    def _apply(self) -> None:
        global _active  # noqa: PLW0603  one application, one theme; widgets ask for it when they paint
        _active = self._resolve()
        self._app.setPalette(palette(_active))
        self._app.setStyleSheet(stylesheet(_active, files=Path(self._files.path())))
        self.changed.emit()


def palette(of: Tokens) -> QPalette:
    """What Fusion and custom painting take their colours from."""
    roles = {
        QPalette.ColorRole.Window: of.background,
        QPalette.ColorRole.WindowText: of.text,
        QPalette.ColorRole.Base: of.panel,
        QPalette.ColorRole.AlternateBase: of.raised,
        QPalette.ColorRole.Text: of.text,
        QPalette.ColorRole.PlaceholderText: of.muted,
        QPalette.ColorRole.Button: of.raised,
        QPalette.ColorRole.ButtonText: of.text,
        QPalette.ColorRole.BrightText: of.bad,
        QPalette.ColorRole.Highlight: of.selected,
        QPalette.ColorRole.HighlightedText: of.text,
        QPalette.ColorRole.Link: of.accent,
        QPalette.ColorRole.LinkVisited: of.accent,
        QPalette.ColorRole.ToolTipBase: of.raised,
        QPalette.ColorRole.ToolTipText: of.text,
        QPalette.ColorRole.Light: of.raised,
        QPalette.ColorRole.Midlight: of.line,
        QPalette.ColorRole.Mid: of.line,
        QPalette.ColorRole.Dark: of.line,
        QPalette.ColorRole.Shadow: of.background,
        QPalette.ColorRole.Accent: of.accent,
    }
    result = QPalette()
    for role, value in roles.items():
        result.setColor(role, QColor(value))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(of.muted))
    return result


def stylesheet(of: Tokens, *, files: Path) -> str:
    """The style sheet in the colours `of`; the few pictures it needs are written to `files`, tinted."""
    template = (paths.resources_dir() / "style" / "app.qss").read_text(encoding="utf-8")
    values = {key: str(value) for key, value in asdict(of).items()}

    def put(match: re.Match[str]) -> str:
        icon, ink, name = match.groups()
        if icon:
            return _tinted_file(icon, ink, of=of, folder=files)
        return f"{px(int(name))}px" if name.isdigit() else values[name]

    return re.sub(r"@icon\(([\w-]+),(\w+)\)|@(\w+)", put, template)


def _tinted_file(icon: str, ink: str, *, of: Tokens, folder: Path) -> str:
    """Path of `icon` in colour `ink`: style sheets take pictures only from files, and cannot tint them."""
    svg = (paths.resources_dir() / "icons" / f"{icon}.svg").read_text(encoding="utf-8")
    target = folder / f"{icon}-{ink}-{of.name}.svg"
    target.write_text(svg.replace("currentColor", str(getattr(of, ink))), encoding="utf-8")
    return target.as_posix()

"""Which lanes of the timeline are hidden, kept beside the window's place for the next time."""

from __future__ import annotations

from PySide6.QtCore import QSettings

from vvlm_desktop import paths
from vvlm_desktop.ui.review.timeline import Timeline

_KEY = "hidden_lanes"


def remember_lanes(timeline: Timeline) -> None:
    """Hide what was hidden, and keep what will be."""
    timeline.set_hidden(hidden_lanes())
    timeline.lanes_chosen.connect(keep_hidden)


def hidden_lanes() -> frozenset[str]:
    """Names of the lanes that were hidden."""
    kept = str(_kept().value(_KEY, "") or "")
    return frozenset(name for name in kept.split("\n") if name)


def keep_hidden(names: frozenset[str]) -> None:
    """Write them down."""
    paths.data_dir().mkdir(parents=True, exist_ok=True)
    kept = _kept()
    kept.setValue(_KEY, "\n".join(sorted(names)))
    kept.sync()


def _kept() -> QSettings:
    return QSettings(str(paths.data_dir() / "window.ini"), QSettings.Format.IniFormat)

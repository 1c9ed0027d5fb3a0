"""Which lanes of the timeline are shown, in much room and in little: kept beside the window's place."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSettings

from vvlm_desktop import paths
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_choice import LOW_CURVES, LaneChoice

_KEY, _LOW_KEY = "hidden_lanes", "low_lanes"


def remember_lanes(timeline: Timeline) -> None:
    """Show what was shown, and keep what will be."""
    kept = LaneChoice(_names(_KEY, frozenset()), _names(_LOW_KEY, LOW_CURVES))
    timeline.choose(replace(kept, compact=timeline.choice.compact))
    timeline.lanes_chosen.connect(lambda: keep_lanes(timeline))


def keep_lanes(timeline: Timeline) -> None:
    """Write down which are hidden, and which curves are shown where there is little room."""
    paths.data_dir().mkdir(parents=True, exist_ok=True)
    kept = _kept()
    kept.setValue(_KEY, "\n".join(sorted(timeline.choice.hidden)))
    kept.setValue(_LOW_KEY, "\n".join(sorted(timeline.choice.low)))
    kept.sync()


def _names(key: str, usual: frozenset[str]) -> frozenset[str]:
    kept = _kept()
    if not kept.contains(key):
        return usual
    return frozenset(name for name in str(kept.value(key, "") or "").split("\n") if name)


def _kept() -> QSettings:
    return QSettings(str(paths.data_dir() / "window.ini"), QSettings.Format.IniFormat)

"""The timeline's own actions: how closely it shows the clip, which lanes, and the edge that the arrows move."""

from __future__ import annotations

from collections.abc import Sequence

from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.review.timeline import Timeline


def timeline_actions(timeline: Timeline, *, page: str) -> Sequence[Action]:
    """Zoom by keys; the wheel does the same at the pointer."""
    group = "Timeline"
    return (
        Action(
            "review.timeline_closer",
            "Timeline: closer, down to single frames",
            lambda: timeline.zoom(1),
            ("Ctrl++", "Ctrl+="),
            page=page,
            group=group,
            auto_repeat=True,
        ),
        Action(
            "review.timeline_wider",
            "Timeline: wider",
            lambda: timeline.zoom(-1),
            ("Ctrl+-",),
            page=page,
            group=group,
            auto_repeat=True,
        ),
        Action(
            "review.timeline_all",
            "Timeline: the whole clip",
            lambda: timeline.zoom(0),
            ("Ctrl+0",),
            page=page,
            group=group,
        ),
        Action(
            "review.timeline_lanes",
            "Timeline: choose which lanes are shown",
            timeline.choose_lanes,
            ("Shift+L",),
            page=page,
            group=group,
        ),
        Action(
            "review.timeline_edge",
            "Timeline: take the nearest edge; arrows move it, Enter is done, Esc puts it back",
            timeline.hold_nearest_edge,
            ("Shift+E",),
            page=page,
            group=group,
        ),
    )

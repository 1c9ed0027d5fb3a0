"""The drive on the timeline: lanes of speed and force, and a map that moves with the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtWidgets import QHBoxLayout

from vvlm_desktop.ui.review.map_panel import DrivePanel
from vvlm_desktop.ui.review.playback import Playback
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_model import CurveLane, Sensed, curve
from vvlm_desktop.ui.review.transport import TransportBar
from vvlm_desktop.workflow.telemetry import Drive, with_gaps

SPEED_LANE, FORCE_LANE = "speed", "G-force"
#: More moments than these are noise; the strongest stay.
_MOST_MOMENTS = 12


class DriveDesk(DrivePanel):
    """The panel of the drive, joined with the timeline and what plays."""

    def __init__(
        self, *, timeline: Timeline, playback: Playback, seek: Callable[[int], object], caption: TransportBar
    ) -> None:
        super().__init__()
        self._timeline, self._playback, self._seek, self._caption = timeline, playback, seek, caption
        self.drive_changed.connect(self._on_drive)
        self.map.time_chosen.connect(self._on_time)
        timeline.menu_opened.connect(self.fill_menu)
        playback.position_changed.connect(self._on_position)
        playback.playing_changed.connect(timeline.set_playing)

    def row(self) -> QHBoxLayout:
        """The timeline with the panel beside it."""
        low = QHBoxLayout()
        low.setSpacing(0)
        low.addWidget(self._timeline, 1)
        low.addWidget(self)
        return low

    def _on_drive(self, drive: Drive | None) -> None:
        self._timeline.set_drive(drive_lanes(drive), drive_moments(drive))
        self._caption.set_satellites(drive.wall_clock if drive is not None else None)
        self._on_position(self._playback.position)

    def _on_time(self, seconds: float) -> None:
        source = self._playback.source
        if source is not None:
            self._seek(source.index.at_time(max(0.0, seconds)))

    def _on_position(self, frame_index: int) -> None:
        source = self._playback.source
        if source is not None and self.drive is not None and 0 <= frame_index < len(source.index):
            self.map.set_time(source.index.seconds(frame_index))


def drive_lanes(drive: Drive | None) -> tuple[CurveLane, ...]:
    """Speed and force, with their axes."""
    if not drive:
        return ()
    clock = f", moved by {drive.offset_ms:+} ms" if drive.offset_ms else ""
    source = f"From {drive.source}; clock: {drive.clock}{clock}" + "".join(f"\n{note}" for note in drive.notes)
    lanes = []
    if len(drive.fix_ms) > 1 and np.isfinite(drive.speed_mps).any():
        top = max(10.0, float(np.ceil(np.nanmax(drive.speeds) / 10) * 10))
        lanes.append(
            curve(
                SPEED_LANE, *with_gaps(drive.fix_s, drive.speeds), ink="good", bounds=(0.0, top), unit=drive.unit,
                scale=f"0–{top:.0f} {drive.unit}", source=source, holes=True,
            )
        )  # fmt: skip
    if len(drive.force_ms) > 1:
        top = max(2.0, float(np.ceil(drive.force_g.max())))
        lanes.append(
            curve(
                FORCE_LANE, *with_gaps(drive.force_s, drive.force_g), ink="doubtful", filled=False, bounds=(0.0, top),
                unit="g", scale=f"0–{top:.0f} g", source=f"{source}\nWith gravity: 1 g at rest", holes=True,
            )
        )  # fmt: skip
    return tuple(lane for lane in lanes if lane is not None)


def drive_moments(drive: Drive | None) -> tuple[Sensed, ...]:
    """What the sensors found worth a look, on the lane that shows it best; the strongest where there are many."""
    if not drive:
        return ()
    lane = FORCE_LANE if len(drive.force_ms) > 1 else SPEED_LANE
    strongest = sorted(drive.moments, key=lambda moment: -moment.peak_g)[:_MOST_MOMENTS]
    return tuple(
        Sensed(
            (moment.start_ms + drive.offset_ms) / 1000,
            (moment.end_ms + drive.offset_ms) / 1000,
            moment.kind.replace("_", " "),
            f"{moment.peak_g:.2f} g at most, without gravity. Potholes, doors and loose mounts do that too.",
            lane,
        )
        for moment in sorted(strongest, key=lambda moment: moment.start_ms)
    )

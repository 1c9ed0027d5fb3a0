"""The keys of the drive: its map, and the correction of the sensors' clock, also where no map is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.review.map_panel import STEP_MS, DrivePanel

_NO_DRIVE = "This clip has no telemetry that can be read, in its file or beside it."
_NO_MAP = "The camera measured no positions for this clip, so there is no map."


def drive_actions(panel: DrivePanel, *, page: str, say: Callable[[str], object]) -> Sequence[Action]:
    """For the keyboard and the palette."""

    def refuse(sentence: str) -> None:
        say(" ".join([sentence, *(f"{note[:1].upper()}{note[1:]}." for note in panel.notes)]))

    def toggle() -> None:
        if panel.has_map:
            panel.toggle()
        else:
            refuse(_NO_MAP if panel.drive is not None else _NO_DRIVE)

    def move(ms: int | None) -> None:
        if panel.drive is None:
            refuse(_NO_DRIVE)
            return
        offset_ms = panel.set_clock(0) if ms is None else panel.move_clock(ms)
        way = "later" if offset_ms > 0 else "earlier"
        said = f"Speed, forces and track are shown {abs(offset_ms)} ms {way} than the camera has them."
        say(said if offset_ms else "Speed, forces and track are shown as the camera has them.")

    def act(name: str, label: str, run: Callable[[], object], *keys: str, repeat: bool = False) -> Action:
        return Action(f"review.{name}", label, run, keys, page=page, group="Timeline", auto_repeat=repeat)

    return (
        act("map", "Map of the track: show or hide", toggle, "Shift+M"),
        act("sensors_later", f"Sensors {STEP_MS} ms later", lambda: move(STEP_MS), "Shift+Up", repeat=True),
        act("sensors_earlier", f"Sensors {STEP_MS} ms earlier", lambda: move(-STEP_MS), "Shift+Down", repeat=True),
        act("sensors_as_recorded", "Sensors as the camera has them", lambda: move(None)),
    )

"""The main job without a window: make the samples, analyse, correct one label, export, and say where everything is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.labels import format_value
from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.errors import FormatError
from vvlm_desktop.workflow.analyse import BatchEvent, analyse
from vvlm_desktop.workflow.exporting import export
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.review import open_review, settle
from vvlm_desktop.workflow.sample_clips import add_samples
from vvlm_desktop.workflow.session import Session

_SIGNALS = "signals"
_SHOWN = ("time_of_day", "light_conditions", "intended_driving_action", "camera_problem")


@dataclass(slots=True)
class DemoReport:
    """A table of what was found, one correction before and after, and where the files are."""

    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "columns": self.columns,
            "rows": self.rows,
            "before": self.before,
            "after": self.after,
            "notes": self.notes,
            "failed": self.failed,
        }


def run_demo(session: Session, folder: Path, *, progress: Callable[[float, str], None]) -> DemoReport:
    """Do the whole job on the sample clips; exports go to `folder`, which is made anew.

    Raises:
        FormatError: `folder` holds something that is not an earlier demo's.
    """
    _clear(folder)
    clips = add_samples(session, progress=lambda done, stage: progress(0.6 * done, stage))
    report = DemoReport([session.schema.field(key).label for key in ("event_type", *_SHOWN)])
    report.columns = ["Clip", *report.columns, "Moments worth a look"]

    def on_event(event: BatchEvent) -> None:
        progress(0.6 + 0.3 * event.fraction, f"analysing {Path(event.clip.path).name}" if event.clip else "analysing")
        if event.kind == "failed" and event.clip:
            report.failed.append(f"{Path(event.clip.path).name}: {event.message}")

    waiting = {clip.id for clip in session.library.clips_without(_SIGNALS)}
    analyse(session, [clip for clip in clips if clip.id in waiting], backend=_SIGNALS, on_event=on_event)
    wrong = clips[0]
    report.before = ["before", *_row(session, wrong)[1:]]
    _correct(session, wrong)
    report.after = ["after", *_row(session, wrong)[1:]]
    report.rows = [_row(session, clip) for clip in clips]
    for name in ("ours", "llamafactory"):
        written = export(session, name, folder / name, include_samples=True)
        report.notes.append(f"Export {name}: {written.records} records in {written.out}")
    report.notes += [
        f"Correction: {Path(wrong.path).name}: the demo script said collision; near miss was stored, with evidence.",
        f"Sample clips: {Path(wrong.path).parent}",
        f"Library: {session.library.folder}",
    ]
    return report


def _clear(folder: Path) -> None:
    marker = folder / ".vvlm-demo"
    if folder.exists() and any(folder.iterdir()):
        if not marker.is_file():
            raise FormatError(f"{folder} is not empty.", hint="Name a new folder with --out.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.touch()


def _correct(session: Session, clip: Clip) -> None:
    """What a reviewer does in the tour: 2 (near miss), E (this frame proves it), Enter; once."""
    state = open_review(session, clip.id)
    if state.review.settled:
        return
    index = index_of(session, clip)
    event_time = state.labels.get("event_time")
    end_ms = event_time["end_ms"] if isinstance(event_time, dict) else index.ms(len(index) // 2)
    shown = PtsRange(index.pts_at_ms(end_ms), index.pts_at_ms(end_ms))
    settle(session, clip.id, {"event_type": "near_miss"}, evidence={"event_type": shown})


def _row(session: Session, clip: Clip) -> list[str]:
    state = open_review(session, clip.id)
    measured = next((a for a in state.analyses if a.backend == _SIGNALS), None)
    cells = [Path(clip.path).name, _event(session, clip)]
    for key in _SHOWN:
        if measured is None or key not in measured.labels:
            cells.append("–")
        else:
            cells.append(format_value(session.schema, key, measured.labels[key]))
    found = [f"{c.start_ms / 1000:.1f} s {c.reason}" for c in (measured.candidates if measured else ())]
    return [*cells, "; ".join(found[:2])]


def _event(session: Session, clip: Clip) -> str:
    state = open_review(session, clip.id)
    said, value = state.said("event_type")
    text = format_value(session.schema, "event_type", value) if said else "–"
    verdict = state.review.verdicts.get("event_type")
    if verdict is None:
        return f"{text} (demo script)" if said else text
    return f"{format_value(session.schema, 'event_type', verdict.value)} (reviewed, was {text})"

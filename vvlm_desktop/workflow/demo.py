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
from vvlm_desktop.workflow.review import ReviewState, open_review, settle
from vvlm_desktop.workflow.sample_clips import add_samples
from vvlm_desktop.workflow.session import Session

_SIGNALS = "signals"
_SHOWN = ("severity", "time_of_day", "light_conditions", "intended_driving_action", "camera_problem")
#: Judged by the script and the reviewer; the others are measured.
_JUDGED = frozenset({"severity"})


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
    """Do the whole job on the sample clips; exports go to `folder`."""
    clips = add_samples(session, progress=lambda done, stage: progress(0.6 * done, stage))
    report = DemoReport([session.schema.field(key).label for key in ("event_type", *_SHOWN)])
    report.columns = ["Clip", *report.columns, "Moments worth a look"]

    def on_event(event: BatchEvent) -> None:
        progress(0.6 + 0.3 * event.fraction, f"analysing {Path(event.clip.path).name}" if event.clip else "analysing")
        if event.kind == "failed" and event.clip:
            report.failed.append(f"{Path(event.clip.path).name}: {event.message}")
        elif event.kind == "stopped":
            report.failed.append(f"{event.message} {event.hint}")

    waiting = {clip.id for clip in session.library.clips_without(_SIGNALS)}
    analyse(session, [clip for clip in clips if clip.id in waiting], backend=_SIGNALS, on_event=on_event)
    wrong = clips[0]
    report.before = ["before", *_row(session, wrong)[1:3]]
    stored = _correct(session, wrong)
    report.after = ["after", *_row(session, wrong)[1:3]]
    report.rows = [_row(session, clip) for clip in clips]
    for name in ("ours", "llamafactory"):
        written = export(session, name, folder / name, include_samples=True)
        count = f"{written.records} {'record' if written.records == 1 else 'records'}"
        report.notes.append(f"Export {name}: {count} in {written.out}")
    report.notes += [
        f"Correction: {Path(wrong.path).name}: the demo script said collision; near miss "
        + ("was stored, with the frame that proves it." if stored else "had been stored before."),
        f"Sample clips: {Path(wrong.path).parent}",
        f"Library: {session.library.folder}",
    ]
    return report


def clear_folder(folder: Path) -> None:
    """Make `folder` empty if it is absent or an earlier demo's.

    Raises:
        FormatError: it holds something else.
    """
    marker = folder / ".vvlm-demo"
    if folder.exists() and any(folder.iterdir()):
        if not marker.is_file():
            raise FormatError(f"{folder} is not empty.", hint="Name a new folder with --out.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.touch()


def _correct(session: Session, clip: Clip) -> bool:
    """What a reviewer does in the tour: near miss, this frame proves it, the rest of the event stands; once."""
    state = open_review(session, clip.id)
    if state.review.settled:
        return False
    index = index_of(session, clip)
    event_time = state.labels.get("event_time")
    end_ms = event_time["end_ms"] if isinstance(event_time, dict) else index.ms(len(index) // 2)
    pts = index.pts[index.at_time(end_ms / 1000)]
    confirmed = {
        key: state.labels[key] for key in ("event_time", "ego_involved", "conflict_with") if key in state.labels
    }
    settle(
        session, clip.id, {"event_type": "near_miss", "severity": "high", **confirmed},
        evidence={"event_type": PtsRange(pts, pts)},
    )  # fmt: skip
    return True


def _row(session: Session, clip: Clip) -> list[str]:
    state = open_review(session, clip.id)
    measured = next((a for a in state.analyses if a.backend == _SIGNALS), None)
    cells = [Path(clip.path).name, _event(session, state)]
    for key in _SHOWN:
        labels = state.labels if key in _JUDGED else measured.labels if measured is not None else {}
        cells.append(format_value(session.schema, key, labels[key]) if key in labels else "–")
    found = [f"{c.start_ms / 1000:.1f} s {c.reason}" for c in (measured.candidates if measured else ())]
    return [*cells, "; ".join(found[:2])]


def _event(session: Session, state: ReviewState) -> str:
    said, value = state.said("event_type")
    text = format_value(session.schema, "event_type", value) if said else "–"
    verdict = state.review.verdicts.get("event_type")
    if verdict is None:
        return f"{text} (demo script)" if said else text
    return f"{format_value(session.schema, 'event_type', verdict.value)} (reviewed, was {text})"

"""One clip from one scenario: simulate, film, measure, write."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from vvlm_desktop.errors import JobCancelledError, StorageFullError
from vvlm_desktop.samples.labelling import labels_of
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.staging import stage
from vvlm_desktop.samples.truth import Truth, find_event, measure, smallest, truth_file
from vvlm_desktop.samples.world import run

T = TypeVar("T")


def simulate(
    scenario: Scenario,
    path: Path,
    *,
    seed: int,
    size: tuple[int, int] = (960, 540),
    fps: int = 25,
    speed_track: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> Truth:
    """Make the clip `path` and its truth beside it; the same arguments give the same bytes.

    Args:
        size: width and height, both even.
        speed_track: also write `<clip>.speed.csv` with time_s and speed_kmh.
        cancelled: looked at before each frame.

    Raises:
        StorageFullError: nothing can be written there.
        JobCancelledError: `cancelled` said so; nothing is left behind then.
    """
    # Drawing and encoding take a fifth of a second to import; whoever only reads truth does not need them.
    from vvlm_desktop.samples.encode import frame_pts, time_base, write_clip
    from vvlm_desktop.samples.quiet import single_threaded
    from vvlm_desktop.samples.renderer import render
    from vvlm_desktop.samples.sound import soundtrack

    if size[0] % 2 or size[1] % 2 or min(size) < 32:
        raise ValueError(f"size must be even and at least 32, not {size}")
    count = max(2, round(scenario.duration_s * fps))
    staged = stage(scenario, seed=seed)
    snapshots = run(staged.world, frames=count, fps=fps)
    pts = frame_pts(count)
    frames = measure(snapshots, staged, pts=pts)
    event = find_event(frames, snapshots, staged, scenario)
    base = time_base(fps)
    truth = Truth(
        labels=labels_of(scenario, staged, frames, event),
        event=event,
        frames=frames,
        fps=fps,
        time_base=(base.numerator, base.denominator),
        size=size,
        scenario=asdict(scenario),
        seed=seed,
        min_gap_m=smallest([f.gap_m for f in frames]),
        min_time_gap_s=smallest([f.time_gap_s for f in frames]),
        min_ttc_s=smallest([f.ttc_s for f in frames]),
        hardest_braking=round(-min(0.0, *(f.acceleration for f in frames)), 3),
    )
    sound = soundtrack(scenario, staged, snapshots, fps=fps, seed=seed) if scenario.sound else None

    def write_video(part: Path) -> None:
        with single_threaded():
            pictures = render(scenario, staged, snapshots, seed=seed, size=size, fps=fps)
            write_clip(part, _until(cancelled, pictures, name=path.name), size=size, fps=fps, sound=sound)

    write_atomically(path, write_video)
    if speed_track:
        write_text(path.with_suffix(".speed.csv"), _speed_csv(truth))
    write_text(truth_file(path), json.dumps(truth.to_json(), indent=1, ensure_ascii=False) + "\n")
    return truth


def _until(cancelled: Callable[[], bool], pictures: Iterable[T], *, name: str) -> Iterator[T]:
    for picture in pictures:
        if cancelled():
            raise JobCancelledError(f"Drawing {name} was stopped.")
        yield picture


def write_text(path: Path, text: str) -> None:
    """Write a small file so that it is either there whole or not at all."""
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8", newline="\n"))


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in its place.

    Raises:
        StorageFullError: the folder cannot be written to, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".part")
        os.close(descriptor)
        part = Path(name)
        try:
            write(part)
            part.chmod(0o644)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StorageFullError(
            f"{path.name} could not be written to {path.parent}: {error.strerror or error}",
            hint="Check free space and rights of the folder.",
        ) from error


def _speed_csv(truth: Truth) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("time_s", "speed_kmh"))
    for frame in truth.frames:
        writer.writerow((f"{frame.time_s:.3f}", f"{frame.speed_kmh:.2f}"))
    return out.getvalue()

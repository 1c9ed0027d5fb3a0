"""The six sample clips: made once, kept, made again only where a file is missing, changed or of an older version."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop.samples.scenario import Camera, Scenario
from vvlm_desktop.samples.scripts import answer
from vvlm_desktop.samples.simulate import simulate, write_text
from vvlm_desktop.samples.truth import SIMULATOR_VERSION, Truth, read_truth, truth_file

MANIFEST = "samples.json"
#: progress(clips done, clips in all, title of the one just finished)
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """One clip to make."""

    slug: str
    title: str
    file_name: str
    recording: str
    scenario: Scenario
    seed: int
    speed_track: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample clip on disk.

    Attributes:
        recording: the same for clips of several cameras of one drive.
        script: the scripted answer, in the shape of a backend's answer.
    """

    path: Path
    slug: str
    title: str
    truth: Truth
    script: dict[str, Any] | None
    camera: Camera
    recording: str


SAMPLES: tuple[SampleSpec, ...] = (
    SampleSpec(
        "near_miss",
        "Near miss: another car cuts in",
        "1 near miss - car cuts in.mp4",
        "1 near miss",
        Scenario("cut_in", density="medium", duration_s=8.0),
        seed=5,
    ),
    SampleSpec(
        "collision",
        "Collision: ego runs into the car ahead",
        "2 collision - into the car ahead.mp4",
        "2 collision",
        Scenario("rear_end", weather="cloudy", density="medium", duration_s=8.0),
        seed=2,
    ),
    SampleSpec(
        "red_light",
        "Hard brake at a red light",
        "3 hard brake at a red light.mp4",
        "3 red light",
        Scenario("hard_brake_red_light", duration_s=8.0),
        seed=3,
    ),
    SampleSpec(
        "night_rain",
        "Night and rain, following close",
        "4 night rain - following close.mp4",
        "4 night rain",
        Scenario("following_close", light="night", weather="rain", lens="wet", duration_s=7.0),
        seed=4,
        speed_track=True,
    ),
    SampleSpec(
        "lane_change_front",
        "Calm lane change, front camera",
        "5 calm lane change_F.mp4",
        "5 calm lane change",
        Scenario("lane_change", duration_s=7.0),
        seed=6,
    ),
    SampleSpec(
        "lane_change_rear",
        "Calm lane change, rear camera",
        "5 calm lane change_R.mp4",
        "5 calm lane change",
        Scenario("lane_change", camera="rear", duration_s=7.0, sound=False),
        seed=6,
    ),
    SampleSpec(
        "parked",
        "Parked, the lens is covered",
        "6 parked - lens obscured.mp4",
        "6 parked",
        Scenario("parked", lens="obscured", weather="cloudy", duration_s=6.0, sound=False),
        seed=7,
    ),
)


def make_samples(
    folder: Path,
    *,
    progress: Progress | None = None,
    made: Callable[[Sample], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    specs: tuple[SampleSpec, ...] = SAMPLES,
    size: tuple[int, int] = (960, 540),
    fps: int = 25,
) -> list[Sample]:
    """Make the samples in `folder`, or find them there; the order is that of `specs`.

    Args:
        progress: called in the calling thread.
        made: called in the calling thread with each sample as soon as it can be used, so that the first can be looked
            at while the others are drawn.
        cancelled: looked at before each frame; what is finished stays.
        specs, size, fps: for tests; the defaults are what the program ships.

    Raises:
        StorageFullError: the folder cannot be written to.
        JobCancelledError: `cancelled` said so.
    """
    made_with = {"simulator_version": SIMULATOR_VERSION, "size": list(size), "fps": fps}
    entries = _read_manifest(folder, made_with)
    todo = [spec for spec in specs if not _is_intact(folder, spec, entries)]
    done = len(specs) - len(todo)
    if progress is not None and done:
        progress(done, len(specs), "already there")
    if made is not None:
        for spec in specs:
            if spec not in todo:
                made(_sample(folder, spec))
    if todo:
        # Two at a time: drawing and encoding leave Python's lock often enough for two cores to be busy.
        pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="samples")
        failed = threading.Event()

        def stop() -> bool:
            return failed.is_set() or cancelled()

        try:
            waiting = {pool.submit(_make, folder, spec, size=size, fps=fps, cancelled=stop): spec for spec in todo}
            for future in as_completed(waiting):
                future.result()
                done += 1
                if progress is not None:
                    progress(done, len(specs), waiting[future].title)
                if made is not None:
                    made(_sample(folder, waiting[future]))
        finally:
            failed.set()  # on success nothing is left to stop
            pool.shutdown(cancel_futures=True)
        files = {spec.file_name: _entry(folder, spec) for spec in specs}
        write_text(folder / MANIFEST, json.dumps({**made_with, "files": files}, indent=1) + "\n")
    return [_sample(folder, spec) for spec in specs]


def _make(folder: Path, spec: SampleSpec, *, size: tuple[int, int], fps: int, cancelled: Callable[[], bool]) -> None:
    simulate(
        spec.scenario,
        folder / spec.file_name,
        seed=spec.seed,
        size=size,
        fps=fps,
        speed_track=spec.speed_track,
        cancelled=cancelled,
    )


def _sample(folder: Path, spec: SampleSpec) -> Sample:
    path = folder / spec.file_name
    truth = read_truth(path)
    return Sample(path, spec.slug, spec.title, truth, answer(spec.slug, truth), spec.scenario.camera, spec.recording)


def _entry(folder: Path, spec: SampleSpec) -> dict[str, Any]:
    return {
        "seed": spec.seed,
        "scenario": repr(spec.scenario),
        "sha256": {name: _sha256(folder / name) for name in _files(spec)},
    }


def _files(spec: SampleSpec) -> list[str]:
    clip = Path(spec.file_name)
    return [
        clip.name,
        truth_file(clip).name,
        *([clip.with_suffix(".speed.csv").name] if spec.speed_track else []),
    ]


def _is_intact(folder: Path, spec: SampleSpec, entries: dict[str, Any]) -> bool:
    """Whether the files of a sample are what the manifest says, made as they would be made now."""
    entry = entries.get(spec.file_name)
    if not isinstance(entry, dict) or entry.get("seed") != spec.seed or entry.get("scenario") != repr(spec.scenario):
        return False
    hashes = entry.get("sha256")
    if not isinstance(hashes, dict):
        return False
    return all((folder / name).is_file() and _sha256(folder / name) == hashes.get(name) for name in _files(spec))


def _read_manifest(folder: Path, made_with: dict[str, Any]) -> dict[str, Any]:
    """Entries of an earlier run of the same version, else nothing."""
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(data, dict) or any(data.get(key) != value for key, value in made_with.items()):
        return {}
    files = data.get("files")
    return files if isinstance(files, dict) else {}


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()

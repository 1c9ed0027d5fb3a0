"""Simulated worlds and tiny clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from vvlm_desktop import paths
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.samples.encode import frame_pts
from vvlm_desktop.samples.labelling import labels_of
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.staging import Stage, stage
from vvlm_desktop.samples.truth import EventTruth, FrameTruth, find_event, measure
from vvlm_desktop.samples.world import Snapshot, run

FPS = 25


@dataclass
class Happened:
    """A scenario that was simulated and measured, without pictures."""

    stage: Stage
    snapshots: list[Snapshot]
    frames: tuple[FrameTruth, ...]
    event: EventTruth | None
    labels: dict


def happen(scenario: Scenario, seed: int) -> Happened:
    staged = stage(scenario, seed=seed)
    count = round(scenario.duration_s * FPS)
    snapshots = run(staged.world, frames=count, fps=FPS)
    frames = measure(snapshots, staged, pts=frame_pts(count))
    event = find_event(frames, snapshots, staged, scenario)
    return Happened(staged, snapshots, frames, event, labels_of(scenario, staged, frames, event))


def decode(path: Path) -> tuple[list[int], list[NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return [f.pts for f in frames], [f.to_ndarray(format="rgb24") for f in frames]


@pytest.fixture(scope="session")
def schema() -> LabelSchema:
    file = paths.bundled_schema("dashcam")
    return parse_schema(file.read_text(encoding="utf-8"), source=file.name)

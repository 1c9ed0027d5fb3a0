"""Measure fine-tunes through the production path: time of a step, peak memory against the estimate.

pytest -m gpu -s tests/gpu/test_training.py        LoRA in bf16 and QLoRA on 8 billion random weights, 16 frames
python -m tests.gpu.training_measuring --tiny      the same code with a tiny model on the processor
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clips import make_clip
from tests.gpu.full_models import build_full, tiny_of
from tests.unit.training.sets import config, corrected_answers, export, told
from training.train import train
from vvlm_desktop.backends.model_folder import examine_model
from vvlm_desktop.backends.model_shape import shape_of_config
from vvlm_desktop.backends.training_memory import estimate_training

GIB = 1024**3
CLIPS = 3
#: What is told apart: title, and values of the config.
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("LoRA bf16", {"precision": "bf16"}),
    ("QLoRA", {"precision": "nf4"}),
    ("LoRA bf16, dropout 0", {"precision": "bf16", "dropout": 0.0}),
    ("QLoRA, preference", {"precision": "nf4", "objective": "preference"}),
)


@dataclass(frozen=True, slots=True)
class MeasuredTraining:
    """One row of the table; None where it cannot be measured on this device.

    Attributes:
        step_s: of a step of one clip, the first one left out.
        peak_bytes, estimate_bytes: without what the driver itself takes, which both leave out.
        tokens: of the longest clip with its answer.
    """

    way: str
    step_s: float
    prepare_s: float
    tokens: int
    estimate_bytes: int
    peak_bytes: int | None = None

    @property
    def error(self) -> float | None:
        """How far the estimate is from the peak, as a part of the peak."""
        return self.estimate_bytes / self.peak_bytes - 1 if self.peak_bytes else None


def make_set(folder: Path, *, size: tuple[int, int], frames: int = 120) -> Path:
    """Clips with a review and a model's wrong answer each."""
    folder.mkdir(parents=True)
    clips = [
        make_clip(folder / f"{number}.mp4", frames=frames, fps=12, size=size, numbers=range(number, number + frames))
        for number in range(CLIPS)
    ]
    return export(folder / "set", corrected_answers(clips))


def measure_training(
    model: Path,
    folder: Path,
    *,
    device: str,
    ways: Sequence[tuple[str, dict[str, Any]]] = WAYS,
    steps: int = 6,
    size: tuple[int, int] = (1280, 720),
) -> list[MeasuredTraining]:
    """Train a few steps in each way; the features are made in the first one and found afterwards."""
    train_set = make_set(folder / "clips", size=size)
    examined = examine_model(model)
    shape = shape_of_config(examined.config, parameters=examined.parameters)
    rows = []
    for number, (way, changes) in enumerate(ways):
        given = {"model_dir": str(model), "device": device, "frames": 16, "rank": 16, "alpha": 32, "dropout": 0.05}
        given |= {"batch": 1, "checkpointing": True, "learning_rate": 1e-5, "steps": steps}
        wanted = config(
            train_set, folder / f"run-{number}/run", **{**given, "cache_dir": str(folder / "kept"), **changes}
        )
        assert train(wanted)
        rows.append(_row(way, Path(wanted.run_dir), estimate=_estimate(shape, wanted)))
    return rows


def _estimate(shape: Any, wanted: Any) -> Any:
    (preflight,) = told(Path(wanted.run_dir), "preflight")
    return estimate_training(shape, wanted, answer_tokens=preflight["answer_tokens"], context_bytes=0)


def _row(way: str, run: Path, *, estimate: Any) -> MeasuredTraining:
    steps = told(run, "step")
    (preflight,) = told(run, "preflight")
    return MeasuredTraining(
        way=way,
        # What is told is an average over the steps so far; the first one is slower.
        step_s=statistics.fmean([each["step_s"] for each in steps[1:]] or [steps[0]["step_s"]]),
        prepare_s=preflight["features"]["seconds"],
        tokens=preflight["longest"]["tokens"],
        estimate_bytes=estimate.total_bytes,
        peak_bytes=steps[-1]["memory_bytes"],
    )


def table(rows: Sequence[MeasuredTraining]) -> str:
    """The rows as Markdown."""
    lines = ["| way | tokens | s/step | clips prepared in s | peak GiB | estimate GiB |", "|---" * 6 + "|"]
    for row in rows:
        peak = "–" if row.peak_bytes is None else f"{row.peak_bytes / GIB:.2f}"
        error = "" if row.error is None else f" ({row.error:+.0%})"
        estimate = f"{row.estimate_bytes / GIB:.2f}{error}"
        lines.append(f"| {row.way} | {row.tokens} | {row.step_s:.2f} | {row.prepare_s:.1f} | {peak} | {estimate} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure fine-tunes of a model of full size with random weights.")
    parser.add_argument("--tiny", action="store_true", help="a tiny model on the processor, to see that this runs")
    tiny = parser.parse_args().tiny
    with tempfile.TemporaryDirectory() as made:
        folder, name = Path(made), "InternVL3-8B"
        model = tiny_of(name, folder, device="cpu") if tiny else build_full(name, folder / name, device="cuda:0")
        ways = tuple((way, {**changes, "precision": "fp32"}) for way, changes in WAYS) if tiny else WAYS
        print(table(measure_training(model, folder / "work", device="cpu" if tiny else "cuda:0", ways=ways)))


if __name__ == "__main__":
    main()

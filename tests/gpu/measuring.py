"""Measure a local model through the production path: memory, seconds a clip, speed of decoding, batches, naive use.

pytest -m gpu -s tests/gpu              the table, for models of full size with random weights
python -m tests.gpu.measuring --tiny    the same code with tiny models on a processor, to see that it runs
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from tests.clips import make_clip
from tests.gpu.full_models import SHAPES, build_full, tiny_of
from tests.unit.backends.local.local_jobs import JobNotes, run
from vvlm_desktop import paths
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.backends.local.backend import LocalBackend
from vvlm_desktop.backends.local.decoding import decode
from vvlm_desktop.backends.local.families import family_for
from vvlm_desktop.backends.local.inputs import ModelInput, build_inputs, read_frames
from vvlm_desktop.backends.local.loading import LoadedModel, load_model
from vvlm_desktop.backends.local_options import LocalOptions, Sampling
from vvlm_desktop.backends.model_folder import examine_model
from vvlm_desktop.backends.model_memory import MemoryEstimate, estimate
from vvlm_desktop.backends.model_shape import shape_of_config
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.sampling import uniform

SCHEMA = parse_schema(paths.bundled_schema("dashcam").read_text(encoding="utf-8"), source="dashcam.toml")
FRAMES = 16
GB = 1e9


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table; None where it cannot be measured on this device.

    Attributes:
        peak_bytes, estimate_bytes: without what the driver itself takes, which both leave out.
        passes_a_s: forward passes of decoding a second, `limit_a_s` those that reading the weights once each allows.
        naive_clip_s: clip after clip with `generate`, the same number of tokens, unconstrained.
    """

    model: str
    precision: str
    batch: int
    clip_s: float
    prefill_s: float
    tokens: float
    passes: float
    passes_a_s: float
    limit_a_s: float | None = None
    peak_bytes: int | None = None
    estimate_bytes: int | None = None
    naive_clip_s: float | None = None

    @property
    def memory_error(self) -> float | None:
        """How far the estimate is from the peak, as a part of the peak."""
        if self.peak_bytes is None or self.estimate_bytes is None:
            return None
        return self.estimate_bytes / self.peak_bytes - 1


def measure_model(
    name: str,
    folder: Path,
    *,
    device: str,
    precisions: Sequence[str] = ("bf16", "int8", "nf4"),
    batches: Sequence[int] = (1, 2, 4, 8),
    clips: int = 8,
) -> list[Measured]:
    """All rows of one model: every precision one clip at a time, the first also in batches and against naive use."""
    with tempfile.TemporaryDirectory() as made:
        # 720p of ten seconds, as dashcams make it; frames are scaled down by the reader.
        path = make_clip(
            Path(made) / "clip.mp4", frames=300, size=(1280, 720), options={"g": "60", "preset": "ultrafast"}
        )
        rows = []
        for precision in precisions:
            first = precision == precisions[0]
            for batch in batches if first else batches[:1]:
                rows.append(_measure(name, folder, path, device=device, precision=precision, batch=batch, clips=clips))
        naive_s = _naive_clip_s(folder, path, device=device, precision=precisions[0], tokens=round(rows[0].tokens))
        return [replace(rows[0], naive_clip_s=naive_s), *rows[1:]]


def _measure(name: str, folder: Path, path: Path, *, device: str, precision: str, batch: int, clips: int) -> Measured:
    backend = LocalBackend()
    options = LocalOptions(
        model=name,
        model_dir=str(folder),
        sampling=Sampling(frames=FRAMES),
        precision=precision,  # type: ignore[arg-type]  # one of the known ones
        device=device,
        batch=batch,
    ).to_json()
    try:
        _answers(backend, path, options, count=batch)  # loads the weights, and warms everything up
        if device != "cpu":
            torch.cuda.reset_peak_memory_stats(device)
        count = -(-clips // batch) * batch
        began_s = time.monotonic()
        answers = _answers(backend, path, options, count=count)
        spent_s = time.monotonic() - began_s
        peak = torch.cuda.max_memory_allocated(device) if device != "cpu" else None
    finally:
        backend.close()
    mean = {key: sum(each.timings[key] for each in answers) / len(answers) for key in answers[0].timings}
    tokens_a_frame = round(_picture_tokens(folder, answers[0]) / FRAMES)
    needed = _estimate(folder, precision=precision, batch=batch, tokens_per_frame=tokens_a_frame, answers=answers)
    weights = needed.weights_bytes
    return Measured(
        model=name,
        precision=precision,
        batch=batch,
        clip_s=spent_s / len(answers),
        prefill_s=mean["prefill_s"] / batch,
        tokens=mean["tokens"],
        passes=mean["forward_passes"],
        passes_a_s=mean["forward_passes"] / max(mean["decode_s"], 1e-9),
        limit_a_s=_bandwidth(device) / weights if device != "cpu" else None,
        peak_bytes=peak,
        estimate_bytes=needed.total_bytes if peak is not None else None,
    )


def _answers(backend: LocalBackend, path: Path, options: dict[str, object], *, count: int) -> list[Answer]:
    outcomes = run(backend, *(JobNotes(path, schema=SCHEMA, options=options) for _ in range(count)))
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
        if any("Memory ran out" in flag for flag in outcome.flags):
            raise MemoryError(f"this device is too small for the measurement: {outcome.flags}")
    return outcomes


def _picture_tokens(folder: Path, answer: Answer) -> int:
    family = family_for(examine_model(folder).config, source=str(folder))
    width, height = answer.settings["size_px"]
    return int(family.tokens((width, height), frames=FRAMES))


def _estimate(
    folder: Path, *, precision: str, batch: int, tokens_per_frame: int, answers: Sequence[Answer]
) -> MemoryEstimate:
    examined = examine_model(folder)
    return estimate(
        shape_of_config(examined.config, parameters=examined.parameters),
        precision=precision,  # type: ignore[arg-type]  # one of the known ones
        frames=FRAMES,
        batch=batch,
        tokens_per_frame=tokens_per_frame,
        answer_tokens=round(max(each.timings["tokens"] for each in answers)),
        context_bytes=0,
    )


@cache
def _bandwidth(device: str) -> float:
    """Bytes a second that can be read, by copying: each byte is read and written."""
    source = torch.empty(2 << 30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    torch.cuda.synchronize(device)
    began_s = time.monotonic()
    for _ in range(20):
        target.copy_(source)
    torch.cuda.synchronize(device)
    return 20 * 2 * source.numel() / (time.monotonic() - began_s)


def _naive_clip_s(folder: Path, path: Path, *, device: str, precision: str, tokens: int) -> float:
    """Frames, prompt and `generate`, clip after clip, nothing overlapping; the second clip is timed."""
    loaded = load_model(folder, precision=precision, device=device)
    spent_s = 0.0
    for _ in range(2):
        began_s = time.monotonic()
        _generate(loaded, path, tokens=tokens)
        if device != "cpu":
            torch.cuda.synchronize(device)
        spent_s = time.monotonic() - began_s
    del loaded
    if device != "cpu":
        torch.cuda.empty_cache()
    return spent_s


def _generate(loaded: LoadedModel, path: Path, *, tokens: int) -> None:
    index = read_index(path)
    size = loaded.family.decode_size(index.width, index.height, frames=FRAMES)
    frames = read_frames(path, index, uniform(index, FRAMES), size=size)
    inputs = build_inputs(loaded, [ModelInput(frames, build_prompt(SCHEMA))])
    with torch.inference_mode():
        loaded.model.generate(**inputs, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)


def overhead_of_own_loop(folder: Path, *, device: str, precision: str, tokens: int = 64) -> float:
    """Seconds of our free decoding as a part of `generate`'s, for the same prompt without pictures or grammar."""
    loaded = load_model(folder, precision=precision, device=device)
    ids = torch.randint(100, 2000, (1, 512), device=device)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def timed(work: Callable[[], object]) -> float:
        work()
        began_s = time.monotonic()
        work()
        if device != "cpu":
            torch.cuda.synchronize(device)
        return time.monotonic() - began_s

    def naive() -> object:
        with torch.inference_mode():
            return loaded.model.generate(**inputs, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)

    ours = timed(lambda: decode(loaded.model, inputs, tokenizer=loaded.tokenizer, grammar=None, max_new_tokens=tokens))
    return ours / timed(naive)


def table(rows: Sequence[Measured]) -> str:
    """The rows as Markdown."""
    columns = ("model", "weights", "batch", "s/clip", "naive s/clip", "prompt s", "tokens", "passes")
    columns += ("passes/s (of limit)", "peak GB", "estimate GB")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for row in rows:
        share = f" ({row.passes_a_s / row.limit_a_s:.0%})" if row.limit_a_s else ""
        error = f" ({row.memory_error:+.0%})" if row.memory_error is not None else ""
        lines.append(
            f"| {row.model} | {row.precision} | {row.batch} | {row.clip_s:.2f} | {_number(row.naive_clip_s)} "
            f"| {row.prefill_s:.2f} | {row.tokens:.0f} | {row.passes:.0f} | {row.passes_a_s:.1f}{share} "
            f"| {_number(row.peak_bytes, GB)} | {_number(row.estimate_bytes, GB)}{error} |"
        )
    return "\n".join(lines)


def _number(value: float | None, unit: float = 1.0) -> str:
    return "–" if value is None else f"{value / unit:.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure local models of full size with random weights.")
    parser.add_argument("--tiny", action="store_true", help="tiny models on the processor, to see that this runs")
    tiny = parser.parse_args().tiny
    rows = []
    for name in SHAPES:
        with tempfile.TemporaryDirectory() as made:
            if tiny:
                rows += measure_model(
                    name,
                    tiny_of(name, Path(made), device="cpu"),
                    device="cpu",
                    precisions=("fp32",),
                    batches=(1, 2),
                    clips=2,
                )
            else:
                rows += measure_model(name, build_full(name, Path(made) / name, device="cuda:0"), device="cuda:0")
    print(table(rows))


if __name__ == "__main__":
    main()

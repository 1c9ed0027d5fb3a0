"""How much memory a model needs, said before it is loaded, and what fits; computed from its shape, no torch.

Vision tower, projector, embeddings and head are never quantised; logits are made for the last position only. Measured
figures replace nothing here: `tests/gpu` compares them with this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vvlm_desktop.backends.local_options import Precision
from vvlm_desktop.backends.model_shape import FRAME_SIDE_PX, ModelShape

GIB = 1024**3
#: What CUDA, its kernels and cuBLAS take of a GPU before the first weight.
CONTEXT_BYTES = int(0.6 * GIB)
#: The prompt with the definitions of the dashcam schema, and its longest answer.
PROMPT_TOKENS = 2300
ANSWER_TOKENS = 700
#: "Frame12: ", the time, and the marks around a picture.
_FRAME_TEXT_TOKENS = 10
#: Kept free, because other programs draw windows on the same GPU, and allocators leave gaps.
_RESERVE_SHARE = 0.04
_RESERVE_BYTES = int(0.2 * GIB)

_WIDTH_BYTES: dict[str, int] = {"fp32": 4, "bf16": 2, "int8": 2, "nf4": 2}
#: Of a quantised weight. NF4 (double quantisation): 4 bits, an 8-bit scale for 64 of them, a 32-bit one for 256 scales.
_WEIGHT_BYTES: dict[str, float] = {"fp32": 4.0, "bf16": 2.0, "int8": 1.0, "nf4": 0.5 + 1 / 64 + 4 / (64 * 256)}
_PRECISION_WORDS: dict[str, str] = {
    "fp32": "in full precision",
    "bf16": "in full quality",
    "int8": "with 8-bit weights",
    "nf4": "with 4-bit weights",
}
_ON_GPU: tuple[Precision, ...] = ("bf16", "int8", "nf4")
_FEWER_FRAMES = (64, 48, 32, 24, 16, 12, 8, 6, 4)
_MAX_BATCH = 8


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes at the peak.

    Attributes:
        activations_bytes: what the frames and the prompt take while they are read, before the first word comes.
        context_bytes: what the device itself takes; 0 on a processor.
    """

    weights_bytes: int
    cache_bytes: int
    activations_bytes: int
    context_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.weights_bytes + self.cache_bytes + self.activations_bytes + self.context_bytes


@dataclass(frozen=True, slots=True)
class Fit:
    """What fits into the memory that is free.

    Attributes:
        precision: None where nothing fits; the rest is then the smallest that was tried.
        sentence: for people.
    """

    precision: Precision | None
    frames: int
    batch: int
    estimate: MemoryEstimate
    sentence: str

    @property
    def fits(self) -> bool:
        """Whether it can be loaded now."""
        return self.precision is not None


def prompt_and_frames_tokens(
    shape: ModelShape, *, frames: int, tokens_per_frame: int | None = None, prompt_tokens: int = PROMPT_TOKENS
) -> int:
    """How many tokens a request is before it is answered."""
    return prompt_tokens + frames * ((tokens_per_frame or shape.tokens_per_frame) + _FRAME_TEXT_TOKENS)


def estimate(
    shape: ModelShape,
    *,
    precision: Precision,
    frames: int,
    batch: int = 1,
    tokens_per_frame: int | None = None,
    prompt_tokens: int = PROMPT_TOKENS,
    answer_tokens: int = ANSWER_TOKENS,
    context_bytes: int = CONTEXT_BYTES,
) -> MemoryEstimate:
    """Memory at the peak of answering `batch` clips of `frames` frames at once.

    Args:
        shape: from the catalogue, or `shape_of_config` of a folder's config.json.
        precision: any but `auto`.
        frames: of each clip.
        batch: clips at once.
        tokens_per_frame: where frames are not of the usual size.
        prompt_tokens: of one clip, without its frames.
        answer_tokens: of one clip, at most.
        context_bytes: 0 for a processor.
    """
    if precision not in _WIDTH_BYTES:
        raise ValueError(f"memory is estimated for a precision, not for {precision!r}")
    width, linear = _WIDTH_BYTES[precision], shape.linear_parameters
    tokens = prompt_and_frames_tokens(
        shape, frames=frames, tokens_per_frame=tokens_per_frame, prompt_tokens=prompt_tokens
    )
    text = shape.text
    cache = batch * (tokens + answer_tokens) * text.layers * 2 * text.kv_heads * text.head_dim * width
    activations = _activations_bytes(shape, tokens=tokens, frames=frames, batch=batch, width=width)
    if precision == "nf4":
        activations += 2 * text.hidden * text.mlp  # one layer's weights at a time are unpacked
    return MemoryEstimate(
        weights_bytes=int(linear * _WEIGHT_BYTES[precision] + (shape.parameters - linear) * width),
        cache_bytes=cache,
        activations_bytes=activations,
        context_bytes=context_bytes,
    )


def _activations_bytes(shape: ModelShape, *, tokens: int, frames: int, batch: int, width: int) -> int:
    """The vision tower is done before the language model begins, so the larger of the two counts."""
    text, vision = shape.text, shape.vision
    pictures = -(-frames // vision.frames_together)
    tower = pictures * vision.tokens * (3 * vision.mlp + 6 * vision.hidden) * width
    attention = 2 * (text.heads + text.kv_heads) * text.head_dim
    language = tokens * (3 * text.mlp + 3 * text.hidden + attention) * width + tokens * tokens
    pixels = frames * 3 * FRAME_SIDE_PX**2 * (4 + width)
    logits = 3 * 4 * text.vocab
    return batch * (max(tower, language) + pixels + logits)


def best_fit(
    shape: ModelShape,
    *,
    free_bytes: int,
    frames: int,
    tokens_per_frame: int | None = None,
    precisions: Sequence[Precision] = _ON_GPU,
    context_bytes: int = CONTEXT_BYTES,
    place: str = "the GPU",
) -> Fit:
    """The best precision that fits with `frames`; else the smallest, with fewer frames.

    Args:
        shape: of the model.
        free_bytes: memory that is free now.
        frames: that somebody wishes for.
        tokens_per_frame: where frames are not of the usual size.
        precisions: that may be chosen, best first.
        context_bytes: 0 where something is loaded on the device already, and on a processor.
        place: what is short of memory, in words for the sentence.
    """
    usable = int(free_bytes * (1 - _RESERVE_SHARE)) - _RESERVE_BYTES

    def need(precision: Precision, count: int, batch: int = 1) -> MemoryEstimate:
        return estimate(
            shape,
            precision=precision,
            frames=count,
            batch=batch,
            tokens_per_frame=tokens_per_frame,
            context_bytes=context_bytes,
        )

    tried = [(precision, frames) for precision in precisions]
    tried += [(precisions[-1], fewer) for fewer in _FEWER_FRAMES if fewer < frames]
    for precision, count in tried:
        if need(precision, count).total_bytes <= usable:
            batch = max(
                n for n in range(1, _MAX_BATCH + 1) if n == 1 or need(precision, count, n).total_bytes <= usable
            )
            found = need(precision, count)
            return Fit(precision, count, batch, found, _fits(precision, count, wished=frames, found=found, place=place))
    smallest, fewest = tried[-1]
    least = need(smallest, fewest)
    return Fit(None, fewest, 1, least, _does_not_fit(least, smallest, fewest, free_bytes=free_bytes, place=place))


def _fits(precision: Precision, frames: int, *, wished: int, found: MemoryEstimate, place: str) -> str:
    words = f"Fits {place} now {_PRECISION_WORDS[precision]}, {frames_in_words(frames)}"
    if frames < wished:
        words += f" instead of {wished}"
    return f"{words}: about {in_gib(found.total_bytes)}."


def _does_not_fit(least: MemoryEstimate, precision: Precision, frames: int, *, free_bytes: int, place: str) -> str:
    smallest = f"{_PRECISION_WORDS[precision]}, {frames_in_words(frames)}"
    return (
        f"Does not fit {place} now: {in_gib(free_bytes)} are free, and it needs about {in_gib(least.total_bytes)} "
        f"even {smallest}."
    )


def frames_in_words(frames: int) -> str:
    """How many, as people write it."""
    return "1 frame" if frames == 1 else f"{frames} frames"


def in_gib(size_bytes: int) -> str:
    """Memory as people buy it: GiB, called GB by everybody."""
    return f"{size_bytes / GIB:.1f} GB"

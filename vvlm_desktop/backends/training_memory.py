"""How much of a GPU's memory a fine-tune needs at its peak, said before anything is loaded; an estimate, no torch.

The numbers for activations were counted, operation by operation, on layers of the shapes of 7-billion language models
(transformers, peft, adapter in fp32 on a bf16 base, sdpa); a test counts them again. The step on the longest clip, with
which every run begins, measures what is really needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vvlm_desktop.backends.model_memory import ANSWER_TOKENS, CONTEXT_BYTES, estimate, in_gib, prompt_and_frames_tokens

if TYPE_CHECKING:
    from vvlm_desktop.backends.model_shape import ModelShape
    from vvlm_desktop.backends.train_config import TrainConfig

#: Weight, gradient and the optimiser's two numbers, all fp32.
_TRAINED_BYTES = 16
#: Logits of an answer's token as fp32, their softmax and their gradient.
_LOGIT_BYTES = 12


@dataclass(frozen=True, slots=True)
class _PerToken:
    """Bytes for each token and unit of width: of the feed-forward part, and of everything else in a layer."""

    mlp: float
    hidden: float

    def bytes(self, shape: ModelShape) -> float:
        return self.mlp * shape.text.mlp + self.hidden * shape.text.hidden


#: With and without dropout in the adapter, which keeps a copy of each layer's input.
_LAYER_ANEW = {True: _PerToken(20, 80), False: _PerToken(14, 53)}
_LAYER_KEPT = {True: _PerToken(15.5, 58.5), False: _PerToken(10.5, 40.5)}
_PASSING = _PerToken(5, 9)


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """Bytes at the peak of a step.

    Attributes:
        weights_bytes: of the base, in its precision.
        adapter_bytes: the adapter with its gradients and the optimiser's numbers.
        activations_bytes: what a step takes beside them.
        context_bytes: what the device itself takes; 0 on a processor.
        trainable: how many numbers learn.
        tokens: of one clip with its longest answer.
    """

    weights_bytes: int
    adapter_bytes: int
    activations_bytes: int
    context_bytes: int
    trainable: int
    tokens: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.weights_bytes + self.adapter_bytes + self.activations_bytes + self.context_bytes

    @property
    def sentence(self) -> str:
        """For people."""
        return f"Needs about {in_gib(self.total_bytes)} of the GPU's memory (an estimate; the first step measures it)."


def estimate_training(
    shape: ModelShape, config: TrainConfig, *, answer_tokens: int = ANSWER_TOKENS, context_bytes: int = CONTEXT_BYTES
) -> TrainingEstimate:
    """Memory at the peak of a fine-tune, with cached features, so that the vision tower rests.

    Args:
        shape: of the base, from the catalogue or `shape_of_config`.
        answer_tokens: of the longest answer.
        context_bytes: 0 for a processor.
    """
    answering = estimate(
        shape, precision=config.precision, frames=config.frames, answer_tokens=answer_tokens, context_bytes=0
    )
    tokens = prompt_and_frames_tokens(shape, frames=config.frames) + answer_tokens
    trainable = _trainable(shape, config)
    step = _step_bytes(shape, config, tokens=tokens, answer_tokens=answer_tokens)
    return TrainingEstimate(
        weights_bytes=answering.weights_bytes,
        adapter_bytes=_TRAINED_BYTES * trainable,
        # Clips are also answered, between steps.
        activations_bytes=max(step, answering.activations_bytes + answering.cache_bytes),
        context_bytes=context_bytes,
        trainable=trainable,
        tokens=tokens,
    )


def _trainable(shape: ModelShape, config: TrainConfig) -> int:
    """Numbers of the adapter on all linear layers, and of a projector that is trained as well."""
    text = shape.text
    heads, kv_heads = text.heads * text.head_dim, text.kv_heads * text.head_dim
    sides = 2 * (text.hidden + heads) + 2 * (text.hidden + kv_heads) + 3 * (text.hidden + text.mlp)
    merged = 4 * shape.vision.hidden
    return config.rank * text.layers * sides + (merged * (merged + text.hidden) if config.projector else 0)


def _step_bytes(shape: ModelShape, config: TrainConfig, *, tokens: int, answer_tokens: int) -> int:
    text, dropout = shape.text, config.dropout > 0
    rows = config.batch * (2 if config.objective == "preference" else 1)
    width = 4 if config.precision == "fp32" else 2
    logits = _LOGIT_BYTES * text.vocab * answer_tokens
    if config.checkpointing:
        kept = text.layers * tokens * text.hidden * width
        passing = tokens * _LAYER_ANEW[dropout].bytes(shape)
    else:
        kept = int(text.layers * tokens * _LAYER_KEPT[dropout].bytes(shape))
        passing = tokens * _PASSING.bytes(shape)
    # One layer's weights at a time are unpacked, and once more for its gradient.
    unpacked = 4 * text.hidden * text.mlp if config.is_qlora else 0
    return int(rows * (kept + max(passing, logits))) + unpacked

"""The numbers of a model's architecture that its memory and its time follow from; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vvlm_desktop.errors import ModelFolderError

#: Side at which frames are counted for models that take any size.
FRAME_SIDE_PX = 448
#: What models with a fixed number of tokens a picture have; their config.json need not say it.
_INTERNVL_TOKENS = 256


@dataclass(frozen=True, slots=True)
class TextShape:
    """The language model; `mlp` is the width inside its gated feed-forward layers."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp: int
    vocab: int
    tied: bool

    @property
    def linear_parameters(self) -> int:
        """Weights of its layers: all that quantisation makes smaller."""
        attention = self.hidden * self.head_dim * 2 * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.mlp)

    @property
    def embedding_parameters(self) -> int:
        """Table of tokens, and the head where it is a table of its own."""
        return (1 if self.tied else 2) * self.vocab * self.hidden


@dataclass(frozen=True, slots=True)
class VisionShape:
    """The vision tower; it attends over `tokens` for `frames_together` frames at once."""

    layers: int
    hidden: int
    mlp: int
    tokens: int
    frames_together: int


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A whole model; `tokens_per_frame` is what one frame costs the language model."""

    text: TextShape
    vision: VisionShape
    parameters: int
    tokens_per_frame: int

    @property
    def linear_parameters(self) -> int:
        """What quantisation makes smaller; vision tower, projector, embeddings and head stay as they are."""
        return min(self.text.linear_parameters, self.parameters)


def shape_of_config(config: Mapping[str, Any], *, parameters: int, side_px: int = FRAME_SIDE_PX) -> ModelShape:
    """The shape of the model that `config` (a config.json) describes.

    Args:
        config: as transformers writes it, with `text_config` and `vision_config`, or Qwen's older flat form.
        parameters: of the whole model, as counted in its weight files.
        side_px: of the frames, for models that take any size.

    Raises:
        ModelFolderError: numbers are missing or make no sense.
    """
    try:
        text = _text(config)
        vision, tokens_per_frame = _vision(config, side_px=side_px)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelFolderError(
            f"The memory that this model needs cannot be estimated: config.json lacks or garbles {error}.",
            hint="Import a folder that transformers itself has saved.",
        ) from error
    return ModelShape(text, vision, parameters=parameters, tokens_per_frame=tokens_per_frame)


def _text(config: Mapping[str, Any]) -> TextShape:
    text = _table(config.get("text_config") or config)
    hidden, heads = _positive(text, "hidden_size"), _positive(text, "num_attention_heads")
    return TextShape(
        hidden=hidden,
        layers=_positive(text, "num_hidden_layers"),
        heads=heads,
        kv_heads=_positive(text, "num_key_value_heads", default=heads),
        head_dim=_positive(text, "head_dim", default=max(1, hidden // heads)),
        mlp=_positive(text, "intermediate_size"),
        vocab=_positive(text, "vocab_size"),
        tied=bool(text.get("tie_word_embeddings", config.get("tie_word_embeddings", False))),
    )


def _vision(config: Mapping[str, Any], *, side_px: int) -> tuple[VisionShape, int]:
    """The tower, and the tokens that one frame becomes."""
    vision = _table(config["vision_config"])
    patch = _positive(vision, "patch_size")
    hidden = _positive(vision, "hidden_size")
    if "spatial_merge_size" in vision:
        together = _positive(vision, "temporal_patch_size", default=1)
        merge = _positive(vision, "spatial_merge_size")
        grid = max(1, side_px // (patch * merge))
        tokens = (grid * merge) ** 2
        shape = VisionShape(
            _positive(vision, "depth"), hidden, _positive(vision, "intermediate_size"), tokens, frames_together=together
        )
        return shape, max(1, -(-grid * grid // together))
    grid = max(1, _positive(vision, "image_size") // patch)
    shape = VisionShape(
        _positive(vision, "num_hidden_layers"), hidden, _positive(vision, "intermediate_size"), grid * grid, 1
    )
    if "scale_factor" in config:
        return shape, max(1, (grid // _positive(config, "scale_factor")) ** 2)
    return shape, _positive(config, "image_seq_length", default=_INTERNVL_TOKENS)


def _table(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("a table of numbers")
    return value


def _positive(table: Mapping[str, Any], key: str, *, default: int | None = None) -> int:
    value = table.get(key)
    if value is None and default is not None:
        return default
    if isinstance(value, list) and value:
        value = value[0]  # a size of [height, width]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"`{key}`")
    return value

"""What a family of models knows about itself: its sampling, the form of its prompt, its processor and its limits.

A family is one file beside this one with a class `FAMILY`; it is found by listing the folder. Nothing here imports
torch when it is loaded, so that a folder can be looked at without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Config: TypeAlias = Mapping[str, Any]

#: Said to every model and in training; the families' own defaults differ (InternVL's is Chinese).
SYSTEM = "You are a careful assistant who watches videos from dashboard cameras and reports only what they show."

#: Frames are this close to the middles of equal stretches, as a part of one stretch, when they are called uniform.
_UNIFORM_TOLERANCE = 0.25

#: Attributes of processors that name tokens which become pictures; not every checkpoint marks them as special.
_STAND_INS = ("image_token", "video_token", "start_image_token", "end_image_token")


@dataclass(frozen=True, slots=True, eq=False)
class FrameBatch:
    """What a model sees of one clip.

    Attributes:
        rgb: uint8, shape [time, height, width, 3].
        times_s: when each frame is shown, from the clip's first frame.
        pts: identity of each frame.
    """

    rgb: NDArray[np.uint8]
    times_s: tuple[float, ...]
    pts: tuple[int, ...]
    clip_duration_s: float

    @property
    def spacing_s(self) -> float:
        """Mean time from one frame to the next; the whole clip for a single frame."""
        if len(self.times_s) < 2:
            return max(self.clip_duration_s, 0.001)
        return max((self.times_s[-1] - self.times_s[0]) / (len(self.times_s) - 1), 0.001)

    @property
    def is_uniform(self) -> bool:
        """Whether the frames are the middles of equal stretches of the whole clip."""
        stretch = self.clip_duration_s / len(self.times_s)
        return all(
            abs(time - (i + 0.5) * stretch) <= _UNIFORM_TOLERANCE * stretch for i, time in enumerate(self.times_s)
        )

    def metadata(self) -> dict[str, Any]:
        """As transformers' video processors want it; in milliseconds, so that a variable frame rate is told right."""
        times_ms = [round(time * 1000) for time in self.times_s]
        return {
            "fps": 1000.0,
            "frames_indices": times_ms,
            # Makes "frames sampled a second" the real rate, also where only a part of the clip was sampled.
            "total_num_frames": max(1, round(self.spacing_s * len(times_ms) * 1000)),
            "duration": self.clip_duration_s,
        }


@dataclass(frozen=True, slots=True)
class ModelInput:
    """One clip and what is asked about it."""

    frames: FrameBatch
    prompt: str
    system: str = SYSTEM


class Family:
    """Base of all families; one object per loaded model or examined folder.

    Attributes:
        name: of the family, as stored.
        title: for people.
        model_types: `model_type` of its `config.json`.
        iterative: trained to point at clues and to look again at them.
        max_frames: more than this it was never trained on, or do not fit its context.
        sides: smaller pictures that it can work with, as square root of their area; empty where the size is fixed.
        language_module, vision_modules, projector_modules: full names of modules in the loaded model.
    """

    name: ClassVar[str]
    title: str
    model_types: ClassVar[tuple[str, ...]]
    iterative: bool = False
    default_frames: int = 16
    max_frames: int = 64
    sides: ClassVar[tuple[int, ...]] = ()
    language_module: ClassVar[str] = "model.language_model"
    vision_modules: ClassVar[tuple[str, ...]] = ()
    projector_modules: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Config, *, source: str = "") -> None:
        """`config`: the model's `config.json`; `source`: its name or folder, where that tells members apart."""
        self.config = config
        self.source = source

    # --- what it sees ---

    def decode_size(self, width: int, height: int, *, frames: int, side: int | None = None) -> tuple[int, int]:
        """Width and height at which the reader hands out frames of a `width` × `height` clip."""
        raise NotImplementedError

    def tokens(self, size: tuple[int, int], *, frames: int) -> int:
        """How many tokens of the context `frames` pictures of `size` take."""
        raise NotImplementedError

    def check(self, settings: Config, config: Config) -> None:
        """Look at the video processor's settings; the default asks for nothing.

        Raises:
            ModelFolderError: with these settings the model would see something else than it was trained on.
        """

    # --- modules ---

    @property
    def unquantised_modules(self) -> list[str]:
        """Full names for `llm_int8_skip_modules`: a bare name is silently ignored there."""
        return [*self.vision_modules, *self.projector_modules, "lm_head"]

    @property
    def lora_targets(self) -> str:
        """Regular expression over module names: the language model's linear layers, never the vision tower's."""
        part = self.language_module.removeprefix("model.")
        return rf".*(model\.)?{part}\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"

    # --- inputs ---

    def question(self, item: ModelInput) -> str:
        """The user's text, after the frames. Families that are not told times otherwise add them here."""
        return item.prompt

    def processor_arguments(self, item: ModelInput) -> dict[str, Any]:
        """What the processor is called with beside text and frames."""
        raise NotImplementedError

    def before_loading(self) -> None:
        """What has to be done before the processor can be loaded; the default does nothing."""

    def encode_one(self, processor: Any, item: ModelInput) -> dict[str, Tensor]:
        """One clip as the model takes it, on the CPU, without padding."""
        special = _special_tokens(processor)
        conversation = [
            {"role": "system", "content": [{"type": "text", "text": disarm(item.system, special)}]},
            {
                "role": "user",
                "content": [{"type": "video"}, {"type": "text", "text": disarm(self.question(item), special)}],
            },
        ]
        text = processor.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
        encoded = processor(
            text=[text],
            videos=[item.frames.rgb],
            do_sample_frames=False,
            do_resize=False,
            return_tensors="pt",
            **self.processor_arguments(item),
        )
        return dict(encoded)

    def encode(self, processor: Any, batch: Sequence[ModelInput]) -> dict[str, Tensor]:
        """Several clips, padded on the left; each row equals the clip encoded alone."""
        return self.collate([self.encode_one(processor, item) for item in batch], pad_id=pad_id(processor))

    def collate(self, rows: Sequence[Mapping[str, Tensor]], *, pad_id: int) -> dict[str, Tensor]:
        """Put clips that were encoded alone side by side."""
        import torch

        if len(rows) == 1:
            return dict(rows[0])
        length = max(row["input_ids"].shape[1] for row in rows)
        fill = {"input_ids": pad_id, "attention_mask": 0, "mm_token_type_ids": 0}
        joined = {
            key: torch.cat([_padded_left(row[key], length, fill[key]) for row in rows])
            for key in fill
            if key in rows[0]
        }
        pictures = {key: self.join_pictures([row[key] for row in rows]) for key in rows[0] if key not in fill}
        return joined | pictures

    def join_pictures(self, parts: Sequence[Tensor]) -> Tensor:
        """Pictures (or what is said about them) of several clips as one tensor."""
        import torch

        return torch.cat(list(parts))


def pad_id(processor: Any) -> int:
    """The token to pad with; any would do, since it is masked."""
    tokenizer = processor.tokenizer
    return int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id)


def disarm(text: str, special: Sequence[str]) -> str:
    """Take words that mean something to the model, such as `<video>`, apart: people's text is never markup."""
    for token in special:
        text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


def times_line(frames: FrameBatch) -> str:
    """When the frames were taken, for models that are not told otherwise."""
    times = ", ".join(f"{time:.1f}" for time in frames.times_s)
    return f"The video lasts {frames.clip_duration_s:.1f} seconds. The frames were taken at (seconds): {times}.\n"


def _special_tokens(processor: Any) -> list[str]:
    """What must not come from people: control tokens and stand-ins for pictures, but not `<think>` and the like."""
    added: Mapping[int, Any] = processor.tokenizer.added_tokens_decoder
    names = {str(token) for token in added.values() if token.special}
    for attribute in _STAND_INS:
        names.add(str(getattr(processor, attribute, None) or ""))
    return sorted((name for name in names if len(name) > 1), key=len, reverse=True)


def _padded_left(values: Tensor, length: int, value: int) -> Tensor:
    import torch

    return torch.nn.functional.pad(values, (length - values.shape[1], 0), value=value)

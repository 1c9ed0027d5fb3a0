"""Everything that a fine-tune can be told, as one frozen model: a TOML file, then `key=value` on the command line.

python -m training train --config run.toml preset=16gb learning_rate=1e-4
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

# Looking for plug-ins that nobody has reads the metadata of every installed package at each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vvlm_desktop.backends.train_values import allowed, refusal
from vvlm_desktop.errors import SettingsError

Preset: TypeAlias = Literal["none", "8gb", "16gb", "24gb", "80gb"]

#: Starting points by the GPU's memory, for a model of about 8 billion parameters; the one for 8 GB is for models of up
#: to 4 billion, since 8 billion take 11 GB even there. `training_memory` estimates what they need, and the step on the
#: longest sample, which every run begins with, measures it.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "8gb": {"precision": "nf4", "frames": 8, "rank": 8, "alpha": 16, "accumulation": 8},
    "16gb": {"precision": "nf4", "frames": 16, "rank": 16, "alpha": 32, "accumulation": 8},
    "24gb": {"precision": "bf16", "frames": 16, "rank": 16, "alpha": 32, "accumulation": 8},
    "80gb": {"precision": "bf16", "frames": 32, "rank": 32, "alpha": 64, "batch": 2, "accumulation": 4},
}


class TrainConfig(BaseModel):
    """One fine-tune. Titles and descriptions are shown on the training page and by `--explain`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # --- what ---
    model_dir: str = Field(min_length=1, title="Base model", description="Folder of the model that is fine-tuned.")
    train_set: str = Field(min_length=1, title="Training set", description="Folder of an export in our own format.")
    run_dir: str = Field(default="", title="Run folder", description="Empty: the folder in which the config lies.")
    name: str = Field(default="", max_length=80, title="Adapter's name", description="Empty: the run folder's name.")
    model_id: str = Field(default="", title="Base's name", description="Written into the card, e.g. its hub id.")
    model_revision: str = Field(default="", title="Base's revision", description="Commit that it was downloaded from.")
    schema_key: str = Field(
        default="", title="Label schema", description="Which one, e.g. dashcam-1, where the set holds several."
    )
    include_samples: bool = Field(
        default=False, title="Train on sample clips", description="Only to show the mechanism; samples are not roads."
    )
    preset: Preset = Field(
        default="none",
        title="GPU memory",
        description="Fills in what is not set, for a model of 8 billion (8gb: of up to 4 billion).",
    )
    device: str = Field(default="auto", title="Device", description="auto, cpu, or a GPU such as cuda:0.")
    precision: Literal["fp32", "bf16", "int8", "nf4"] = Field(
        default="bf16", title="Precision of the base", description="nf4 is QLoRA: a quarter of the memory, some slower."
    )

    objective: Literal["supervised", "preference"] = Field(
        default="supervised",
        title="Learn by",
        description="supervised: the right answers; preference: the right ones rather than what the model had said.",
    )
    beta: float = Field(
        default=0.1, gt=0, le=10, title="Beta", description="For preference: more stays closer to the starting model."
    )
    supervised_weight: float = Field(
        default=0.0, ge=0, le=10, title="Weight of the answer", description="For preference: how much it also recites."
    )

    # --- adapter ---
    start_from: str = Field(
        default="", title="Start from", description="Folder of an adapter to go on from. Empty: a fresh one."
    )
    rank: int = Field(default=16, ge=1, le=512, title="Rank", description="Size of the adapter; more can learn more.")
    alpha: int = Field(default=32, ge=1, le=2048, title="Alpha", description="Its weight, usually twice the rank.")
    dropout: float = Field(
        default=0.05, ge=0, lt=1, title="Dropout", description="Share of the adapter that rests in each step."
    )
    targets: str = Field(
        default="",
        title="Targets",
        description="Regular expression of layers. Empty: the language model's linear ones.",
    )
    projector: bool = Field(
        default=False, title="Train the projector", description="Also what translates pictures into words; larger."
    )

    # --- steps ---
    learning_rate: float = Field(
        default=1e-4, gt=0, le=1, title="Learning rate", description="Size of a step; halve it if the loss jumps."
    )
    schedule: Literal["cosine", "linear", "constant"] = Field(
        default="cosine", title="Schedule", description="How the learning rate falls towards the end."
    )
    warmup: float = Field(
        default=0.03, ge=0, lt=1, title="Warm-up", description="Share of the steps in which it rises from zero."
    )
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Weight decay",
        description="Pulls the adapter towards zero; against overfitting.",
    )
    max_grad_norm: float = Field(
        default=1.0, gt=0, title="Largest gradient", description="Longer gradients are cut to this length."
    )
    epochs: float = Field(default=3.0, gt=0, le=1000, title="Epochs", description="How often every clip is seen.")
    steps: int = Field(default=0, ge=0, title="Steps", description="0: as many as the epochs give.")
    batch: int = Field(default=1, ge=1, le=64, title="Clips at once", description="More is faster where memory allows.")
    accumulation: int = Field(
        default=8, ge=1, le=1024, title="Accumulation", description="Batches whose gradients make one step."
    )
    checkpointing: bool = Field(
        default=True, title="Gradient checkpointing", description="Much less memory for a third more time."
    )
    seed: int = Field(default=0, ge=0, le=2**32 - 1, title="Seed", description="The same seed gives the same run.")

    # --- what the model sees and says ---
    frames: int = Field(default=16, ge=1, le=128, title="Frames", description="As many as analyses will use.")
    sampling: Literal["uniform", "fps", "stored"] = Field(
        default="uniform",
        title="Sampling",
        description="stored: the frames that the set names, else those the analysis saw.",
    )
    fps: float = Field(default=2.0, gt=0, le=60, title="Frames a second", description="For the sampling fps.")
    max_answer_tokens: int = Field(
        default=1024, ge=8, le=16384, title="Longest answer", description="Longer ones are refused, never cut."
    )

    # --- evaluation and checkpoints ---
    eval_every: int = Field(default=0, ge=0, title="Evaluate every", description="Steps; 0: after every epoch.")
    eval_clips: int = Field(
        default=16, ge=0, title="Clips answered", description="Of the validation split, at every evaluation."
    )
    save_every: int = Field(default=0, ge=0, title="Checkpoint every", description="Steps; 0: after every epoch.")
    keep_checkpoints: int = Field(
        default=2, ge=1, le=100, title="Checkpoints kept", description="Older ones are deleted, the best one never."
    )
    early_stopping: int = Field(
        default=0,
        ge=0,
        title="Early stopping",
        description="Evaluations without a better loss until it ends; 0: never.",
    )

    # --- features of the frozen vision tower ---
    cache: bool = Field(
        default=True, title="Keep features", description="What the frozen vision tower sees is computed once per clip."
    )
    cache_limit_gb: float = Field(
        default=50.0, gt=0, title="Most for features", description="What was not used for longest is deleted above it."
    )
    cache_dir: str = Field(default="", title="Features' folder", description="Empty: beside the program's data.")

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        preset = given.get("preset", "none")
        return {**PRESETS.get(preset, {}), **given} if isinstance(preset, str) else given

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.early_stopping and (self.save_every or 0) != (self.eval_every or 0):
            raise ValueError("early_stopping needs a checkpoint at every evaluation: save_every must equal eval_every")
        return self

    @property
    def is_qlora(self) -> bool:
        """Whether the base is compressed."""
        return self.precision in ("nf4", "int8")

    def identity(self) -> dict[str, Any]:
        """What must not change between the parts of one run; folders may move, their content is looked at."""
        free = {
            "model_dir",
            "train_set",
            "model_id",
            "model_revision",
            "run_dir",
            "name",
            "device",
            "eval_clips",
            "keep_checkpoints",
            "cache",
            "cache_dir",
            "cache_limit_gb",
            "preset",
            "start_from",
        }
        return {key: value for key, value in self.model_dump().items() if key not in free}


def load_config(file: Path | None, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a config; `key=value` wins over the file, and both over the preset.

    Raises:
        SettingsError: names the value and what is allowed.
    """
    values: dict[str, Any] = {}
    where = str(file) if file is not None else "The command line"
    if file is not None:
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SettingsError(f"The config {file} cannot be read: {reason}.") from error
    for pair in overrides:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise SettingsError(f"“{pair}” is not of the form key=value.", hint=_hint(pair))
        values[key.strip()] = text.strip()
    if file is not None and not values.get("run_dir"):
        values["run_dir"] = str(file.resolve().parent)
    try:
        config = TrainConfig.model_validate(values)
    except ValidationError as error:
        key = _first_key(error)
        typed = any(pair.startswith(f"{key}=") for pair in overrides)
        newer = file is not None and key not in TrainConfig.model_fields and not typed
        hint = "A newer version of the program may have written it: update, or delete that line. " if newer else ""
        raise SettingsError(f"{where}: {_told(error)}.", hint=hint + _hint(key)) from error
    return config


def save_config(config: TrainConfig, file: Path) -> None:
    """Write every value, each under its explanation, atomically; what a preset filled in stands there as a number."""
    from vvlm_desktop.backends.atomic_file import write_atomically

    lines = ["# Run again or go on:  python -m training train --config " + file.name, ""]
    for key, field in TrainConfig.model_fields.items():
        lines += [f"# {field.title}: {field.description}", f"{key} = {_toml(getattr(config, key))}"]
    write_atomically(file, "\n".join(lines) + "\n")


def explanations() -> list[tuple[str, str, str]]:
    """Key, default and explanation of every value, with what it may be."""
    found = []
    for key, field in TrainConfig.model_fields.items():
        words = allowed(field)
        default = "needed" if field.is_required() else _toml(field.default)
        found.append((key, default, f"{field.title}: {field.description}{f' Allowed: {words}.' if words else ''}"))
    return found


def _toml(value: Any) -> str:
    import tomli_w

    return tomli_w.dumps({"x": value}).partition("= ")[2].strip()


def _told(error: ValidationError) -> str:
    told = []
    for each in error.errors(include_url=False)[:4]:
        key = ".".join(map(str, each["loc"]))
        told.append(refusal(key, TrainConfig.model_fields.get(key), each))
    return "; ".join(told)


def _first_key(error: ValidationError) -> str:
    location = error.errors()[0]["loc"]
    return str(location[0]) if location else ""


def _hint(key: str) -> str:
    import difflib

    known = list(TrainConfig.model_fields)
    if key in known:
        return f"{key}: {TrainConfig.model_fields[key].description}"
    close = difflib.get_close_matches(key.partition("=")[0], known, n=1)
    return f"Did you mean {close[0]}?" if close else "`python -m training train --explain` lists every value."

"""A run's config in a few words: on which set it learns, and with which values."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vvlm_desktop.backends.train_config import TrainConfig

#: What decides most about what is learnt, with the word for it.
_MAIN = (
    ("preset", "preset"),
    ("rank", "rank"),
    ("alpha", "alpha"),
    ("learning_rate", "learning rate"),
    ("batch", "clips at once"),
    ("accumulation", "accumulation"),
    ("seed", "seed"),
)


def set_of(config: TrainConfig) -> str:
    """The training set as it is called, such as fleet-001; its folder's name where that says more."""
    name = PurePath(config.train_set).name
    title, _, identity = name.rpartition("-")
    return title if title and len(identity) == 12 else name


def main_values(config: TrainConfig) -> str:
    """The values that are asked for first."""
    length = f"{config.steps} steps" if config.steps else f"{config.epochs:g} epochs"
    said = [f"{word} {getattr(config, key):g}" if key != "preset" else f"preset {config.preset}" for key, word in _MAIN]
    return ", ".join([config.objective, length, *said])

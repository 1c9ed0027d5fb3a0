"""Which part of a training set a recording belongs to: decided by its own name alone."""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["train", "val", "test"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")
#: How the manifest describes the rule to other tools.
SPLIT_RULE = "first 8 bytes of sha256(recording) as a number: below 80 % train, below 90 % val, else test"


def assign_split(recording: str) -> Split:
    """Split of a recording, 80/10/10.

    It depends on nothing but the recording, so adding clips never moves others, and all clips of one drive stay
    together.
    """
    share = int.from_bytes(hashlib.sha256(recording.encode("utf-8", "surrogatepass")).digest()[:8]) / 2**64
    if share < 0.8:
        return "train"
    return "val" if share < 0.9 else "test"

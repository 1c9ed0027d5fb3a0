"""Which part of a training set a recording belongs to: decided by its own name alone."""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["train", "val", "test"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")
#: How the manifest describes the rule to other tools.
SPLIT_RULE = (
    "first 8 bytes of sha256(recording) as a number: below 80 % train, below 90 % val, else test; val instead of test"
    " for a recording with a review that began from a teacher's draft"
)


def assign_split(recording: str, *, drafted: bool = False) -> Split:
    """Split of a recording, 80/10/10.

    It depends on nothing but the recording, so adding clips never moves others, and all clips of one drive stay
    together.

    Args:
        drafted: a review of it began from a teacher's draft. People tend to agree with what is filled in already, so it
            measures nobody: the recording as a whole is `val` where it would be `test`.
    """
    share = int.from_bytes(hashlib.sha256(recording.encode("utf-8", "surrogatepass")).digest()[:8]) / 2**64
    if share < 0.8:
        return "train"
    return "val" if share < 0.9 or drafted else "test"

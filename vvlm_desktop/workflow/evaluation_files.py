"""Which clips an evaluation's folder holds answers about, and of whom; as it lies there, believed for nothing more."""

from __future__ import annotations

import json
from pathlib import Path

METRICS_FILE = "metrics.json"
ANSWERS_FILE = "answers.jsonl"
#: The model alone, as an answerer.
BASE = "base"


def answered_clips(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Clips and adapters of an evaluation of the test part; empty where it is none that has ended."""
    try:
        if json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))["split"] != "test":
            return frozenset(), frozenset()
        lines = (folder / ANSWERS_FILE).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        found = [(str(row["clip_id"]), str(row["answerer"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return frozenset(), frozenset()
    return frozenset(clip for clip, _ in found), frozenset(name for _, name in found if name != BASE)

"""What can be told about promotion before anything was trained: whether a set's test part can decide at all."""

from __future__ import annotations

from collections.abc import Mapping

from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_shelf import TrainingSet


def test_part_note(session: Session, training_set: TrainingSet) -> str:
    """A sentence where an adapter of this set cannot become the default by the rule in force; empty where it may."""
    splits = training_set.manifest.get("splits")
    clips = splits.get("test") if isinstance(splits, Mapping) else None
    least = session.settings.promotion_least_clips
    if not isinstance(clips, int) or isinstance(clips, bool) or clips >= least:
        return ""
    there = "no test clip" if clips == 0 else "1 test clip" if clips == 1 else f"{clips:,} test clips"
    return (
        f"{there.capitalize() if clips == 0 else there}; the rule for promotion asks for {least:,}. What is trained on"
        " this set can be measured, and not become the default: review clips of more recordings, then make a new set."
    )

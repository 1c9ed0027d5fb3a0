"""What a person's verdict says about an answer; comparing, calibration and every count of who was right ask here.

A verdict tells nothing where nobody looked (`bulk_unseen`), or where a demo's script was waved through. A corrected or
accepted value is the truth. A rejected value is known to be wrong, and the truth is not known: whoever said that very
value was wrong, and of any other value nobody can tell.
"""

from __future__ import annotations

from vvlm_desktop.domain.review import Verdict
from vvlm_desktop.domain.schema import Field
from vvlm_desktop.domain.values import LabelValue

#: Two stretches of time mean the same moment if they share at least half of what they cover together.
_SAME_MOMENT = 0.5
_LOOKED = frozenset({"explicit", "bulk"})


def tells(verdict: Verdict, *, scripts: frozenset[str] = frozenset()) -> bool:
    """Whether a verdict says anything about what is to be seen.

    Args:
        scripts: ids of a demo's scripted answers; waving one of those through says nothing about a model.
    """
    if verdict.how not in _LOOKED:
        return False
    return verdict.how == "explicit" or verdict.analysis_id not in scripts


def counts_as_truth(verdict: Verdict, *, scripts: frozenset[str] = frozenset()) -> bool:
    """Whether a verdict says what is true, rather than only what is not."""
    return verdict.verdict != "rejected" and tells(verdict, scripts=scripts)


def is_right(field: Field, said: LabelValue, verdict: Verdict, *, scripts: frozenset[str] = frozenset()) -> bool | None:
    """Whether a value that was said is the true one; None where the verdict does not tell."""
    if field.kind == "text" or not tells(verdict, scripts=scripts):
        return None  # whether two texts mean the same is for people to say
    if verdict.verdict == "rejected":
        return False if verdict.model_answered and same_answer(field, said, verdict.model_value) else None
    return same_answer(field, said, verdict.value)


def same_answer(field: Field, one: LabelValue, other: LabelValue) -> bool:
    """Whether two values of a field mean the same; a list says the same in any order."""
    if field.kind == "range" and isinstance(one, dict) and isinstance(other, dict):
        shared = min(one["end_ms"], other["end_ms"]) - max(one["start_ms"], other["start_ms"])
        together = max(one["end_ms"], other["end_ms"]) - min(one["start_ms"], other["start_ms"])
        return shared >= _SAME_MOMENT * together
    if isinstance(one, list) and isinstance(other, list):
        return set(one) == set(other)
    return one == other

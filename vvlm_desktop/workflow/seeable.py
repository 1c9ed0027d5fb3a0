"""Whether there is anything to judge: a clip without a picture can be put aside, but nobody can say what was in it."""

from __future__ import annotations

from collections.abc import Mapping

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Verdict
from vvlm_desktop.domain.values import CANNOT_TELL
from vvlm_desktop.errors import UsageError, VvlmError
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.session import Session

NOTHING_TO_SEE = "No picture of this clip can be shown; what was in it cannot be judged."
PUT_ASIDE = "Dismiss it with a reason, such as no picture, or leave it for later."
#: What a status says of a clip that somebody has looked at; leaving one for later, and a driver's words, need no look.
_LOOKED_AT = frozenset({"reviewed", "needs_coaching", "coached", "needs_recognition", "recognized"})


def require_seeable(clip: Clip, verdicts: Mapping[str, Verdict | None], *, held: str, status: str | None) -> None:
    """Refuse what somebody would have to have seen; taking verdicts back and "cannot tell" need no picture.

    Args:
        held: the review's status: where it says that somebody has looked, coaching and praise may follow.
        status: that it is to have; None where it stays.

    Raises:
        UsageError: the clip has no frame that could be shown.
    """
    if clip.readable:
        return
    judged = any(verdict is not None and not _cannot_tell(verdict) for verdict in verdicts.values())
    if judged or (status in _LOOKED_AT and held not in _LOOKED_AT):
        raise UsageError(NOTHING_TO_SEE, hint=PUT_ASIDE)


def require_at_hand(session: Session, clip: Clip) -> None:
    """For somebody who judges without the window: the pictures have to be where they could have been looked at.

    Raises:
        UsageError: the clip's file is gone, was replaced, or may not be read.
    """
    try:
        existing_path(session, clip)
    except VvlmError as error:
        raise UsageError(f"{NOTHING_TO_SEE} {error}", hint=f"{error.hint} {PUT_ASIDE}".strip()) from error


def _cannot_tell(verdict: Verdict) -> bool:
    return verdict.verdict != "rejected" and verdict.value in (CANNOT_TELL, [CANNOT_TELL])

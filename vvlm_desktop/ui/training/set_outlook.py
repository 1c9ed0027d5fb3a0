"""What a training set could be made from: which reviewed clips there are, and why some of them would not train."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import SETTLED
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.formats.base import LeftOut
from vvlm_desktop.formats.training_set import TrainingSetFormat
from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.ui.words import count, file_name
from vvlm_desktop.workflow.exporting import export_context, gather
from vvlm_desktop.workflow.session import Session

#: From so many recordings on each of the three parts gets some.
ENOUGH_RECORDINGS = 5
_LOOKED_AT = (*sorted(SETTLED), "dismissed")


@dataclass(frozen=True, slots=True)
class Outlook:
    """The reviews of a library, as far as training is concerned.

    Attributes:
        clips: in the library that can be looked at, reviewed or not.
        reviewed: settled by somebody, among those that were chosen.
        usable: clips that would be in a set made now.
        recordings: that the usable ones come from.
        samples: settled sample clips, whether they are let in or not.
        left_out: settled or dismissed, and not usable.
    """

    clips: int = 0
    reviewed: int = 0
    usable: int = 0
    recordings: int = 0
    samples: int = 0
    left_out: tuple[LeftOut, ...] = ()

    @property
    def in_words(self) -> str:
        """How much there is, in a sentence without an end."""
        return f"{count(self.usable, 'reviewed clip')} of {count(self.recordings, 'recording')}"

    @property
    def advice(self) -> str:
        """What more reviews would change; empty where there are enough."""
        if self.usable == 0 or self.recordings >= ENOUGH_RECORDINGS:
            return ""
        return (
            f"With {ENOUGH_RECORDINGS} recordings or more, some are kept apart to measure what was learnt. Until then a"
            " model can be trained, but nobody can say whether it got better."
        )


def outlook(
    session: Session, *, chosen: Sequence[Clip] | None, include_samples: bool, cancelled: Callable[[], bool]
) -> Outlook:
    """Look through the reviews of all clips, or of those of `chosen`.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    library = session.library
    context = export_context(session, copy=False, include_samples=include_samples, cancelled=cancelled)
    wanted = None if chosen is None else {clip.id for clip in chosen}
    every = [row.clip for row in library.clip_rows(library.clip_rowids(ClipFilter(status=_LOOKED_AT)))]
    usable: list[Clip] = []
    left_out: list[LeftOut] = []
    reviewed = samples = 0
    for clip in every:
        if cancelled():
            raise JobCancelledError("Looking through the reviews was stopped.")
        if wanted is not None and clip.id not in wanted:
            continue
        reviewed += clip.status in SETTLED
        samples += clip.is_sample and clip.status in SETTLED
        reason = TrainingSetFormat().reason_to_leave_out(gather(session, clip), context=context)
        if reason is None:
            usable.append(clip)
        else:
            left_out.append(LeftOut(clip.id, file_name(clip.path), reason))
    return Outlook(
        clips=len(library.clip_rowids(ClipFilter(readable=True))),
        reviewed=reviewed,
        usable=len(usable),
        recordings=len({clip.recording or clip.id for clip in usable}),
        samples=samples,
        left_out=tuple(left_out),
    )


def by_reason(rows: Sequence[LeftOut]) -> list[tuple[str, list[LeftOut]]]:
    """Clips that were left out, by the reason, the commonest first."""
    often = Counter(row.reason for row in rows)
    return [(reason, [row for row in rows if row.reason == reason]) for reason, _ in often.most_common()]

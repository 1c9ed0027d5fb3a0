"""Which clips come up in Review, and in what order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.workflow.session import Session

#: Clips that the reviewer has in view: their order never changes under the hand.
KEEP_AHEAD = 5
#: Share of places given to clips from the lower half at random, or misses would never surface.
RANDOM_SHARE = 0.05
UNFINISHED = ("needs_review", "in_review")


@dataclass(slots=True)
class ReviewQueue:
    """Unfinished, readable clips, those worth most attention first; finished ones stay where they were until `refresh`.

    Attributes:
        rowids: of the clips in order, to be loaded page by page.
        random_rowids: those that are there by chance and not by rank, so that the reason can be shown.
        finished: how many have been settled since the queue was made.
    """

    session: Session
    clip_filter: ClipFilter | None = None
    rowids: list[int] = field(default_factory=list)
    random_rowids: frozenset[int] = frozenset()
    finished: int = 0

    def refresh(self, *, keep: Sequence[int] = ()) -> None:
        """Read the library again; `keep` (current clip and those in view) stay in front in their order."""
        library = self.session.library
        chosen = self.clip_filter or ClipFilter(status=UNFINISHED, readable=True)
        ranked = list(library.clip_rowids(chosen, sort="attention", descending=True))
        kept = list(keep)[: KEEP_AHEAD + 1]
        in_front = set(kept)
        rest = [rowid for rowid in ranked if rowid not in in_front]
        self.rowids, self.random_rowids = kept + rest, frozenset()
        if len(rest) > 2 * KEEP_AHEAD:
            mixed, by_chance = _mix(rest)
            self.rowids, self.random_rowids = kept + mixed, frozenset(by_chance)

    def position(self, rowid: int) -> int | None:
        """Place of a clip in the queue, None when it is not in it."""
        try:
            return self.rowids.index(rowid)
        except ValueError:
            return None

    def clips(self, start: int, count: int) -> list[Clip]:
        """`count` clips from place `start`."""
        return [row.clip for row in self.session.library.clip_rows(self.rowids[start : start + count])]

    def next_unfinished(self, after: int | None, *, step: int = 1) -> int | None:
        """Row id of the next clip that nobody has settled, after (or with `step=-1` before) row `after`."""
        place = self.position(after) if after is not None else None
        start = (place + step) if place is not None else (0 if step > 0 else len(self.rowids) - 1)
        places = range(start, len(self.rowids)) if step > 0 else range(start, -1, -1)
        for at in places:
            rows = self.session.library.clip_rows([self.rowids[at]])
            if rows and rows[0].clip.status in UNFINISHED and rows[0].clip.readable:
                return self.rowids[at]
        return None


def _mix(ranked: list[int]) -> tuple[list[int], list[int]]:
    """Every twentieth place goes to a clip drawn from the lower half; the draw is the same for the same clips."""
    half = len(ranked) // 2
    upper, lower = ranked[:half], ranked[half:]
    count = max(1, int(len(upper) * RANDOM_SHARE))
    # Not for secrets: the same library gives the same order at each start, which a reviewer expects.
    drawn = random.Random(len(ranked)).sample(lower, min(count, len(lower)))  # noqa: S311
    step = round(1 / RANDOM_SHARE)
    mixed = list(upper)
    for number, rowid in enumerate(drawn):
        mixed.insert(min(len(mixed), (number + 1) * step - 1), rowid)
    chosen = set(drawn)
    return mixed + [rowid for rowid in lower if rowid not in chosen], drawn

"""Which clips come up in Review, and in what order."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.workflow.session import Session

#: Fewer new clips than twice this are not mixed: all of them are soon in view.
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
        sorted_by_rank: whether sorting anew would leave everything where it is.
        finished: how many have been settled since the queue was made.
    """

    session: Session
    clip_filter: ClipFilter | None = None
    rowids: list[int] = field(default_factory=list)
    random_rowids: frozenset[int] = frozenset()
    finished: int = 0
    sorted_by_rank: bool = True

    def refresh(self, *, current: int | None = None) -> None:
        """Read the library again.

        While a clip is open (`current`) every clip keeps its place, as far as it is still unfinished, and what is new
        comes after the others, the most urgent first: nothing moves under the hand. Without one all are sorted anew.
        """
        library = self.session.library
        chosen = self.clip_filter or ClipFilter(status=UNFINISHED, readable=True)
        ranked = list(library.clip_rowids(chosen, sort="attention", descending=True))
        wanted = set(ranked)
        kept = [rowid for rowid in self.rowids if rowid in wanted or rowid == current] if current is not None else []
        held = set(kept)
        new = [rowid for rowid in ranked if rowid not in held]
        by_chance = self.random_rowids & held
        if len(new) > 2 * KEEP_AHEAD:
            new, drawn = _mix(new)
            by_chance |= frozenset(drawn)
        self.rowids, self.random_rowids = kept + new, by_chance
        in_place = [rowid for rowid in self.rowids if rowid in wanted and rowid not in by_chance]
        self.sorted_by_rank = in_place == [rowid for rowid in ranked if rowid not in by_chance]

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

"""The queue as the page uses it: rows for the list, progress, which clip is next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.review import SETTLED
from vvlm_desktop.domain.values import Labels
from vvlm_desktop.store.records import ClipFilter, ClipRow
from vvlm_desktop.ui.library.under_review import with_verdicts
from vvlm_desktop.ui.review.queue_list import QueueItem
from vvlm_desktop.ui.review.timeline_build import EVENT_TYPE
from vvlm_desktop.ui.widgets.marks import CONFIDENCE_MARKS, STATUS_MARKS
from vvlm_desktop.ui.words import clip_name, shown
from vvlm_desktop.workflow.calibration import Calibration, shown_confidence
from vvlm_desktop.workflow.review_queue import UNFINISHED, ReviewQueue
from vvlm_desktop.workflow.review_state import starting_point
from vvlm_desktop.workflow.session import Session


class QueueDesk:
    """Holds the queue and the place in it.

    Args:
        calibration_of: what is known of the confidence of an answer's model, so that a row says what the form says.
    """

    def __init__(
        self, session: Session, *, calibration_of: Callable[[Analysis], Calibration | None] = lambda _analysis: None
    ) -> None:
        self._session = session
        self._calibration_of = calibration_of
        self._queue = ReviewQueue(session)
        self._rowids: dict[str, int] = {}
        self.refresh(current=None)

    def __len__(self) -> int:
        return len(self._queue.rowids)

    def refresh(self, *, current: str | None) -> bool:
        """Read the library again; while a clip is open the order stays. Whether other rows came of it."""
        before = self._queue.rowids
        rowid = self._rowid(current) if current is not None and self.row_of(current) is not None else None
        self._rowids.clear()
        self._queue.refresh(current=rowid)
        return self._queue.rowids != before

    @property
    def sorted_by_rank(self) -> bool:
        """Whether those worth most attention come first, as far as is known now."""
        return self._queue.sorted_by_rank

    def items(self, start: int, count: int) -> Sequence[QueueItem]:
        """Rows for the list."""
        rows = self._session.library.clip_rows(self._queue.rowids[start : start + count])
        return [self._item(row) for row in rows]

    def row_of(self, clip_id: str) -> int | None:
        """Place of a clip in the queue."""
        rowid = self._rowid(clip_id)
        return self._queue.position(rowid) if rowid is not None else None

    def _rowid(self, clip_id: str) -> int | None:
        rowid = self._rowids.get(clip_id)
        if rowid is None:
            rowid = self._session.library.rowid_of(clip_id)
            if rowid is not None:
                self._rowids[clip_id] = rowid
        return rowid

    def by_chance(self, clip_id: str) -> bool:
        """Whether a clip is in the queue by chance and not by rank."""
        return self._rowids.get(clip_id, -1) in self._queue.random_rowids

    def next_id(self, after: str | None, *, step: int = 1) -> str | None:
        """The next clip that nobody has settled, from the top again at the end; None when there is none."""
        place = self.row_of(after) if after is not None else None
        rowid = self._queue.next_unfinished(self._queue.rowids[place] if place is not None else None, step=step)
        if rowid is None and place is not None:
            rowid = self._queue.next_unfinished(None, step=step)
        if rowid is None:
            return None
        clip_id = self._session.library.clip_rows([rowid])[0].clip.id
        self._rowids[clip_id] = rowid
        return clip_id if clip_id != after else None

    def progress(self) -> tuple[int, int]:
        """How many of the library's readable clips are settled or dismissed, and how many there are."""
        library = self._session.library
        total = library.count_clips(ClipFilter(readable=True))
        return total - library.count_clips(ClipFilter(readable=True, status=UNFINISHED)), total

    def _item(self, row: ClipRow) -> QueueItem:
        clip = row.clip
        self._rowids[clip.id] = row.rowid
        name = clip_name(clip, suffix=False)
        if clip.status in SETTLED or clip.status == "dismissed":
            word, status_mark, ink = STATUS_MARKS[clip.status]
            return QueueItem(clip.id, name, self._event(row.labels) or word, status_mark, ink, row)
        if clip.problem:
            return QueueItem(clip.id, name, shown(clip.problem), "warning", "bad", row)
        analyses = self._session.library.analyses(clip.id) if row.analysed else []
        start = starting_point(analyses, self._session.schema)
        row = with_verdicts(self._session, row)
        judged = row.source == "review" and EVENT_TYPE in row.labels
        words = self._event(row.labels if judged else start.labels if start is not None else {})
        reason = "random check" if row.rowid in self._queue.random_rowids else _why(analyses)
        nothing = "no event found" if row.analysed else "being reviewed" if row.source else "not analysed"
        said = " · ".join(part for part in (words, reason) if part) or nothing
        asked = start if words and not judged else None
        sure = shown_confidence(self._calibration_of(asked), asked, EVENT_TYPE) if asked is not None else None
        mark = CONFIDENCE_MARKS[sure.word] if sure is not None else "half" if clip.status == "in_review" else None
        return QueueItem(clip.id, name, said, mark, "muted", row)

    def _event(self, labels: Labels) -> str:
        event, schema = labels.get(EVENT_TYPE), self._session.schema
        return schema.field(EVENT_TYPE).label_of(event) if isinstance(event, str) and EVENT_TYPE in schema else ""


def _why(analyses: Sequence[Analysis]) -> str:
    candidates = [candidate for analysis in analyses for candidate in analysis.candidates]
    return max(candidates, key=lambda c: c.score).kind.replace("_", " ") if candidates else ""

"""What the reviewer has said so far about clips that are not finished, in place of the answer it began with."""

from __future__ import annotations

from array import array
from dataclasses import replace

from vvlm_desktop.store.library import ClipFilter, ClipRow
from vvlm_desktop.workflow.session import Session

IN_REVIEW = "in_review"


def with_verdicts(session: Session, row: ClipRow) -> ClipRow:
    """`row` as this reviewer's unfinished review has it; what somebody else has not finished is not shown."""
    if row.clip.status != IN_REVIEW:
        return row
    review = session.library.review(row.clip.id, reviewer=session.reviewer, schema_key=session.schema.key)
    if not review.verdicts:
        return row
    open_keys = review.verdicts.keys()
    labels = {key: value for key, value in row.labels.items() if key not in open_keys} | review.labels()
    return replace(row, labels=labels, source="review", reviewer=session.reviewer)


class ListsUnderReview:
    """The library's lists with what was said so far."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def clip_rowids(
        self,
        filter: ClipFilter | None = None,  # noqa: A002  as the library has it
        *,
        sort: str = "added",
        descending: bool = False,
    ) -> array[int]:
        """Ids in order."""
        return self._session.library.clip_rowids(filter, sort=sort, descending=descending)

    def clip_rows(self, rowids: list[int]) -> list[ClipRow]:
        """Rows of a page."""
        return [with_verdicts(self._session, row) for row in self._session.library.clip_rows(rowids)]

"""Which clips a page for many is about: all, some by their state, or what was chosen in the library."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vvlm_desktop.domain.review import SETTLED
from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.workflow.session import Session

if TYPE_CHECKING:
    from vvlm_desktop.ui.changes import Changes
    from vvlm_desktop.workflow.answerers import Source


@dataclass(frozen=True, slots=True)
class Scope:
    """A name for people, and which clips it means.

    Attributes:
        chosen: row ids of clips that were chosen one by one; None where `wanted` tells, ever anew.
        sources: whose answers about them are to be compared; None where that is left open.
        changes: how the answers about them would change, where that is what they were chosen for.
    """

    title: str
    wanted: ClipFilter = field(default_factory=ClipFilter)
    chosen: tuple[int, ...] | None = None
    sources: tuple[Source, ...] | None = None
    changes: Changes | None = field(default=None, compare=False, repr=False)

    def rowids(self, session: Session) -> array[int]:
        """Row ids of its clips, as they are now."""
        return session.library.clip_rowids(self.wanted) if self.chosen is None else array("q", self.chosen)


SCOPES: tuple[Scope, ...] = (
    Scope("All clips"),
    Scope("Reviewed clips", ClipFilter(status=tuple(sorted(SETTLED)))),
    Scope("Not yet reviewed", ClipFilter(status=("needs_review", "in_review"))),
    Scope("Without samples", ClipFilter(sample=False)),
)

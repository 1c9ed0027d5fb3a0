"""Reads the library for the Compare page, in a thread: who answered, and how far two of them agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import SETTLED
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.ui.compare.pairing import Source, sources_of
from vvlm_desktop.ui.compare.tally import Tally
from vvlm_desktop.ui.words import file_name
from vvlm_desktop.workflow.comparing import Comparison, compare_answers
from vvlm_desktop.workflow.session import Session

_PAGE = 200

#: What can be compared: label for people → which clips.
SCOPES: tuple[tuple[str, ClipFilter], ...] = (
    ("All clips", ClipFilter()),
    ("Reviewed clips", ClipFilter(status=tuple(sorted(SETTLED)))),
    ("Not yet reviewed", ClipFilter(status=("needs_review", "in_review"))),
    ("Without samples", ClipFilter(sample=False)),
)


@dataclass(frozen=True, slots=True)
class Answerers:
    """Who answered in this library: how many clips each, and how many clips each two have in common."""

    clips: dict[Source, int]
    shared: dict[tuple[Source, Source], int]

    @property
    def comparable(self) -> list[Source]:
        """Those that share clips with another, the most common first."""
        paired = {source for pair in self.shared for source in pair}
        return sorted(paired, key=lambda source: (source.back, -self.clips[source], source.title))

    def partners(self, source: Source) -> list[Source]:
        """Those that have answered about some of the same clips."""
        return [other for other in self.comparable if other != source and self.shared_by(source, other)]

    def shared_by(self, one: Source, other: Source) -> int:
        """How many clips two of them have in common."""
        return self.shared.get((one, other), 0) or self.shared.get((other, one), 0)

    def suggested(self) -> tuple[Source, Source] | None:
        """A model and its adapter where there are such; else two models; else the two with most clips in common."""

        def worth(pair: tuple[Source, Source]) -> tuple[bool, bool, bool, int]:
            one, other = pair
            tuned = one.model == other.model and one.adapter != other.adapter
            models = "measurement" not in {one.provenance, other.provenance}
            return (tuned and not one.back and not other.back, models, not (one.back or other.back), self.shared[pair])

        best = max(self.shared, key=worth, default=None)
        if best is None:
            return None
        # The plain one at the left: without an adapter, measured, older.
        one, other = sorted(
            best, key=lambda each: (each.adapter is not None, each.provenance != "measurement", -each.back)
        )
        return one, other


def _clips(
    session: Session, wanted: ClipFilter, *, report: Callable[[float], None], cancelled: Callable[[], bool]
) -> Iterator[Clip]:
    library = session.library
    rowids = library.clip_rowids(wanted)
    for start in range(0, len(rowids), _PAGE):
        report(start / len(rowids))
        for row in library.clip_rows(rowids[start : start + _PAGE]):
            if cancelled():
                raise JobCancelledError("Comparing was stopped.")
            yield row.clip


def find_answerers(session: Session, *, cancelled: Callable[[], bool] = lambda: False) -> Answerers:
    """Who answered about which clips.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    clips: Counter[Source] = Counter()
    shared: Counter[tuple[Source, Source]] = Counter()
    for clip in _clips(session, ClipFilter(), report=lambda _fraction: None, cancelled=cancelled):
        found = sorted(sources_of(session.library.analyses(clip.id), schema=session.schema), key=_by_title)
        clips.update(found)
        shared.update(combinations(found, 2))
    return Answerers(dict(clips), dict(shared))


def _by_title(source: Source) -> tuple[str, int]:
    return source.title, source.back


def tally_of(
    session: Session,
    sources: tuple[Source, Source],
    *,
    wanted: ClipFilter,
    report: Callable[[float], None] = lambda _fraction: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Tally:
    """How far two answerers agree over the clips that are wanted and that both have answered.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    tally = Tally.empty(session.schema)
    for clip in _clips(session, wanted, report=report, cancelled=cancelled):
        pair = read_pair(session, clip, sources)
        if pair is not None:
            tally.add(pair, name=file_name(clip.path), fair=not pair.notes)
    tally.sort()
    return tally


def read_pair(session: Session, clip: Clip, sources: tuple[Source, Source]) -> Comparison | None:
    """The two answers about a clip; None where one of them is missing."""
    library, schema = session.library, session.schema
    analyses = library.analyses(clip.id)
    found = sources_of(analyses, schema=schema)
    if sources[0] not in found or sources[1] not in found:
        return None
    truth = library.truth(clip.id, schema_key=schema.key)
    return compare_answers(schema, clip, (found[sources[0]], found[sources[1]]), truth=truth, analyses=analyses)

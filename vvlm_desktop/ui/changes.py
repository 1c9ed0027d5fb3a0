"""How the answers about clips would change with another adapter: what is said of each, and of all; without Qt.

Which clips change is found over the whole library once; afterwards only clips of which something was written are read
again, so that a review or a new answer shows at once in a library of any size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, TypeAlias

from vvlm_desktop.domain.labels import format_value
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.session import Session

if TYPE_CHECKING:
    # Imported where they are used: the library is shown before PyAV is loaded.
    from vvlm_desktop.workflow.answerers import Source
    from vvlm_desktop.workflow.changing import Changing
    from vvlm_desktop.workflow.comparing import Comparison

EVENT_TYPE = "event_type"
#: Stands for “not answered”.
SILENT = ""
Way: TypeAlias = Literal["towards", "away"]


@dataclass(frozen=True, slots=True)
class ClipChange:
    """What would be said otherwise of one clip.

    Attributes:
        event: what is said of the event now, and what would be.
        fields: that change, in the schema's order.
        towards, away: fields in which it comes to say what a person said, and in which it no longer would.
        name: of the file, for the order.
        reviewer: who settled the clip, "" where nobody has.
    """

    event: tuple[str, str]
    fields: tuple[str, ...]
    towards: int = 0
    away: int = 0
    name: str = ""
    reviewer: str = ""

    @property
    def order(self) -> tuple[bool, bool, int, str]:
        """The event first, then what goes away from a person's word, then those with most fields."""
        return self.event[0] == self.event[1], not self.away, -len(self.fields), self.name

    def goes(self, way: Way) -> bool:
        """Whether it goes there in any field."""
        return bool(self.towards if way == "towards" else self.away)


@dataclass(frozen=True, slots=True)
class Changes:
    """What another adapter would say otherwise.

    Attributes:
        compared: clips that both have answered on the same footing.
        by_row: of those that change, by row id.
        missing: ids of readable clips that one of the two has not answered yet.
        unfair: clips that both have answered, with other frames, words or settings.
        learnt: row ids of compared clips that one of the two learnt from; they go no way, because they prove nothing.
    """

    now: Source
    then: Source
    compared: int
    by_row: Mapping[int, ClipChange]
    missing: frozenset[str] = frozenset()
    unfair: int = 0
    learnt: frozenset[int] = frozenset()

    @property
    def sources(self) -> tuple[Source, Source]:
        """Who answers now, and who would."""
        return self.now, self.then

    @property
    def title(self) -> str:
        """The outcome in a few words."""
        return f"{count(len(self.by_row), 'clip')} would change with {self.then.adapter or self.then.title}"

    def rows(self, *, field_key: str = "", way: Way | None = None) -> tuple[int, ...]:
        """Row ids of those that change, in that field or that way, the most telling first."""
        fitting = (
            (change.order, row)
            for row, change in self.by_row.items()
            if (not field_key or field_key in change.fields) and (way is None or self._goes(row, way))
        )
        return tuple(row for _, row in sorted(fitting))

    def by_field(self) -> list[tuple[str, int]]:
        """How many clips change in each field, the most first."""
        counts = Counter(key for change in self.by_row.values() for key in change.fields)
        return sorted(counts.items(), key=lambda item: (item[0] != EVENT_TYPE, -item[1], item[0]))

    def going(self, way: Way) -> int:
        """How many clips go towards what a person said, or away from it."""
        return sum(self._goes(row, way) for row in self.by_row)

    def _goes(self, row: int, way: Way) -> bool:
        return row not in self.learnt and self.by_row[row].goes(way)


def change_in(schema: LabelSchema, pair: Comparison) -> ClipChange | None:
    """What changes between two answers; None where nothing does, or where they were not asked on the same footing."""
    differing = {each.field.key: each for each in pair.fields if each.standing == "differs"}
    if not differing or not pair.counts:
        return None
    said = next((each for each in pair.fields if each.field.key == EVENT_TYPE), None)
    values = [str(said.said[n]) if said is not None and said.answered[n] else SILENT for n in (0, 1)]
    rights = [each.right for each in differing.values()]
    return ClipChange(
        event=(values[0], values[1]),
        fields=tuple(field.key for field in schema.fields if field.key in differing),
        towards=sum(right == (False, True) for right in rights),
        away=sum(right == (True, False) for right in rights),
        name=PurePath(pair.clip.path).name,
        reviewer=pair.truth_by or "",
    )


def read_changes(
    session: Session,
    found: Changing,
    *,
    report: Callable[[float], None] = lambda _fraction: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Changes:
    """What changes of each clip that was found to change.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    from vvlm_desktop.workflow.answerers import pairs_of

    sources = (found.now, found.then)
    pairs = pairs_of(session, sources, wanted=found.changed, report=report, cancelled=cancelled)
    changes = {row: change for row, pair in pairs if (change := change_in(session.schema, pair)) is not None}
    missing = frozenset(clip.id for clip in found.missing)
    return Changes(found.now, found.then, found.compared, changes, missing, len(found.unfair), frozenset(found.learnt))


def find_changes(
    session: Session,
    sources: tuple[Source, Source],
    *,
    report: Callable[[float], None] = lambda _fraction: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Changes:
    """Look through the whole library.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    from vvlm_desktop.workflow.changing import changing

    now, then = sources
    found = changing(session, model=then.model, adapter=then.adapter or "", now=now.adapter or "", cancelled=cancelled)
    return read_changes(session, found, report=report, cancelled=cancelled)


def read_again(
    session: Session, changes: Changes, clip_ids: Collection[str], *, cancelled: Callable[[], bool] = lambda: False
) -> Changes:
    """The same after something was written about these clips.

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    from vvlm_desktop.workflow.answerers import read_pair

    by_row, missing, compared = dict(changes.by_row), set(changes.missing), changes.compared
    for clip_id in clip_ids:
        if cancelled():
            raise JobCancelledError("Comparing was stopped.")
        row = session.library.rowid_of(clip_id)
        if row is None:
            continue
        pair = read_pair(session, session.library.clip(clip_id), changes.sources)
        by_row.pop(row, None)
        if pair is None:
            continue
        compared += clip_id in missing and pair.counts
        missing.discard(clip_id)
        if (change := change_in(session.schema, pair)) is not None:
            by_row[row] = change
    return replace(changes, by_row=by_row, missing=frozenset(missing), compared=compared)


def event_words(schema: LabelSchema, change: ClipChange) -> str:
    """What changes, in a line: the event where it does, else the fields by name."""
    if change.event[0] != change.event[1] and EVENT_TYPE in schema:
        field = schema.field(EVENT_TYPE)
        now, then = (field.label_of(value) if value != SILENT else "Not answered" for value in change.event)
        return f"{now} → {then.lower()}"
    labels = [schema.field(key).label for key in change.fields if key in schema]
    return ", ".join(labels)


def way_words(change: ClipChange) -> str:
    """Whether it goes towards what a person said; nothing where nobody has."""
    who = change.reviewer or "the review"
    if change.towards and change.away:
        return f"both ways for {who}"
    return f"towards {who}" if change.towards else f"away from {who}" if change.away else ""


def field_words(schema: LabelSchema, pair: Comparison) -> str:
    """Every field that changes of one clip: now, then, and what a person said."""
    parts = []
    for each in pair.fields:
        if each.standing != "differs":
            continue
        now, then = (format_value(schema, each.field.key, said) for said in each.said)
        truth = f" (reviewed: {format_value(schema, each.field.key, each.truth)})" if each.truth_known else ""
        parts.append(f"{each.field.label}: {now} → {then}{truth}")
    return " · ".join(parts)

"""Which clips would change their answer with another adapter: those whose newest answers of both differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.workflow.agreement import EVENT_TYPE
from vvlm_desktop.workflow.answerers import Source, pairs_of
from vvlm_desktop.workflow.comparing import Comparison, FieldComparison
from vvlm_desktop.workflow.learnt import learnt_by
from vvlm_desktop.workflow.session import Session


@dataclass(frozen=True, slots=True)
class Changing:
    """What the candidate says differently.

    Attributes:
        now, then: who answers now, and who would.
        compared: clips that both have answered on the same footing.
        changed: row ids of those whose answers differ in a field, the most important field first.
        by_field: how many clips change in each field.
        settled_wrong: of `changed`, row ids of clips in which a person has said what is right, and the change is away
            from it; `settled_right` towards it. A clip that goes both ways counts as wrong. Clips that one of the two
            learnt from are in neither.
        missing: readable clips that one of the two has not answered yet.
        unfair: row ids of clips that both have answered, but not on the same footing: other frames, words or settings.
        learnt: row ids of compared clips that one of the two learnt from, whether they change or not.
    """

    now: Source
    then: Source
    compared: int
    changed: tuple[int, ...]
    by_field: dict[str, int]
    settled_right: tuple[int, ...]
    settled_wrong: tuple[int, ...]
    missing: tuple[Clip, ...]
    unfair: tuple[int, ...] = ()
    learnt: tuple[int, ...] = ()


def changing(
    session: Session,
    *,
    model: str,
    adapter: str,
    now: str = "",
    cancelled: Callable[[], bool] = lambda: False,
) -> Changing:
    """Compare the newest answers of `model` with `adapter` with those of the adapter `now` ("" the model alone).

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    sources = Source("local", model, now or None), Source("local", model, adapter or None)
    order = {field.key: number for number, field in enumerate(session.schema.fields)}
    by_field: Counter[str] = Counter()
    found: list[tuple[tuple[bool, int, int], int]] = []
    right, wrong, unfair, learnt, compared = [], [], [], [], 0
    known = learnt_by(session, (source.adapter for source in sources))
    wanted = session.library.clip_rowids()
    for rowid, pair in pairs_of(session, sources, wanted=wanted, cancelled=cancelled):
        if not pair.counts:
            unfair.append(rowid)
            continue
        compared += 1
        if pair.clip.sha256 in known:
            learnt.append(rowid)
        differing = changed_fields(pair)
        if not differing:
            continue
        keys = [field.field.key for field in differing]
        by_field.update(keys)
        found.append(((EVENT_TYPE not in keys, min(order[key] for key in keys), -len(keys)), rowid))
        if pair.clip.sha256 in known:
            continue
        ways = [_way(field) for field in differing]
        if -1 in ways:
            wrong.append(rowid)
        elif 1 in ways:
            right.append(rowid)
    return Changing(
        now=sources[0],
        then=sources[1],
        compared=compared,
        changed=tuple(rowid for _, rowid in sorted(found)),
        by_field={key: by_field[key] for key in sorted(by_field, key=lambda key: (-by_field[key], order[key]))},
        settled_right=tuple(right),
        settled_wrong=tuple(wrong),
        missing=_missing(session, sources),
        unfair=tuple(unfair),
        learnt=tuple(learnt),
    )


def _way(field: FieldComparison) -> int:
    """1 where the change is towards what a person said, -1 away from it, 0 where neither is known."""
    before, after = field.right
    return int(after) - int(before) if before is not None and after is not None else 0


def _missing(session: Session, sources: tuple[Source, Source]) -> tuple[Clip, ...]:
    """Readable clips without an answer of one of the two, in the order of adding; drafts do not count."""
    found: dict[str, Clip] = {}
    for source in sources:
        without = session.library.clips_without(
            source.backend,
            model=source.model,
            adapter=source.adapter or "",
            schema_labels_sha=session.schema.labels_sha,
            drafts=False,
        )
        found.update((clip.id, clip) for clip in without)
    return tuple(sorted(found.values(), key=lambda clip: clip.added_at)) if found else ()


def changed_fields(pair: Comparison) -> list[FieldComparison]:
    """Fields that both answered, and differently."""
    return [field for field in pair.fields if field.standing == "differs"]

"""Whether answers have anything to do with what is to be seen, or could have been given without looking. No I/O.

Who always gives the commonest answer is right often where one value is common. So every true value counts alike here:
the mean over the values of how often each is found, against 1 / K, which is what one answer for every clip gets with
K values. How far chance alone comes is found by giving the answers to other clips, recording by recording.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_TRIES = 2000
_LEAST_TRIES = 400
#: So many answers are looked at in all; large test parts get by with fewer tries.
_MOST_LOOKS = 8_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """One clip: truth and answer of each choice field, in a form that can be compared.

    Attributes:
        group: clips that are alike.
        fields: truth and answer by field; a truth that nobody knows and an answer that was not given are None. What was
            answered where nobody knows the truth is needed, too: other clips get that answer by chance.
    """

    group: str
    fields: Mapping[str, tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Telling:
    """How much better than one answer for all.

    Attributes:
        value: in the mean over the fields, 0.01 being one point in a hundred.
        p_value: how often answers that were given to other clips do as well.
        fields: of which more than one value occurs; there is nothing to tell apart in others.
    """

    value: float
    p_value: float
    fields: tuple[str, ...]


def telling_apart(clips: Sequence[Told]) -> Telling | None:
    """How well the answers tell clips apart; None where no field has two values to tell apart."""
    ordered = sorted(clips, key=lambda clip: clip.group)
    columns = _columns(ordered)
    if not columns:
        return None
    blocks = _blocks(ordered)
    here = list(range(len(ordered)))
    seen = _mean(columns, here)
    chance = random.Random(0)  # noqa: S311 - permutations, not secrets
    tries = max(_LEAST_TRIES, min(_TRIES, _MOST_LOOKS // (len(ordered) * len(columns))))
    found = 0
    for _ in range(tries):
        chance.shuffle(blocks)
        found += _mean(columns, [place for block in blocks for place in block]) >= seen - 1e-12
    return Telling(seen, (found + 1) / (tries + 1), tuple(columns))


@dataclass(frozen=True, slots=True)
class _Column:
    """One field: its answers by place, and the places of each true value."""

    answers: tuple[str | None, ...]
    places: tuple[tuple[str, tuple[int, ...]], ...]


def _columns(clips: Sequence[Told]) -> dict[str, _Column]:
    keys = sorted({key for clip in clips for key in clip.fields})
    found = {}
    for key in keys:
        places: dict[str, list[int]] = defaultdict(list)
        for place, clip in enumerate(clips):
            truth = clip.fields[key][0] if key in clip.fields else None
            if truth is not None:
                places[truth].append(place)
        if len(places) > 1:
            answers = tuple(clip.fields[key][1] if key in clip.fields else None for clip in clips)
            found[key] = _Column(answers, tuple((value, tuple(where)) for value, where in sorted(places.items())))
    return found


def _blocks(clips: Sequence[Told]) -> list[list[int]]:
    """Places of each group's clips: answers change places as a whole, because those of one recording are alike."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for place, clip in enumerate(clips):
        blocks[clip.group].append(place)
    return list(blocks.values())


def _mean(columns: Mapping[str, _Column], order: Sequence[int]) -> float:
    """Place by place the answer of another clip, `order` says whose; the mean gain over one answer for all."""
    gains = []
    for column in columns.values():
        answers = column.answers
        recalls = [
            sum(answers[order[place]] == value for place in places) / len(places) for value, places in column.places
        ]
        gains.append(sum(recalls) / len(recalls) - 1 / len(recalls))
    return sum(gains) / len(gains)

"""What is in a training set, as the page shows it: read from its folder, in words of the label schema."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.errors import LabelError
from vvlm_desktop.formats.base import LeftOut
from vvlm_desktop.formats.split import SPLITS
from vvlm_desktop.ui.words import count, when
from vvlm_desktop.workflow.promotion_outlook import test_part_note
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_sets import TrainingSet, withdrawn_since
from vvlm_desktop.workflow.training_shelf import RECORDS_FILE
from vvlm_desktop.workflow.training_withdrawn import withdrawn_before

PARTS: Mapping[str, str] = {"train": "Training", "val": "Validation", "test": "Test"}
#: Values that are none of the schema's.
_STAND_INS = {
    "(none)": "None of them",
    "(a time)": "A time",
    "(absent)": "No time",
    "(unknown)": "Not judged",
    "cannot_tell": "Cannot tell",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Balance:
    """How often each value of a field occurs: (word, (training, validation, test))."""

    label: str
    rows: tuple[tuple[str, tuple[int, int, int]], ...]

    @property
    def in_words(self) -> str:
        """For whoever cannot see the bars."""
        parts = tuple(PARTS.values())
        said = (
            f"{word}: " + ", ".join(f"{number} {part.lower()}" for number, part in zip(numbers, parts, strict=True))
            for word, numbers in self.rows
        )
        return "; ".join(said)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far reviewers agree on a field; `kappa` is None where chance alone explains everything."""

    label: str
    clips: int
    agreed: int
    kappa: float | None


@dataclass(frozen=True, slots=True)
class SetFacts:
    """A training set.

    Attributes:
        parts: part → (clips, recordings).
        withdrawn: clips of earlier sets that may train no more, and why.
        withdrawn_since: ids of clips of this set that may train no more.
        clip_ids: who is in it.
        test_note: what a test part that is too small for the rule means; empty where it is large enough.
    """

    training_set: TrainingSet
    parts: Mapping[str, tuple[int, int]]
    balances: tuple[Balance, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    several: int = 0
    gold: int = 0
    withdrawn: tuple[LeftOut, ...] = ()
    withdrawn_since: tuple[str, ...] = ()
    clip_ids: frozenset[str] = frozenset()
    test_note: str = ""

    @property
    def title(self) -> str:
        """Its name with its number."""
        return title_of_set(self.training_set)


def title_of_set(training_set: TrainingSet) -> str:
    """How a set is called: fleet-002."""
    return f"{training_set.name}-{training_set.number:03d}"


def line_of_set(training_set: TrainingSet) -> str:
    """A set in a line under its name: 36 clips · 24 / 6 / 6 · today 14:03."""
    manifest = training_set.manifest
    splits = manifest.get("splits") or {}
    parts = " / ".join(str(splits.get(part, 0)) for part in SPLITS)
    made = when(str(manifest.get("created_at", "")))
    return " · ".join(part for part in (count(int(manifest.get("clips", 0)), "clip"), parts, made) if part)


def frames_of_set(training_set: TrainingSet) -> int | None:
    """Frames of each clip that a model is shown; None where the set does not say."""
    sampler = training_set.manifest.get("sampler")
    frames = sampler.get("frames") if isinstance(sampler, Mapping) else None
    return frames if isinstance(frames, int) else None


def facts_of(session: Session, training_set: TrainingSet) -> SetFacts:
    """Read a set's folder, and ask the library what has become of its clips since."""
    clips = list(_clips(training_set))
    about = training_set.about
    schema = session.schema
    agreement = about.get("agreement", {})
    return SetFacts(
        training_set,
        parts={
            part: (sum(p == part for p, _, _ in clips), len({rec for p, rec, _ in clips if p == part}))
            for part in SPLITS
        },
        balances=tuple(_balances(schema, about.get("class_counts", {}))),
        agreements=tuple(_agreements(schema, agreement.get("fields", {}))),
        several=int(agreement.get("clips_with_several_reviewers", 0)),
        gold=len(agreement.get("gold", ())),
        withdrawn=tuple(withdrawn_before(session, training_set)),
        withdrawn_since=tuple(withdrawn_since(session, training_set)),
        clip_ids=frozenset(clip_id for _, _, clip_id in clips),
        test_note=test_part_note(session, training_set),
    )


def _clips(training_set: TrainingSet) -> Iterator[tuple[str, str, str]]:
    """(part, recording, id) of every clip."""
    try:
        with (training_set.folder / RECORDS_FILE).open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                clip = record["clip"]
                yield str(record["split"]), str(clip.get("recording") or clip["id"]), str(clip["id"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("The records of %s cannot be read: %s", training_set.folder, error)


def _balances(schema: LabelSchema, counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterator[Balance]:
    for key in _in_order(counts, [field.key for field in schema.fields]):
        by_part, field = counts[key], _field(schema, key)
        known = field.value_keys if field is not None else ()
        values = _in_order({value for part in SPLITS for value in by_part.get(part, {})}, [*known, *_STAND_INS])
        if set(values) <= {"(unknown)"}:  # a field that nobody judged says nothing
            continue
        rows = [
            (value_words(field, value), (train, val, test))
            for value in values
            for train, val, test in [tuple(int(by_part.get(part, {}).get(value, 0)) for part in SPLITS)]
        ]
        yield Balance(field.label if field else key, tuple(rows))


def _in_order(keys: Iterable[str], order: Sequence[str]) -> list[str]:
    """As the schema has them, what it does not know at the end; a manifest has them by the alphabet."""
    return sorted(keys, key=lambda key: (order.index(key) if key in order else len(order), key))


def _agreements(schema: LabelSchema, fields: Mapping[str, Mapping[str, Any]]) -> Iterator[Agreement]:
    for key, row in fields.items():
        field = _field(schema, key)
        yield Agreement(field.label if field else key, int(row["clips"]), int(row["agreed"]), row["kappa"])


def _field(schema: LabelSchema, key: str) -> Field | None:
    try:
        return schema.field(key)
    except (KeyError, LabelError):  # a set of another schema
        return None


def value_words(field: Field | None, value: str) -> str:
    """A value as people say it."""
    known: Sequence[Any] = field.values if field is not None else ()
    labels = {each.key: each.label for each in known}
    return labels.get(value) or _STAND_INS.get(value) or value

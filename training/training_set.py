"""A training set in our own format, read strictly, with everything left out that must not train."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.base import ImportedRecord, ImportedSet
from vvlm_desktop.formats.ours_read import read_ours
from vvlm_desktop.formats.split import SPLITS
from vvlm_desktop.formats.target import supervised_labels

_NAMES_SHOWN = 3
_FILE_GONE = "its file is gone"
_FILE_CHANGED = "its file was changed"


@dataclass(frozen=True, slots=True)
class Example:
    """One clip with what people know about it.

    Attributes:
        known: values that a person stands behind, by field.
        rejected: where a person corrected a model, what that had said in the fields that are known; else empty.
        stored_pts: the frames that the set's own sampler chose, else those that the reviewed analysis saw.
        weight: how often it is drawn, compared with others.
        group: what must not be separated.
    """

    clip_id: str
    name: str
    path: Path
    sha256: str
    stream_index: int
    size_bytes: int
    recording: str
    split: str
    known: Mapping[str, LabelValue]
    stored_pts: tuple[int, ...]
    weight: float = 1.0
    group: str = ""
    rejected: Mapping[str, LabelValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What a set offers under one label schema.

    Attributes:
        fingerprint: SHA-256 of its records.
        left_out: reason, and the names of the clips.
        missing: of `left_out`, by split and name, those that would be there if their file were as it was, and why.
        notes: sentences that the user should read.
    """

    folder: Path
    fingerprint: str
    schema: LabelSchema
    prompt: str
    examples: tuple[Example, ...]
    left_out: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]
    missing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def split(self, name: str) -> tuple[Example, ...]:
        """Its clips of one split."""
        return tuple(example for example in self.examples if example.split == name)


def read_training_set(folder: Path, *, schema_key: str = "", include_samples: bool = False) -> TrainingSet:
    """Read `folder`; only reviews that hold, only values that somebody looked at.

    Raises:
        FormatError: it cannot be read, was changed after it was written, leaks between splits, or holds nothing.
    """
    folder = folder.expanduser()
    if not folder.is_dir():
        raise FormatError(
            f"There is no training set {folder}.",
            hint="Was it moved? Then name it: train_set=FOLDER. Or export one: `vvlm export ours FOLDER`.",
        )
    imported = read_ours(folder, schemas=())
    schema = _schema(imported, schema_key)
    examples: list[Example] = []
    left_out: dict[str, list[str]] = {}
    missing: dict[str, dict[str, str]] = {}
    for record in imported.records:
        reason = _reason_to_leave_out(record, folder, schema=schema, include_samples=include_samples)
        if reason is None:
            examples.append(_example(record, folder))
        elif reason:
            left_out.setdefault(reason, []).append(record.clip.name)
            if reason in (_FILE_GONE, _FILE_CHANGED):
                missing.setdefault(record.split, {})[record.clip.name] = reason
    if not examples:
        told = "; ".join(f"{reason} ({len(names)})" for reason, names in left_out.items())
        raise FormatError(f"{folder.name} holds no clip that may train: {told or 'no review'}.", hint="Review clips.")
    _refuse_leaks(examples)
    return TrainingSet(
        folder=folder,
        fingerprint=imported.fingerprint,
        schema=schema,
        prompt=build_prompt(schema),
        examples=tuple(sorted(examples, key=lambda example: (example.name, example.clip_id))),
        left_out={reason: tuple(names) for reason, names in left_out.items()},
        notes=imported.flags,
        missing=missing,
    )


def _schema(imported: ImportedSet, wanted: str) -> LabelSchema:
    """The label schema to train on."""
    found = {(record.schema.key, record.schema.labels_sha): record.schema for record in imported.records}
    fitting = [schema for schema in found.values() if not wanted or schema.key == wanted]
    if len(fitting) == 1:
        return fitting[0]
    keys = ", ".join(sorted(key for key, _ in found))
    if not fitting:
        raise FormatError(f"The set has no clip labelled by {wanted}.", hint=f"It has: {keys}.")
    raise FormatError(f"The set holds clips of {len(fitting)} label schemas: {keys}.", hint="Choose one: schema_key=…")


def _reason_to_leave_out(
    record: ImportedRecord, folder: Path, *, schema: LabelSchema, include_samples: bool
) -> str | None:
    """Why a record does not train; empty where that needs no telling, None where it does."""
    analysis = record.analysis
    if record.schema.labels_sha != schema.labels_sha:
        return f"labelled by another schema ({record.schema.key})"
    if record.review is None or not record.review.settled:
        return "no person has settled it"
    if not record.truth:
        return ""  # another reviewer's view of a clip that is there already
    if record.clip.is_sample and not include_samples:
        return "a sample clip"
    if record.split == "test" and analysis is not None and analysis.provenance == "teacher_draft":
        return "its review began from a teacher's draft, so it measures nobody"
    if not supervised_labels(schema, record.review):
        return "nobody has judged any field with the clip in view"
    if record.clip.file is None:
        return "its file is not in the set"
    path = folder / record.clip.file
    if not path.is_file():
        return _FILE_GONE
    if path.stat().st_size != record.clip.size_bytes:
        return _FILE_CHANGED
    return None


def _example(record: ImportedRecord, folder: Path) -> Example:
    clip, review = record.clip, record.review
    if review is None or clip.file is None:
        raise ValueError("a record that was let through without a review or a file")
    seen = record.analysis.frames_pts if record.analysis is not None else ()
    known = supervised_labels(record.schema, review)
    return Example(
        clip_id=clip.id,
        name=clip.name,
        path=folder / clip.file,
        sha256=clip.sha256,
        stream_index=clip.stream_index,
        size_bytes=clip.size_bytes,
        recording=clip.recording or clip.id,
        split=record.split,
        known=known,
        rejected=_rejected(record, known),
        stored_pts=tuple(record.sampling.get("frames_pts") or ()) or seen,
        weight=1.0 if record.weight is None else record.weight,
        group=record.group or clip.recording or clip.id,
    )


def _rejected(record: ImportedRecord, known: Mapping[str, LabelValue]) -> dict[str, LabelValue]:
    """What the model had said in the fields that a person then judged; empty where it was right in all of them."""
    analysis = record.analysis
    if analysis is None or analysis.provenance != "model" or analysis.kind != "labels":
        return {}
    said = {key: analysis.labels[key] for key in known if key in analysis.labels}
    return said if any(not _same(said[key], known[key]) for key in said) else {}


def _same(one: LabelValue, other: LabelValue) -> bool:
    """Whether two values say the same; lists without regard to order."""
    return set(one) == set(other) if isinstance(one, list) and isinstance(other, list) else one == other


def only_corrected(training_set: TrainingSet) -> TrainingSet:
    """The set for learning from preferences: of its part for training, the clips in which a model was corrected.

    Raises:
        FormatError: there is none.
    """
    right = tuple(each for each in training_set.split("train") if not each.rejected)
    if len(right) == len(training_set.split("train")):
        raise FormatError(
            f"{training_set.folder.name} has no clip for training in which a person corrected a model's answer, so"
            " there is nothing to prefer.",
            hint="Analyse clips with a model and correct its answers under the label schema of the set"
            f" ({training_set.schema.key}; others do not count), then make the set anew; or set objective=supervised.",
        )
    if not right:
        return training_set
    left_out = {**training_set.left_out, "no answer of a model was corrected": tuple(each.name for each in right)}
    gone = {each.clip_id for each in right}
    examples = tuple(each for each in training_set.examples if each.clip_id not in gone)
    return replace(training_set, examples=examples, left_out=left_out)


def _refuse_leaks(examples: Sequence[Example]) -> None:
    """The same file, the same drive, or clips that look the same in two splits would make every measurement a lie."""
    for what, key in (("recording", "recording"), ("file", "sha256"), ("look", "group")):
        splits: dict[str, set[str]] = {}
        for example in examples:
            splits.setdefault(getattr(example, key), set()).add(example.split)
        leaking = {value for value, found in splits.items() if len(found) > 1}
        names = [example.name for example in examples if getattr(example, key) in leaking]
        if names:
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            raise FormatError(
                f"The same {what} is in two splits: {', '.join(names[:_NAMES_SHOWN])}{more}.",
                hint="Export the set again; it is split by recording then.",
            )


def class_counts(training_set: TrainingSet) -> dict[str, dict[str, dict[str, int]]]:
    """How often each value occurs: field → value → split → clips; `(unknown)` where nobody said."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for each in training_set.schema.model_fields:
        tally: Counter[tuple[str, str]] = Counter()
        for example in training_set.examples:
            for value in _values(example.known.get(each.key, "(unknown)")):
                tally[value, example.split] += 1
        counts[each.key] = {
            value: {split: tally[value, split] for split in SPLITS} for value in sorted({value for value, _ in tally})
        }
    return counts


def _values(value: LabelValue) -> list[str]:
    if isinstance(value, list):
        return value or ["(none)"]
    if isinstance(value, dict):
        return ["(a time)"]
    return ["(absent)"] if value is None else [value if len(value) <= 40 else "(a text)"]

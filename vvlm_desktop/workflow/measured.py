"""An evaluation as it can be believed: every answer read again and held against the training set it is about.

What counts is in `answers.jsonl`, clip by clip; the truth is the training set's, whose own fingerprint is checked. The
summary beside it is only asked whether it says the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.domain.labels import normalise
from vvlm_desktop.domain.promotion_rule import Pair
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.telling_apart import Told
from vvlm_desktop.domain.values import Labels, LabelValue
from vvlm_desktop.errors import FormatError, UsageError
from vvlm_desktop.formats.base import ImportedRecord, ImportedSet
from vvlm_desktop.formats.ours_read import read_ours
from vvlm_desktop.formats.target import UNTRAINABLE, supervised_labels
from vvlm_desktop.workflow.evaluation_files import ANSWERS_FILE, BASE, METRICS_FILE
from vvlm_desktop.workflow.judging import same_answer
from vvlm_desktop.workflow.runs import Evaluation
from vvlm_desktop.workflow.session import Session

_AGAIN = "Measure the run again on the test part; nothing is decided on such numbers."


@dataclass(frozen=True, slots=True)
class Answer:
    """What one answerer said about one clip; no labels where it cannot be read."""

    labels: Labels
    valid: bool


@dataclass(frozen=True, slots=True)
class SetClip:
    """A clip of the training set, as far as measuring is concerned.

    Attributes:
        known: what people stand behind; empty where nobody does.
        group: what is alike.
        file: in the set's folder.
        measurable: whether it had to be answered, were its file readable.
    """

    id: str
    name: str
    sha256: str
    split: str
    group: str
    known: Labels
    file: str | None
    measurable: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """An evaluation whose files belong together.

    Attributes:
        clips: of the whole training set, by id.
        answers: by answerer and clip id; all answerers answered about the same clips.
        fingerprint: of the training set, as it is now.
        started_at: when the first answer was asked for.
    """

    metrics: Mapping[str, Any]
    clips: Mapping[str, SetClip]
    answers: Mapping[str, Mapping[str, Answer]]
    fingerprint: str
    started_at: str

    @property
    def answered(self) -> tuple[str, ...]:
        """Ids of the clips that were answered."""
        return tuple(self.answers[BASE])

    def part(self, *names: str) -> list[SetClip]:
        """Clips of some parts of the set that people stand behind."""
        return [clip for clip in self.clips.values() if clip.split in names and clip.known]

    def weights_sha256(self, answerer: str) -> str:
        """Of the weights that answered, where the evaluation wrote it down; else empty."""
        adapters = self.metrics.get("adapters")
        told = adapters.get(answerer) if isinstance(adapters, Mapping) else None
        return str(told.get("weights_sha256") or "") if isinstance(told, Mapping) else ""

    def pairs(self, schema: LabelSchema, now: str, candidate: str, *, without: frozenset[str]) -> list[Pair]:
        """The two answerers clip by clip, without some clips."""
        return [
            _pair(schema, self.clips[clip_id], self.answers[now][clip_id], self.answers[candidate][clip_id])
            for clip_id in self.answered
            if clip_id not in without
        ]

    def told(self, schema: LabelSchema, candidate: str, *, without: frozenset[str]) -> list[Told]:
        """Answers in the choice fields with the truth where it is known, clip by clip, without some clips."""
        return [
            _told(schema, self.clips[clip_id], self.answers[candidate][clip_id])
            for clip_id in self.answered
            if clip_id not in without
        ]


def read_measured(session: Session, evaluation: Evaluation) -> Measured:
    """Read an evaluation of this library's own test part, and refuse what does not fit together.

    Raises:
        UsageError: it is of another library, part or schema, has not ended, or its files were changed since.
    """
    folder, schema = evaluation.folder, session.schema
    if not folder.resolve().is_relative_to(session.library.folder.resolve()):
        raise UsageError(
            f"{evaluation.run.name} was made in another library.",
            hint="Promotion is decided in the library whose clips it was measured on.",
        )
    metrics = _read_metrics(folder)
    if metrics["split"] != "test":
        raise UsageError(
            f"This evaluation is of the part “{metrics['split']}”.",
            hint="Only the frozen test part decides: measure the run on it.",
        )
    if (metrics["schema"].get("key"), metrics["schema"].get("labels_sha")) != (schema.key, schema.labels_sha):
        raise UsageError(
            f"This evaluation is by the label schema {metrics['schema'].get('key')}, the library uses {schema.key}.",
            hint="Choose that schema in Settings, or train and measure with this one.",
        )
    imported = _read_set(session, evaluation)
    clips = dict(_set_clips(imported, schema=schema, include_samples=evaluation.run.config.include_samples))
    answers = _read_answers(folder, schema=schema, clips=clips)
    _require_same_numbers(schema, metrics, clips=clips, answers=answers)
    return Measured(metrics, clips, answers, imported.fingerprint, _started_at(folder, metrics))


def _changed(what: str) -> UsageError:
    return UsageError(f"The evaluation's files were changed since, or are damaged: {what}.", hint=_AGAIN)


def _read_metrics(folder: Path) -> dict[str, Any]:
    try:
        metrics = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        whole = isinstance(metrics["split"], str) and isinstance(metrics["created_at"], str)
        parts = (metrics["training_set"], metrics["schema"], metrics["scores"], metrics["unreadable"])
    except FileNotFoundError as error:
        raise UsageError("This evaluation has not ended.", hint="Wait for it, or start it again.") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _changed(f"{METRICS_FILE} cannot be read") from error
    if not whole or not all(isinstance(part, dict) for part in parts):
        raise _changed(f"{METRICS_FILE} does not have its form")
    return dict(metrics)


def _read_set(session: Session, evaluation: Evaluation) -> ImportedSet:
    folder = Path(evaluation.run.config.train_set).expanduser()
    try:
        return read_ours(folder, schemas=(session.schema,))
    except (OSError, FormatError) as error:
        raise UsageError(
            f"The training set {folder.name} cannot be read any more: {error}",
            hint="What an adapter was measured on has to be there. Make a new set, train and measure again.",
        ) from error


def _set_clips(imported: ImportedSet, *, schema: LabelSchema, include_samples: bool) -> Iterator[tuple[str, SetClip]]:
    for record in imported.records:
        if not record.truth or record.review is None or record.schema.labels_sha != schema.labels_sha:
            continue
        clip = record.clip
        known = supervised_labels(schema, record.review)
        yield (
            clip.id,
            SetClip(
                id=clip.id,
                name=clip.name,
                sha256=clip.sha256,
                split=record.split,
                group=record.group or clip.recording or clip.id,
                known=known,
                file=clip.file,
                measurable=bool(known) and _measurable(record, include_samples=include_samples),
            ),
        )


def _measurable(record: ImportedRecord, *, include_samples: bool) -> bool:
    """Whether an evaluation had to ask about it: as `training` leaves clips out."""
    drafted = record.analysis is not None and record.analysis.provenance in UNTRAINABLE
    sample = record.clip.is_sample and not include_samples
    return record.clip.file is not None and not drafted and not sample


# --- answers --------------------------------------------------------------------------------------------------------


def _read_answers(folder: Path, *, schema: LabelSchema, clips: Mapping[str, SetClip]) -> dict[str, dict[str, Answer]]:
    answers: dict[str, dict[str, Answer]] = {}
    try:
        lines = (folder / ANSWERS_FILE).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            said = json.loads(line)
            of_one = answers.setdefault(str(said["answerer"]), {})
            if said["clip_id"] in of_one:
                raise _changed(f"line {number} of {ANSWERS_FILE} is a second answer about the same clip")
            of_one[said["clip_id"]] = _answer(said, number, schema=schema, clip=clips.get(said["clip_id"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _changed(f"{ANSWERS_FILE} cannot be read") from error
    if not answers.get(BASE):
        raise _changed(f"{ANSWERS_FILE} holds no answer of the model alone")
    for name, of_one in answers.items():
        if of_one.keys() != answers[BASE].keys():
            raise _changed(f"{name} and the model alone did not answer about the same clips")
    return answers


def _answer(said: Mapping[str, Any], number: int, *, schema: LabelSchema, clip: SetClip | None) -> Answer:
    where = f"line {number} of {ANSWERS_FILE}"
    if clip is None or clip.split != "test":
        raise _changed(f"{where} is about a clip that is not in the set's test part")
    if said["known"] != clip.known:
        raise _changed(f"{where} names another truth for {clip.name} than the training set")
    labels, valid = dict(said["labels"]), said["valid"] is True
    if labels != (_from_text(schema, said["raw_text"]) if valid else {}):
        raise _changed(f"{where} has other labels than the answer's text about {clip.name}")
    return Answer(labels, valid)


def _from_text(schema: LabelSchema, text: str) -> dict[str, LabelValue] | None:
    try:
        return normalise(schema, json.loads(text))[0]
    except ValueError:
        return None


def _require_same_numbers(
    schema: LabelSchema,
    metrics: Mapping[str, Any],
    *,
    clips: Mapping[str, SetClip],
    answers: Mapping[str, Mapping[str, Answer]],
) -> None:
    """The summary has to say what the answers say."""
    scores = metrics["scores"]
    if scores.keys() != answers.keys():
        raise _changed(f"{METRICS_FILE} and {ANSWERS_FILE} are of other answerers")
    for name, of_one in answers.items():
        told = _told_counts(scores[name])
        found = _counts(schema, clips, of_one)
        for what, number in found.items():
            if told.get(what) != number:
                title = "valid answers" if what == "valid" else what
                raise _changed(f"{METRICS_FILE} says {told.get(what)} of {name}, the answers {number} ({title})")


def _told_counts(score: Any) -> dict[str, tuple[int, int]]:
    """(right, of) by field, as the summary has it."""
    try:
        valid = score["valid_json"]
        told = {"valid": (valid["right"], valid["of"])}
        for key, each in score["fields"].items():
            share = each.get("accuracy") or each.get("exact")
            if share:
                told[key] = (share["right"], share["of"])
        return told
    except (KeyError, TypeError, AttributeError) as error:
        raise _changed(f"{METRICS_FILE} does not have its form") from error


def _counts(
    schema: LabelSchema, clips: Mapping[str, SetClip], answers: Mapping[str, Answer]
) -> dict[str, tuple[int, int]]:
    found = {"valid": (sum(each.valid for each in answers.values()), len(answers))}
    for field in schema.model_fields:
        rows = [(clips[clip_id], each) for clip_id, each in answers.items() if field.key in clips[clip_id].known]
        if field.has_values and rows:
            found[field.key] = (sum(is_right(field, clip.known, each.labels) for clip, each in rows), len(rows))
    return found


def is_right(field: Field, known: Labels, said: Labels) -> bool:
    """Whether the truth was said; what was not answered is wrong, also where the truth is “there is none”."""
    return field.key in said and same_answer(field, known[field.key], said[field.key])


def how_right(field: Field, known: Labels, said: Labels) -> float:
    """0 to 1; a list earns F1 of its values, so a part for a part."""
    if field.kind != "any_of" or field.key not in said:
        return float(is_right(field, known, said))
    truth, answer = _values(known[field.key]), _values(said[field.key])
    return 2 * len(truth & answer) / (len(truth) + len(answer)) if truth or answer else 1.0


def _values(value: LabelValue) -> frozenset[str]:
    return frozenset(value) if isinstance(value, list) else frozenset()


def _pair(schema: LabelSchema, clip: SetClip, now: Answer, candidate: Answer) -> Pair:
    fields = [field for field in schema.model_fields if field.key in clip.known and field.kind != "text"]
    return Pair(
        group=clip.group,
        right={
            field.key: (is_right(field, clip.known, now.labels), is_right(field, clip.known, candidate.labels))
            for field in fields
        },
        score={
            field.key: (how_right(field, clip.known, now.labels), how_right(field, clip.known, candidate.labels))
            for field in fields
            if field.has_values
        },
        valid=(now.valid, candidate.valid),
    )


def _told(schema: LabelSchema, clip: SetClip, answer: Answer) -> Told:
    fields = [field.key for field in schema.model_fields if field.has_values]
    known, said = (
        {key: _comparable(values[key]) if key in values else None for key in fields}
        for values in (clip.known, answer.labels)
    )
    return Told(clip.group, {key: (known[key], said[key]) for key in fields})


def _comparable(value: LabelValue) -> str:
    return ", ".join(sorted(value)) if isinstance(value, list) else str(value)


def _started_at(folder: Path, metrics: Mapping[str, Any]) -> str:
    begun = [event for event in RunFiles(folder).events() if event.get("kind") == "started" and event.get("at")]
    return str(begun[-1]["at"]) if begun else str(metrics["created_at"])

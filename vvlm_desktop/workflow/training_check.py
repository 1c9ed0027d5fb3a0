"""Before a training set is used: does every clip decode, does every answer fit, is every value valid, does it leak?

It needs the folder alone, no library: a set may have been copied to the machine that trains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vvlm_desktop.domain.labels import check_value
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.values import CANNOT_TELL, LabelValue
from vvlm_desktop.errors import ClipUnreadableError, FormatError, FrameUnreadableError, JobCancelledError, LabelError
from vvlm_desktop.formats.base import ImportedRecord, ImportedSet
from vvlm_desktop.formats.ours_read import read_ours
from vvlm_desktop.formats.split import SPLITS
from vvlm_desktop.formats.target import supervised_labels, target_json
from vvlm_desktop.formats.training_set import SECTION, content_id, read_manifest
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.probe import examine, sha256_of
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.workflow.near_duplicates import Fingerprint, fingerprint_file, same_looking
from vvlm_desktop.workflow.training_facts import ClassCounts, class_counts

#: As the trainer's own limit unless it is told otherwise.
DEFAULT_ANSWER_TOKENS = 1024
_SHOWN = 5
_UNKNOWN = "(unknown)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: an `error` must be mended before training, a `warning` should be known."""

    level: Literal["error", "warning"]
    sentence: str


@dataclass(slots=True)
class CheckReport:
    """What was found out about a set.

    Attributes:
        decoded: clips whose frames were counted and whose chosen frames came out.
        frames: pictures decoded in all.
        longest: name of the clip with the longest answer, and its length.
        exact_tokens: whether answers were counted by a tokenizer; otherwise their bytes bound their tokens.
    """

    folder: Path
    clips: int = 0
    decoded: int = 0
    frames: int = 0
    longest: tuple[str, int] = ("", 0)
    exact_tokens: bool = False
    splits: dict[str, int] = field(default_factory=dict)
    class_counts: ClassCounts = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing must be mended."""
        return not any(finding.level == "error" for finding in self.findings)

    def error(self, sentence: str) -> None:
        """Note what must be mended."""
        self.findings.append(Finding("error", sentence))

    def warn(self, sentence: str) -> None:
        """Note what should be known."""
        self.findings.append(Finding("warning", sentence))

    def to_json(self) -> dict[str, Any]:
        """For `--json` and the window."""
        return {
            "folder": str(self.folder),
            "ok": self.ok,
            "clips": self.clips,
            "decoded": self.decoded,
            "frames": self.frames,
            "longest_answer": {"clip": self.longest[0], "length": self.longest[1], "exact": self.exact_tokens},
            "splits": self.splits,
            "class_counts": self.class_counts,
            "findings": [{"level": finding.level, "sentence": finding.sentence} for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class _Example:
    record: ImportedRecord
    labels: Mapping[str, LabelValue]

    @property
    def name(self) -> str:
        return self.record.clip.name


def check_training_set(
    folder: Path,
    *,
    answer_tokens: int = DEFAULT_ANSWER_TOKENS,
    count_tokens: Callable[[str], int] | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> CheckReport:
    """Check a training set, or an export of ours, with every clip in it.

    Args:
        answer_tokens: the longest answer that will be trained on; longer ones are named, never cut.
        count_tokens: a model's tokenizer; without one the bytes of an answer are counted, which are never fewer.

    Raises:
        FormatError: the folder is no set, or its records were changed after they were written.
        JobCancelledError: `cancelled` said so.
    """
    folder = folder.expanduser()
    imported = read_ours(folder, schemas=())
    report = CheckReport(folder, exact_tokens=count_tokens is not None)
    _check_identity(folder, report)
    examples = _examples(imported, report)
    report.clips = len(examples)
    report.splits = {split: sum(each.record.split == split for each in examples) for split in SPLITS}
    _check_values(examples, report)
    _check_lengths(examples, report, limit=answer_tokens, count_tokens=count_tokens)
    prints: dict[str, Fingerprint] = {}
    for done, example in enumerate(examples):
        if cancelled():
            raise JobCancelledError("The check was stopped.")
        if progress:
            progress(done / len(examples), example.name)
        found = _check_clip(folder, example, report)
        if found is not None:
            prints[example.record.clip.id] = found
    _check_leaks(examples, prints, report)
    _check_classes(examples, report)
    return report


def _check_identity(folder: Path, report: CheckReport) -> None:
    """A set's folder is named after what it holds."""
    try:
        manifest = read_manifest(folder)
    except (OSError, ValueError) as error:
        raise FormatError(f"{folder.name} has no manifest that can be read: {error}.") from error
    if SECTION in manifest and content_id(manifest)[:12] != folder.name.rpartition("-")[2]:
        report.warn(f"The folder's name, {folder.name}, does not fit what it holds: it was renamed or changed.")
    for name, facts in manifest.get("files", {}).items():
        file = folder / Path(name).name
        try:
            changed = sha256_of(file) != facts["sha256"]
        except (OSError, KeyError, TypeError):
            changed = True
        if changed:
            report.error(f"{name} is missing, or was changed after the set was made.")


def _examples(imported: ImportedSet, report: CheckReport) -> list[_Example]:
    """Clips that would train: a settled review that holds, with at least one value that somebody looked at."""
    found = []
    for record in imported.records:
        if not record.truth or record.review is None:
            continue
        labels = supervised_labels(record.schema, record.review)
        if labels:
            found.append(_Example(record, labels))
    if not found:
        report.error("No clip in the set has a settled value: there is nothing to learn from.")
    if len({(each.record.schema.key, each.record.schema.labels_sha) for each in found}) > 1:
        report.error("The set holds clips of several label schemas; a model is trained on one.")
    return found


def _check_values(examples: Sequence[_Example], report: CheckReport) -> None:
    for example in examples:
        schema = example.record.schema
        for key, value in example.labels.items():
            try:
                check_value(schema, key, value)
            except LabelError as error:
                report.error(f"{example.name}: {error}")


def _check_lengths(
    examples: Sequence[_Example], report: CheckReport, *, limit: int, count_tokens: Callable[[str], int] | None
) -> None:
    too_long = []
    for example in examples:
        answer = _full_answer(example.record.schema, example.labels)
        # Byte-level tokenizers never make more tokens than there are bytes; one more ends the answer.
        length = (count_tokens(answer) if count_tokens else len(answer.encode())) + 1
        if length > report.longest[1]:
            report.longest = (example.name, length)
        if length > limit:
            too_long.append(f"{example.name} ({length})")
    if too_long and count_tokens:
        report.error(f"Answers of more than {limit} tokens, which would have to be cut: {_named(too_long)}.")
    elif too_long:
        report.warn(
            f"Answers that may have more than {limit} tokens (their bytes were counted): {_named(too_long)}. Name the"
            " model's tokenizer to be sure."
        )


def _full_answer(schema: LabelSchema, labels: Mapping[str, LabelValue]) -> str:
    """The answer with something in every field: a trainer may fill what nobody said with a stand-in."""
    return target_json(schema, {each.key: labels.get(each.key, _stand_in(each)) for each in schema.model_fields})


def _stand_in(each: Field) -> LabelValue:
    if each.kind == "range":
        return None if each.may_be_absent else {"start_ms": 0, "end_ms": 0}
    if each.kind == "any_of":
        return [CANNOT_TELL]
    return CANNOT_TELL if each.kind == "one_of" else ""


def _check_clip(folder: Path, example: _Example, report: CheckReport) -> Fingerprint | None:
    """Count the clip's frames and decode those that a model is shown; its fingerprint where that went well."""
    clip, name = example.record.clip, example.name
    file = folder / (clip.file or "")
    if clip.file is None or not file.is_file():
        report.error(f"{name}: its file is not in the set, or no longer where it was linked to.")
        return None
    try:
        if sha256_of(file) != clip.sha256:
            report.error(f"{name}: its content has changed since the set was made.")
            return None
        index = examine(file, stream_index=clip.stream_index)
        if len(index) != clip.frames:
            report.error(f"{name}: {len(index)} frames come out, {clip.frames} were counted when it was added.")
        report.frames += _decode(file, index, example.record.sampling.get("frames_pts", ()))
        report.decoded += 1
        return fingerprint_file(file, index)
    except (ClipUnreadableError, OSError) as error:
        report.error(f"{name}: {error}")
    except ValueError as error:  # a PTS that no frame has
        report.error(f"{name}: {error}; the set shows a frame that is not in the clip.")
    return None


def _decode(file: Path, index: FrameIndex, chosen: Sequence[int]) -> int:
    """Decode the first, the last and all chosen frames; a frame that does not come out is an error."""
    wanted = sorted({0, len(index) - 1, *(index.number(pts) for pts in chosen)}) if len(index) else []
    if not wanted:
        raise FrameUnreadableError(file, 0, "no picture comes out")
    with FrameReader(file, index) as reader:
        return sum(1 for _ in reader.frames(wanted))


def _check_leaks(examples: Sequence[_Example], prints: Mapping[str, Fingerprint], report: CheckReport) -> None:
    by_id = {each.record.clip.id: each for each in examples}
    for what in ("content", "recording", "group"):
        together: dict[str, list[_Example]] = {}
        for each in examples:
            together.setdefault(_shared(each, what), []).append(each)
        leaking = [each.name for same in together.values() if len(_parts(same)) > 1 for each in same]
        if leaking:
            report.error(f"Clips of the same {what} are in several parts: {_named(leaking)}.")
    pairs = [
        f"{by_id[a].name} ({by_id[a].record.split}) and {by_id[b].name} ({by_id[b].record.split})"
        for a, b in same_looking(prints)
        if by_id[a].record.split != by_id[b].record.split
    ]
    if pairs:
        report.error(f"Clips that look the same are in different parts: {_named(pairs, between='; ')}.")


def _check_classes(examples: Sequence[_Example], report: CheckReport) -> None:
    if not examples:
        return
    schema = examples[0].record.schema
    report.class_counts = class_counts(schema, [(each.record.split, each.labels) for each in examples])
    if not report.splits.get("train"):
        report.error("Nothing is in the training part.")
    for split, why in (("val", "no loss can be watched"), ("test", "no adapter can be compared and promoted")):
        if not report.splits.get(split):
            report.warn(f"Nothing is in the {split} part: {why}. More recordings fill it.")
    for key, counts in report.class_counts.items():
        train = Counter({value: n for value, n in counts["train"].items() if value != _UNKNOWN})
        label = schema.field(key).label
        if len(train) == 1 and schema.field(key).has_values:
            report.warn(f"{label}: all training clips say “{next(iter(train))}”; nothing can be told apart.")
        unseen = sorted((counts["val"].keys() | counts["test"].keys()) - train.keys() - {_UNKNOWN})
        if unseen and train:
            report.warn(f"{label}: held out, but never trained on: {_named(unseen)}.")


def _shared(example: _Example, what: str) -> str:
    clip = example.record.clip
    if what == "content":
        return clip.sha256
    return (clip.recording if what == "recording" else example.record.group) or clip.id


def _parts(examples: Iterable[_Example]) -> set[str]:
    return {each.record.split for each in examples}


def _named(names: Sequence[str], *, between: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return between.join(names[:_SHOWN]) + more

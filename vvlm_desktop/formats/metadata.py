"""The `metadata.jsonl` of the InternVL3 fine-tuning recipe, in both spellings that the recipe uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from vvlm_desktop.domain.values import Labels, LabelValue
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.base import ExportContext, ExportItem
from vvlm_desktop.formats.folder_format import Filled, FolderFormat, Placed, frames_lines, not_trainable
from vvlm_desktop.formats.json_text import compact_json, parse_json, plain, read_lines
from vvlm_desktop.formats.record import projection
from vvlm_desktop.formats.split import Split
from vvlm_desktop.formats.staging import write_text

METADATA_FILE = "metadata.jsonl"

_VIOLATIONS = "presence_of_rule_violations"
_ACTION = "intended_driving_action"
#: As its training code writes them.
_SCENES = {"urban": "Urban", "suburban": "Sub-urban", "rural": "Rural", "highway": "Highway"}


class Metadata(FolderFormat):
    """Format A with the names of the recipe's sample output."""

    name: ClassVar[str] = "metadata"
    title: ClassVar[str] = "metadata.jsonl (InternVL3 recipe)"
    description: ClassVar[str] = (
        "For the InternVL3 video fine-tuning recipe: `metadata.jsonl` beside `videos/`, keys as in its sample output."
    )
    media_dir: ClassVar[str] = "videos"
    #: Key in the file → our field, in the order written.
    keys: ClassVar[Mapping[str, str]] = {
        "caption": "caption",
        "event_type": "event_type",
        "rule_violations": _VIOLATIONS,
        "intended_driving_action": _ACTION,
        "traffic_density": "traffic_density",
        "visibility": "visibility",
    }
    losses: ClassVar[tuple[str, ...]] = (
        (
            "Every field but the ones of the recipe: time and severity of the event, who was involved, causes,"
            " weather, light and so on."
        ),
        (
            "All but one intended action: the recipe holds one, so going straight gives way to any other, then"
            " the first in schema order is kept."
        ),
        (
            "A key that nobody judged is not in its row; the recipe reads null there and would teach the model to"
            " answer null. Fill such rows in or filter them out. A caption counts as judged only if a person wrote"
            " or accepted it."
        ),
        "Values that the recipe does not know, such as medium traffic or cannot_tell, are written as they are.",
        "Evidence, who judged, when and why, confidence, raw text, notes, status, content hashes.",
        (
            "Which frames to look at: the recipe draws 8 to 32 evenly spaced ones at random. What our analyses"
            " saw is in `frames.rows` (one JSON object per line)."
        ),
        (
            "The split: the recipe draws its own 1 % for validation, clip by clip. So `metadata.jsonl` holds the"
            " training part only; `held_out.rows` has the other two, each row with its `split`. Both end in"
            " `.rows` so that a loader that is given the folder does not mix them in."
        ),
        (
            "A loader that is given the folder also guesses splits from the clips' names (`test`, `val` …);"
            ' naming the file, `load_dataset("json", data_files="metadata.jsonl")`, is safe.'
        ),
        "Second and later video streams of a file; such clips are left out.",
    )

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Only what may train a model, and says something that the recipe knows."""
        reason = not_trainable(item, context=context)
        if reason is None and not self._answers(projection(item)):
            return "none of this format's fields was judged"
        return reason

    def sniff(self, path: Path) -> bool:
        """A file or folder whose first row has this format's keys."""
        file = path / METADATA_FILE if path.is_dir() else path
        if file.suffix != ".jsonl" or not file.is_file():
            return False
        try:
            _, line = next(read_lines(file), (0, b"null"))
            first = parse_json(line, where=file.name)
        except FormatError:
            return False
        if not isinstance(first, dict) or "video" not in first:
            return False
        said = first.keys() - {"video", "source", "is_sample"}
        return bool(said) and said <= self.keys.keys()

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write the training part, the parts held out, and which frames our analyses saw."""
        splits: Counter[Split] = Counter(entry.item.split for entry in placed)
        rows = [(entry.item.split, self._row(entry, context=context)) for entry in placed]
        write_text(folder / METADATA_FILE, _lines(row for split, row in rows if split == "train"))
        write_text(folder / "held_out.rows", _lines({"split": split, **row} for split, row in rows if split != "train"))
        write_text(folder / "frames.rows", frames_lines(placed, context=context))
        complete = sum(all(key in row for key in self.keys) for _, row in rows)
        notes = [f"{complete} of {len(rows)} rows have every key; the others lack what nobody has judged."]
        if not splits["train"]:
            notes.append(f"{METADATA_FILE} is empty: no recording falls into train yet.")
        return Filled(splits, notes=tuple(notes))

    def _row(self, entry: Placed, *, context: ExportContext) -> dict[str, Any]:
        row = {"video": entry.file, **self._answers(projection(entry.item))}
        if context.unreviewed:
            row["source"] = entry.item.source
        if context.include_samples:
            row["is_sample"] = entry.item.clip.is_sample
        return row

    def _answers(self, labels: Labels) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for key, field_key in self.keys.items():
            if field_key in labels:
                value = self._spelled(field_key, labels[field_key])
                if value is not None:
                    answers[key] = plain(value)
        return answers

    def _spelled(self, field_key: str, value: LabelValue) -> LabelValue:
        if field_key == _ACTION and isinstance(value, list):
            telling = [action for action in value if action != "go_straight"] or value
            return telling[0] if telling else None
        return value


class MetadataTrainingCode(Metadata):
    """Format A with the names that the recipe's training code reads."""

    name = "metadata-training-code"
    title = "metadata.jsonl (InternVL3 recipe, its training code's names)"
    description = (
        "For the InternVL3 video fine-tuning recipe: `metadata.jsonl` beside `videos/`, keys as its training code reads"
        " them (`intended_action`, `scene`)."
    )
    keys: ClassVar[Mapping[str, str]] = {
        "caption": "caption",
        "event_type": "event_type",
        "rule_violations": _VIOLATIONS,
        "intended_action": _ACTION,
        "traffic_density": "traffic_density",
        "scene": "scene",
        "visibility": "visibility",
    }

    def _spelled(self, field_key: str, value: LabelValue) -> LabelValue:
        if field_key == "scene" and isinstance(value, str):
            return _SCENES.get(value, value)
        return super()._spelled(field_key, value)


FORMATS = (Metadata(), MetadataTrainingCode())


def _lines(rows: Iterable[dict[str, Any]]) -> Iterable[str]:
    return (compact_json(row) + "\n" for row in rows)

"""The `metadata.jsonl` of the InternVL3 fine-tuning recipe, in both spellings that the recipe uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import Labels, LabelValue
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.base import ExportContext, ExportItem
from vvlm_desktop.formats.folder_format import Filled, FolderFormat, Placed, not_trainable
from vvlm_desktop.formats.foreign import ForeignSet, Rows, finished, objects, text_of
from vvlm_desktop.formats.json_text import compact_json, parse_json, plain, read_lines
from vvlm_desktop.formats.record import projection
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.staging import write_text

METADATA_FILE = "metadata.jsonl"
_FILES: dict[Split, str] = {"train": METADATA_FILE, "val": "metadata_val.jsonl", "test": "metadata_test.jsonl"}

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
            "Which frames to look at: the recipe draws 8 to 32 evenly spaced ones at random. What our analyses saw is"
            " in `sampling.json`."
        ),
        (
            "The split within training: the recipe draws its own 1 % for validation, clip by clip, from"
            " `metadata.jsonl`. That file holds the training part only; what is held out is in `metadata_val.jsonl` and"
            " `metadata_test.jsonl`."
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

    def read_rows(self, path: Path, *, schema: LabelSchema) -> ForeignSet:
        """Read a file, or all parts of a folder; see `RowsReader`."""
        files = [path / name for name in _FILES.values() if (path / name).is_file()] if path.is_dir() else [path]
        rows = Rows(schema)
        for where, row in objects(files):
            said = {field: _our_spelling(row[key]) for key, field in self.keys.items() if row.get(key) is not None}
            rows.add(where, [text_of(row, "video", where=where)], said)
        return finished(self.name, path, files, rows)

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write the training part, the parts held out, and which frames our analyses saw."""
        splits: Counter[Split] = Counter(entry.item.split for entry in placed)
        rows = [(entry.item.split, self._row(entry, context=context)) for entry in placed]
        for split in SPLITS:
            if splits[split] or split == "train":
                write_text(folder / _FILES[split], _lines(row for part, row in rows if part == split))
        write_text(folder / "README.md", [_dataset_card(self.title)])
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


def _dataset_card(title: str) -> str:
    """Tells `datasets.load_dataset(folder)` which file to read.

    Without it the library takes the folder for a collection of videos, and guesses parts from the names of clips: one
    called `d02_test_1.mp4` makes a dataset of that clip alone, without labels. The other parts are not named: it wants
    the same columns in all of them, and none empty.
    """
    return (
        f"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {METADATA_FILE}\n---\n\n"
        f"# {title}\n\n"
        "Give the recipe this folder's path with a slash at its end. What is missing here is told in LOSSES.md.\n"
    )


def _our_spelling(value: Any) -> Any:
    """A value of the recipe's training code by our name for it; others as they are."""
    return next((key for key, written in _SCENES.items() if written == value), value)


def _lines(rows: Iterable[dict[str, Any]]) -> Iterable[str]:
    return (compact_json(row) + "\n" for row in rows)

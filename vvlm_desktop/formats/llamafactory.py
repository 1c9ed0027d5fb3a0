"""LLaMA-Factory: conversations with one video each, and preference pairs made of corrections.

Shape read in its loader: with `sharegpt` roles must alternate from the user on, a ranking row has an odd number of
messages and two answers beside them, and every `<video>` in any message counts as a video.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats.base import ExportContext, ExportItem
from vvlm_desktop.formats.folder_format import Filled, FolderFormat, Placed, frames_lines, not_trainable
from vvlm_desktop.formats.json_text import compact_json, pretty_json
from vvlm_desktop.formats.record import projection
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.staging import write_text
from vvlm_desktop.formats.target import UNTRAINABLE, preference_pair, target_json

DATASET = "fleet"
_FILES: dict[Split, str] = {"train": "data.json", "val": "data_val.json", "test": "data_test.json"}
_NAMES: dict[Split, str] = {"train": DATASET, "val": f"{DATASET}_val", "test": f"{DATASET}_test"}
_PLACEHOLDERS = ("<video>", "<image>", "<audio>")
_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}


class LlamaFactory(FolderFormat):
    """Format C: `data.json` and `dataset_info.json`."""

    name = "llamafactory"
    title = "LLaMA-Factory"
    description = (
        "For LLaMA-Factory: give the folder as `dataset_dir`, train on `fleet`, evaluate on `fleet_val`, keep"
        " `fleet_test` for the end; `fleet_ranking` holds corrections as preference pairs (stage `rm` or `dpo`)."
    )
    losses = (
        "Evidence: the times and PTS ranges that show why a value is true (the event's own time is in the answer).",
        "Who judged, when, how (touched or accepted in one go), and why a value was corrected.",
        "Confidence, raw text and flags of the analyses, notes, status, and which rules a review breaks.",
        (
            "Fields whose truth is unknown: an answer names only the fields that a person stands behind, while"
            " the prompt asks for all of them."
        ),
        (
            "Which frames to look at: the trainer samples by its own `video_fps` and `video_maxlen`. What our"
            " analyses saw is in `frames.jsonl`."
        ),
        "Content hashes of the clips, and the label schema's definitions beyond what the prompt says.",
        "Second and later video streams of a file; such clips are left out.",
    )

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Only what may train a model."""
        return not_trainable(item, context=context)

    def sniff(self, path: Path) -> bool:
        """A folder with its two files."""
        return path.is_dir() and (path / "dataset_info.json").is_file() and (path / "data.json").is_file()

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write data by split, preference pairs of the training part, and the index of them."""
        if any(mark in context.prompt for mark in _PLACEHOLDERS):
            raise FormatError(
                "The prompt contains <video>, <image> or <audio>, which LLaMA-Factory would take for a file.",
                hint="Change the wording in the label schema.",
            )
        splits = Counter(entry.item.split for entry in placed)
        for split in SPLITS:
            rows = [_row(entry, context=context) for entry in placed if entry.item.split == split]
            write_text(folder / _FILES[split], _array(rows))
        pairs = [pair for entry in placed if (pair := _pair(entry, context=context))]
        write_text(folder / "ranking.json", _array(pairs))
        write_text(folder / "dataset_info.json", [pretty_json(_dataset_info())])
        write_text(folder / "frames.jsonl", frames_lines(placed, context=context))
        return Filled(splits, notes=_notes(splits, pairs=len(pairs)))


FORMATS = (LlamaFactory(),)


def _row(entry: Placed, *, context: ExportContext) -> dict[str, Any]:
    answer = target_json(entry.item.schema, projection(entry.item))
    row: dict[str, Any] = {
        "messages": [_question(context), {"role": "assistant", "content": _without_placeholders(answer)}],
        "videos": [entry.file],
    }
    # Extra columns are ignored by the loader; every row has the same ones.
    if context.unreviewed:
        row["source"] = entry.item.source
    if context.include_samples:
        row["is_sample"] = entry.item.clip.is_sample
    return row


def _pair(entry: Placed, *, context: ExportContext) -> dict[str, Any] | None:
    truth = entry.item.settled_truth
    if truth is None or entry.item.split != "train":
        return None
    analysis = entry.item.analysis_of(truth)
    if analysis is None or analysis.provenance in UNTRAINABLE:
        return None
    answers = preference_pair(entry.item.schema, truth)
    if answers is None:
        return None
    chosen, rejected = (_without_placeholders(answer) for answer in answers)
    return {
        "messages": [_question(context)],
        "chosen": {"role": "assistant", "content": chosen},
        "rejected": {"role": "assistant", "content": rejected},
        "videos": [entry.file],
    }


def _question(context: ExportContext) -> dict[str, str]:
    return {"role": "user", "content": f"<video>{context.prompt}"}


def _without_placeholders(answer: str) -> str:
    """The same JSON with `<` written as an escape where a caption would otherwise be counted as a video."""
    for mark in _PLACEHOLDERS:
        answer = answer.replace(mark, f"\\u003c{mark[1:]}")
    return answer


def _array(rows: Iterable[dict[str, Any]]) -> Iterable[str]:
    lines = [compact_json(row) for row in rows]
    return ["[\n" + ",\n".join(lines) + "\n]\n"] if lines else ["[]\n"]


def _dataset_info() -> dict[str, Any]:
    columns = {"messages": "messages", "videos": "videos"}
    info: dict[str, Any] = {
        _NAMES[split]: {"file_name": _FILES[split], "formatting": "sharegpt", "columns": columns, "tags": _TAGS}
        for split in SPLITS
    }
    info[f"{DATASET}_ranking"] = {
        "file_name": "ranking.json",
        "formatting": "sharegpt",
        "ranking": True,
        "columns": {**columns, "chosen": "chosen", "rejected": "rejected"},
        "tags": _TAGS,
    }
    return info


def _notes(splits: Counter[Split], *, pairs: int) -> tuple[str, ...]:
    notes = [f"{_FILES[split]} is empty: no recording falls into {split} yet." for split in SPLITS if not splits[split]]
    notes.append(f"{pairs} corrections became preference pairs in ranking.json.")
    return tuple(notes)

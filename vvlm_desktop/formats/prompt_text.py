"""The prompt/text JSONL of the VideoChat fine-tuning recipe: one text that holds question and answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.formats.base import ExportContext, ExportItem, LeftOut
from vvlm_desktop.formats.conversation import (
    COMMON_LOSSES,
    answer_of,
    counted,
    empty_notes,
    origin_columns,
    require_clean_prompt,
    write_splits,
)
from vvlm_desktop.formats.folder_format import Filled, FolderFormat, Placed, not_trainable
from vvlm_desktop.formats.foreign import ForeignSet, first_object, read_prompt_text
from vvlm_desktop.formats.media import safe_name
from vvlm_desktop.formats.split import Split

#: The recipe cuts the text here, and takes loss only behind it.
ANSWER_MARK = "ASSISTANT:"
QUESTION_MARK = "USER:"
_NAMES: dict[Split, str] = {"train": "train.jsonl", "val": "val.jsonl", "test": "test.jsonl"}


class PromptText(FolderFormat):
    """Format B: `{"video_path": …, "text": …}`, the text being `USER: …`, a new line and `ASSISTANT: {…}`."""

    name = "prompt-text"
    title = "Prompt/text JSONL (VideoChat recipe)"
    description = (
        "For the VideoChat fine-tuning recipe: `train.jsonl`, `val.jsonl` and `test.jsonl` beside `videos/`, question"
        " and answer in one text."
    )
    media_dir = "videos"
    losses = (
        *COMMON_LOSSES,
        (
            f"A clip with the words “{ANSWER_MARK}” in one of its values: the recipe cuts the text there. It is named"
            " under “Failed” and not written."
        ),
        "Which frames to look at: the recipe samples by itself. Ours are in `sampling.json`.",
        "Preference pairs: the recipe knows none.",
    )

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Only what may train a model."""
        return not_trainable(item, context=context)

    def sniff(self, path: Path) -> bool:
        """A file, or a folder with a `train.jsonl`, whose first row has the two keys."""
        row = first_object(path / _NAMES["train"] if path.is_dir() else path)
        if row is None and path.is_dir():  # nothing fell into train
            row = first_object(path / _NAMES["val"]) or first_object(path / _NAMES["test"])
        return row is not None and isinstance(row.get("video_path"), str) and isinstance(row.get("text"), str)

    def read_rows(self, path: Path, *, schema: LabelSchema) -> ForeignSet:
        """Read a file, or all parts of a folder; see `RowsReader`."""
        files = [path / name for name in _NAMES.values() if (path / name).is_file()] if path.is_dir() else [path]
        return read_prompt_text(path, files, schema=schema, marks=(QUESTION_MARK, ANSWER_MARK))

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write one file for each split; a clip whose answer would be cut is not written."""
        require_clean_prompt(context, reader="the recipe", marks=(ANSWER_MARK,))
        failed: list[LeftOut] = []
        kept: list[Placed] = []
        rows = []
        for entry in placed:
            answer = answer_of(entry)
            if ANSWER_MARK in answer:
                clip = entry.item.clip
                failed.append(LeftOut(clip.id, safe_name(clip.path), f"a value says “{ANSWER_MARK}”"))
                continue
            kept.append(entry)
            text = f"{QUESTION_MARK} {context.prompt.rstrip()}\n{ANSWER_MARK} {answer}"
            rows.append(
                (
                    entry.item.split,
                    {"video_path": entry.file, "text": text, **origin_columns(entry, context=context)},
                )
            )
        write_splits(folder, rows, names=_NAMES)
        splits = counted(kept)
        return Filled(splits, failed=tuple(failed), notes=tuple(empty_notes(splits, names=_NAMES)))


FORMATS = (PromptText(),)

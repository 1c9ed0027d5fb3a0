"""The conversations that Qwen-VL's own fine-tuning scripts read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vvlm_desktop.formats.base import ExportContext, ExportItem
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
from vvlm_desktop.formats.foreign import first_object
from vvlm_desktop.formats.split import Split

_NAMES: dict[Split, str] = {"train": "qwen_train.jsonl", "val": "qwen_val.jsonl", "test": "qwen_test.jsonl"}


class QwenVL(FolderFormat):
    """Format F: `{"video": "videos/a.mp4", "conversations": […]}`."""

    name = "qwen-vl"
    title = "Qwen-VL"
    description = (
        "For Qwen-VL's fine-tuning scripts: in `qwenvl/data/__init__.py` give"
        f' `{{"annotation_path": "FOLDER/{_NAMES["train"]}", "data_path": "FOLDER"}}`.'
    )
    media_dir = "videos"
    losses = (
        *COMMON_LOSSES,
        (
            "Which frames to look at: the scripts sample by `base_interval`, `video_min_frames` and `video_max_frames`,"
            " `qwen-vl-utils` by `fps`. Ours are in `sampling.json`."
        ),
        "Preference pairs: this format knows none.",
    )

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Only what may train a model."""
        return not_trainable(item, context=context)

    def sniff(self, path: Path) -> bool:
        """A folder with its files, or a file whose first row is a conversation about a video."""
        if path.is_dir():
            return (path / _NAMES["train"]).is_file()
        row = first_object(path)
        return row is not None and isinstance(row.get("conversations"), list) and "video" in row and "id" not in row

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write one file for each split."""
        require_clean_prompt(context, reader="Qwen-VL")
        rows = [(entry.item.split, _row(entry, context=context)) for entry in placed]
        write_splits(folder, rows, names=_NAMES, ascii_only=True)
        splits = counted(placed)
        return Filled(splits, notes=tuple(empty_notes(splits, names=_NAMES)))


FORMATS = (QwenVL(),)


def _row(entry: Placed, *, context: ExportContext) -> dict[str, Any]:
    return {
        "video": entry.file,
        "conversations": [
            {"from": "human", "value": f"<video>\n{context.prompt}"},
            {"from": "gpt", "value": answer_of(entry)},
        ],
        **origin_columns(entry, context=context),
    }

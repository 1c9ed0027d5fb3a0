"""ms-swift: messages with their videos, one line each, and the rejected answer beside the right one.

Shape read in its loader: a relative path is looked for where the trainer was started, not beside the file, so paths are
absolute; every `<video>` in a message counts as a video.
"""

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
    pair_note,
    pair_of,
    require_clean_prompt,
    write_splits,
)
from vvlm_desktop.formats.folder_format import Filled, FolderFormat, Placed, not_trainable
from vvlm_desktop.formats.foreign import first_object
from vvlm_desktop.formats.json_text import compact_json
from vvlm_desktop.formats.split import Split
from vvlm_desktop.formats.staging import write_text

PREFERENCE_FILE = "swift_preference.jsonl"
_NAMES: dict[Split, str] = {"train": "swift_train.jsonl", "val": "swift_val.jsonl", "test": "swift_test.jsonl"}


class MsSwift(FolderFormat):
    """Format D: `{"messages": […], "videos": ["/…/a.mp4"]}`."""

    name = "ms-swift"
    title = "ms-swift"
    description = (
        f"For ms-swift: `swift sft --dataset {_NAMES['train']} --val_dataset {_NAMES['val']}`; corrections as"
        f" preference pairs: `swift rlhf --rlhf_type dpo --dataset {PREFERENCE_FILE}`."
    )
    losses = (
        *COMMON_LOSSES,
        (
            "A place of its own: ms-swift looks for a relative path where it was started, so the clips are named by"
            " their full path. After the folder was moved or copied to another computer, export again, or replace the"
            " paths."
        ),
        "Which frames to look at: ms-swift samples by `FPS` and `FPS_MAX_FRAMES`. Ours are in `sampling.json`.",
    )

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Only what may train a model."""
        return not_trainable(item, context=context)

    def sniff(self, path: Path) -> bool:
        """A folder with its files, or a file whose first row has messages and videos."""
        if path.is_dir():
            return (path / _NAMES["train"]).is_file()
        row = first_object(path)
        return row is not None and isinstance(row.get("messages"), list) and isinstance(row.get("videos"), list)

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write one file for each split, and the preference pairs of the training part."""
        require_clean_prompt(context, reader="ms-swift")
        rows = [(entry.item.split, _row(entry, answer_of(entry), context=context)) for entry in placed]
        write_splits(folder, rows, names=_NAMES)
        pairs = [
            {**_row(entry, answers[0], context=context), "rejected_response": answers[1]}
            for entry in placed
            if (answers := pair_of(entry))
        ]
        write_text(folder / PREFERENCE_FILE, (compact_json(pair) + "\n" for pair in pairs))
        splits = counted(placed)
        notes = [*empty_notes(splits, names=_NAMES), pair_note(len(pairs), PREFERENCE_FILE)]
        return Filled(splits, notes=tuple(notes))


FORMATS = (MsSwift(),)


def _row(entry: Placed, answer: str, *, context: ExportContext) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": f"<video>{context.prompt}"},
            {"role": "assistant", "content": answer},
        ],
        "videos": [str(context.out / (entry.file or ""))],
        **origin_columns(entry, context=context),
    }

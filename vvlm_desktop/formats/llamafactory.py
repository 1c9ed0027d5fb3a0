"""LLaMA-Factory: conversations with one video each, and preference pairs made of corrections.

Shape read in its loader: with `sharegpt` roles must alternate from the user on, a ranking row has an odd number of
messages and two answers beside them, and every `<video>` in any message counts as a video.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
)
from vvlm_desktop.formats.folder_format import Filled, FolderFormat, Placed, not_trainable
from vvlm_desktop.formats.json_text import compact_json, pretty_json
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.staging import write_text

DATASET = "fleet"
_FILES: dict[Split, str] = {"train": "data.json", "val": "data_val.json", "test": "data_test.json"}
_NAMES: dict[Split, str] = {"train": DATASET, "val": f"{DATASET}_val", "test": f"{DATASET}_test"}
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
        *COMMON_LOSSES,
        (
            "Which frames to look at: the trainer samples by its own `video_fps` and `video_maxlen`. What our"
            " analyses saw is in `sampling.json`."
        ),
    )

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Only what may train a model."""
        return not_trainable(item, context=context)

    def sniff(self, path: Path) -> bool:
        """A folder with its two files."""
        return path.is_dir() and (path / "dataset_info.json").is_file() and (path / "data.json").is_file()

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write data by split, preference pairs of the training part, and the index of them."""
        require_clean_prompt(context, reader="LLaMA-Factory")
        splits = counted(placed)
        for split in SPLITS:
            rows = [_row(entry, context=context) for entry in placed if entry.item.split == split]
            write_text(folder / _FILES[split], _array(rows))
        pairs = [pair for entry in placed if (pair := _pair(entry, context=context))]
        write_text(folder / "ranking.json", _array(pairs))
        write_text(folder / "dataset_info.json", [pretty_json(_dataset_info())])
        notes = [*empty_notes(splits, names=_FILES), pair_note(len(pairs), "ranking.json")]
        return Filled(splits, notes=tuple(notes))


FORMATS = (LlamaFactory(),)


def _row(entry: Placed, *, context: ExportContext) -> dict[str, Any]:
    return {
        "messages": [_question(context), {"role": "assistant", "content": answer_of(entry)}],
        "videos": [entry.file],
        # Extra columns are ignored by the loader.
        **origin_columns(entry, context=context),
    }


def _pair(entry: Placed, *, context: ExportContext) -> dict[str, Any] | None:
    answers = pair_of(entry)
    if answers is None:
        return None
    return {
        "messages": [_question(context)],
        "chosen": {"role": "assistant", "content": answers[0]},
        "rejected": {"role": "assistant", "content": answers[1]},
        "videos": [entry.file],
    }


def _question(context: ExportContext) -> dict[str, str]:
    return {"role": "user", "content": f"<video>{context.prompt}"}


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

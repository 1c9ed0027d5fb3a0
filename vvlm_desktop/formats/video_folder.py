"""Hugging Face VideoFolder with the columns that TRL reads: `messages`, or `prompt` and `completion`.

Shape read in `datasets`: `file_name` becomes the column `video`, so no other key may be called that; parts are told by
the names of folders *and files*, so a clip called `d02_test_1.mp4` would be in two parts and gets another name here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from vvlm_desktop.formats.base import ExportContext, ExportItem
from vvlm_desktop.formats.conversation import (
    COMMON_LOSSES,
    answer_of,
    counted,
    origin_columns,
    require_clean_prompt,
)
from vvlm_desktop.formats.folder_format import Filled, FolderFormat, Placed, not_trainable
from vvlm_desktop.formats.foreign import first_object
from vvlm_desktop.formats.json_text import compact_json
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.staging import write_text

METADATA_FILE = "metadata.jsonl"
_FOLDERS: dict[Split, str] = {"train": "train", "val": "validation", "test": "test"}
#: Words by which `datasets` tells parts; between separators and digits, in any case.
_PART_WORDS = re.compile(
    r"(?:^|[-._ 0-9/])(train|training|val|valid|validation|dev|test|testing|eval|evaluation)(?:[-._ 0-9/]|$)",
    re.IGNORECASE,
)


class VideoFolderMessages(FolderFormat):
    """Format G with `messages`."""

    name: ClassVar[str] = "videofolder"
    title: ClassVar[str] = "Hugging Face VideoFolder (messages)"
    description: ClassVar[str] = (
        'For `datasets.load_dataset("videofolder", data_dir=FOLDER)` and trainers that take `messages`, such as TRL;'
        " the clip is in the column `video`."
    )
    media_dir: ClassVar[str] = "clips"
    columns: ClassVar[frozenset[str]] = frozenset({"messages"})
    losses: ClassVar[tuple[str, ...]] = (
        *COMMON_LOSSES,
        "Which frames to look at: whoever reads the column `video` samples by himself. Ours are in `sampling.json`.",
        "The name of a clip that holds a word such as `test` or `train`: the library would take it for a part.",
        "A video in TRL's own trainers: they take images only (seen with 1.16); its dataset functions take the rows.",
    )

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Only what may train a model."""
        return not_trainable(item, context=context)

    def sniff(self, path: Path) -> bool:
        """A folder of parts, or one part, whose first row names a file and has this format's columns."""
        places = [path / part / METADATA_FILE for part in _FOLDERS.values()] if path.is_dir() else [path]
        row = next((row for file in places if (row := first_object(file)) is not None), None)
        return row is not None and "file_name" in row and self.columns <= row.keys()

    def arrange(self, folder: Path, placed: Sequence[Placed]) -> Sequence[Placed]:
        """Clips lie in their part's folder: the library tells parts by folders."""
        for part in {_FOLDERS[entry.item.split] for entry in placed}:
            (folder / part).mkdir()
        moved = []
        for entry in placed:
            name = _neutral(PurePosixPath(entry.file or "").name, entry.item.clip.sha256)
            file = f"{_FOLDERS[entry.item.split]}/{name}"
            (folder / (entry.file or "")).rename(folder / file)
            moved.append(replace(entry, file=file))
        (folder / self.media_dir).rmdir()
        return moved

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write `metadata.jsonl` into each part that has clips; an empty part would not load."""
        require_clean_prompt(context, reader="a chat template")
        for split in SPLITS:
            rows = [self._row(entry, context=context) for entry in placed if entry.item.split == split]
            if rows:
                write_text(folder / _FOLDERS[split] / METADATA_FILE, (compact_json(row) + "\n" for row in rows))
        splits = counted(placed)
        notes = [
            f"There is no {_FOLDERS[split]}/: no recording falls into {split} yet."
            for split in SPLITS
            if not splits[split]
        ]
        return Filled(splits, notes=tuple(notes))

    def _row(self, entry: Placed, *, context: ExportContext) -> dict[str, Any]:
        columns = self._columns(_question(context), _answer(entry))
        return {
            "file_name": PurePosixPath(entry.file or "").name,
            **columns,
            **origin_columns(entry, context=context),
        }

    def _columns(self, question: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [question, answer]}


class VideoFolderCompletion(VideoFolderMessages):
    """Format G with `prompt` and `completion`."""

    name = "videofolder-completion"
    title = "Hugging Face VideoFolder (prompt and completion)"
    description = (
        'For `datasets.load_dataset("videofolder", data_dir=FOLDER)` and trainers that take loss on `completion` only,'
        " such as TRL; the clip is in the column `video`."
    )
    columns = frozenset({"prompt", "completion"})

    def _columns(self, question: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        return {"prompt": [question], "completion": [answer]}


FORMATS = (VideoFolderMessages(), VideoFolderCompletion())


def _question(context: ExportContext) -> dict[str, Any]:
    # The same keys in every part of a message: the library wants one shape for all.
    return {
        "role": "user",
        "content": [{"type": "video", "text": None}, {"type": "text", "text": context.prompt}],
    }


def _answer(entry: Placed) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "text", "text": answer_of(entry)}]}


def _neutral(name: str, sha256: str) -> str:
    """The clip's name, or one of its hash where the library would take a word in it for a part."""
    return f"clip-{sha256[:16]}{PurePosixPath(name).suffix}" if _PART_WORDS.search(name) else name

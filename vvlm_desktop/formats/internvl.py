"""InternVL's own chat format: a meta file that names the rows, and the rows.

Shape read in its trainer: `root` and `annotation` are looked for where the trainer was started; the annotation is only
read as lines if its name ends in `jsonl`; everything that the meta file names is trained on, so what is held out has
meta files of its own.
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
    require_clean_prompt,
    write_splits,
)
from vvlm_desktop.formats.folder_format import Filled, FolderFormat, Placed, not_trainable
from vvlm_desktop.formats.foreign import first_object
from vvlm_desktop.formats.json_text import pretty_json
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.staging import write_text

DATASET = "fleet"
META_FILE = "meta.json"
_META: dict[Split, str] = {"train": META_FILE, "val": "meta_val.json", "test": "meta_test.json"}
_NAMES: dict[Split, str] = {split: f"{DATASET}{'' if split == 'train' else f'_{split}'}.jsonl" for split in SPLITS}


class InternVLChat(FolderFormat):
    """Format E: `meta.json` and `fleet.jsonl`."""

    name = "internvl"
    title = "InternVL chat"
    description = (
        f"For InternVL's own training scripts: start them in this folder with `--meta_path {META_FILE}`; what is held"
        f" out is named by `{_META['val']}` and `{_META['test']}`."
    )
    losses = (
        *COMMON_LOSSES,
        (
            "Which frames to look at: the trainer draws between `min_num_frame` and `max_num_frame` by itself. Ours are"
            " in `sampling.json`. No row has a `clip` stretch: times in an answer count from the clip's first frame."
        ),
        "A place of its own: the scripts look for `clips/` and the rows where they are started.",
        "Preference pairs: this format knows none.",
    )

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Only what may train a model."""
        return not_trainable(item, context=context)

    def sniff(self, path: Path) -> bool:
        """A folder with its two files."""
        return path.is_dir() and (path / META_FILE).is_file() and first_object(path / _NAMES["train"]) is not None

    def fill(self, folder: Path, placed: Sequence[Placed], *, context: ExportContext) -> Filled:
        """Write rows and the meta file for each split."""
        require_clean_prompt(context, reader="InternVL")
        splits = counted(placed)
        numbers = dict.fromkeys(SPLITS, 0)
        rows = []
        for entry in placed:
            split = entry.item.split
            rows.append((split, _row(entry, numbers[split], media_dir=self.media_dir, context=context)))
            numbers[split] += 1
        write_splits(folder, rows, names=_NAMES, ascii_only=True)
        for split in SPLITS:
            meta = {
                _NAMES[split].removesuffix(".jsonl"): {
                    "root": f"{self.media_dir}/",
                    "annotation": _NAMES[split],
                    "data_augment": False,
                    "max_dynamic_patch": 1,
                    "repeat_time": 1,
                    "length": splits[split],
                }
            }
            write_text(folder / _META[split], [pretty_json(meta)])
        return Filled(splits, notes=tuple(empty_notes(splits, names=_NAMES)))


FORMATS = (InternVLChat(),)


def _row(entry: Placed, number: int, *, media_dir: str, context: ExportContext) -> dict[str, Any]:
    return {
        "id": number,
        "video": (entry.file or "").removeprefix(f"{media_dir}/"),
        "conversations": [
            {"from": "human", "value": f"<video>\n{context.prompt}"},
            {"from": "gpt", "value": answer_of(entry)},
        ],
        **origin_columns(entry, context=context),
    }

"""A training set: our own records, of clips that may train a model only. Made by the workflow, not on a menu."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vvlm_desktop.formats.base import ExportContext, ExportItem
from vvlm_desktop.formats.folder_format import not_trainable
from vvlm_desktop.formats.json_text import compact_json, plain
from vvlm_desktop.formats.ours import Ours

#: Key of the manifest under which the set describes itself.
SECTION = "training_set"
#: What a set's identity is made of; when it was made, and what else happened in the library, is no part of it.
_IDENTITY = ("format", "version", "media", "prompt_sha", "sampler", "schemas", "splits", "unreviewed", SECTION)
_RECORDS = "corrections.jsonl"


class TrainingSetFormat(Ours):
    """Records of ours, without whatever must not train."""

    name = "training-set"
    title = "Training set"
    description = (
        "For fine-tuning with this program: immutable, split so that nothing leaks, with the frames that are shown."
    )
    keeps_without_file = False
    first_step = "Review a clip first: only what a person has settled trains a model."

    def reason_to_leave_out(self, item: ExportItem, *, context: ExportContext) -> str | None:
        """Only what may train a model."""
        return not_trainable(item, context=context, names_streams=True)


def content_id(manifest: Mapping[str, Any]) -> str:
    """Hex SHA-256 of what a set holds; two sets with the same one teach the same."""
    said = {key: plain(manifest.get(key)) for key in _IDENTITY}
    said["records"] = plain(manifest.get("files", {}).get(_RECORDS))
    return hashlib.sha256(compact_json(plain(said), ascii_only=True).encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest as it is; its files are checked by who reads the records.

    Raises:
        OSError, ValueError: it is not there, or no JSON object.
    """
    value = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError("the manifest is not an object")  # noqa: TRY004 - the file's fault, not the caller's
    return value

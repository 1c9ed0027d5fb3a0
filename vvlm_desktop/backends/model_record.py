"""What is kept beside weights: where they came from and what they were checked against; and which folder is whose."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from vvlm_desktop.domain.values import utc_now

Origin: TypeAlias = Literal["download", "copy", "link"]

RECORD_FILE = "vvlm-model.json"
#: What is being downloaded, out of the way of everything that loads models.
PARTIAL_FOLDER = ".partial"
PLAN_FILE = "vvlm-download.json"
PART_SUFFIX = ".part"
ADAPTERS_FOLDER = "adapters"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """How a model, or an adapter, came into the models folder.

    Attributes:
        id: hub id, or the name that the folder had.
        revision: commit of the hub repository, None for what was imported.
        linked_to: absolute folder of the weights where they stay outside of the models folder.
        files: size and checksum ("sha256:…" or "git:…") of each downloaded file.
    """

    id: str
    origin: Origin
    revision: str | None = None
    added_at: str = field(default_factory=utc_now)
    linked_to: str | None = None
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """What an unfinished download consists of; written before the first weight."""

    id: str
    revision: str
    total_bytes: int


def folder_name(model_id: str) -> str:
    """Name of a model's folder inside the models folder, safe on every file system.

    A hub id becomes `models--owner--name`, as in the hub's own cache, so that it can be told from the folder alone.
    """
    parts = [_UNSAFE.sub("_", part).strip(".") or "_" for part in model_id.split("/")]
    name = "--".join(parts if len(parts) == 1 else ["models", *parts])[:120]
    return f"_{name}" if name.lower() == ADAPTERS_FOLDER else name


def model_folder_of(models_folder: Path, model_id: str) -> Path:
    """Where a downloaded or imported model lies."""
    return models_folder / folder_name(model_id)


def partial_folder_of(models_folder: Path, model_id: str) -> Path:
    """Where a model is put together while it is downloaded."""
    return models_folder / PARTIAL_FOLDER / folder_name(model_id)


def read_record(folder: Path) -> ModelRecord | None:
    """The record in `folder`; None where there is none, or none that makes sense."""
    data = _read_json(folder / RECORD_FILE)
    try:
        record = ModelRecord(
            id=data["id"],
            origin=data["origin"],
            revision=data.get("revision"),
            added_at=str(data.get("added_at", "")),
            linked_to=data.get("linked_to"),
            files=data.get("files", {}),
        )
    except (KeyError, TypeError):
        return None
    texts_ok = isinstance(record.id, str) and all(
        text is None or isinstance(text, str) for text in (record.revision, record.linked_to)
    )
    return record if texts_ok and record.origin in get_args(Origin) and isinstance(record.files, dict) else None


def write_record(folder: Path, record: ModelRecord) -> None:
    """Put `record` into `folder`, so that a crash leaves the old one or the new one."""
    _write_json(folder / RECORD_FILE, asdict(record))


def read_plan(partial_folder: Path) -> DownloadPlan | None:
    """The plan of an unfinished download; None where nothing was begun."""
    data = _read_json(partial_folder / PLAN_FILE)
    try:
        return DownloadPlan(str(data["id"]), str(data["revision"]), int(data["total_bytes"]))
    except (KeyError, TypeError, ValueError):
        return None


def write_plan(partial_folder: Path, plan: DownloadPlan) -> None:
    """Note what is going to be downloaded."""
    _write_json(partial_folder / PLAN_FILE, asdict(plan))


def size_of(folder: Path) -> int:
    """Bytes of all files in `folder`, those of our own notes excepted."""
    total = 0
    for path in folder.rglob("*"):
        if path.name in (RECORD_FILE, PLAN_FILE):
            continue
        try:
            if path.is_file():
                total += path.stat().st_size
        except OSError:
            continue  # deleted in this moment
    return total


def _read_json(file: Path) -> Any:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _write_json(file: Path, data: Mapping[str, Any]) -> None:
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")
    temporary.replace(file)

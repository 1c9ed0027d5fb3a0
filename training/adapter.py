"""The adapter's folder: peft's own format, and a card that says what it is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.starting import examine_start, start_fingerprint
from vvlm_desktop.backends.model_folder import AdapterFolder, fingerprint
from vvlm_desktop.backends.run_folder import COMPLETE_FILE
from vvlm_desktop.domain.prompt import prompt_sha
from vvlm_desktop.domain.values import utc_now

if TYPE_CHECKING:
    from training.training_set import TrainingSet
    from vvlm_desktop.backends.local.loading import LoadedModel
    from vvlm_desktop.backends.train_config import TrainConfig

CARD_FILE = "card.json"
#: Folders of one computer, which the card does not carry.
_PATHS = frozenset({"model_dir", "run_dir", "cache_dir", "train_set", "start_from"})
_PACKAGES = ("vvlm-desktop", "torch", "transformers", "peft")


def write_adapter(folder: Path, tuned: Any, *, card: Mapping[str, Any], base_name: str) -> None:
    """Write weights, config and card so that the folder is whole or absent."""
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    tuned.save_pretrained(draft, safe_serialization=True)
    config_file = draft / "adapter_config.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    # peft writes the absolute folder of this computer there.
    config["base_model_name_or_path"] = base_name
    config_file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (draft / "README.md").unlink(missing_ok=True)
    (draft / CARD_FILE).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for file in filter(
        Path.is_file, draft.rglob("*")
    ):  # a run with this folder has finished: the disk must have it before it has its name
        with file.open("r+b") as handle:
            os.fsync(handle.fileno())
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def make_card(
    config: TrainConfig,
    *,
    name: str,
    loaded: LoadedModel,
    training_set: TrainingSet,
    metrics: Mapping[str, Any],
    steps: int,
) -> dict[str, Any]:
    """What an adapter is: made from what, on what, how, and how good."""
    schema = training_set.schema
    start = examine_start(loaded.folder, loaded.family, config)
    before = _seen_before(start, training_set) if start is not None else {}
    return {
        "name": name,
        "created_at": utc_now(),
        "base": {"id": base_name(config, loaded), "revision": config.model_revision or None},
        "base_fingerprint": fingerprint(loaded.folder),
        "family": loaded.family.name,
        "training_set": {
            "name": training_set.folder.name,
            "fingerprint": training_set.fingerprint,
            "clips": {split: len(training_set.split(split)) for split in ("train", "val", "test")},
            # How sure the adapter is of these says nothing about others; calibration leaves them out.
            "content_sha256": {split: _seen(training_set, split, before or {}) for split in ("train", "val")},
        },
        "started_from": {
            "name": start.name,
            "sha256": start_fingerprint(config),
            # Where nobody knows what that had seen, nobody can say that test clips are new to this one.
            "clips_known": before is not None,
        }
        if start is not None
        else None,
        "schema": {"key": schema.key, "labels_sha": schema.labels_sha, "wording_sha": schema.wording_sha},
        "prompt_sha": prompt_sha(training_set.prompt),
        "config": {key: value for key, value in config.model_dump().items() if key not in _PATHS},
        "steps": steps,
        "metrics": dict(metrics),
        "versions": {package: metadata.version(package) for package in _PACKAGES},
    }


def _seen(training_set: TrainingSet, split: str, before: Mapping[str, set[str]]) -> list[str]:
    """Content of the clips of a split, with those that the adapter had seen from which this one went on."""
    return sorted({example.sha256 for example in training_set.split(split)} | before.get(split, set()))


def _seen_before(start: AdapterFolder, training_set: TrainingSet) -> dict[str, set[str]] | None:
    """Content of the clips that an adapter had seen, by split; None where nobody knows all of it."""
    told, further = start.card.get("training_set"), start.card.get("started_from")
    contents = told.get("content_sha256") if isinstance(told, Mapping) else None
    if isinstance(further, Mapping) and further.get("clips_known") is False:
        return None
    if isinstance(contents, Mapping) and all(isinstance(contents.get(split), list) for split in ("train", "val")):
        return {split: {str(sha256) for sha256 in contents[split]} for split in ("train", "val")}
    return {} if _is_checkpoint_of(start.path, training_set) else None


def _is_checkpoint_of(folder: Path, training_set: TrainingSet) -> bool:
    """Whether it is a checkpoint of a run that began afresh with this very set."""
    try:
        identity = json.loads((folder / COMPLETE_FILE).read_text(encoding="utf-8"))["identity"]
        return bool(identity["set_fingerprint"] == training_set.fingerprint and identity["start"] == "")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def base_name(config: TrainConfig, loaded: LoadedModel) -> str:
    """What the base is called."""
    return config.model_id or loaded.folder.name

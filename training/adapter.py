"""The adapter's folder: peft's own format, and a card that says what it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.starting import examine_start, start_fingerprint
from vvlm_desktop.backends.model_folder import AdapterFolder, fingerprint
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
    start = examine_start(loaded, config)
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
            "content_sha256": {split: _seen(training_set, split, start) for split in ("train", "val")},
        },
        "started_from": {"name": start.name, "sha256": start_fingerprint(config)} if start is not None else None,
        "schema": {"key": schema.key, "labels_sha": schema.labels_sha, "wording_sha": schema.wording_sha},
        "prompt_sha": prompt_sha(training_set.prompt),
        "config": {key: value for key, value in config.model_dump().items() if key not in _PATHS},
        "steps": steps,
        "metrics": dict(metrics),
        "versions": {package: metadata.version(package) for package in _PACKAGES},
    }


def _seen(training_set: TrainingSet, split: str, start: AdapterFolder | None) -> list[str]:
    """Content of the clips of a split, with those that the adapter had seen from which this one went on."""
    seen = {example.sha256 for example in training_set.split(split)}
    if start is not None:
        before = (start.card.get("training_set") or {}).get("content_sha256") or {}
        seen |= set(before.get(split) or ())
    return sorted(seen)


def base_name(config: TrainConfig, loaded: LoadedModel) -> str:
    """What the base is called."""
    return config.model_id or loaded.folder.name

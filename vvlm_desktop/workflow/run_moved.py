"""Runs outlive a move of their library or of the models folder: what their config names is looked for where it is now.

A training set's folder name ends with the id of its content, and a base is known by its fingerprint, so that what is
found elsewhere is what the run learnt with, not something that is called the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.model_folder import fingerprint
from vvlm_desktop.backends.run_folder import COMPLETE_FILE, RunFiles
from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.errors import ModelFolderError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.adapters import adapters_folder
from vvlm_desktop.workflow.model_shelf import InstalledModel, installed_models
from vvlm_desktop.workflow.training_splits import SETS_FOLDER

_SET_FOLDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}-\d{3,6}-[0-9a-f]{12}")
_TITLES = {"train_set": "Its training set", "model_dir": "Its base model", "start_from": "The adapter it began with"}


class Moved:
    """Finds what the runs of one list were moved away from; the models folder is looked through once at most."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._models: list[InstalledModel] | None = None

    def found(self, config: TrainConfig, run: Path) -> dict[str, str]:
        """Values of the config that name folders which are elsewhere now, with where they are."""
        ways: Mapping[str, Callable[[TrainConfig, Path], Path | None]] = {
            "train_set": _set_beside,
            "model_dir": self._base,
            "start_from": self._start,
        }
        gone = {key: way for key, way in ways.items() if getattr(config, key) and not _is_there(getattr(config, key))}
        places = {key: way(config, run) for key, way in gone.items()}
        return {key: str(place) for key, place in places.items() if place is not None}

    def _base(self, config: TrainConfig, run: Path) -> Path | None:
        """By its fingerprint; by its name where the run came to no checkpoint in which one is written down."""
        if self._models is None:
            self._models = installed_models(self._settings)
        usable = [model for model in self._models if model.folder is not None]
        wanted, named = _base_fingerprint(run), (config.model_id, _name_of(config.model_dir))
        # The one of that name first: a fingerprint is read from all of its headers.
        usable.sort(key=lambda model: model.name not in named and model.path.name not in named)
        for model in usable:
            is_it = model.name in named or model.path.name in named
            if wanted and model.folder is not None:
                is_it = _fingerprint_of(model) == wanted
            if is_it:
                return model.path
        return None

    def _start(self, config: TrainConfig, run: Path) -> Path | None:
        """Among the adapters; or the result of another run of the library, which is called adapter."""
        name, parent = _name_of(config.start_from), _name_of(config.start_from, 1)
        places = (adapters_folder(self._settings) / name, run.parent / parent / RunFiles(run).adapter_dir.name)
        return next((place for place in places if (place / "adapter_config.json").is_file()), None)


def sentences(moved: Mapping[str, str]) -> list[str]:
    """What is used instead of what the config names, for people."""
    return [f"{_TITLES[key]} was moved; it is used from {place}." for key, place in moved.items()]


def _set_beside(config: TrainConfig, run: Path) -> Path | None:
    """The set of the same name, number and content in the library in which the run lies."""
    name = _name_of(config.train_set)
    place = run.parent.parent / SETS_FOLDER / name
    return place if _SET_FOLDER.fullmatch(name) and place.is_dir() else None


def _fingerprint_of(model: InstalledModel) -> str:
    try:
        return fingerprint(model.folder) if model.folder is not None else ""
    except (OSError, ModelFolderError):
        return ""


def _base_fingerprint(run: Path) -> str:
    """Of the model that was trained, as the adapter's card or a checkpoint says it; empty where there is neither."""
    files = RunFiles(run)
    card = _read(files.adapter_dir / "card.json").get("base_fingerprint")
    whole = files.checkpoints()
    identity = _read(whole[-1] / COMPLETE_FILE).get("identity") if whole else None
    told = card or (identity.get("base") if isinstance(identity, Mapping) else None)
    return told if isinstance(told, str) else ""


def _read(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_there(text: str) -> bool:
    try:
        return Path(text).expanduser().is_dir()
    except (OSError, RuntimeError):
        return False


def _name_of(text: str, up: int = 0) -> str:
    """A folder's name, or that of the folder around it; also of a path of another system."""
    parts = [part for part in re.split(r"[\\/]", text) if part]
    return parts[-1 - up] if len(parts) > up else ""

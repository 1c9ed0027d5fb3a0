"""Adapters on a loaded model: each loaded once, switched, never merged, so that the base stays exactly what it was."""

from __future__ import annotations

import hashlib
import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.install_hint import INSTALL_LOCAL
from vvlm_desktop.backends.local.stepping_down import is_out_of_memory
from vvlm_desktop.backends.model_folder import ModelFolder, examine_adapter
from vvlm_desktop.errors import BackendUnavailableError, ModelFolderError


class Adapters:
    """The adapters of one model; the model itself works with whichever is in use."""

    def __init__(self, model: Any, folder: ModelFolder) -> None:
        self._model = model
        self._folder = folder
        self._peft: Any = None
        self._names: dict[str, str] = {}  # what peft calls it → what people call it
        self._directories: dict[str, Path] = {}
        self._notes: dict[str, str] = {}
        self.in_use: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that were loaded, in that order."""
        return tuple(self._names.values())

    @property
    def note(self) -> str:
        """A sentence where the adapter in use may belong to another base although its shapes fit; else empty."""
        return self._notes.get(self.in_use or "", "")

    def use(self, name: str | None, directory: Path | str | None = None) -> None:
        """Work with an adapter from now on, or with the base alone for None.

        Args:
            name: for people.
            directory: where it lies; may be left out for one that was used before.

        Raises:
            ModelFolderError: it cannot be read, or was made for another base.
            BackendUnavailableError: the package for adapters is missing.
        """
        if name is None:
            self._base_alone()
            return
        place = Path(directory) if directory is not None else self._directories.get(name)
        if place is None:
            raise ValueError(f"the adapter {name!r} was never loaded")
        key = _key(place)
        if key not in self._names:
            self._notes[name] = self._load(key, place)
            self._names[key] = name
        self._directories[name] = place
        self._peft.base_model.enable_adapter_layers()
        self._peft.set_adapter(key, inference_mode=True)
        self.in_use = name

    def _load(self, key: str, directory: Path) -> str:
        """Put it on, and return its note."""
        note = examine_adapter(directory, base=self._folder).note
        peft = _peft_package()
        device = str(next(self._model.parameters()).device)
        try:
            with _known_warnings():
                if self._peft is None:
                    config = peft.PeftConfig.from_pretrained(str(directory))
                    config.inference_mode = True
                    self._peft = peft.PeftModel(self._model, config, adapter_name=key)
                report = self._peft.load_adapter(str(directory), adapter_name=key, torch_device=device)
                self._peft.eval()
            _check_complete(report)
        except (ValueError, RuntimeError, KeyError, TypeError, OSError) as error:
            self._base_alone()
            if is_out_of_memory(error):
                raise
            raise ModelFolderError(
                f"The adapter {directory.name} cannot be put on {self._folder.name}: {str(error).splitlines()[0]}",
                hint="Choose the model that it was trained on, or another adapter.",
            ) from error
        return note

    def _base_alone(self) -> None:
        """Layers of adapters stay where they are and do nothing, also those of one that was loaded by half."""
        if self._peft is not None:
            self._peft.base_model.disable_adapter_layers()
        self.in_use = None


def _key(directory: Path) -> str:
    """A name that peft accepts (no dots), another one when the adapter was trained anew in the same place."""
    weights = directory / "adapter_model.safetensors"
    changed = weights.stat().st_mtime_ns if weights.exists() else 0
    return "adapter_" + hashlib.sha256(f"{directory.resolve()} {changed}".encode()).hexdigest()[:16]


def _check_complete(report: Any) -> None:
    """Layers that the file lacks would stay as chance made them; peft does not mind."""
    odd = [*report.missing_keys, *report.unexpected_keys]
    if odd:
        raise ValueError(f"{len(odd)} of its parts do not fit, the first is {odd[0]}.")


def _peft_package() -> Any:
    try:
        return importlib.import_module("peft")
    except ImportError as error:
        raise BackendUnavailableError(
            f"Adapters need the package peft, which cannot be loaded: {error}.",
            hint=INSTALL_LOCAL,
        ) from error


@contextmanager
def _known_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        # WORKAROUND peft 0.21 reads an attribute that transformers 5.23 renamed.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield

"""Adapters: fine-tuned weights on top of a model, with what they were trained on and what they reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vvlm_desktop.backends.model_folder import AdapterFolder, ModelFolder, examine_adapter
from vvlm_desktop.backends.model_record import ADAPTERS_FOLDER, ModelRecord, read_record
from vvlm_desktop.errors import ModelFolderError, UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.card_words import data_words, metrics_words
from vvlm_desktop.workflow.model_shelf import InstalledModel, installed_models


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter on this computer.

    Attributes:
        name: its folder's name; what is recorded with an analysis and stored in the settings.
        entry: its folder inside the models folder, None for a folder that was only named.
        base: name of the model it belongs to, as the adapter says it.
        base_model: name of the installed model that it fits, None where there is none.
        data, metrics: from its card, in words; empty where the card does not say.
        reason: why it cannot be used; empty where it can.
        note: a sentence where it may have been made for another model although its shapes fit.
    """

    name: str
    path: Path
    entry: Path | None
    base: str
    base_model: str | None
    data: str
    metrics: str
    rank: int
    linked: bool = False
    reason: str = ""
    hint: str = ""
    note: str = ""

    @property
    def usable(self) -> bool:
        """Whether it can be loaded with its base."""
        return not self.reason


def adapters_folder(settings: Settings) -> Path:
    """Where adapters lie."""
    return settings.models_folder() / ADAPTERS_FOLDER


def installed_adapters(settings: Settings, *, models: list[InstalledModel] | None = None) -> list[Adapter]:
    """All adapters, sorted by name."""
    known = installed_models(settings) if models is None else models
    try:
        entries = sorted(path for path in adapters_folder(settings).iterdir() if path.is_dir())
    except OSError:
        return []
    found = [_look_at(entry, known) for entry in entries if not entry.name.startswith(".") and _may_be_adapter(entry)]
    return sorted(found, key=lambda adapter: adapter.name.lower())


def find_adapter(settings: Settings, text: str, *, base: InstalledModel) -> Adapter:
    """The one adapter that `text` means, checked against the model it is to be used with.

    Raises:
        UsageError: none, or several.
        ModelFolderError: it cannot be used, or belongs to another model.
    """
    wanted = text.strip()
    adapters = installed_adapters(settings, models=[base])
    exact = [each for each in adapters if each.name.lower() == wanted.lower()]
    folder = Path(wanted).expanduser()
    if not exact and wanted and folder.is_dir():
        exact = [_examined(folder.name, folder.resolve(), entry=None, record=None, models=[base])]
    matches = exact or [each for each in adapters if wanted and wanted.lower() in each.name.lower()]
    if len(matches) != 1:
        names = ", ".join(each.name for each in (matches or adapters)) or "none here yet"
        problem = (
            f"{wanted!r} fits several adapters." if matches else f"There is no adapter {wanted!r} on this computer."
        )
        raise UsageError(problem, hint=f"Adapters: {names}.")
    (found,) = matches
    if found.reason:
        raise ModelFolderError(f"The adapter {found.name} cannot be used: {found.reason}", hint=found.hint)
    # Says what does not match, where it does not.
    examine_adapter(found.path, base=base.folder)
    return found


def adapter_named(settings: Settings, text: str) -> Adapter | None:
    """The adapter of exactly this name, or in this folder; usable or not. None where there is none."""
    wanted = text.strip()
    models = installed_models(settings)
    found = next((a for a in installed_adapters(settings, models=models) if a.name.lower() == wanted.lower()), None)
    folder = Path(wanted).expanduser()
    if found is None and wanted and (folder / "adapter_config.json").is_file():
        return _examined(folder.name, folder.resolve(), entry=None, record=None, models=models)
    return found


def _may_be_adapter(entry: Path) -> bool:
    return (entry / "adapter_config.json").is_file() or read_record(entry) is not None


def _look_at(entry: Path, models: list[InstalledModel]) -> Adapter:
    record = read_record(entry)
    path = Path(record.linked_to) if record is not None and record.linked_to else entry
    return _examined(entry.name, path, entry=entry, record=record, models=models)


def _examined(
    name: str, path: Path, *, entry: Path | None, record: ModelRecord | None, models: list[InstalledModel]
) -> Adapter:
    linked = bool(record and record.linked_to)
    try:
        found = examine_adapter(path)
    except ModelFolderError as error:
        return Adapter(name, path, entry, "", None, "", "", 0, linked, str(error), error.hint)
    base = _base_of(found, models)
    return Adapter(
        name=name,
        path=path,
        entry=entry,
        base=found.base_name,
        base_model=base.name if base else None,
        data=data_words(found.card),
        metrics=metrics_words(found.card),
        rank=found.rank,
        linked=linked,
        note=_note(found, base),
    )


def _note(adapter: AdapterFolder, base: InstalledModel | None) -> str:
    if base is None:
        return ""
    try:
        return examine_adapter(adapter.path, base=base.folder).note
    except ModelFolderError as error:
        return str(error)


def _base_of(adapter: AdapterFolder, models: list[InstalledModel]) -> InstalledModel | None:
    """The model it says it belongs to; else the only one whose shapes it fits."""
    usable = [model for model in models if model.folder is not None]
    said = adapter.base_name.lower()
    for model in usable:
        if said and said in (model.name.lower(), model.name.rpartition("/")[2].lower(), model.path.name.lower()):
            return model
    fitting = [model for model in usable if model.folder is not None and _fits(adapter, model.folder)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(adapter: AdapterFolder, base: ModelFolder) -> bool:
    try:
        examine_adapter(adapter.path, base=base)
    except ModelFolderError:
        return False
    return True

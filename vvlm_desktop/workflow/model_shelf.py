"""The models on this computer: what lies in the models folder, what was imported into it, what is half there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from vvlm_desktop.backends.model_catalogue import CatalogueModel, catalogue, catalogue_model, native_id
from vvlm_desktop.backends.model_folder import ModelFolder, examine_model
from vvlm_desktop.backends.model_record import (
    ADAPTERS_FOLDER,
    PARTIAL_FOLDER,
    ModelRecord,
    folder_name,
    read_plan,
    read_record,
    size_of,
)
from vvlm_desktop.errors import ModelFolderError, UsageError
from vvlm_desktop.settings import Settings

ModelState: TypeAlias = Literal["not_here", "partly", "ready", "broken"]


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on this computer.

    Attributes:
        name: hub id, or the folder's name; what is recorded with an analysis and stored in the settings.
        path: absolute folder of the weights.
        entry: its folder inside the models folder, None for a folder that was only named.
        linked: the weights stay where they are; removing the model leaves them there.
        folder: what was found out about the weights, None where they cannot be used.
        reason, hint: why they cannot be used.
    """

    name: str
    path: Path
    entry: Path | None
    revision: str | None = None
    linked: bool = False
    folder: ModelFolder | None = None
    reason: str = ""
    hint: str = ""
    record: ModelRecord | None = None

    @property
    def state(self) -> ModelState:
        """`ready` or `broken`."""
        return "ready" if self.folder is not None else "broken"


@dataclass(frozen=True, slots=True)
class PartlyHere:
    """A download that has not ended."""

    name: str
    path: Path
    have_bytes: int
    total_bytes: int


def installed_models(settings: Settings) -> list[InstalledModel]:
    """Everything in the models folder that is, or ought to be, a model; sorted by name."""
    found = [_look_at(entry) for entry in _folders(settings.models_folder()) if _may_be_model(entry)]
    return sorted(found, key=lambda model: model.name.lower())


def partly_here(settings: Settings) -> list[PartlyHere]:
    """Downloads that were begun and not ended, sorted by name."""
    found = []
    for folder in _folders(settings.models_folder() / PARTIAL_FOLDER):
        plan = read_plan(folder)
        if plan is not None:
            found.append(PartlyHere(plan.id, folder, size_of(folder), plan.total_bytes))
    return sorted(found, key=lambda part: part.name.lower())


def find_model(settings: Settings, text: str) -> InstalledModel:
    """The one usable model that `text` means.

    Args:
        settings: where the models folder is.
        text: a name or hub id, a folder, or a part of a name that fits only one.

    Raises:
        UsageError: none, or several; not on this computer yet.
        ModelFolderError: it is there, and cannot be used.
    """
    wanted = text.strip()
    if not wanted:
        raise UsageError(
            "No local model is chosen.", hint="Choose one on the Models page, or name one: `vvlm models` lists them."
        )
    folder = Path(wanted).expanduser()
    installed = installed_models(settings)
    exact = [m for m in installed if wanted.lower() in (m.name.lower(), folder_name(m.name).lower())]
    if not exact and folder.is_dir():
        return _usable(_named_folder(folder.resolve(), installed))
    matches = exact or [m for m in installed if wanted.lower() in m.name.lower()]
    if len(matches) == 1:
        return _usable(matches[0])
    if matches:
        raise UsageError(f"{wanted!r} fits several models.", hint=_candidates(m.name for m in matches))
    raise _not_here(settings, wanted, installed)


def named_folder(settings: Settings, folder: Path) -> InstalledModel:
    """The model in a folder that was only named, usable or not."""
    return _named_folder(folder.expanduser().resolve(), installed_models(settings))


def _usable(model: InstalledModel) -> InstalledModel:
    if model.folder is None:
        raise ModelFolderError(f"{model.name} cannot be used: {model.reason}", hint=model.hint)
    return model


def _named_folder(folder: Path, installed: list[InstalledModel]) -> InstalledModel:
    known = next((m for m in installed if m.path == folder), None)
    return known or _examined(folder.name, folder, entry=None, record=read_record(folder))


def _look_at(entry: Path) -> InstalledModel:
    record = read_record(entry)
    name = record.id if record is not None else entry.name
    path = Path(record.linked_to) if record is not None and record.linked_to else entry
    return _examined(name, path, entry=entry, record=record)


def _examined(name: str, path: Path, *, entry: Path | None, record: ModelRecord | None) -> InstalledModel:
    folder, reason, hint = None, "", ""
    try:
        folder = examine_model(path)
        if folder.is_adapter:
            folder, reason, hint = None, "it is an adapter, not a model.", "Import it as an adapter."
    except ModelFolderError as error:
        reason, hint = str(error), error.hint
    except OSError as error:  # rights, a network drive that went away
        reason, hint = f"its folder cannot be read: {error.strerror or error}.", f"Look at the rights of {path}."
    return InstalledModel(
        name=name,
        path=path,
        entry=entry,
        revision=record.revision if record else None,
        linked=bool(record and record.linked_to),
        folder=folder,
        reason=reason,
        hint=hint,
        record=record,
    )


def _may_be_model(entry: Path) -> bool:
    hidden = entry.name.startswith(".") or entry.name == ADAPTERS_FOLDER
    try:
        return not hidden and ((entry / "config.json").is_file() or read_record(entry) is not None)
    except OSError:
        return True  # it is shown, with the reason why it cannot be used


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir())
    except OSError:
        return []


def _not_here(settings: Settings, wanted: str, installed: list[InstalledModel]) -> UsageError:
    offered = _offered(wanted)
    if len(offered) == 1:
        entry = offered[0]
        part = next((p for p in partly_here(settings) if p.name == entry.id), None)
        size = f"{entry.download_bytes / 1e9:.1f} GB"
        if part is not None:
            have = f"{part.have_bytes / 1e9:.1f} of {part.total_bytes / 1e9:.1f} GB"
            return UsageError(
                f"{entry.id} is only partly here ({have}).", hint=f"Go on with it: vvlm models download {entry.id}"
            )
        return UsageError(
            f"{entry.id} is not on this computer yet.",
            hint=f"Download it (about {size}): vvlm models download {entry.id}",
        )
    native = native_id(wanted)
    if native is not None:
        return UsageError(
            f"{wanted} needs code from its repository to run, which is never executed here.",
            hint=f"Use the same weights in the form that needs none: {native}",
        )
    if offered:
        return UsageError(f"{wanted!r} fits several models.", hint=_candidates(entry.id for entry in offered))
    here = _candidates(m.name for m in installed) if installed else "There is none here yet: `vvlm models` lists them."
    return UsageError(f"There is no model {wanted!r} on this computer, and no such folder.", hint=here)


def _offered(wanted: str) -> list[CatalogueModel]:
    exact = catalogue_model(wanted)
    if exact is not None:
        return [exact]
    if "/" in wanted and native_id(wanted) is not None:
        return []
    text = wanted.lower()
    return [entry for entry in catalogue() if text in entry.id.lower() or text in entry.title.lower()]


def _candidates(names: Iterable[str]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - 12} more" if len(shown) > 12 else ""
    return f"Choose one of: {', '.join(shown[:12])}{more}."

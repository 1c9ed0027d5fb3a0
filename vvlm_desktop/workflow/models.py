"""Local models for people: the cards of the Models page, and the options of an analysis with one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import get_args

from vvlm_desktop import paths
from vvlm_desktop.backends.local_options import LocalOptions, Precision, Sampling
from vvlm_desktop.backends.model_catalogue import CatalogueModel, catalogue, catalogue_model
from vvlm_desktop.backends.model_shape import ModelShape, shape_of_config
from vvlm_desktop.errors import ModelFolderError, UsageError
from vvlm_desktop.settings import Settings, save_settings
from vvlm_desktop.workflow.adapters import Adapter, adapter_named, find_adapter, installed_adapters
from vvlm_desktop.workflow.gpu import FitsNow, Hardware, fits_now, hardware
from vvlm_desktop.workflow.model_shelf import (
    InstalledModel,
    ModelState,
    PartlyHere,
    find_model,
    installed_models,
    named_folder,
    partly_here,
)

__all__ = [
    "Adapter",
    "InstalledModel",
    "ModelCard",
    "choose",
    "find_adapter",
    "find_card",
    "find_model",
    "installed_adapters",
    "installed_models",
    "local_options",
    "model_cards",
    "shape_of_model",
]

_SEE_PAGE = "See where it came from"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model that is here, or could be.

    Attributes:
        name: what `settings.local_model` becomes.
        page: address where the licence can be read, empty for an imported folder.
        size_bytes: of the weights here, else of the download; `size_is_estimate` says that nobody has measured it.
        have_bytes: of a download that has not ended.
        path: folder of the weights, None where they are not here.
        linked: they stay where they were imported from.
        reason: why it is broken, or how much is here of one that is partly here.
        fit: whether it fits now; None where that cannot be told.
        chosen: what Analyse with a local model uses.
        offered: it is in the catalogue and can be downloaded.
    """

    name: str
    title: str
    family: str
    licence: str
    page: str
    parameters: int
    size_bytes: int
    size_is_estimate: bool
    for_whom: str
    state: ModelState
    reason: str = ""
    hint: str = ""
    have_bytes: int = 0
    path: Path | None = None
    linked: bool = False
    revision: str | None = None
    fit: FitsNow | None = None
    shape: ModelShape | None = None
    chosen: bool = False
    offered: bool = False


def model_cards(settings: Settings, *, on: Hardware | None = None) -> list[ModelCard]:
    """All models: those that are here first, then those that are partly here, then the catalogue in its order.

    Args:
        settings: models folder, frames and precision, and which model is chosen.
        on: what is free; looked up when None.
    """
    on = on or hardware()
    here = [_card_of_installed(model, settings=settings, on=on) for model in installed_models(settings)]
    known = {card.name.lower() for card in here}
    begun = {part.name.lower(): part for part in partly_here(settings)}
    offered = [
        _card_of_catalogue(entry, begun.pop(entry.id.lower(), None), settings=settings, on=on)
        for entry in catalogue()
        if entry.id.lower() not in known
    ]
    others = [_card_of_part(part, settings=settings) for name, part in begun.items() if name not in known]
    return sorted(
        [*here, *others, *offered], key=lambda card: ("ready", "broken", "partly", "not_here").index(card.state)
    )


def find_card(settings: Settings, text: str, *, on: Hardware | None = None) -> ModelCard:
    """The one card that `text` names: a name, a title, or a part of one.

    Raises:
        UsageError: none, or several.
    """
    wanted = text.strip().lower()
    cards = model_cards(settings, on=on)
    exact = [card for card in cards if wanted in (card.name.lower(), card.title.lower())]
    if not exact and wanted and Path(text.strip()).expanduser().is_dir():
        model = named_folder(settings, Path(text.strip()))
        return _card_of_installed(model, settings=settings, on=on or hardware())
    matches = exact or [card for card in cards if wanted and wanted in f"{card.name} {card.title}".lower()]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise UsageError(f"There is no model {text!r}.", hint="`vvlm models` lists them all.")
    shown = ", ".join(card.name for card in matches[:6])
    more = f" and {len(matches) - 6} more" if len(matches) > 6 else ""
    raise UsageError(f"{text!r} fits several models.", hint=f"Choose one of: {shown}{more}.")


def choose(settings: Settings, model: str) -> Settings:
    """Make a model alone what Analyse uses; stored. An adapter has to pass `adapter_gate.use_adapter`.

    Raises:
        UsageError: there is no such model here.
        ModelFolderError: it cannot be used.
        SettingsError: the settings cannot be stored.
    """
    found = find_model(settings, model)
    # A folder that was only named has to be found again by its path.
    name = found.name if found.entry is not None else str(found.path)
    chosen = settings.model_copy(update={"backend": "local", "local_model": name, "local_adapter": ""})
    save_settings(chosen)
    return chosen


def shape_of_model(model: InstalledModel) -> ModelShape | None:
    """What the memory of an installed model is estimated from; None where that cannot be told."""
    if model.folder is None:
        return None
    try:
        return shape_of_config(model.folder.config, parameters=model.folder.parameters)
    except ModelFolderError:
        entry = catalogue_model(model.name)
        return entry.shape if entry is not None else None


def local_options(
    settings: Settings,
    *,
    model: str | None = None,
    adapter: str | None = None,
    frames: int | None = None,
    rounds: int | None = None,
    precision: str | None = None,
    sampling: Sampling | None = None,
    device: str = "auto",
    batch: int = 0,
    teacher: bool = False,
    distributions: Sequence[str] = ("event_type",),
) -> LocalOptions:
    """Options of the local backend: what is given, and the settings for the rest.

    Args:
        settings: what was chosen on the Models page.
        model: name, hub id, folder or unique part of a name; None takes the settings'.
        adapter: likewise; "" is the model alone. None takes the settings', if the model is the settings' too.
        frames: that the model sees of a clip.
        rounds: looks at the clip.
        precision: `auto` takes what fits.
        sampling: instead of `frames` spread evenly.
        device: `auto`, `cpu` or `cuda:N`.
        batch: clips at once, 0 for as many as fit.
        teacher: the answer is a draft for people.
        distributions: choice fields of which the whole distribution is measured.

    Raises:
        UsageError: there is no such model or adapter here, or a number is not possible.
        ModelFolderError: it is there, and cannot be used.
    """
    found = _chosen(settings) if model is None else find_model(settings, model)
    if adapter is None:
        same = model is None or settings.local_model in (found.name, str(found.path))
        adapter = settings.local_adapter if same else ""
        _require_chosen_adapter(settings, adapter)
    tuned = find_adapter(settings, adapter, base=found) if adapter.strip() else None
    return LocalOptions(
        model=found.name,
        model_dir=str(found.path),
        revision=found.revision,
        adapter=tuned.name if tuned else None,
        adapter_dir=str(tuned.path) if tuned else None,
        sampling=sampling or Sampling(frames=settings.frames if frames is None else frames),
        rounds=settings.rounds if rounds is None else rounds,
        precision=_precision(settings.precision if precision is None else precision),
        device=device,
        batch=batch,
        distributions=tuple(distributions),
        teacher=teacher,
        gpu_slot=str(paths.gpu_slot_file()),
    )


def _chosen(settings: Settings) -> InstalledModel:
    """The settings' model and no other: one with a similar name is not what somebody chose."""
    wanted = settings.local_model.strip()
    try:
        found = find_model(settings, wanted)
        if wanted.lower() in (found.name.lower(), str(found.path).lower()) or Path(wanted).expanduser().is_dir():
            return found
    except UsageError:
        if not wanted or wanted.lower() in (part.name.lower() for part in partly_here(settings)):
            raise
    entry = catalogue_model(wanted)
    again = f", or fetch it again: vvlm models download {entry.id}" if entry is not None else ""
    raise UsageError(
        f"The chosen model {wanted} was removed from this computer.",
        hint=f"Choose another one on the Models page, or: vvlm models use NAME{again}",
    )


def _require_chosen_adapter(settings: Settings, chosen: str) -> None:
    """Check that the settings' adapter is here, and no other: one with a similar name is not what was promoted.

    Raises:
        UsageError: it was removed.
    """
    if not chosen.strip() or adapter_named(settings, chosen) is not None:
        return
    kept = settings.library_folder() / "runs" / PurePath(chosen).name / "adapter"
    again = str(kept) if (kept / "card.json").is_file() else "the folder “adapter” of its run"
    raise UsageError(
        f"The adapter {chosen}, which was chosen as the default, was removed from this computer.",
        hint="Back to the default before it: vvlm rollback. The model alone: vvlm models use"
        f" {settings.local_model}. Or take it in again: vvlm models import {again} --name {PurePath(chosen).name}",
    )


def _precision(text: str) -> Precision:
    known: tuple[Precision, ...] = get_args(Precision)
    for each in known:
        if each == text.lower():
            return each
    raise UsageError(f"There is no precision {text!r}.", hint=f"Known: {', '.join(known)}.")


def _fit(
    shape: ModelShape | None, *, settings: Settings, on: Hardware, stored_as: Precision | None = None
) -> FitsNow | None:
    if shape is None:
        return None
    precision = stored_as or _precision(settings.precision)
    return fits_now(shape, on=on, frames=settings.frames, precision=precision)


def _stored_as(model: InstalledModel) -> Precision | None:
    """The precision of weights that were compressed when they were saved; there is no other for them."""
    if model.folder is None or model.folder.quantised is None:
        return None
    stored = model.folder.config.get("quantization_config")
    return "int8" if isinstance(stored, Mapping) and stored.get("load_in_8bit") else "nf4"


def _card_of_installed(model: InstalledModel, *, settings: Settings, on: Hardware) -> ModelCard:
    offered, folder, shape = catalogue_model(model.name), model.folder, shape_of_model(model)
    # Only what came from the hub is what the hub says: a folder of the same name may hold anything.
    entry = offered if model.record is not None and model.record.origin == "download" else None
    return ModelCard(
        name=model.name,
        title=entry.title if entry else model.name,
        family=entry.family if entry else (folder.family or "") if folder else "",
        licence=entry.licence if entry else _SEE_PAGE,
        page=entry.page if entry else "",
        parameters=folder.parameters if folder else entry.parameters if entry else 0,
        size_bytes=folder.weight_bytes if folder else 0,
        size_is_estimate=False,
        for_whom=entry.for_whom if entry else "Imported by you.",
        state=model.state,
        reason=model.reason,
        hint=model.hint,
        path=model.path,
        linked=model.linked,
        revision=model.revision,
        fit=_fit(shape, settings=settings, on=on, stored_as=_stored_as(model)),
        shape=shape,
        chosen=model.name == settings.local_model,
        offered=offered is not None,
    )


def _card_of_catalogue(
    entry: CatalogueModel, part: PartlyHere | None, *, settings: Settings, on: Hardware
) -> ModelCard:
    return ModelCard(
        name=entry.id,
        title=entry.title,
        family=entry.family,
        licence=entry.licence,
        page=entry.page,
        parameters=entry.parameters,
        size_bytes=part.total_bytes if part else entry.download_bytes,
        size_is_estimate=part is None,
        for_whom=entry.for_whom,
        state="partly" if part else "not_here",
        reason=_partly_in_words(part) if part else "",
        have_bytes=part.have_bytes if part else 0,
        fit=_fit(entry.shape, settings=settings, on=on),
        shape=entry.shape,
        chosen=entry.id == settings.local_model,
        offered=True,
    )


def _card_of_part(part: PartlyHere, *, settings: Settings) -> ModelCard:
    """A download of something that the catalogue does not know."""
    return ModelCard(
        name=part.name,
        title=part.name,
        family="",
        licence="See the model's page",
        page=f"https://huggingface.co/{part.name}",
        parameters=0,
        size_bytes=part.total_bytes,
        size_is_estimate=False,
        for_whom="Chosen by you.",
        state="partly",
        reason=_partly_in_words(part),
        have_bytes=part.have_bytes,
        chosen=part.name == settings.local_model,
    )


def _partly_in_words(part: PartlyHere) -> str:
    return f"{part.have_bytes / 1e9:.1f} of {part.total_bytes / 1e9:.1f} GB are here; a download goes on from there."

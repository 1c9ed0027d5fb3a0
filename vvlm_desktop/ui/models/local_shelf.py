"""The shelf as it really is: what the program knows of models, as the Models page shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from vvlm_desktop.backends.catalogue import BACKENDS
from vvlm_desktop.backends.model_catalogue import catalogue
from vvlm_desktop.errors import BackendUnavailableError, UsageError, VvlmError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.choice import BUILT_IN, Choice, choice_of_batch
from vvlm_desktop.ui.models import model_tasks
from vvlm_desktop.ui.models.card_view import AdapterView, CardState, CardView, Fit, FitTone, Transfer, Verb
from vvlm_desktop.ui.models.cloud_view import CLOUD
from vvlm_desktop.ui.models.gpu_line import GpuView
from vvlm_desktop.ui.models.install import missing_packages
from vvlm_desktop.ui.models.memory_lines import memory_lines
from vvlm_desktop.ui.models.shelf import Stock
from vvlm_desktop.ui.words import sentences
from vvlm_desktop.workflow import adapter_gate, models
from vvlm_desktop.workflow.adapters import Adapter, installed_adapters
from vvlm_desktop.workflow.cloud import cloud_options
from vvlm_desktop.workflow.gpu import FitsNow, Hardware, hardware
from vvlm_desktop.workflow.model_shelf import installed_models
from vvlm_desktop.workflow.session import Session

_STATES: Mapping[str, CardState] = {"not_here": "absent", "partly": "partial", "ready": "ready", "broken": "broken"}
_TONES: Mapping[str, FitTone] = {"fits": "good", "tight": "doubtful", "too_big": "bad", "processor": "doubtful"}
_NO_PACKAGES = "Its packages are not installed yet: see the top of this page."


class LocalShelf:
    """`Shelf` over the models folder, the catalogue and the graphics driver.

    Args:
        session_of: the open library, which knows what was promoted; without one nothing is said of that.
    """

    def __init__(self, session_of: Callable[[], Session] | None = None) -> None:
        self._session_of = session_of

    def look(self, settings: Settings) -> Stock:
        """What there is, what fits, who uses the GPU."""
        on = hardware()
        missing = bool(missing_packages())
        found = models.model_cards(settings, on=on)
        local = [card_view(card, settings=settings, packages_missing=missing) for card in found]
        session = self._session_of() if self._session_of is not None else None
        adapters = [
            with_standing(adapter_view(each, settings=settings), each, session=session)
            for each in installed_adapters(settings)
        ]
        return Stock((built_in_card(settings), *local), tuple(adapters), gpu_view(on))

    def choices(self, settings: Settings) -> tuple[Choice, ...]:
        """The built-in measurements, each model that is ready, each adapter with its base, and what is elsewhere."""
        if missing_packages():
            return (BUILT_IN, *_elsewhere(settings))
        ready = [model for model in installed_models(settings) if model.folder is not None]
        alone = [_choice(settings, model.name, "") for model in ready]
        names = {model.name for model in ready}
        tuned = [
            _choice(settings, adapter.base_model, adapter.name)
            for adapter in installed_adapters(settings)
            if adapter.usable and adapter.base_model in names and adapter.base_model is not None
        ]
        return (BUILT_IN, *alone, *tuned, *_elsewhere(settings))

    def chosen(self, settings: Settings) -> Choice:
        """What the settings choose, ready for a worker.

        Raises:
            UsageError: nothing is chosen, or it is not here.
            BackendUnavailableError: its packages are missing.
            CloudError: no server is named.
            ModelFolderError: it cannot be used.
        """
        if settings.backend == BUILT_IN.backend:
            return BUILT_IN
        if settings.backend != "local":
            return choice_of_batch(settings.backend, cloud_options(settings, settings.backend))
        if not settings.local_model.strip():
            raise UsageError("No local model is chosen.", hint="Choose a card on the Models page.")
        if missing := missing_packages():
            raise BackendUnavailableError(
                f"Local models need packages that are not installed: {', '.join(missing)}.",
                hint="The Models page installs them.",
            )
        return _choice(settings, settings.local_model, settings.local_adapter)

    def download(
        self, settings: Settings, key: str, *, report: Callable[[Transfer], object], cancelled: Callable[[], bool]
    ) -> None:
        """Fetch the weights of `key`, going on where an earlier try stopped."""
        model_tasks.download(settings, key, report=report, cancelled=cancelled)

    def remove(self, settings: Settings, key: str) -> None:
        """Delete the weights of `key`, or the part that is here."""
        model_tasks.remove(settings, key)

    def remove_adapter(self, settings: Settings, key: str) -> None:
        """Delete an adapter."""
        model_tasks.remove(settings, key)

    def admit(self, session: Session, adapter: AdapterView, *, unmeasured: bool) -> None:
        """Let an adapter be the default, or say why it may not."""
        adapter_gate.admit(session, adapter.base_key, adapter.key, unmeasured=unmeasured)

    def take_in(
        self,
        settings: Settings,
        folder: Path,
        *,
        copy: bool = False,
        report: Callable[[Transfer], object],
        cancelled: Callable[[], bool],
    ) -> str:
        """Import a folder with a model or an adapter; returns what it is called."""
        return model_tasks.take_in(settings, folder, copy=copy, report=report, cancelled=cancelled)


def _choice(settings: Settings, model: str, adapter: str) -> Choice:
    return choice_of_batch("local", models.local_options(settings, model=model, adapter=adapter).to_json())


def _elsewhere(settings: Settings) -> list[Choice]:
    """Gemini and the server, where clips may leave this computer; what is not set up is left out."""
    found = []
    for backend in CLOUD if settings.allow_upload else ():
        try:
            found.append(choice_of_batch(backend, cloud_options(settings, backend)))
        except VvlmError:
            continue  # its card says what is missing
    return found


def family_words(name: str) -> str:
    """A family for people; the folder of an imported model knows it only by the name in its config."""
    return next((entry.family for entry in catalogue() if entry.model_type == name), name)


def built_in_card(settings: Settings) -> CardView:
    """The card of the built-in measurements."""
    info = BACKENDS[BUILT_IN.backend]
    return CardView(
        key=BUILT_IN.backend,
        backend=BUILT_IN.backend,
        title=info.title,
        family="No weights, no GPU, no network",
        who_for=info.description,
        state="built_in",
        icon="analyse",
        chosen=settings.backend == BUILT_IN.backend,
    )


def card_view(card: models.ModelCard, *, settings: Settings, packages_missing: bool) -> CardView:
    """A model of the catalogue or of the models folder."""
    state = _STATES[card.state]
    verbs: tuple[Verb, ...] | None = None
    reason = sentences(card.reason, card.hint) if card.reason else ""
    if state == "ready" and packages_missing:
        verbs, reason = ("remove",), _NO_PACKAGES
    elif state == "broken" and card.offered:
        verbs = ("remove", "download")
    return CardView(
        key=card.name,
        backend="local",
        title=card.title,
        family=family_words(card.family),
        who_for=card.for_whom,
        size_bytes=card.size_bytes or None,
        about=card.size_is_estimate,
        licence=card.licence,
        where=str(card.path) if card.path is not None else "",
        state=state,
        reason=reason,
        fit=fit_view(card.fit),
        chosen=card.chosen and settings.backend == "local",
        linked=card.linked,
        host=model_tasks.hub_host(),
        details=_details(card, settings=settings),
        verbs=verbs,
    )


def fit_view(fit: FitsNow | None) -> Fit | None:
    """The badge; none where nothing can be told."""
    return Fit(fit.sentence, _TONES[fit.badge]) if fit is not None else None


def _details(card: models.ModelCard, *, settings: Settings) -> tuple[tuple[str, str], ...]:
    lines: list[tuple[str, str]] = [("Name", card.name)]
    if card.parameters:
        billions, millions = card.parameters / 1e9, card.parameters / 1e6
        words = f"{billions:.1f} billion" if billions >= 0.95 else f"{millions:,.0f} million"
        lines.append(("Parameters", words))
    if card.shape is not None:
        lines += memory_lines(card.shape, frames=settings.frames)
    if card.revision:
        lines.append(("Revision", card.revision))
    if card.path is not None:
        lines += model_tasks.file_lines(card.path)
    if card.linked:
        lines.append(("Weights", "Stay in the folder they were imported from."))
    if card.page:
        lines.append(("Page", card.page))
    return tuple(lines)


def adapter_view(adapter: Adapter, *, settings: Settings) -> AdapterView:
    """An adapter of the models folder."""
    reason = sentences(adapter.reason, adapter.hint) if adapter.reason else ""
    if not reason and adapter.base_model is None:
        reason = f"Its model is not on this computer: {adapter.base or 'unknown'}."
    return AdapterView(
        key=adapter.name,
        title=adapter.name,
        base=adapter.base_model or adapter.base or "an unknown model",
        base_key=adapter.base_model or "",
        data=f"Trained on: {adapter.data}" if adapter.data else "",
        metrics=f"Reached: {adapter.metrics}" if adapter.metrics else "",
        where=str(adapter.path),
        reason=reason,
        chosen=settings.backend == "local"
        and settings.local_adapter == adapter.name
        and settings.local_model == adapter.base_model,
    )


def with_standing(view: AdapterView, adapter: Adapter, *, session: Session | None) -> AdapterView:
    """The same with what the library knows of it."""
    if session is None or not adapter.usable or adapter.base_model is None:
        return view
    known = adapter_gate.standing_of(session, adapter)
    return replace(view, admission=known.admission, standing=known.sentence)


def gpu_view(on: Hardware) -> GpuView:
    """The GPU that models are loaded on, and who uses it."""
    holder = on.holder.purpose if on.holder is not None else ""
    if on.gpu is None:
        return GpuView(reason=sentences(on.problem, on.mend) or GpuView().reason, holder=holder)
    return GpuView(on.gpu.name, on.gpu.total_bytes, on.gpu.free_bytes, reason="", holder=holder)

"""What Analyse uses: a backend with its options, and how that is called on screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from vvlm_desktop.backends.catalogue import BACKENDS, DEFAULT_BACKEND, BackendInfo, backend_info
from vvlm_desktop.ui.words import shown

if TYPE_CHECKING:
    from vvlm_desktop.settings import Settings

_SHORT = {"signals": "Built-in measurements", "gemini": "Gemini", "server": "VLM server"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a batch is analysed with.

    Attributes:
        backend: name in the catalogue.
        title: model and adapter, for people: "InternVL3-8B + fleet-3".
        options: the backend's own, as they travel to its worker.
    """

    backend: str
    title: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def info(self) -> BackendInfo:
        """What the catalogue says of its backend."""
        return backend_info(self.backend)

    @property
    def model(self) -> str | None:
        """The model's name as an analysis records it; None where the backend has only one."""
        name = self.options.get("model")
        return str(name) if name and self.backend == "local" else None

    @property
    def adapter(self) -> str | None:
        """The adapter's name as an analysis records it, "" for the model alone; None where there are none."""
        return str(self.options.get("adapter") or "") if self.backend == "local" else None

    @property
    def where(self) -> str:
        """Where it computes, in words."""
        return "elsewhere" if self.info.leaves_computer else "on this computer"


BUILT_IN = Choice(DEFAULT_BACKEND, _SHORT[DEFAULT_BACKEND])


def title_of(settings: Settings) -> str:
    """What the settings choose, in words; nothing is opened for it, so that the window can say it at once."""
    if settings.backend == "local":
        model = shown(PurePath(settings.local_model).name) or "no model chosen"
        adapter = shown(PurePath(settings.local_adapter).name)
        return f"{model} + {adapter}" if adapter and settings.local_model else model
    if settings.backend == "gemini":
        return settings.gemini_model or _SHORT["gemini"]
    if settings.backend == "server":
        return settings.server_model or _SHORT["server"]
    return _SHORT.get(settings.backend, settings.backend)


def status_words(settings: Settings) -> str:
    """What the status bar says about the model in use."""
    place = "elsewhere" if BACKENDS[settings.backend].leaves_computer else "on this computer"
    return f"{title_of(settings)}, {place}"


def choice_of_batch(backend: str, options: Mapping[str, Any]) -> Choice:
    """The choice that a batch was begun with."""
    model, adapter = (shown(str(options.get(name) or "")) for name in ("model", "adapter"))
    name = PurePath(model).name or _SHORT.get(backend, backend)
    return Choice(backend, f"{name} + {adapter}" if adapter else name, dict(options))

"""What the Models page asks of the program: which models there are, and fetching, importing, deleting them.

Everything here may take seconds (folders are read, drivers asked, gigabytes fetched), so it is called in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.choice import Choice
from vvlm_desktop.ui.models.card_view import AdapterView, CardView, Transfer
from vvlm_desktop.ui.models.gpu_line import GpuView
from vvlm_desktop.workflow.session import Session


@dataclass(frozen=True, slots=True)
class Stock:
    """Everything that the page shows, as it was when it was looked at."""

    cards: tuple[CardView, ...]
    adapters: tuple[AdapterView, ...]
    gpu: GpuView


class Shelf(Protocol):
    """Models as the window needs them."""

    def look(self, settings: Settings) -> Stock:
        """What there is, what fits, who uses the GPU."""

    def download(
        self, settings: Settings, key: str, *, report: Callable[[Transfer], object], cancelled: Callable[[], bool]
    ) -> None:
        """Fetch the weights of `key`, going on where an earlier try stopped; raises `VvlmError`."""

    def remove(self, settings: Settings, key: str) -> None:
        """Delete the weights of `key`, or the part that is here."""

    def remove_adapter(self, settings: Settings, key: str) -> None:
        """Delete an adapter."""

    def admit(self, session: Session, adapter: AdapterView, *, unmeasured: bool) -> None:
        """Let an adapter be the default, an exception being written down; raises `VvlmError` where it may not."""

    def take_in(
        self,
        settings: Settings,
        folder: Path,
        *,
        copy: bool = False,
        report: Callable[[Transfer], object],
        cancelled: Callable[[], bool],
    ) -> str:
        """Import a folder with a model or an adapter, its weights copied or only referred to; returns its name.

        Raises `VvlmError`.
        """

    def choices(self, settings: Settings) -> tuple[Choice, ...]:
        """Everything that Analyse could use now."""

    def chosen(self, settings: Settings) -> Choice:
        """What the settings choose, ready for a worker; raises `VvlmError` where that cannot be used."""

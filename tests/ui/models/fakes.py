"""A shelf without disk, driver or network; it does what a test tells it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.ui.choice import BUILT_IN, Choice
from vvlm_desktop.ui.models.card_view import AdapterView, CardView, Fit, Transfer
from vvlm_desktop.ui.models.gpu_line import GpuView
from vvlm_desktop.ui.models.shelf import Stock

GIB = 1024**3
FITS = Fit("Fits the GPU now in full quality, 16 frames: about 16.5 GB.", "good")
TOO_BIG = Fit("Does not fit the GPU now: 7.2 GB are free, and it needs about 16.5 GB.", "bad")

BUILT_IN_CARD = CardView(
    "signals", "signals", "Built-in measurements", "No weights, no GPU, no network", state="built_in", icon="analyse"
)
ABSENT = CardView(
    "OpenGVLab/InternVL3-8B-hf",
    "local",
    "InternVL3 8B",
    "InternVL",
    "The one to start with on a GPU of 24 GB, or of 12 GB when quantised.",
    size_bytes=15_900_000_000,
    about=True,
    licence="See the model's page: MIT, with a language part under the Qwen licence",
    state="absent",
    fit=FITS,
    details=(("Full precision (bf16)", "8 frames 15.9 GB · 16 frames 16.5 GB"), ("Revision", "main")),
)
READY = replace(
    ABSENT,
    key="OpenGVLab/InternVL3-2B-hf",
    title="InternVL3 2B",
    who_for="For GPUs with 6 to 8 GB; sees clearly more than 1B.",
    size_bytes=4_200_000_000,
    about=False,
    state="ready",
    where="/data/models/OpenGVLab--InternVL3-2B-hf",
)
PARTIAL = replace(
    ABSENT,
    key="OpenGVLab/VideoChat-R1_5-7B",
    title="VideoChat-R1.5 7B",
    family="Qwen-VL",
    licence="Apache-2.0",
    who_for="Looks several times: it first says where to look, then looks there closely.",
    state="partial",
    reason="1.2 of 16.6 GB are here; a download goes on from there.",
    fit=TOO_BIG,
)
BROKEN = replace(
    ABSENT,
    key="our-model",
    title="our-model",
    licence="See where it came from",
    who_for="Imported by you.",
    state="broken",
    where="/data/models/our-model",
    reason="model-00002-of-00004.safetensors is missing. Import the folder again, or remove it here.",
    fit=None,
)
ADAPTER = AdapterView(
    "fleet-3",
    "fleet-3",
    base=READY.title,
    base_key=READY.key,
    data="Trained on: 312 reviews of 41 recordings",
    metrics="Reached: event type 0.91, severity 0.84",
    where="/data/models/adapters/fleet-3",
)
FOREIGN = replace(
    ADAPTER,
    key="other-fleet",
    title="other-fleet",
    base="Qwen/Qwen2.5-VL-7B-Instruct",
    base_key="",
    reason="Its model is not on this computer: Qwen/Qwen2.5-VL-7B-Instruct.",
)
GPU = GpuView("NVIDIA RTX 4090", 24 * GIB, round(17.9 * GIB), reason="")


class FakeShelf:
    """Answers with `stock`, marking what the settings choose; downloads wait until `allow` is set or cancelled."""

    def __init__(self, *cards: CardView, adapters=(ADAPTER,), gpu: GpuView = GPU) -> None:
        self.stock = Stock((BUILT_IN_CARD, *(cards or (READY, ABSENT, PARTIAL, BROKEN))), tuple(adapters), gpu)
        self.allow = threading.Event()
        self.failure = None
        self.looks = 0
        self.removed: list[str] = []
        self.downloaded: list[str] = []
        self.taken_in: list[Path] = []
        self.copied: list[bool] = []
        self.refusal = None
        self.admitted: list[tuple[str, bool]] = []
        self.choice_list: tuple[Choice, ...] = (BUILT_IN,)

    def look(self, settings) -> Stock:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        chosen = settings.local_model if settings.backend == "local" else settings.backend
        cards = tuple(replace(card, chosen=card.key == chosen) for card in self.stock.cards)
        adapters = tuple(
            replace(a, chosen=settings.backend == "local" and a.key == settings.local_adapter)
            for a in self.stock.adapters
        )
        return replace(self.stock, cards=cards, adapters=adapters)

    def change(self, key: str, **changes) -> None:
        cards = tuple(replace(card, **changes) if card.key == key else card for card in self.stock.cards)
        self.stock = replace(self.stock, cards=cards)

    def download(self, settings, key, *, report, cancelled) -> None:
        report(Transfer(1_000_000_000, 15_900_000_000, 192.0))
        while not self.allow.wait(0.005):
            if cancelled():
                self.change(key, state="partial", reason="1.0 of 15.9 GB are here; a download goes on from there.")
                raise JobCancelledError("The download was stopped.")
        if self.failure is not None:
            raise self.failure
        self.downloaded.append(key)
        self.change(key, state="ready", reason="")

    def remove(self, settings, key) -> None:
        self.removed.append(key)
        self.change(key, state="absent", reason="", where="")

    def remove_adapter(self, settings, key) -> None:
        self.removed.append(key)
        self.stock = replace(self.stock, adapters=tuple(a for a in self.stock.adapters if a.key != key))

    def admit(self, session, adapter, *, unmeasured) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.admitted.append((adapter.key, unmeasured))

    def take_in(self, settings, folder, *, copy, report, cancelled) -> str:
        self.copied.append(copy)
        if self.failure is not None:
            raise self.failure
        self.taken_in.append(folder)
        report(Transfer(1, 2))
        return folder.name

    def choices(self, settings) -> tuple[Choice, ...]:
        return self.choice_list

    def chosen(self, settings) -> Choice:
        if self.failure is not None:
            raise self.failure
        return self.choice_list[-1]

"""What is done to the models folder, as the shelf asks for it: in words of the program below."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from vvlm_desktop.backends.model_record import read_record
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.models.card_view import Transfer, gigabytes
from vvlm_desktop.workflow import downloads, model_import

#: Both as Hugging Face's own client takes them.
_HUB = "https://huggingface.co"
_REPORT_EVERY_S = 0.2


def hub_host() -> str:
    """From where weights are fetched; a company's mirror is named as such."""
    return urlsplit(os.environ.get("HF_ENDPOINT") or _HUB).hostname or "huggingface.co"


def download(
    settings: Settings, key: str, *, report: Callable[[Transfer], object], cancelled: Callable[[], bool]
) -> None:
    """Fetch a model; returns when it is here, complete and checked."""

    def told(transfer: downloads.Transfer) -> None:
        report(Transfer(transfer.done_bytes, transfer.total_bytes, transfer.seconds_left))

    downloads.download(settings, downloads.download_id(key), report=told, cancelled=cancelled)


def take_in(
    settings: Settings,
    folder: Path,
    *,
    copy: bool = False,
    report: Callable[[Transfer], object],
    cancelled: Callable[[], bool],
) -> str:
    """Take in a folder with a model or an adapter: copied, or referred to where its weights are."""
    last_s = 0.0

    def told(done: int, total: int) -> None:
        nonlocal last_s
        if done >= total or time.monotonic() - last_s >= _REPORT_EVERY_S:
            last_s = time.monotonic()
            report(Transfer(done, total))

    return model_import.import_folder(settings, folder, copy=copy, report=told, cancelled=cancelled).name


def remove(settings: Settings, key: str) -> None:
    """Delete a model, the part of one that is here, or an adapter; of one that was only referred to, the reference."""
    model_import.remove(settings, model_import.plan_removal(settings, key))


def file_lines(folder: Path) -> list[tuple[str, str]]:
    """Files of weights with sizes, and the start of the checksum that each was checked against."""
    record = read_record(folder)
    checked = record.files if record is not None else {}
    lines = []
    for file in sorted(folder.glob("*.safetensors")):
        try:
            size = gigabytes(file.stat().st_size)
        except OSError:
            continue
        kind, _, digest = str(checked.get(file.name, {}).get("checksum", "")).partition(":")
        sha = f", {kind} {digest[:16]}…" if digest else ", not checked against a source"
        lines.append((file.name, f"{size}{sha}"))
    return lines

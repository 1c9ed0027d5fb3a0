"""Which clips an adapter learnt from, or was chosen by: its answers about them say nothing about other clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.workflow.adapter_gate import read_card
from vvlm_desktop.workflow.adapters import adapter_named
from vvlm_desktop.workflow.run_shelf import RUNS_FOLDER
from vvlm_desktop.workflow.session import Session


def learnt_by(session: Session, adapters: Iterable[str | None]) -> frozenset[str]:
    """SHA-256 of the files of such clips, as the adapters' cards say it; what is no adapter, or unknown, adds none."""
    names = {name for name in adapters if name}
    return frozenset(sha256 for name in names for sha256 in _contents(_folder(session, name)))


def _folder(session: Session, name: str) -> Path:
    """Where the adapter lies: among the models, else as its run has it."""
    found = adapter_named(session.settings, name)
    return found.path if found is not None else RunFiles(session.library.folder / RUNS_FOLDER / name).adapter_dir


def _contents(folder: Path) -> Iterable[str]:
    told = read_card(folder).get("training_set")
    contents = told.get("content_sha256") if isinstance(told, Mapping) else None
    if not isinstance(contents, Mapping):
        return ()
    parts = [contents.get(name) for name in ("train", "val")]
    return [str(sha256) for part in parts if isinstance(part, list) for sha256 in part]

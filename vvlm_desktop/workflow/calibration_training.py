"""What an adapter was trained on: clips that it knows by heart say nothing about how often it is right elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.adapter_folder import CARD_FILE
from vvlm_desktop.backends.model_files import COPY_AGAIN, read_json
from vvlm_desktop.backends.model_record import read_record
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ModelFolderError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.adapters import adapters_folder
from vvlm_desktop.workflow.session import Session

NOT_HERE = "its adapter is not on this computer, so the clips it was trained on are not known"
NOT_SAID = "its adapter's card does not say which clips it was trained on"
#: What was learnt from, and what chose the best step; test clips did neither.
_SEEN_SPLITS = ("train", "val")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model has seen in training, as far as it can be known.

    Attributes:
        contents: SHA-256 of the clips.
        recordings: those of the clips that are in this library; other clips of the same drive look alike.
        reason: why it is not known; empty where it is, and for a model without an adapter.
    """

    contents: frozenset[str] = frozenset()
    recordings: frozenset[str] = frozenset()
    reason: str = ""

    def covers(self, clip: Clip) -> bool:
        """Whether an answer about `clip` would be about something learnt."""
        return clip.sha256 in self.contents or (clip.recording or clip.id) in self.recordings


class SeenInTraining:
    """Asks each adapter's card once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, str], Seen] = {}

    def by(self, analysis: Analysis) -> Seen:
        """What the model that gave this answer was trained on."""
        if not analysis.adapter:
            return Seen()
        where = analysis.adapter, _named_folder(analysis)
        if where not in self._known:
            self._known[where] = self._ask(analysis)
        return self._known[where]

    def _ask(self, analysis: Analysis) -> Seen:
        contents, reason = trained_contents(self._session.settings, analysis)
        if reason:
            return Seen(reason=reason)
        found = [clip for clip in self._session.library.all_clips() if clip.sha256 in contents]
        return Seen(contents, frozenset(clip.recording or clip.id for clip in found))


def trained_contents(settings: Settings, analysis: Analysis) -> tuple[frozenset[str], str]:
    """SHA-256 of the clips that the adapter of this answer was trained on, or why they are not known."""
    folder = _folder_of(settings, analysis)
    if folder is None:
        return frozenset(), NOT_HERE
    try:
        card = read_json(folder / CARD_FILE, missing=NOT_SAID, hint=COPY_AGAIN)
    except ModelFolderError:
        return frozenset(), NOT_SAID
    found = _listed(card)
    return (found, "") if found else (frozenset(), NOT_SAID)


def _listed(card: Mapping[str, Any]) -> frozenset[str]:
    """The hashes of a card; empty where the list is absent or is not whole."""
    told = card.get("training_set")
    splits = told.get("content_sha256") if isinstance(told, dict) else None
    if not isinstance(splits, dict) or not all(isinstance(splits.get(name), list) for name in _SEEN_SPLITS):
        return frozenset()
    hashes = [value for name in _SEEN_SPLITS for value in splits[name]]
    good = all(isinstance(value, str) and _SHA256.fullmatch(value) for value in hashes)
    return frozenset(hashes) if good else frozenset()


def _folder_of(settings: Settings, analysis: Analysis) -> Path | None:
    """Where the adapter lies: the folder that the answer names, else the one of its name in the models folder."""
    named, name = _named_folder(analysis), analysis.adapter or ""
    if named and Path(named).is_dir():
        return Path(named)
    if name in {"", ".", ".."} or Path(name).name != name:
        return None
    entry = adapters_folder(settings) / name
    record = read_record(entry)
    folder = Path(record.linked_to) if record is not None and record.linked_to else entry
    return folder if folder.is_dir() else None


def _named_folder(analysis: Analysis) -> str:
    """Answers can be imported: no folder of another computer is asked for because one says so."""
    named = analysis.settings.get("adapter_dir")
    usable = isinstance(named, str) and Path(named).is_absolute() and not named.startswith(("//", "\\\\"))
    return str(named) if usable else ""

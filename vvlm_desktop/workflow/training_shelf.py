"""The training sets that a library has: found by name, number, id or folder."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from vvlm_desktop.errors import UsageError
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.training_set import SECTION, read_manifest
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_splits import SETS_FOLDER

RECORDS_FILE = "corrections.jsonl"
_SET_FOLDER = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]{0,40})-(?P<number>\d{3,6})-(?P<id>[0-9a-f]{12})")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A set that exists. `manifest` is as written; `number` counts the versions of one name."""

    folder: Path
    name: str
    number: int
    id: str
    manifest: Mapping[str, Any]

    @property
    def about(self) -> Mapping[str, Any]:
        """What the set says of itself."""
        return cast("Mapping[str, Any]", self.manifest.get(SECTION, {}))

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        keys = ("created_at", "records", "clips", "splits", "reviewers", "samples", "sampler")
        return {
            "name": self.name,
            "number": self.number,
            "id": self.id,
            "folder": str(self.folder),
            **{key: self.manifest.get(key) for key in keys},
            SECTION: dict(self.about),
        }


def list_training_sets(session: Session) -> list[TrainingSet]:
    """All sets of the library, by name and number; a folder that is none is not listed."""
    parent = session.library.folder / SETS_FOLDER
    found = []
    for folder in sorted(parent.iterdir()) if parent.is_dir() else []:
        match = _SET_FOLDER.fullmatch(folder.name)
        if match is None:
            continue
        try:
            manifest = read_manifest(folder)
        except (OSError, ValueError) as error:
            _log.warning("%s is no training set that can be read: %s", folder, error)
            continue
        found.append(TrainingSet(folder, match["name"], int(match["number"]), match["id"], manifest))
    return found


def find_training_set(session: Session, text: str) -> TrainingSet:
    """A set by its folder, its name (the newest version), `NAME-NUMBER` or a piece of its id.

    Raises:
        UsageError: none fits, or several.
    """
    every = list_training_sets(session)
    path = Path(text).expanduser()
    newest = [each for each in every if each.name == text][-1:]
    exact = [each for each in every if text in (each.folder.name, f"{each.name}-{each.number:03d}", each.id)]
    by_path = [each for each in every if path.is_dir() and path.samefile(each.folder)]
    by_id = [each for each in every if len(text) >= 4 and each.id.startswith(text)]
    for fitting in (exact, newest, by_path, by_id):
        if len(fitting) == 1:
            return fitting[0]
    names = ", ".join(f"{each.name}-{each.number:03d}" for each in every) or "none yet; `vvlm trainset make NAME`"
    raise UsageError(f"There is no training set “{text}”.", hint=f"Sets: {names}.")


def placements_of(training_set: TrainingSet) -> dict[str, Split]:
    """Part of every clip of a set, by the clip's id; empty where its records cannot be read."""
    try:
        return dict(_placement_lines(training_set.folder / RECORDS_FILE))
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("The records of %s cannot be read: %s", training_set.folder, error)
        return {}


def _placement_lines(file: Path) -> Iterator[tuple[str, Split]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["split"] in SPLITS:
                yield str(record["clip"]["id"]), record["split"]

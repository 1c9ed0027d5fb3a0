"""The training sets that a library has: found by name, number, id or folder."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from vvlm_desktop.backends.atomic_file import write_atomically
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import UsageError
from vvlm_desktop.formats.split import SPLITS, Split
from vvlm_desktop.formats.training_set import SECTION, read_manifest
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_splits import SETS_FOLDER

RECORDS_FILE = "corrections.jsonl"
#: Which version of each name was made last: also an older one, whose content became the library's again.
_CURRENT_FILE = "current.json"
_SET_FOLDER = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]{0,40})-(?P<number>\d{3,6})-(?P<id>[0-9a-f]{12})")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A set that exists.

    Attributes:
        number: counts the versions of one name.
        manifest: as written.
        is_current: whether it is the version that its name alone stands for: the one that was made last.
        last_made: when; later than the manifest says where an older version was made again.
    """

    folder: Path
    name: str
    number: int
    id: str
    manifest: Mapping[str, Any]
    is_current: bool = False
    last_made: str = ""

    @property
    def title(self) -> str:
        """Name and number, by which people call it."""
        return f"{self.name}-{self.number:03d}"

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
            "is_current": self.is_current,
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
    return _marked(found, _current_noted(parent))


def mark_current(training_set: TrainingSet) -> TrainingSet:
    """Note that this version is the one that was made last.

    Raises:
        OSError: it cannot be written.
    """
    parent, at = training_set.folder.parent, utc_now()
    noted = {**_current_noted(parent), training_set.name: {"folder": training_set.folder.name, "at": at}}
    write_atomically(parent / _CURRENT_FILE, json.dumps(noted, indent=0, sort_keys=True) + "\n")
    return replace(training_set, is_current=True, last_made=at)


def _current_noted(parent: Path) -> dict[str, dict[str, str]]:
    """Folder and time by name; nothing where nobody noted any, and then the highest number counts."""
    try:
        noted = json.loads((parent / _CURRENT_FILE).read_text(encoding="utf-8"))
        return {str(name): {"folder": str(row["folder"]), "at": str(row["at"])} for name, row in noted.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _log.warning("%s cannot be read; of each name the highest number counts: %s", parent / _CURRENT_FILE, error)
        return {}


def _marked(found: list[TrainingSet], noted: Mapping[str, Mapping[str, str]]) -> list[TrainingSet]:
    highest = {each.name: each.folder.name for each in sorted(found, key=lambda each: each.number)}
    there = {each.folder.name for each in found}
    pointed = {name: row["folder"] for name, row in noted.items() if row["folder"] in there}
    current = {**highest, **pointed}
    return [
        replace(
            each,
            is_current=current[each.name] == each.folder.name,
            last_made=max(
                str(each.manifest.get("created_at", "")),
                noted[each.name]["at"] if pointed.get(each.name) == each.folder.name else "",
            ),
        )
        for each in found
    ]


def find_training_set(session: Session, text: str) -> TrainingSet:
    """A set by its folder, its name (the version made last), `NAME-NUMBER`, a number alone or a piece of its id.

    Raises:
        UsageError: none fits, or several.
    """
    every = list_training_sets(session)
    path = Path(text).expanduser()
    current = [each for each in every if each.name == text and each.is_current]
    exact = [each for each in every if text in (each.folder.name, each.title, each.id)]
    by_number = [each for each in every if _says_number(text, each)]
    by_path = [each for each in every if path.is_dir() and path.samefile(each.folder)]
    by_id = [each for each in every if len(text) >= 4 and each.id.startswith(text)]
    for fitting in (exact, current, by_path, by_number, by_id):
        if len(fitting) == 1:
            return fitting[0]
    if by_number:
        raise UsageError(
            f"“{text}” fits several training sets.",
            hint=f"Say which: {', '.join(each.title for each in by_number)}.",
        )
    names = ", ".join(each.title for each in every) or "none yet; `vvlm trainset make NAME`"
    raise UsageError(f"There is no training set “{text}”.", hint=f"Sets: {names}.")


def _says_number(text: str, each: TrainingSet) -> bool:
    """Whether `fleet-3` or `3` is meant to be this version; zeros in front say nothing."""
    name, _, number = text.rpartition("-")
    return number.isascii() and number.isdigit() and number.lstrip("0") == str(each.number) and name in ("", each.name)


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

"""Calibrations as files in the library's folder: JSON, written whole or not at all, never trusted when read."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.workflow.calibration_fit import Curve
from vvlm_desktop.workflow.calibration_pairs import ModelKey
from vvlm_desktop.workflow.session import Session

#: 1 knew neither how a model was run nor what an adapter was trained on; its files are ignored.
_VERSION = 2
_MAX_BYTES = 1_000_000
#: The curve over all fields, beside those of single groups.
ALL_FIELDS = "all"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learnt about one model's confidence.

    Attributes:
        curves: by group of fields, and `ALL_FIELDS` for those whose group has too few answers of its own.
        groups: field → group, as it was when the curves were fitted.
        reason: why there can be no curve for this model at all, in words; never stored.
    """

    key: ModelKey
    created_at: str
    answers: int
    curves: Mapping[str, Curve] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    def curve_for(self, field_key: str) -> Curve | None:
        """The curve for a field; None where its percentages may not be shown."""
        if field_key not in self.groups:
            return None
        own = self.curves.get(self.groups[field_key])
        chosen = own if own is not None and own.trusted else self.curves.get(ALL_FIELDS)
        return chosen if chosen is not None and chosen.trusted else None


def file_of(session: Session, key: ModelKey) -> Path:
    """Where a model's calibration is kept."""
    return session.library.folder / "calibration" / f"{key.fingerprint}.json"


def read_calibration(file: Path, key: ModelKey) -> tuple[Calibration | None, str]:
    """The calibration in a file, or why there is none; the reason is empty where the file is absent."""
    try:
        with file.open("rb") as handle:
            text = handle.read(_MAX_BYTES + 1)
        if len(text) > _MAX_BYTES:
            return None, "its file is too large to be one"
        data = json.loads(text)
        if data["version"] != _VERSION:
            return None, "its file was written by another version of the program"
        calibration = _from_json(data)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"its file cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, "its file is damaged"
    if calibration.key != key:
        return None, "its file belongs to another model"
    return calibration, ""


def _from_json(data: Mapping[str, Any]) -> Calibration:
    if type(data["answers"]) is not int or data["answers"] < 0:
        raise ValueError("no count of answers")
    return Calibration(
        key=ModelKey(**data["key"]),
        created_at=str(data["created_at"]),
        answers=data["answers"],
        curves={str(name): Curve.from_json(curve) for name, curve in data["curves"].items()},
        groups={str(name): str(group) for name, group in data["groups"].items()},
    )


def store_calibration(file: Path, calibration: Calibration) -> None:
    """Write a calibration so that a crash leaves either the old file or the new one.

    Raises:
        StorageFullError: it cannot be written.
    """
    document = {
        "version": _VERSION,
        "key": asdict(calibration.key),
        "created_at": calibration.created_at,
        "answers": calibration.answers,
        "curves": {name: curve.to_json() for name, curve in calibration.curves.items()},
        "groups": dict(calibration.groups),
    }
    _write(file, document)


def review_count(session: Session) -> int | None:
    """How many clips were reviewed when curves were last fitted; None where that is not known."""
    try:
        count = json.loads(_count_file(session).read_bytes()[:100])["reviewed"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return count if type(count) is int and count >= 0 else None


def note_review_count(session: Session, reviewed: int) -> None:
    """Remember how many clips were reviewed when curves were fitted.

    Raises:
        StorageFullError: it cannot be written.
    """
    _write(_count_file(session), {"reviewed": reviewed})


def _count_file(session: Session) -> Path:
    return session.library.folder / "calibration" / "reviewed.json"


def _write(file: Path, document: Mapping[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                json.dump(document, handle, allow_nan=False, indent=1)
                handle.flush()
                os.fsync(handle.fileno())
            Path(temporary).replace(file)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageFullError(
            f"The calibration cannot be stored in {file.parent}: {error.strerror or error}.",
            hint="Check the folder's rights and free space. Reviews are not affected.",
        ) from error

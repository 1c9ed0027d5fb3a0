"""What people said about which clips are one moment, and by how much their clocks differ; kept beside the library."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop.errors import StorageFullError

_log = logging.getLogger(__name__)
_FORMAT = 1
#: No camera's clock that is still of use is further off; a damaged file can say anything.
MOST_OFFSET_MS = 3_600_000
_UNREADABLE = (OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class CameraLink:
    """`linked`: whether two clips are one moment; `offset_ms`: None for what their names tell."""

    linked: bool = True
    offset_ms: int | None = None


class CameraLinks:
    """The links of one library. Each pair is kept once; its offset is turned round for the other clip."""

    def __init__(self, library_dir: Path) -> None:
        self._file = library_dir / "cameras.json"

    def of_clip(self, clip_id: str) -> dict[str, CameraLink]:
        """Links of a clip, by the other clip's id; offsets are to be added to the clip's own time."""
        result = {}
        for pair, link in self._read().items():
            first, second = pair
            if first == clip_id:
                result[second] = link
            elif second == clip_id:
                result[first] = _turned(link)
        return result

    def keep(self, clip_id: str, other_id: str, link: CameraLink) -> None:
        """Keep what a person said about two clips.

        Raises:
            StorageFullError: it cannot be written; the file before stays.
        """
        if clip_id == other_id:
            raise ValueError(f"a clip is no other camera of itself: {clip_id}")
        if link.offset_ms is not None and abs(link.offset_ms) > MOST_OFFSET_MS:
            raise ValueError(f"offset_ms must be within an hour, not {link.offset_ms}")
        try:
            links = self._load()
        except _UNREADABLE:
            self._set_aside()
            links = {}
        first, second = sorted((clip_id, other_id))
        links[first, second] = link if first == clip_id else _turned(link)
        self._write(links)

    def _read(self) -> dict[tuple[str, str], CameraLink]:
        try:
            return self._load()
        except _UNREADABLE as error:
            _log.warning("What is known of other cameras cannot be read from %s: %s", self._file, error)
            return {}

    def _load(self) -> dict[tuple[str, str], CameraLink]:
        try:
            document = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {(row["first"], row["second"]): _link_from(row) for row in document["links"]}

    def _set_aside(self) -> None:
        """What somebody wrote is not lost because a character of it is."""
        try:
            self._file.replace(self._file.with_name(f"{self._file.name}.broken"))
        except OSError as error:
            _log.warning("%s cannot be set aside: %s", self._file, error)

    def _write(self, links: Mapping[tuple[str, str], CameraLink]) -> None:
        rows = [{"first": first, "second": second, **asdict(link)} for (first, second), link in sorted(links.items())]
        try:
            descriptor, temporary = tempfile.mkstemp(dir=self._file.parent, suffix=".part")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                    json.dump({"format": _FORMAT, "links": rows}, handle, indent=1)
                    handle.flush()
                    os.fsync(handle.fileno())
                Path(temporary).replace(self._file)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StorageFullError(
                f"The link between the cameras cannot be stored in {self._file.parent}: {error.strerror or error}.",
                hint="Check the folder's rights and free space. Reviews are not affected.",
            ) from error


def _turned(link: CameraLink) -> CameraLink:
    return CameraLink(link.linked, None if link.offset_ms is None else -link.offset_ms)


def _link_from(row: Mapping[str, Any]) -> CameraLink:
    offset_ms = row["offset_ms"]
    if not (offset_ms is None or (type(offset_ms) is int and abs(offset_ms) <= MOST_OFFSET_MS)):
        raise ValueError(f"not an offset: {offset_ms!r}")
    return CameraLink(bool(row["linked"]), offset_ms)

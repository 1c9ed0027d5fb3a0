"""A clip's telemetry: what lies in the film first, then files beside it by the makers' ways of naming them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from vvlm_desktop.errors import ClipUnreadableError, TelemetryError
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.telemetry.believable import believable
from vvlm_desktop.video.telemetry.blackvue import motion_track, read_blackvue
from vvlm_desktop.video.telemetry.boxes import open_clip
from vvlm_desktop.video.telemetry.clock import KEPT_MS, ClipClock, clip_clock
from vvlm_desktop.video.telemetry.film_text import read_film_text
from vvlm_desktop.video.telemetry.gopro import read_gopro
from vvlm_desktop.video.telemetry.gpx import read_gpx
from vvlm_desktop.video.telemetry.nmea import parse_nmea, track_of_log
from vvlm_desktop.video.telemetry.novatek import read_novatek
from vvlm_desktop.video.telemetry.seventy_mai import is_seventy_mai_text, read_seventy_mai, read_seventy_mai_text
from vvlm_desktop.video.telemetry.subtitles import read_subtitles
from vvlm_desktop.video.telemetry.tables import read_table
from vvlm_desktop.video.telemetry.track import Track

#: Ends of names that are read, in the order in which they are preferred.
SIDECAR_SUFFIXES = (".gps", ".nmea", ".gpx", ".csv", ".srt", ".txt", ".log", ".3gf")
#: A log of a day; nothing longer is read into memory.
_MAX_BYTES = 64 << 20
#: BlackVue writes one log for all cameras: `…_NF.mp4` and `…_NR.mp4` have `…_N.gps`.
_CAMERA = re.compile(r"[_-]?(?:[FRIO]|front|rear|interior|cabin|[AB])$", re.IGNORECASE)
_SEVENTY_MAI_LOG = re.compile(r"GPSData\d*\.txt", re.IGNORECASE)
#: 70mai keeps its logs at the card's root, two folders above `Normal/Front/…`.
_LEVELS_UP = 3


def find_telemetry(path: Path, *, index: FrameIndex | None = None) -> Track | None:
    """All telemetry of a clip, None when there is none; `source` and `clock` say what was used and how well it fits.

    What the film lacks (BlackVue's older films have no accelerometer within) is taken from the files beside it. A
    sidecar that cannot be read is named in the notes.

    Args:
        index: the clip's, if it is at hand: its first frame and length are then exact.

    Raises:
        ClipUnreadableError: the clip itself cannot be opened.
    """
    clock = clip_clock(path, duration_ms=index.duration_s * 1000 if index is not None and len(index) else None)
    tracks = [*_embedded(path, clock, index)]
    notes: list[str] = []
    for sidecar in sidecars(path):
        if any(len(track.positions) for track in tracks) and any(len(track.accelerometer) for track in tracks):
            break
        try:
            track = read_sidecar(sidecar, path, clock=clock)
        except TelemetryError as error:
            if sidecar.suffix.lower() not in {".txt", ".log", ".srt", ".csv"}:  # these are often about something else
                notes.append(str(error))
            continue
        tracks.append(track)
    found: Track | None = None
    for track in tracks:
        found = track if found is None else found.filled_from(track)
    return replace(found, notes=(*found.notes, *notes)) if found is not None and notes else found


def _embedded(path: Path, clock: ClipClock, index: FrameIndex | None) -> Iterator[Track]:
    readers: tuple[Callable[[], Track | None], ...] = (
        lambda: _opened(lambda: read_gopro(path, index=index), path),
        lambda: read_novatek(path, clock),
        lambda: read_blackvue(path, clock),
        lambda: read_seventy_mai(path),
        lambda: _opened(lambda: read_film_text(path, clock, index=index), path),
    )
    for read in readers:
        track = read()
        if track:
            yield believable(track)
            return
        if track is not None:  # nothing readable, but it says why: encrypted blocks
            yield track


def _opened(read: Callable[[], Track | None], path: Path) -> Track | None:
    """A film that cannot be opened as a film may still have boxes, and files beside it."""
    try:
        return read()
    except ClipUnreadableError:
        with open_clip(path):  # one that cannot be read at all is said
            return None


def sidecars(path: Path) -> list[Path]:
    """Files that may be this clip's, the best first: the same name, then without the camera's letter, then 70mai's."""
    stems = [path.stem, _CAMERA.sub("", path.stem)]
    try:
        beside = {item.name.lower(): item for item in path.parent.iterdir() if item != path and item.is_file()}
    except OSError:
        return []
    names = [f"{stem}{suffix}".lower() for stem in dict.fromkeys(stems) if stem for suffix in SIDECAR_SUFFIXES]
    names += [f"{path.name}{suffix}".lower() for suffix in SIDECAR_SUFFIXES]
    return [*(beside[name] for name in dict.fromkeys(names) if name in beside), *_seventy_mai_logs(path)]


def _seventy_mai_logs(path: Path) -> Iterator[Path]:
    folder = path.parent
    for _ in range(_LEVELS_UP):
        try:
            yield from sorted(item for item in folder.glob("*.txt") if _SEVENTY_MAI_LOG.fullmatch(item.name))
        except OSError:
            return
        folder = folder.parent


def read_sidecar(sidecar: Path, clip: Path, *, clock: ClipClock | None = None) -> Track:
    """One file of positions or accelerations on the clock of a clip; what it is, its content tells.

    Raises:
        TelemetryError: it cannot be read, or has nothing for this clip.
        ClipUnreadableError: `clock` is not given and the clip cannot be opened.
    """
    clock = clock or clip_clock(clip)
    data = _read(sidecar)
    name = sidecar.name
    track: Track | None = None
    if sidecar.suffix.lower() == ".3gf":
        track = motion_track(data, source=f"BlackVue 3gf sidecar {name}")
    elif sidecar.suffix.lower() == ".gpx" or data.lstrip(b"\xef\xbb\xbf \r\n")[:5] == b"<?xml":
        track = read_gpx(data, clock, path=sidecar)
    else:
        text = _decode(data)
        if is_seventy_mai_text(text):
            track = read_seventy_mai_text(text, clip=clip.stem, source=f"70mai log {name}")
        elif re.search(r"\$[A-Z]{2,5}(?:RMC|GGA),", text):
            track = track_of_log(parse_nmea(text), clock, source=f"NMEA sidecar {name}")
        elif "-->" in text:
            track = read_subtitles(text, path=sidecar)
        else:
            track = read_table(text, clock, path=sidecar)
    if not track:
        raise TelemetryError(
            sidecar, "it has no position and no acceleration for this clip", hint="Is it of this drive?"
        )
    track = _around(believable(track), clock)
    if not track:
        raise TelemetryError(sidecar, "its times cannot be", hint="Export it again.")
    return track


def _read(sidecar: Path) -> bytes:
    try:
        with sidecar.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise TelemetryError(sidecar, f"it cannot be read ({error.strerror})", hint="Check its rights.") from error
    if len(data) > _MAX_BYTES:
        raise TelemetryError(sidecar, "it is longer than a log of a day", hint="Cut out the part of this clip.")
    return data


def _decode(data: bytes) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    return data.decode("utf-8", "replace")


def _around(track: Track, clock: ClipClock) -> Track:
    """Without what was measured long before or after the clip: logs of a whole drive."""
    if clock.duration_ms is None:
        return track
    kept = track.between(-KEPT_MS, clock.duration_ms + KEPT_MS, why="samples outside of the clip left out")
    return kept if kept else track

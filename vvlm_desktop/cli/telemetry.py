"""`vvlm telemetry`: what the camera measured of its own movement; it stays on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vvlm_desktop.cli.output import (
    ClipArgument,
    JsonOption,
    LibraryOption,
    counted,
    note,
    opened,
    print_json,
    print_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vvlm_desktop.video.telemetry import MotionCandidate, Track

_KINDS = {"hard_braking": "hard braking?", "push": "push?", "jolt": "jolt?"}


def telemetry(
    clip: ClipArgument,
    shift_ms: Annotated[
        int, typer.Option("--shift-ms", metavar="MS", help="Move the telemetry later (negative: earlier) by this.")
    ] = 0,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="OUT", help="Write every sample to this new file.")
    ] = None,
    gpx: Annotated[Path | None, typer.Option("--gpx", metavar="OUT", help="Write the track to this new file.")] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show position, speed and acceleration that lie in a clip or beside it. Nothing leaves this computer."""
    from vvlm_desktop.errors import TelemetryError
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.video.telemetry import find_telemetry, motion_candidates
    from vvlm_desktop.video.telemetry.gpx import write_gpx
    from vvlm_desktop.video.telemetry.tables import write_table

    path = _file(clip, library)
    found = find_telemetry(path)
    if found is None:
        raise TelemetryError(
            path,
            "there is no telemetry in it or beside it",
            hint="Read are films of GoPro, Novatek, BlackVue and 70mai cameras, and .gps, .3gf, .nmea, .gpx, .csv and "
            ".srt files of the same name.",
        )
    track = found.shifted(shift_ms)
    if csv is not None:
        _write(write_table, track, csv)
    if gpx is not None:
        _check_for_gpx(track)
        _write(write_gpx, track, gpx)
    candidates = motion_candidates(track)
    if as_json:
        print_json({**track.summary(), "candidates": [_candidate_json(each) for each in candidates]})
    else:
        _print(path, track, candidates, speed_unit=load_settings().speed_unit)


def _file(clip: str, library: Path | None) -> Path:
    """The file that was named; only what is no file is looked for in the library."""
    from vvlm_desktop.errors import ClipMissingError

    named = Path(clip).expanduser()
    if named.is_file():
        return named
    with opened(library) as session:
        path = Path(session.library.find_clip(clip).path)
    if not path.exists():
        raise ClipMissingError(path)
    return path


def _check_for_gpx(track: Track) -> None:
    from vvlm_desktop.errors import UsageError

    if not len(track.positions):
        raise UsageError("There is no position to write.", hint="--csv writes the accelerations.")
    if track.started_at is None:
        raise UsageError("The date is not known, and GPX needs one.", hint="--csv writes times from the first frame.")


def _write(write: Callable[[Track, Path], None], track: Track, file: Path) -> None:
    from vvlm_desktop.errors import StorageFullError, UsageError

    if file.exists():
        raise UsageError(f"{file} exists already.", hint="Choose a new name: nothing is overwritten.")
    try:
        write(track, file)
    except OSError as error:
        raise StorageFullError(
            f"{file} could not be written: {error.strerror}.", hint="Check free space and rights of the folder."
        ) from error
    note(f"{file} was written.")


def _candidate_json(candidate: MotionCandidate) -> dict[str, object]:
    return {
        "kind": candidate.kind,
        "start_ms": round(candidate.start_ms),
        "end_ms": round(candidate.end_ms),
        "peak_g": round(candidate.peak_g, 3),
    }


def _print(path: Path, track: Track, candidates: tuple[MotionCandidate, ...], *, speed_unit: str) -> None:
    from vvlm_desktop.workflow.telemetry import SPEED_UNITS

    told = track.summary()
    print_line(path.name)
    rows = {"Source": track.source, "Clock": track.clock}
    if told["span_ms"]:
        first_s, last_s = (round(ms / 1000, 2) + 0.0 for ms in told["span_ms"])  # + 0.0: no "-0.00"
        rows["Span"] = f"{first_s:.2f} to {last_s:.2f} s from the first frame"
    if track.started_at is not None:
        zone = "UTC" if track.started_at.tzinfo else "camera's clock"
        rows["First frame"] = f"{track.started_at:%Y-%m-%d %H:%M:%S} {zone}"
    counts = {
        "position": len(track.positions),
        "acceleration": len(track.accelerometer),
        "turn": len(track.gyroscope),
    }
    rows["Samples"] = ", ".join(counted(number, word) for word, number in counts.items() if number) or "none"
    if told["start"]:
        rows["Start"] = f"{told['start'][0]:.6f}, {told['start'][1]:.6f}"
    if track.max_speed_mps is not None:
        unit, per_mps = SPEED_UNITS[speed_unit]
        rows["Top speed"] = f"{track.max_speed_mps * per_mps:.1f} {unit}"
    if track.strongest_g is not None:
        rows["Strongest"] = f"{track.strongest_g:.2f} g, gravity included"
        rows["Axes"] = track.accelerometer.axes
    width = max(map(len, rows))
    for label, words in rows.items():
        print_line(f"  {label.ljust(width)}  {words}")
    for each in candidates:
        print_line(f"  {each.start_ms / 1000:8.2f} s  {_KINDS[each.kind]} {each.peak_g:.2f} g")
    for words in track.notes:
        print_line(f"  ! {words}")

"""Positions that cameras write as a film's subtitles or as a data track, a sample for each second or so.

* NMEA sentences (many makers with an Ambarella chip, Vantrue, DOD), in a subtitle or text track
* the scrambled text of freeGPS blocks (Blueskysea, Rove's Stealth, Ambarella A12), without the block's head
* `FMAS` (Vantrue N2S): numbers; speed in mph
* freeGPS' early record with its positions enciphered (Kingslim D4): counted, not read

Source: the tables of ExifTool's QuickTimeStream; nothing of its code.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from av.container import InputContainer
from av.stream import Discard

from vvlm_desktop.video.container import MEDIA_ERRORS, open_container
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.telemetry.clock import ClipClock
from vvlm_desktop.video.telemetry.freegps import Block, read_block
from vvlm_desktop.video.telemetry.freegps_numbers import bearing, speed_in
from vvlm_desktop.video.telemetry.gopro import zero_s
from vvlm_desktop.video.telemetry.nmea import parse_nmea
from vvlm_desktop.video.telemetry.novatek import track_of_blocks
from vvlm_desktop.video.telemetry.track import MPH_MPS, Fix, Track

_MAX_SAMPLES = 50_000
_MAX_BYTES = 64 << 20
#: Longer than any camera's sample; the rest is not read.
_SAMPLE_BYTES = 4096
_SENTENCE = re.compile(rb"\$[A-Z]{2,5}(?:RMC|GGA),")
_SCRAMBLED = re.compile(rb"\0\0(?:..\xaa\xaa|\xf2\xe1\xf0\xee)", re.DOTALL)
#: What a freeGPS block has before its scrambled text.
_SCRAMBLED_HEAD = b"\0" * 18
_FMAS = re.compile(rb"FMAS\0{4}.{72}SAMM.{36}[A-Z][EW][NS]", re.DOTALL)
_FMAS_NUMBERS = struct.Struct("<H5B5x3f3sB2BHBBHHH")
_KINGSLIM = re.compile(rb".{21}\0{3}A[NS][EW]", re.DOTALL)


def read_film_text(path: Path, clock: ClipClock, *, index: FrameIndex | None = None) -> Track | None:
    """The positions in a film's text and data tracks, None when it has none.

    Raises:
        ClipUnreadableError: the film cannot be opened.
    """
    with open_container(path) as container:
        samples = list(_samples(container, zero_s(container, index)))
    known = [(time_ms, block) for time_ms, data in samples if (block := read_sample(data)) is not None]
    if not known:
        return None
    track = track_of_blocks(
        [block for _, block in known], clock, source="text in the film", times_ms=[time_ms for time_ms, _ in known]
    )
    return replace(track, clock="the film's own: each sample carries its time") if track is not None else None


def read_sample(data: bytes) -> Block | None:
    """What one sample says; None where it is about something else."""
    if _SENTENCE.search(data):
        log = parse_nmea(data.decode("latin-1"))
        if not log.fixes:
            return Block("no fix" if log.unlocked else "unknown")
        # Without a date its day is not known, but its place and its time in the film are.
        fix = log.fixes[-1] if log.dated else replace(log.fixes[-1], time_ms=math.nan)
        return Block("read", fix)
    if _SCRAMBLED.match(data):
        return read_block(_SCRAMBLED_HEAD + b"\xaa\xaa\xf2\xe1\xf0\xee\x54\x54" + data[8:])
    if _FMAS.match(data):
        return _fmas(data)
    return Block("encrypted") if _KINGSLIM.match(data) else None


def _fmas(data: bytes) -> Block:
    if len(data) < 96 + _FMAS_NUMBERS.size:
        return Block("unknown")
    values = _FMAS_NUMBERS.unpack_from(data, 96)
    (year, month, day, hour, minute, second), forces, letters, numbers = values[:6], values[6:9], values[9], values[10:]
    if letters[:1] != b"A":
        return Block("no fix")
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return Block("unknown")
    lon_deg, lon_min, _, lon_rest, lat_deg, lat_min, lat_rest, mph, course = numbers
    lat, lon = (whole + (minutes + rest / 6000) / 60 for whole, minutes, rest in
                ((lat_deg, lat_min, lat_rest), (lon_deg, lon_min, lon_rest)))  # fmt: skip
    fix = Fix(
        at.timestamp() * 1000,
        -lat if letters[2:3] == b"S" else lat,
        -lon if letters[1:2] == b"W" else lon,
        speed_mps=speed_in(mph, MPH_MPS),
        course_deg=bearing(course),
    )
    x, y, z = forces
    return Block("read", fix, (x, y, z) if max(map(abs, forces)) <= 32 else None) if fix.plausible else Block("unknown")


def _samples(container: InputContainer, zero: float) -> Iterator[tuple[float, bytes]]:
    """(ms since the first frame, content) of every sample of text and data."""
    streams = [stream for stream in container.streams if stream.type in {"subtitle", "data"}]
    if not streams or "mov" not in container.format.name:
        return
    for stream in container.streams:
        if stream not in streams:
            stream.discard = Discard.all  # or every picture of the film is read on the way
    size = 0
    try:
        for number, packet in enumerate(container.demux(streams)):
            if number == _MAX_SAMPLES or size > _MAX_BYTES:
                return
            if packet.pts is None or packet.time_base is None:
                continue
            data = bytes(packet)[:_SAMPLE_BYTES]
            size += len(data)
            yield (float(packet.pts * packet.time_base) - zero) * 1000, data
    except MEDIA_ERRORS:
        return  # what was read before the damage counts; the clip's own index tells of the damage

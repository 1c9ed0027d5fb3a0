"""Writers of the makers' formats, from their published layouts and without a line of the readers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import xor
from pathlib import Path

from tests.clips import make_clip


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full_box(kind: bytes, content: bytes) -> bytes:
    return box(kind, bytes(4) + content)


# GPMF


def klv(key: str, kind: str, rows: Sequence[Sequence[float]] | bytes, *, layout: str = "") -> bytes:
    """One record; `layout` are struct's letters of a row, `kind` is GPMF's letter, "" for a nest."""
    if isinstance(rows, bytes):
        size, count, data = 1, len(rows), rows
    else:
        size, count = struct.calcsize(">" + layout), len(rows)
        data = b"".join(struct.pack(">" + layout, *row) for row in rows)
    head = key.encode() + (kind.encode() or b"\0") + struct.pack(">BH", size, count)
    return head + data + bytes(-len(data) % 4)


def stream(*records: bytes) -> bytes:
    return klv("STRM", "", b"".join(records))


def device(*streams: bytes) -> bytes:
    return klv("DEVC", "", klv("DVID", "L", [[1]], layout="I") + klv("DVNM", "c", b"Hero") + b"".join(streams))


def gps5(rows: Sequence[tuple[float, float, float, float, float]], *, utc: str, fix: int = 3, dop: int = 120) -> bytes:
    """lat, lon, altitude, speed over ground, speed in space."""
    scale = (10_000_000, 10_000_000, 1000, 1000, 100)
    packed = [[round(value * by) for value, by in zip(row, scale, strict=True)] for row in rows]
    return stream(
        klv("GPSF", "L", [[fix]], layout="I"),
        klv("GPSU", "U", utc.encode()),
        klv("GPSP", "S", [[dop]], layout="H"),
        klv("SCAL", "l", [[by] for by in scale], layout="i"),
        klv("GPS5", "l", packed, layout="5i"),
    )


def gps9(rows: Sequence[tuple[float, float, float, float, float, int, float, float, int]]) -> bytes:
    """As GPS5, then days since 2000, seconds of the day, dilution, fix."""
    scale = (10_000_000, 10_000_000, 1000, 1000, 100, 1, 1000, 100, 1)
    packed = [[round(value * by) for value, by in zip(row, scale, strict=True)] for row in rows]
    return stream(
        klv("TYPE", "c", b"lllllllSS"),
        klv("SCAL", "l", [[by] for by in scale], layout="i"),
        klv("GPS9", "?", packed, layout="7iHH"),
    )


def accl(rows_ms2: Sequence[tuple[float, float, float]], *, stamp_us: int | None = None, orin: str = "") -> bytes:
    before = [klv("STMP", "J", [[stamp_us]], layout="Q")] if stamp_us is not None else []
    order = [klv("ORIN", "c", orin.encode())] if orin else []
    packed = [[round(value * 418) for value in row] for row in rows_ms2]
    unit, scale = klv("SIUN", "c", b"m/s\xb2"), klv("SCAL", "s", [[418]], layout="h")
    return stream(*before, *order, unit, scale, klv("ACCL", "s", packed, layout="3h"))


def gyro(rows: Sequence[tuple[float, float, float]]) -> bytes:
    packed = [[round(value * 3755) for value in row] for row in rows]
    return stream(klv("SCAL", "s", [[3755]], layout="h"), klv("GYRO", "s", packed, layout="3h"))


def gopro_film(
    path: Path, payloads: Sequence[bytes], *, duration_ms: int = 1001, kind: bytes = b"gpmd", handler: bytes = b"meta"
) -> Path:
    """A real little film with a metadata track of these payloads, one after another."""
    film = make_clip(path, frames=10).read_bytes()
    at = film.index(b"moov") - 4
    moov_size = struct.unpack_from(">I", film, at)[0]
    assert at + moov_size == len(film), "the film's index must be its last box"
    track = _metadata_track([len(payload) for payload in payloads], duration_ms, offset=0, kind=kind, handler=handler)
    offset = len(film) + len(track) + 8
    track = _metadata_track(
        [len(payload) for payload in payloads], duration_ms, offset=offset, kind=kind, handler=handler
    )
    moov = box(b"moov", film[at + 8 :] + track)
    path.write_bytes(film[:at] + moov + box(b"mdat", b"".join(payloads)))
    return path


def _metadata_track(sizes: Sequence[int], duration_ms: int, *, offset: int, kind: bytes, handler: bytes) -> bytes:
    count, total = len(sizes), len(sizes) * duration_ms
    starts = [offset + sum(sizes[:i]) for i in range(count)]
    table = box(
        b"stbl",
        full_box(
            b"stsd", struct.pack(">I", 1) + box(kind, struct.pack(">6xH", 1) + bytes(4 if kind == b"gpmd" else 43))
        )
        + full_box(b"stts", struct.pack(">III", 1, count, duration_ms))
        + full_box(b"stsc", struct.pack(">IIII", 1, 1, 1, 1))
        + full_box(b"stsz", struct.pack(f">II{count}I", 0, count, *sizes))
        + full_box(b"stco", struct.pack(f">I{count}I", count, *starts)),
    )
    reference = box(b"dinf", full_box(b"dref", struct.pack(">I", 1) + box(b"url ", struct.pack(">I", 1))))
    media = box(b"gmhd", full_box(b"gmin", bytes(12))) + reference + table
    identity = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    head = struct.pack(">IIIII8xHHH2x", 0, 0, 9, 0, total, 0, 0, 0) + identity + bytes(8)
    return box(
        b"trak",
        box(b"tkhd", struct.pack(">I", 0xF) + head)
        + box(
            b"mdia",
            full_box(b"mdhd", struct.pack(">IIIIHH", 0, 0, 1000, total, 0x55C4, 0))
            + full_box(b"hdlr", struct.pack(">4s4s12x", b"mhlr", handler) + b"GoPro MET\0")
            + box(b"minf", media),
        ),
    )


# Novatek


def ddmm(degrees: float) -> float:
    whole = int(abs(degrees))
    return whole * 100 + (abs(degrees) - whole) * 60


def _letters(lat: float, lon: float, status: str = "A") -> bytes:
    return f"{status}{'S' if lat < 0 else 'N'}{'W' if lon < 0 else 'E'}".encode()


def _block(content: bytes, *, size: int = 0x200) -> bytes:
    """From the block's 12th byte on."""
    return (struct.pack(">I", size) + b"freeGPS " + content).ljust(size, b"\0")


def _clock(at: datetime) -> bytes:
    return struct.pack("<6I", at.hour, at.minute, at.second, at.year - 2000, at.month, at.day)


def late_block(at: datetime, lat: float, lon: float, *, knots: float, course: float, status: str = "A") -> bytes:
    numbers = struct.pack("<4f", ddmm(lat), ddmm(lon), knots, course)
    return _block(struct.pack("<I", 76) + bytes(32) + _clock(at) + _letters(lat, lon, status) + b"\0" + numbers)


def early_record(
    at: datetime, lat: float, lon: float, *, knots: float, course: float, g: tuple[float, float, float] | None = None
) -> bytes:
    numbers = struct.pack("<4f", ddmm(lat), ddmm(lon), knots, course)
    forces = struct.pack("<3i", *(round(value * 256) for value in g)) if g else struct.pack("<6H", 1, 2, 3, 4, 5, 6)
    return _clock(at) + _letters(lat, lon) + b"\0" + numbers + forces


def early_block(
    at: datetime, lat: float, lon: float, *, knots: float, course: float, g: tuple[float, float, float] | None = None
) -> bytes:
    return _block(struct.pack("<I", 0x3F0) + early_record(at, lat, lon, knots=knots, course=course, g=g))


def doubles_block(
    at: datetime, lat: float, lon: float, *, knots: float, course: float, g: tuple[float, float, float] | None = None
) -> bytes:
    ns, ew = _letters(lat, lon)[1:2], _letters(lat, lon)[2:3]
    content = struct.pack("<I3I", 0, at.hour, at.minute, at.second) + b"A\0\0\0"
    content += struct.pack("<d", ddmm(lat)) + ns + bytes(7) + struct.pack("<d", ddmm(lon)) + ew + bytes(7)
    content += struct.pack("<dd3I", knots, course, at.year - 2000, at.month, at.day)
    return _block(content + (struct.pack("<3i", *(round(value * 1000) for value in g)) if g else b""))


def scrambled_block(
    at: datetime, lat: float, lon: float, *, kmh: int, g: tuple[float, float, float] = (0.09, -0.03, -0.05)
) -> bytes:
    plain = bytearray(b"\0" * 0x101)
    plain[:8] = bytes.fromhex("0000584b5a44fefe")
    where = f"{'S' if lat < 0 else 'N'}{round(ddmm(lat) * 1e4):08}{'W' if lon < 0 else 'E'}{round(ddmm(lon) * 1e4):09}"
    text = f"{at:%Y%m%d%H%M%S}\f5567GP   {chr(0) * 5}\x03{where}{kmh:08}"
    plain[8 : 8 + len(text)] = text.encode("latin-1")
    plain[173:185] = "".join(f"{round(value * 100):+04}" for value in g).encode()
    return _block(struct.pack("<I", 0x105) + b"\x01\x03" + bytes(value ^ 0xAA for value in plain))


def sentence_block(camera_time: datetime, sentences: bytes, *, g: tuple[float, float, float]) -> bytes:
    content = struct.pack("<I", 0x140) + bytes(36) + f"{camera_time:%Y%m%d%H%M%S}".encode() + b"\0\0"
    return _block(content + struct.pack("<3i", *(round(value * 256) for value in g)) + b"\0" + sentences)


def _whole_clock(at: datetime) -> bytes:
    return struct.pack("<3I", at.hour, at.minute, at.second)


def _date(at: datetime, *, since: int = 2000) -> bytes:
    return struct.pack("<3I", at.year - since, at.month, at.day)


def floats_block(
    at: datetime, lat: float, lon: float, *, kmh: float, course: float, g: tuple[float, float, float], akaso: bool
) -> bytes:
    ns, ew = _letters(lat, lon)[1:2], _letters(lat, lon)[2:3]
    content = struct.pack("<I", 0x60) + (b"x.xx" if akaso else b"2013").ljust(32, b"\0") + _whole_clock(at) + b"A\0\0\0"
    content += struct.pack("<f", ddmm(lat)) + ns + bytes(3) + struct.pack("<f", ddmm(lon)) + ew + bytes(3)
    content += struct.pack("<ff", kmh, (course + 180) % 360 if akaso else course) + _date(
        at, since=0 if akaso else 2000
    )
    return _block(content + struct.pack("<3i", *(round(value * 1000) for value in g)))


def vantrue_s1_block(at: datetime, lat: float, lon: float, *, knots: float, course: float, altitude: float) -> bytes:
    content = struct.pack("<I", 0x78) + bytes(32) + b"horsontech".ljust(16, b"\0") + _letters(lat, lon) + b"\0"
    content += _date(at) + _whole_clock(at)
    return _block(content + struct.pack("<5f", ddmm(lon), ddmm(lat), knots, course, altitude))


def late_doubles_block(
    at: datetime, lat: float, lon: float, *, knots: float, course: float, g: tuple[float, float, float]
) -> bytes:
    ns, ew = _letters(lat, lon)[1:2], _letters(lat, lon)[2:3]
    content = struct.pack("<I", 0x108) + b"20130815.01".ljust(32, b"\0") + _whole_clock(at) + b"A\0\0\0"
    content += struct.pack("<d", ddmm(lat)) + ns + bytes(7) + struct.pack("<d", ddmm(lon)) + ew + bytes(7)
    content += struct.pack("<dd", knots, course) + _date(at)
    return _block(content + struct.pack("<3i", *(round(value * 1000) for value in g)))


def iqs_block(at: datetime, lat: float, lon: float, *, metres_a_second: float) -> bytes:
    content = struct.pack("<I", 76) + b"IQS_A7_20150417".ljust(32, b"\0") + _clock(at) + _letters(lat, lon) + b"\0"
    return _block(
        content + struct.pack("<3i", *(round(abs(v) * 1e7) for v in (lat, lon)), round(metres_a_second * 100))
    )


def nextbase_block(at: datetime, lat: float, lon: float, *, metres_a_second: float, course: float) -> bytes:
    content = struct.pack("<I", 0x178) + b"x.xx".ljust(16, b"\0") + b"00000".ljust(16, b"\0") + b"$S"
    turn = round((course - 360 if course > 180 else course) * 100)
    content += struct.pack(">HhHBBBBHB", round(metres_a_second * 100), turn, at.year, at.month, at.day, at.hour,
                           at.minute, at.second * 10, 2)  # fmt: skip
    return _block(content + struct.pack(">iiB", round(lat * 1e7), round(lon * 1e7), 16))


def shifted_block(at: datetime, lat: float, lon: float, *, knots: float) -> bytes:
    """As Rexing's V1-4K writes it: a late record whose position is moved and stretched."""
    block = bytearray(late_block(at, lat, lon, knots=knots, course=90))
    struct.pack_into("<2f", block, 76, abs(lat) * 3 + 187.982162849635, abs(lon) * 2 + 2199.19873715495)
    return bytes(block)


def novatek_film(
    path: Path,
    blocks: Sequence[bytes],
    *,
    seconds: float | None = None,
    listed: bool = True,
    firmware: str | None = None,
) -> Path:
    head = box(b"ftyp", b"isom\0\0\2\0isom")
    start = len(head) + 8
    media, offsets = b"", []
    for block in blocks:
        media += b"\xff" * 1000  # pictures
        offsets.append((start + len(media), len(block)))
        media += block
    scale, length = 600, round((len(blocks) if seconds is None else seconds) * 600)
    movie = full_box(b"mvhd", struct.pack(">IIII", 0, 0, scale, length) + bytes(80))
    if listed:
        table = b"".join(struct.pack(">II", *each) for each in offsets)
        movie += box(b"gps ", struct.pack(">II", 0x101, len(blocks)) + table)
    maker = box(b"frea", box(b"ver ", firmware.encode() + b"\0")) if firmware is not None else b""
    path.write_bytes(head + box(b"mdat", media) + maker + box(b"moov", movie))
    return path


def transport_packets(pid: int, payload: bytes, *, counter: int = 0) -> bytes:
    """One unit, with the header of a private stream."""
    unit = b"\0\0\1\xbd" + struct.pack(">H", len(payload) + 3) + b"\x80\0\0" + payload
    packets = b""
    for i in range(0, len(unit), 184):
        part = unit[i : i + 184]
        head = struct.pack(">BHB", 0x47, pid | (0x4000 if i == 0 else 0), 0x10 | counter + i // 184 & 15)
        if len(part) < 184:
            room = 184 - len(part) - 1
            head = head[:3] + bytes([head[3] | 0x20]) + bytes([room]) + (b"\0" + b"\xff" * (room - 1) if room else b"")
        packets += head + part
    return packets


# NMEA and BlackVue


def sentence(content: str) -> str:
    return f"${content}*{reduce(xor, content.encode(), 0):02X}"


def nmea_degrees(degrees: float, *, digits: int, letters: str) -> str:
    return f"{ddmm(degrees):0{digits + 8}.5f},{letters[degrees < 0]}"


def rmc(
    at: datetime,
    lat: float,
    lon: float,
    *,
    knots: float = 0.0,
    course: float = 0.0,
    status: str = "A",
    talker: str = "GP",
) -> str:
    where = f"{nmea_degrees(lat, digits=2, letters='NS')},{nmea_degrees(lon, digits=3, letters='EW')}"
    clock = f"{at:%H%M%S}.{at.microsecond // 1000:03}"
    return sentence(f"{talker}RMC,{clock},{status},{where},{knots:.3f},{course:.2f},{at:%d%m%y},,,A")


def gga(at: datetime, lat: float, lon: float, *, altitude: float, quality: int = 1, station: str = "") -> str:
    where = f"{nmea_degrees(lat, digits=2, letters='NS')},{nmea_degrees(lon, digits=3, letters='EW')}"
    clock = f"{at:%H%M%S}.{at.microsecond // 1000:03}"
    return sentence(f"GPGGA,{clock},{where},{quality},12,0.84,{altitude:.1f},M,-34.0,M,,{station}")


def three_gf(rows: Sequence[tuple[int, float, float, float]]) -> bytes:
    packed = (struct.pack(">I3h", ms, *(round(value * 128) for value in g)) for ms, *g in rows)
    return b"".join(packed) + b"\xff" * 10


def blackvue_film(path: Path, log: str, forces: bytes, *, start_ms: int | None) -> Path:
    inner = box(b"cprt", b" Pittasoft Co., Ltd.;DR900S-1CH;1.008;English;1;D90SS1HAE00661;T69;")
    if start_ms is not None:
        inner += box(b"sttm", struct.pack(">Q", start_ms))
    inner += box(b"gps ", log.encode()) + box(b"3gf ", forces)
    movie = full_box(b"mvhd", struct.pack(">IIII", 0, 0, 1000, 60_000) + bytes(80))
    path.write_bytes(
        box(b"ftyp", b"3gp5\0\0\0\0") + box(b"free", inner) + box(b"mdat", b"\xff" * 500) + box(b"moov", movie)
    )
    return path


# 70mai


def seventy_mai_second(
    second: int, lat: float, lon: float, *, kmh: float, locked: bool = True, number: int = 0
) -> bytes:
    ns, ew = (b"S" if lat < 0 else b"N"), (b"W" if lon < 0 else b"E")
    where = struct.pack("<cici", ns, round(ddmm(lat) * 1000), ew, round(ddmm(lon) * 1000))
    return struct.pack("<IIII", number, locked, second, round(kmh * 1000)) + where + bytes(10)


def seventy_mai_film(path: Path, seconds: Sequence[bytes]) -> Path:
    movie = full_box(b"mvhd", struct.pack(">IIII", 0, 0, 1000, 60_000) + bytes(80))
    path.write_bytes(
        box(b"ftyp", b"isom") + box(b"mdat", b"\xff" * 200) + box(b"GPS ", b"".join(seconds)) + box(b"moov", movie)
    )
    return path


# Text and data tracks


def text_sample(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def scrambled_sample(at: datetime, lat: float, lon: float, *, kmh: int, g: tuple[float, float, float]) -> bytes:
    """Ambarella A12's: as Azdome's block from its 18th byte on, other columns after the position."""
    where = f"{'S' if lat < 0 else 'N'}{round(ddmm(lat) * 1e4):08}{'W' if lon < 0 else 'E'}{round(ddmm(lon) * 1e4):09}"
    forces = "".join(f"{round(value * 100):+04}" for value in g)
    text = f"{at:%Y%m%d%H%M%S}\f01191016070859\x03{where}+0157{kmh:03}{forces}"
    plain = bytes.fromhex("aaaa584b5a44fefe") + text.encode("latin-1")
    return bytes(value ^ 0xAA for value in plain.ljust(300, b"\0"))


def fmas_sample(at: datetime, lat: float, lon: float, *, mph: int, course: int, g: tuple[float, float, float]) -> bytes:
    def place(degrees: float) -> tuple[int, int, int]:
        minutes = abs(degrees) % 1 * 60
        return int(abs(degrees)), int(minutes), round(minutes % 1 * 6000)

    (lon_deg, lon_min, lon_rest), (lat_deg, lat_min, lat_rest) = place(lon), place(lat)
    head = (b"FMAS".ljust(72, b"\0") + b"OFNIMMAS" + b"SAMM\1").ljust(96, b"\0")
    clock = struct.pack("<H6B4x", at.year, at.month, at.day, at.hour, at.minute, at.second, 0)
    letters = f"A{'W' if lon < 0 else 'E'}{'S' if lat < 0 else 'N'}".encode()
    where = struct.pack("<BBxHBBH", lon_deg, lon_min, lon_rest, lat_deg, lat_min, lat_rest)
    return (head + clock + struct.pack("<3f", *g) + letters + where + struct.pack("<HH", mph, course)).ljust(168, b"\0")

"""Files beside a clip: GPX, CSV, SRT, 70mai's log; which are found, and what is said of those that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.errors import ClipUnreadableError, TelemetryError
from vvlm_desktop.video.telemetry import Track, find_telemetry, read_sidecar, sidecars
from vvlm_desktop.video.telemetry.clock import ClipClock
from vvlm_desktop.video.telemetry.gpx import write_gpx
from vvlm_desktop.video.telemetry.tables import write_table

START = datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC)
CLOCK = ClipClock(datetime(2024, 5, 1, 12, 20, 30), 60_000.0)
GPX = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1" xmlns:x="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
<wpt lat="1" lon="1"><time>2024-05-01T10:20:30Z</time></wpt>
<trk><trkseg>{points}</trkseg></trk></gpx>"""
POINT = (
    '<trkpt lat="{lat}" lon="8.6"><ele>400.5</ele><time>{time}</time><extensions><x:TrackPointExtension>'
    "<x:speed>7.5</x:speed><x:course>90</x:course></x:TrackPointExtension></extensions></trkpt>"
)


def clip(folder: Path, name: str = "20240501_122030.mp4") -> Path:
    path = folder / name
    path.write_bytes(make.box(b"ftyp", b"isom") + make.box(b"mdat", bytes(100)))
    return path


def read(folder: Path, name: str, content: str | bytes) -> Track:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sidecar(path, clip(folder), clock=CLOCK)


def gpx(count: int = 3) -> str:
    times = [(START + timedelta(seconds=2 + i, milliseconds=250)).isoformat() for i in range(count)]
    return GPX.format(points="".join(POINT.format(lat=47 + i / 1000, time=time) for i, time in enumerate(times)))


def test_gpx_has_speed_and_course_from_its_extension(tmp_path: Path) -> None:
    track = read(tmp_path, "a.gpx", gpx())
    assert track.positions.time_ms == pytest.approx([2250, 3250, 4250])
    assert track.positions.lat == pytest.approx([47, 47.001, 47.002])
    assert track.positions.speed_mps == pytest.approx([7.5] * 3)
    assert track.positions.course_deg == pytest.approx([90] * 3)
    assert track.positions.altitude_m == pytest.approx([400.5] * 3)
    assert track.started_at == START


def test_gpx_that_was_cut_off_gives_what_comes_before(tmp_path: Path) -> None:
    track = read(tmp_path, "a.gpx", gpx()[:-150])
    assert len(track.positions) == 2
    assert "damaged" in track.notes[-1]


def test_gpx_whose_entities_contain_each_other_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    with pytest.raises(TelemetryError, match="document type"):
        read(tmp_path, "a.gpx", gpx().replace('<?xml version="1.0"?>', bomb))


def test_written_gpx_is_read_back(tmp_path: Path) -> None:
    track = read(tmp_path, "a.gpx", gpx())
    write_gpx(track, tmp_path / "b.gpx")
    again = read(tmp_path, "c.gpx", (tmp_path / "b.gpx").read_bytes())
    for name in ("time_ms", "lat", "lon", "speed_mps", "altitude_m", "course_deg"):
        assert getattr(again.positions, name) == pytest.approx(getattr(track.positions, name)), name


@pytest.mark.parametrize(
    ("header", "per_unit"),
    [
        ("speed_kmh", 1 / 3.6),
        ("Speed (km/h)", 1 / 3.6),
        ("speed [m/s]", 1.0),
        ("speed_mph", 0.44704),
        ("speed knots", 1852 / 3600),
    ],
)
def test_speed_has_the_unit_of_its_header(header: str, per_unit: float, tmp_path: Path) -> None:
    track = read(tmp_path, "a.csv", f"time_s,latitude,longitude,{header}\n0.5,47.1,8.6,72\n1.5,47.2,8.6,36\n")
    assert track.positions.time_ms == pytest.approx([500, 1500])
    assert track.positions.speed_mps == pytest.approx([72 * per_unit, 36 * per_unit])
    assert track.notes == ()


def test_speed_without_a_unit_is_left_out_and_said(tmp_path: Path) -> None:
    track = read(tmp_path, "a.csv", "time,lat,lon,speed\n0,47.1,8.6,72\n")
    assert np.isnan(track.positions.speed_mps).all()
    assert "names no unit" in track.notes[0]


@pytest.mark.parametrize(
    ("header", "rest"),
    [("ax,ay,az", 1.0), ("ax,ay,az", 9.81), ("ax (m/s²),ay,az", 9.81), ("Accel X [g],Accel Y [g],Accel Z [g]", 1.0)],
)
def test_acceleration_is_in_g_whatever_the_table_has(header: str, rest: float, tmp_path: Path) -> None:
    rows = "".join(f"{i * 10},0.0,{rest},0.0\n" for i in range(20))
    track = read(tmp_path, "a.csv", f"time_ms,{header}\n{rows}")
    assert len(track.accelerometer) == 20
    assert track.accelerometer.time_ms[-1] == pytest.approx(190)
    assert track.accelerometer.magnitude == pytest.approx(np.ones(20), rel=1e-3)


def test_acceleration_that_is_no_known_unit_is_left_out(tmp_path: Path) -> None:
    track = read(tmp_path, "a.csv", "t,lat,lon,ax,ay,az\n0,47,8,100,200,300\n")
    assert len(track.accelerometer) == 0
    assert "left out" in track.notes[0]


def test_dates_semicolons_and_gaps_in_a_table(tmp_path: Path) -> None:
    rows = ["2024-05-01T10:20:31Z;47.1;8.6", ";47.1;8.6", "2024-05-01 10:20:33;;", "2024-05-01 10:20:34;47.4;8.6"]
    text = "\n".join(["\ufeffdatetime;lat;lon", *rows])
    track = read(tmp_path, "a.csv", text)
    assert track.positions.time_ms == pytest.approx([1000, 4000])
    assert track.notes == ("1 rows without a time skipped",)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "lat,lon\n1,2\n", "time,lat,lon\n", "time,lat,lon\nx,y,z\n", "time,lat,lon\n1,91,0\n"]
)
def test_table_that_gives_nothing_says_why(text: str, tmp_path: Path) -> None:
    with pytest.raises(TelemetryError) as caught:
        read(tmp_path, "a.csv", text)
    assert caught.value.hint


def test_written_table_is_read_back(tmp_path: Path) -> None:
    film = make.gopro_film(
        tmp_path / "a.mp4",
        [make.device(make.gps5([(47.1, 8.6, 400, 10, 11)] * 9, utc="240501102030.000"), make.accl([(0, 0, 9.8)] * 50))],
    )
    track = find_telemetry(film)
    assert track is not None
    write_table(track, tmp_path / "b.csv")
    again = read(tmp_path, "c.csv", (tmp_path / "b.csv").read_bytes())
    assert again.positions.time_ms == pytest.approx(track.positions.time_ms, abs=1e-3)
    assert again.positions.speed_mps == pytest.approx(track.positions.speed_mps)
    assert again.accelerometer.vectors == pytest.approx(track.accelerometer.vectors, abs=1e-6)


@pytest.mark.parametrize(
    "words",
    [
        "[latitude: 47.123456] [longitude: -8.5] [rel_alt: 1.300 abs_alt: 440.5]",
        "[latitude : 47.123456] [longtitude : -8.5] [altitude: 440.5]",
        "GPS(-8.5,47.123456,440.5) D 24.4m H 1.0m H.S 3.5m/s",
    ],
)
def test_subtitles_of_a_camera_name_the_place(words: str, tmp_path: Path) -> None:
    cues = "".join(f"{i}\n00:01:{i:02},250 --> 00:01:{i:02},900\n<font>{words}</font>\n\n" for i in range(3))
    track = read(tmp_path, "a.srt", cues)
    assert track.positions.time_ms == pytest.approx([60_250, 61_250, 62_250])
    assert track.positions.lat[0] == 47.123456
    assert track.positions.lon[0] == -8.5
    assert track.positions.altitude_m[0] == 440.5


def test_subtitles_of_words_are_none(tmp_path: Path) -> None:
    film = clip(tmp_path)
    film.with_suffix(".srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello.\n")
    assert find_telemetry(film) is None


# 70mai

MAI = [(47.123 + i / 1000, -8.654) for i in range(4)]


def test_seventy_mai_box_has_whole_seconds(tmp_path: Path) -> None:
    seconds = [make.seventy_mai_second(i, *place, kmh=36 + i, number=i) for i, place in enumerate(MAI)]
    blind = make.seventy_mai_second(4, 0, 0, kmh=0, locked=False)
    track = find_telemetry(make.seventy_mai_film(tmp_path / "NO20240501-122030-000001.MP4", [*seconds, blind]))
    assert track is not None
    assert track.positions.time_ms.tolist() == [0, 1000, 2000, 3000]
    assert track.positions.lat == pytest.approx([lat for lat, _ in MAI], abs=1e-5)
    assert track.positions.lon == pytest.approx([lon for _, lon in MAI], abs=1e-5)
    assert track.positions.speed_mps == pytest.approx([(36 + i) / 3.6 for i in range(4)])
    assert track.notes == ("1 seconds without a fix left out",)


def test_seventy_mai_log_of_the_card_gives_this_films_lines(tmp_path: Path) -> None:
    folder = tmp_path / "Normal" / "Front"
    folder.mkdir(parents=True)
    film = clip(folder, "NO20240501-122030-000002F.MP4")
    lines = ["$V02"]
    for number in (1, 2):
        for i, (lat, lon) in enumerate(MAI):
            status = "V" if i == 0 else "A"
            name = f"NO20240501-122030-00000{number}F.MP4"
            at = 1_714_600_000 + number * 60 + i
            lines.append(f"{at},{status},{lat + number:.6f},{lon:.6f},9050,{1000 + i},1,2,3,{name},0,0,0")
    (tmp_path / "GPSData000001.txt").write_text("\n".join([*lines, "17146"]))
    track = find_telemetry(film)
    assert track is not None
    assert track.positions.time_ms.tolist() == [1000, 2000, 3000]
    assert track.positions.lat == pytest.approx([lat + 2 for lat, _ in MAI[1:]])
    assert track.positions.course_deg == pytest.approx([90.5] * 3)
    assert track.positions.speed_mps == pytest.approx([10.01, 10.02, 10.03])


# Finding


def test_sidecars_are_found_in_any_case_and_the_own_name_comes_first(tmp_path: Path) -> None:
    film = clip(tmp_path, "20240501_122030_NF.mp4")
    for name in ("20240501_122030_N.GPS", "20240501_122030_nf.Nmea", "20240501_122030_NF.mp4.gpx", "other.gpx"):
        (tmp_path / name).write_text("x")
    assert [path.name for path in sidecars(film)] == [
        "20240501_122030_nf.Nmea",
        "20240501_122030_N.GPS",
        "20240501_122030_NF.mp4.gpx",
    ]


def test_what_is_in_the_film_comes_first_and_the_rest_is_filled(tmp_path: Path) -> None:
    times = [START + timedelta(seconds=i) for i in range(3)]
    film = make.novatek_film(
        tmp_path / "20240501_122030.mp4", [make.late_block(at, 1.0, 2.0, knots=3, course=4) for at in times]
    )
    film.with_suffix(".csv").write_text("time_s,lat,lon,ax,ay,az\n0,50,50,0,0,1\n1,50,50,0,0,1\n")
    track = find_telemetry(film)
    assert track is not None
    assert track.positions.lat == pytest.approx([1.0] * 3)
    assert len(track.accelerometer) == 2
    assert "Novatek" in track.source
    assert "accelerometer: CSV" in track.source


def test_log_of_a_drive_is_cut_to_the_clip(tmp_path: Path) -> None:
    film = make.novatek_film(tmp_path / "20240501_122030.mp4", [], seconds=10)
    lines = [make.rmc(START + timedelta(seconds=i), 1.0, 2.0) for i in range(-600, 600)]
    film.with_suffix(".nmea").write_text("\n".join(lines))
    track = find_telemetry(film)
    assert track is not None
    assert (track.positions.time_ms[0], track.positions.time_ms[-1]) == (-5000, 15_000)
    assert "1179 samples outside of the clip left out" in track.notes


def test_sidecar_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    film = clip(tmp_path)
    film.with_suffix(".gpx").write_text("<gpx>nothing</gpx>")
    film.with_suffix(".csv").write_text("time_s,lat,lon\n1,47,8\n")
    track = find_telemetry(film)
    assert track is not None
    assert track.source == "CSV sidecar 20240501_122030.csv"
    assert any(".gpx: it has no track point" in note for note in track.notes)


def test_sidecar_of_gigabytes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vvlm_desktop.video.telemetry.finding._MAX_BYTES", 1000)
    with pytest.raises(TelemetryError, match="longer"):
        read(tmp_path, "a.nmea", make.rmc(START, 1, 2) * 20)


def test_clip_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClipUnreadableError):
        find_telemetry(tmp_path / "absent.mp4")


def test_clip_without_any_has_none(tmp_path: Path) -> None:
    assert find_telemetry(clip(tmp_path)) is None


@pytest.mark.parametrize(
    ("title", "time", "zoned"),
    [
        ("time", "2024-05-01 10:20:31", False),
        ("time", "2024-05-01T10:20:31Z", True),
        ("time", "2024-05-01T12:20:31+02:00", True),
        ("UTC", "2024-05-01 10:20:31", True),
        ("date time utc", "2024-05-01 10:20:31", True),
        ("time", "1714558831.0", True),
    ],
)
def test_only_a_table_that_names_its_zone_has_utc(tmp_path: Path, title: str, time: str, zoned: bool) -> None:
    track = read(tmp_path, "a.csv", f"{title},lat,lon\n{time},47.1,8.6\n")
    assert track.started_at is not None
    assert track.started_at.replace(tzinfo=None) == START.replace(tzinfo=None)
    assert (track.started_at.tzinfo is not None) == zoned

"""`vvlm telemetry`: what is printed, written and refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Vvlm
from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.settings import Settings, save_settings

START = datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    blocks = [
        make.early_block(START + timedelta(seconds=i), 47.1 + i / 1000, -8.6, knots=20, course=90, g=(0.0, 0.0, 1.25))
        for i in range(5)
    ]
    return make.novatek_film(tmp_path / "drive.mp4", blocks)


def test_plain_text_names_source_clock_and_extremes(vvlm: Vvlm, film: Path) -> None:
    told = vvlm("telemetry", str(film)).stdout
    for words in (
        "Novatek freeGPS",
        "good to about a second",
        "0.00 to 4.00 s",
        "2024-05-01 10:20:30 UTC",
        "5 positions, 5 accelerations",
        "47.100000, -8.600000",
        "37.0 km/h",
        "1.25 g",
    ):
        assert words in told, words


def test_speed_is_in_the_unit_of_the_settings(vvlm: Vvlm, film: Path) -> None:
    save_settings(Settings(speed_unit="mph"))
    told = vvlm("telemetry", str(film)).stdout
    assert "23.0 mph" in told
    assert "km/h" not in told


def test_json_has_the_shift_and_the_candidates(vvlm: Vvlm, film: Path) -> None:
    data = vvlm("telemetry", str(film), "--shift-ms", "-250", "--json").data
    assert data["span_ms"] == [-250, 3750]
    assert data["positions"] == 5
    assert data["start"] == pytest.approx([47.1, -8.6], abs=1e-5)
    assert data["candidates"] == []


def test_files_are_written_once_and_never_over_another(vvlm: Vvlm, film: Path, tmp_path: Path) -> None:
    table, gpx = tmp_path / "t.csv", tmp_path / "t.gpx"
    vvlm("telemetry", str(film), "--csv", str(table), "--gpx", str(gpx))
    assert len(table.read_text().splitlines()) == 6
    assert gpx.read_text().count("<trkpt") == 5
    before = table.read_bytes()
    again = vvlm("telemetry", str(film), "--csv", str(table))
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert table.read_bytes() == before


def test_clip_without_telemetry_says_what_would_be_read(vvlm: Vvlm, tmp_path: Path) -> None:
    bare = tmp_path / "bare.mp4"
    bare.write_bytes(make.box(b"ftyp", b"isom") + make.box(b"mdat", b"\0" * 100))
    outcome = vvlm("telemetry", str(bare))
    assert outcome.exit_code == 1
    assert "there is no telemetry" in outcome.stderr
    assert ".gpx" in outcome.stderr


def test_gpx_without_a_date_is_refused(vvlm: Vvlm, tmp_path: Path) -> None:
    bare = tmp_path / "bare.mp4"
    bare.write_bytes(make.box(b"ftyp", b"isom") + make.box(b"mdat", b"\0" * 100))
    bare.with_suffix(".csv").write_text("time_s,lat,lon\n1,47,8\n")
    outcome = vvlm("telemetry", str(bare), "--gpx", str(tmp_path / "t.gpx"))
    assert outcome.exit_code == 2
    assert "date is not known" in outcome.stderr
    assert not (tmp_path / "t.gpx").exists()

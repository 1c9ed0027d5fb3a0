"""Positions in a film's text and data tracks: where each sample lies in the film, its time is."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.video.telemetry import encoders as make
from vvlm_desktop.video.telemetry import Track, find_telemetry
from vvlm_desktop.video.telemetry.film_text import read_sample
from vvlm_desktop.video.telemetry.track import KMH_MPS, KNOT_MPS, MPH_MPS

START = datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC)
PLACES = [(-33.856784 + i * 1e-3, 151.215297 + i * 1e-3) for i in range(3)]
FORCE = (0.25, -0.5, 1.0)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def film(path: Path, samples: list[bytes], *, text: bool) -> Track | None:
    kind, handler = (b"tx3g", b"sbtl") if text else (b"gpmd", b"meta")
    return find_telemetry(make.gopro_film(path, samples, kind=kind, handler=handler, duration_ms=1500))


def test_sentences_lie_where_their_samples_do(tmp_path: Path) -> None:
    texts = [
        f"{make.rmc(at(i), *PLACES[i], knots=20 + i, course=90)}\r\n{make.gga(at(i), *PLACES[i], altitude=12.5)}\r\n"
        for i in range(3)
    ]
    track = film(tmp_path / "a.mp4", [make.text_sample(text) for text in texts], text=True)
    assert track is not None
    assert track.positions.time_ms == pytest.approx([0, 1500, 3000])
    assert track.positions.lat == pytest.approx([lat for lat, _ in PLACES], abs=1e-6)
    assert track.positions.speed_mps == pytest.approx([(20 + i) * KNOT_MPS for i in range(3)])
    assert track.positions.altitude_m == pytest.approx([12.5] * 3)
    assert track.source == "text in the film"
    assert "each sample carries its time" in track.clock


def test_sentences_without_a_date_have_a_place_and_no_date(tmp_path: Path) -> None:
    texts = [f"{make.gga(at(i), *PLACES[i], altitude=12.5)}\r\n" for i in range(3)]
    track = film(tmp_path / "a.mp4", [make.text_sample(text) for text in texts], text=True)
    assert track is not None
    assert len(track.positions) == 3
    assert track.started_at is None
    assert track.notes == ()


def test_first_seconds_without_a_fix_are_said(tmp_path: Path) -> None:
    blind = make.text_sample(make.rmc(START, 0, 0, status="V"))
    there = make.text_sample(make.rmc(at(2), *PLACES[2], knots=3))
    track = film(tmp_path / "a.mp4", [blind, blind, there], text=True)
    assert track is not None
    assert track.positions.time_ms == pytest.approx([3000])
    assert track.notes == ("2 blocks without a fix left out",)


def test_scrambled_samples(tmp_path: Path) -> None:
    samples = [make.scrambled_sample(at(i), *PLACES[i], kmh=50 + i, g=FORCE) for i in range(3)]
    track = film(tmp_path / "a.mp4", samples, text=False)
    assert track is not None
    assert track.positions.lon == pytest.approx([lon for _, lon in PLACES], abs=1e-5)
    assert track.positions.speed_mps == pytest.approx([(50 + i) * KMH_MPS for i in range(3)])
    assert track.accelerometer.vectors[2] == pytest.approx(FORCE)
    assert track.accelerometer.time_ms == pytest.approx([0, 1500, 3000])


def test_fmas_speed_is_in_mph(tmp_path: Path) -> None:
    samples = [make.fmas_sample(at(i), *PLACES[i], mph=30 + i, course=270, g=FORCE) for i in range(3)]
    track = film(tmp_path / "a.mp4", samples, text=False)
    assert track is not None
    assert track.positions.lat == pytest.approx([lat for lat, _ in PLACES], abs=1e-5)
    assert track.positions.speed_mps == pytest.approx([(30 + i) * MPH_MPS for i in range(3)])
    assert track.accelerometer.vectors[0] == pytest.approx(FORCE)
    assert track.started_at is not None
    assert abs(track.started_at - START) < timedelta(seconds=1)


def test_enciphered_samples_are_named(tmp_path: Path) -> None:
    sample = make.early_record(START, *PLACES[0], knots=20, course=90) + bytes(60)
    assert read_sample(sample) is not None
    track = film(tmp_path / "a.mp4", [sample] * 2, text=False)
    assert track is not None
    assert not track
    assert "2 blocks are encrypted" in track.notes[0]


@pytest.mark.parametrize("month", [0, 13])
def test_fmas_without_a_date_is_damaged(month: int) -> None:
    sample = bytearray(make.fmas_sample(START, *PLACES[0], mph=30, course=270, g=FORCE))
    struct.pack_into("<B", sample, 98, month)
    block = read_sample(bytes(sample))
    assert block is not None
    assert (block.state, block.fix) == ("unknown", None)


def test_subtitles_of_words_are_no_telemetry(tmp_path: Path) -> None:
    assert film(tmp_path / "a.mp4", [make.text_sample("It costs $5, GPS is extra.")] * 3, text=True) is None

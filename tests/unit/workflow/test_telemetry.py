"""A clip's drive: read once, kept by content, its clock corrected by the reviewer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from tests import clips
from vvlm_desktop.settings import Settings
from vvlm_desktop.video.telemetry import Motion, Positions, Track
from vvlm_desktop.video.telemetry.track import Fix
from vvlm_desktop.workflow import telemetry
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.session import open_session

GPX = """<?xml version="1.0"?><gpx version="1.1"><trk><trkseg>{}</trkseg></trk></gpx>"""


def gpx(count: int) -> str:
    point = '<trkpt lat="{}" lon="11.0"><time>2026-01-01T10:00:{:02}Z</time></trkpt>'
    return GPX.format("".join(point.format(48 + i * 1e-4, i) for i in range(count)))


@pytest.fixture
def clip_with_gpx(tmp_path):
    path = tmp_path / "drive.mp4"
    path.write_bytes(clips.clip("h264_bframes.mp4").read_bytes())
    (tmp_path / "drive.gpx").write_text(gpx(4), encoding="utf-8")
    with open_session(Settings(), library_dir=tmp_path / "library") as session:
        clip = add_paths(session, [path]).items[0].clip
        yield session, session.library.clip(clip.id), tmp_path


def test_drive_is_read_once_and_kept(clip_with_gpx, monkeypatch):
    session, clip, _ = clip_with_gpx
    assert telemetry.kept_drive(session, clip) is None
    drive = telemetry.read_drive(session, clip)
    assert len(drive.fix_ms) == 4
    assert "GPX" in drive.source or "gpx" in drive.source
    monkeypatch.setattr(telemetry, "_find", lambda *_: pytest.fail("read again"))
    again = telemetry.read_drive(session, clip)
    kept = telemetry.kept_drive(session, clip)
    assert again.lat.tolist() == kept.lat.tolist() == drive.lat.tolist()


def test_log_that_comes_later_is_a_reason_to_read_again(clip_with_gpx):
    session, clip, folder = clip_with_gpx
    log = folder / "drive.gpx"
    text = log.read_text(encoding="utf-8")
    log.unlink()
    assert not telemetry.read_drive(session, clip)
    assert telemetry.kept_drive(session, clip) is not None  # that there is nothing is known
    log.write_text(text, encoding="utf-8")
    assert len(telemetry.read_drive(session, clip).fix_ms) == 4


def test_corrected_clock_moves_everything_and_is_kept(clip_with_gpx):
    session, clip, _ = clip_with_gpx
    before = telemetry.read_drive(session, clip)
    change = telemetry.set_clock_offset(session, clip, -1500)
    assert change.clip_ids == (clip.id,)
    after = telemetry.kept_drive(session, clip)
    assert after.offset_ms == -1500
    assert after.fix_s == pytest.approx(before.fix_s - 1.5)
    assert after.fix_ms.tolist() == before.fix_ms.tolist()
    with pytest.raises(ValueError, match="wrong by"):
        telemetry.set_clock_offset(session, clip, 10**9)


def test_satellites_time_is_kept_and_moves_with_the_corrected_clock(clip_with_gpx):
    session, clip, _ = clip_with_gpx
    telemetry.read_drive(session, clip)
    clock = telemetry.kept_drive(session, clip).wall_clock
    assert clock.start == datetime(2026, 1, 1, 10, 0, 0)
    assert (clock.zone, "GPX sidecar drive.gpx" in clock.told_by) == ("UTC", True)
    telemetry.set_clock_offset(session, clip, -1500)  # all of it was earlier: what is at the first frame came later
    assert telemetry.kept_drive(session, clip).wall_clock.start == datetime(2026, 1, 1, 10, 0, 1, 500_000)


@pytest.mark.parametrize("started_at", [None, datetime(2024, 5, 6, 7, 8, 9)], ids=["unknown", "local"])
def test_time_that_is_not_known_to_be_utc_is_not_told_as_the_satellites(started_at):
    drive = telemetry.drive_of(Track("a", "b", started_at=started_at))
    assert drive.started_at == started_at
    assert drive.wall_clock is None


def test_damaged_file_is_read_again(clip_with_gpx):
    session, clip, _ = clip_with_gpx
    telemetry.read_drive(session, clip)
    session.library.telemetry_file(clip).write_bytes(b"no such thing")
    assert telemetry.kept_drive(session, clip) is None
    assert len(telemetry.read_drive(session, clip).fix_ms) == 4


def test_strongest_push_of_an_hour_stays():
    time_ms = np.arange(720_000) * 5.0
    rows = np.stack([time_ms, np.zeros(720_000), np.zeros(720_000), np.ones(720_000)], axis=1)
    rows[400_001, 1] = 4.0
    track = Track("test", "test", Positions.of([Fix(0, 48, 11, 10.0)]), Motion.of(rows))
    drive = telemetry.drive_of(track)
    assert len(drive.force_g) <= 20_000
    assert drive.force_g.max() == pytest.approx(np.hypot(4, 1))
    assert drive.force_ms[np.argmax(drive.force_g)] == 400_001 * 5.0


def test_gaps_are_marked_and_samples_stay():
    seconds, values = np.array([0.0, 1, 2, 30, 31, 90]), np.arange(6.0)
    times, marked = telemetry.with_gaps(seconds, values)
    assert times.tolist() == [0, 1, 2, 3, 29, 30, 31, 32, 89, 90]
    assert marked == pytest.approx([0, 1, 2, np.nan, np.nan, 3, 4, np.nan, np.nan, 5], nan_ok=True)
    for few in (seconds[:0], seconds[:1], seconds[:3]):
        assert telemetry.with_gaps(few, few)[0].tolist() == few.tolist()


def test_speeds_are_shown_in_the_unit_of_the_settings(clip_with_gpx):
    session, clip, _ = clip_with_gpx
    assert telemetry.read_drive(session, clip).unit == "km/h"
    drive = telemetry.Drive(speed_mps=np.array([10.0]), speed_unit="mph")
    assert (drive.unit, drive.speeds[0]) == ("mph", pytest.approx(22.369, abs=1e-3))
    session = replace(session, settings=Settings(speed_unit="mph"))
    assert telemetry.kept_drive(session, clip).unit == "mph"
    assert telemetry.read_drive(session, clip).unit == "mph"

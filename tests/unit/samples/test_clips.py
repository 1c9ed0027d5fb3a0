"""The files: bytes, frames, pictures, truth beside them."""

from __future__ import annotations

import csv
import json
import time
from itertools import pairwise

import av
import numpy as np
import pytest

from tests.unit.samples.conftest import decode
from vvlm_desktop.errors import JobCancelledError, StorageFullError
from vvlm_desktop.samples import make as making
from vvlm_desktop.samples.make import MANIFEST, SAMPLES, SampleSpec, make_samples
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.simulate import simulate, write_atomically
from vvlm_desktop.samples.truth import Truth, read_truth

SMALL = {"size": (160, 90), "fps": 10}


def picture(tmp_path, scenario: Scenario, *, seed: int = 1) -> np.ndarray:
    path = tmp_path / f"{abs(hash(scenario))}.mp4"
    simulate(scenario, path, seed=seed, **SMALL)
    return decode(path)[1][-1].astype(float)


def test_same_seed_same_bytes(tmp_path):
    scenario = Scenario("following_close", light="night", weather="rain", lens="wet", duration_s=0.4)
    for name in ("a", "b"):
        simulate(scenario, tmp_path / name / "clip.mp4", seed=3, speed_track=True, **SMALL)
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert files == ["clip.mp4", "clip.speed.csv", "clip.truth.json"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_other_seed_other_bytes(tmp_path):
    scenario = Scenario("calm", duration_s=0.3, sound=False)
    for seed in (1, 2):
        simulate(scenario, tmp_path / f"{seed}.mp4", seed=seed, **SMALL)
    assert (tmp_path / "1.mp4").read_bytes() != (tmp_path / "2.mp4").read_bytes()


def test_truth_has_the_pts_of_the_file_and_survives_a_round_trip(tmp_path):
    path = tmp_path / "clip.mp4"
    truth = simulate(Scenario("rear_end", duration_s=6.5), path, seed=1, size=(64, 36), fps=10)
    pts, _ = decode(path)
    assert list(truth.pts) == pts
    assert truth.event is not None
    assert {truth.event.start_pts, truth.event.end_pts} <= set(pts)
    seconds = truth.event.end_pts * truth.time_base[0] / truth.time_base[1]
    assert round(seconds * 1000) == truth.event.end_ms == truth.labels["event_time"]["end_ms"]
    assert read_truth(path) == truth
    assert Truth.from_json(json.loads(json.dumps(truth.to_json()))) == truth
    assert truth.provenance == "simulated"


def test_stream_is_what_a_dashcam_would_write(tmp_path):
    path = tmp_path / "clip.mp4"
    simulate(Scenario("calm", duration_s=3.3), path, seed=1, size=(64, 36), fps=10)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.pix_fmt, video.width, video.height) == ("h264", "yuv420p", 64, 36)
        assert float(video.average_rate) == 10
        keys = [p.pts for p in container.demux(video) if p.is_keyframe and p.pts is not None]
        assert [round(k / 512) for k in keys] == [0, 30]
        assert len(container.streams.audio) == 1


def test_clip_without_sound_has_no_audio_track(tmp_path):
    path = tmp_path / "clip.mp4"
    simulate(Scenario("parked", duration_s=0.3, sound=False), path, seed=1, **SMALL)
    with av.open(str(path)) as container:
        assert len(container.streams.audio) == 0


def test_impact_is_the_loudest_moment(tmp_path):
    path = tmp_path / "clip.mp4"
    truth = simulate(Scenario("rear_end", duration_s=7.0), path, seed=1, size=(64, 36), fps=10)
    with av.open(str(path)) as container:
        sound = np.concatenate([f.to_ndarray().ravel() for f in container.decode(audio=0)])
    loud = int(np.argmax(np.convolve(sound**2, np.ones(4800), mode="same"))) / 48_000
    assert abs(loud - truth.event.end_ms / 1000) < 0.35


def test_speed_track_has_the_speed_of_every_frame(tmp_path):
    path = tmp_path / "clip.mp4"
    truth = simulate(Scenario("following_close", duration_s=0.5), path, seed=1, speed_track=True, **SMALL)
    with path.with_suffix(".speed.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [float(row["speed_kmh"]) for row in rows] == [f.speed_kmh for f in truth.frames]
    assert [float(row["time_s"]) for row in rows] == pytest.approx([f.time_s for f in truth.frames])


def test_night_is_darker_than_dusk_and_dusk_than_day(tmp_path):
    day, dusk, night = (
        picture(tmp_path, Scenario("calm", light=light, duration_s=0.2, sound=False)).mean()
        for light in ("day", "dusk", "night")
    )
    assert night < 0.6 * dusk
    assert dusk < 0.8 * day


def test_fog_hides_what_is_far_and_leaves_what_is_near(tmp_path):
    clear, fog = (
        picture(tmp_path, Scenario("calm", weather=weather, duration_s=0.2, sound=False, stamp=False))
        for weather in ("clear", "fog")
    )
    far, near = slice(28, 42), slice(60, 75)
    assert fog[far].std(axis=(0, 1)).mean() < 0.5 * clear[far].std(axis=(0, 1)).mean()
    assert np.abs(np.diff(fog[near], axis=1)).mean() > 0.4 * np.abs(np.diff(clear[near], axis=1)).mean()


@pytest.mark.parametrize(("lens", "keeps"), [("obscured", 0.6), ("unfocused", 0.6), ("dirty", 0.9)])
def test_lens_state_takes_detail_away(tmp_path, lens, keeps):
    def detail(state: str) -> float:
        scenario = Scenario("parked", lens=state, duration_s=0.2, sound=False, stamp=False)
        return float(np.abs(np.diff(picture(tmp_path, scenario)[:, 64:], axis=1)).mean())

    assert detail(lens) < keeps * detail("clean")


def test_road_moves_when_ego_drives_and_stays_when_parked(tmp_path):
    def motion(scenario: Scenario) -> float:
        path = tmp_path / f"{scenario.kind}.mp4"
        simulate(scenario, path, seed=1, **SMALL)
        frames = [f[50:74].astype(float) for f in decode(path)[1]]
        return float(np.mean([np.abs(b - a).mean() for a, b in pairwise(frames)]))

    assert motion(Scenario("calm", duration_s=0.5, sound=False)) > 5 * motion(
        Scenario("parked", duration_s=0.5, sound=False)
    )


def test_rear_camera_sees_the_road_run_away(tmp_path):
    front, rear = (
        picture(tmp_path, Scenario("lane_change", camera=camera, duration_s=0.2, sound=False, stamp=False))
        for camera in ("front", "rear")
    )
    assert np.abs(front - rear).mean() > 10


def small_specs() -> tuple[SampleSpec, ...]:
    scenario = Scenario("parked", duration_s=0.2, sound=False)
    return (
        SampleSpec("parked", "One", "one.mp4", "one", scenario, seed=1),
        SampleSpec("collision", "Two", "two.mp4", "two", scenario, seed=2, speed_track=True),
    )


def test_samples_are_made_once_and_mended_when_touched(tmp_path, monkeypatch):
    made: list[str] = []
    real = making.simulate

    def counting(scenario, path, **more):
        made.append(path.name)
        return real(scenario, path, **more)

    monkeypatch.setattr(making, "simulate", counting)
    specs, seen = small_specs(), []
    first = make_samples(tmp_path, specs=specs, progress=lambda *step: seen.append(step), size=(64, 36), fps=10)
    assert sorted(made) == ["one.mp4", "two.mp4"]
    assert [step[:2] for step in seen] == [(1, 2), (2, 2)]
    again = make_samples(tmp_path, specs=specs, size=(64, 36), fps=10)
    assert again == first
    assert len(made) == 2
    (tmp_path / "two.speed.csv").unlink()
    with (tmp_path / "one.mp4").open("ab") as handle:
        handle.write(b"x")
    make_samples(tmp_path, specs=specs, size=(64, 36), fps=10)
    assert sorted(made[2:]) == ["one.mp4", "two.mp4"]
    monkeypatch.setattr(making, "SIMULATOR_VERSION", 99)
    make_samples(tmp_path, specs=specs, size=(64, 36), fps=10)
    assert len(made) == 6


def test_broken_manifest_only_costs_time(tmp_path):
    specs = small_specs()[:1]
    make_samples(tmp_path, specs=specs, size=(64, 36), fps=10)
    (tmp_path / MANIFEST).write_text("{nonsense", encoding="utf-8")
    assert len(make_samples(tmp_path, specs=specs, size=(64, 36), fps=10)) == 1
    assert json.loads((tmp_path / MANIFEST).read_text(encoding="utf-8"))["files"]


def test_failed_write_keeps_the_old_file_and_leaves_no_rubbish(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")

    def fail(part):
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageFullError, match="No space left"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_two_cameras_of_one_drive_share_recording_world_and_names():
    front, rear = (spec for spec in SAMPLES if spec.recording == "5 calm lane change")
    assert (front.scenario.camera, rear.scenario.camera) == ("front", "rear")
    assert front.seed == rear.seed
    assert front.file_name.replace("_F.", "_R.") == rear.file_name
    assert len({spec.recording for spec in SAMPLES}) == 6
    assert all(spec.file_name.isascii() for spec in SAMPLES)


@pytest.mark.parametrize("size", [(161, 90), (160, 20)])
def test_impossible_sizes_are_refused(tmp_path, size):
    with pytest.raises(ValueError, match="even"):
        simulate(Scenario("calm"), tmp_path / "x.mp4", seed=1, size=size)


def test_drawing_that_is_stopped_ends_soon_and_keeps_what_is_finished(tmp_path):
    scenario = Scenario("parked", duration_s=0.2, sound=False)
    long = Scenario("parked", duration_s=60.0, sound=False)
    specs = (
        SampleSpec("parked", "One", "one.mp4", "one", scenario, seed=1),
        SampleSpec("collision", "Two", "two.mp4", "two", long, seed=2),
        SampleSpec("near_miss", "Three", "three.mp4", "three", long, seed=3),
    )
    finished = []
    with pytest.raises(JobCancelledError):
        make_samples(
            tmp_path, specs=specs, made=finished.append, cancelled=lambda: bool(finished), size=(64, 36), fps=10
        )
    assert [sample.path.name for sample in finished] == ["one.mp4"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.mp4", "one.truth.json"]


def test_one_clip_that_cannot_be_written_stops_the_others(tmp_path, monkeypatch):
    drawn = []

    def simulate_one(scenario, path, *, cancelled, **_named):
        drawn.append(path.name)
        if path.name == "one.mp4":
            raise StorageFullError("The disk is full.")
        while not cancelled():
            time.sleep(0.001)
        raise JobCancelledError("stopped")

    monkeypatch.setattr(making, "simulate", simulate_one)
    scenario = Scenario("parked", duration_s=0.2, sound=False)
    names = ("one", "two", "three", "four", "five")
    specs = tuple(SampleSpec("parked", name, f"{name}.mp4", name, scenario, seed=1) for name in names)
    with pytest.raises(StorageFullError):
        make_samples(tmp_path, specs=specs)
    assert len(drawn) < len(names)

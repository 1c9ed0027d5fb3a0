"""How fast the built-in backend is, through a real worker: pytest -m bench -s tests/bench/signals.py

Clips are encoded on the spot; every figure is printed, the one that was promised is asserted.
"""

import os
import queue
import statistics
import time

import psutil
import pytest

from tests.clips import make_clip
from vvlm_desktop import paths
from vvlm_desktop.jobs.child import Child
from vvlm_desktop.protocol import AnalyseRequest, CancelRequest, Done, Failure, Hello, Progress, Result

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

SECONDS = 30
SCHEMA = paths.bundled_schema("dashcam").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def clip_720p(folder):
    return make_clip(folder / "720p.mp4", frames=30 * SECONDS, fps=30, size=(1280, 720), options={"g": "30", "bf": "2"})


@pytest.fixture
def worker():
    heard = queue.Queue()
    child = Child("signals", heard.put)
    child.start()
    assert isinstance(heard.get(timeout=20), Hello)
    yield child, heard
    child.close()


def ask(path, name="a", **changes):
    return AnalyseRequest(
        id=name, backend="signals", clip_id="c", path=str(path), stream_index=0, schema_toml=SCHEMA, **changes
    )


def _mbit_s(path):
    return path.stat().st_size * 8 / SECONDS / 1e6


def until_done(heard):
    result = None
    while not isinstance(message := heard.get(timeout=800), Done):
        if not isinstance(message, Progress):
            result = message
    return result


def test_720p_runs_at_ten_times_real_time(worker, clip_720p, folder):
    child, heard = worker
    speeds = []
    for attempt in range(3):
        began = time.perf_counter()
        child.send(ask(clip_720p, str(attempt), curves_path=str(folder / "c.npz")))
        result = until_done(heard)
        assert isinstance(result, Result)
        speeds.append(SECONDS / (time.perf_counter() - began))
        print(f"\n720p30 {SECONDS} s: {speeds[-1]:.1f} x real time, {result.answer['timings']}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {_mbit_s(clip_720p):.1f} Mbit/s")
    assert max(speeds) >= 10.0


def test_2160p_stays_within_memory(worker, folder):
    child, heard = worker
    path = make_clip(
        folder / "2160p.mp4", frames=120, fps=30, size=(3840, 2160), options={"preset": "ultrafast", "g": "30"}
    )
    highest = 0
    began = time.perf_counter()
    child.send(ask(path))
    while True:
        try:
            if isinstance(message := heard.get(timeout=0.05), Done):
                break
            assert not isinstance(message, Failure), message
        except queue.Empty:
            pass
        highest = max(highest, psutil.Process(child.pid).memory_info().rss)
    print(f"\n2160p30: {4 / (time.perf_counter() - began):.1f} x real time, {highest / 1e6:.0f} MB")
    assert highest < 700e6


def test_an_hour_is_bounded(worker, folder):
    child, heard = worker
    path = make_clip(folder / "hour.mp4", frames=3600 * 5, fps=5, size=(320, 180), options={"g": "50"})
    began = time.perf_counter()
    child.send(ask(path, curves_path=str(folder / "hour.npz")))
    result = until_done(heard)
    assert isinstance(result, Result), result
    print(
        f"\nan hour at 5 fps 180p: {time.perf_counter() - began:.1f} s, "
        f"{psutil.Process(child.pid).memory_info().rss / 1e6:.0f} MB, "
        f"curves {(folder / 'hour.npz').stat().st_size / 1e3:.0f} kB, "
        f"{len(result.answer['frames_pts'])} frames measured, {result.answer['timings']}"
    )
    assert len(result.answer["candidates"]) <= 20


def test_start_round_trip_and_cancel(worker, clip_720p):
    starts = []
    for _ in range(5):
        heard = queue.Queue()
        began = time.perf_counter()
        child = Child("signals", heard.put)
        child.start()
        heard.get(timeout=20)
        starts.append((time.perf_counter() - began) * 1e3)
        child.close()
    child, heard = worker
    trips = []
    for _ in range(200):
        began = time.perf_counter()
        child.send(CancelRequest(5))  # refused at once: the shortest answer there is
        heard.get(timeout=5)
        trips.append((time.perf_counter() - began) * 1e6)
    cancels = []
    for i in range(5):
        child.send(ask(clip_720p, f"cancel {i}"))
        while not (isinstance(message := heard.get(timeout=20), Progress) and message.done > 0.02):
            pass
        began = time.perf_counter()
        child.cancel()
        until_done(heard)
        cancels.append((time.perf_counter() - began) * 1e3)
    print(
        f"\nstart to hello {statistics.median(starts):.0f} ms, round trip {statistics.median(trips):.0f} µs, "
        f"cancel within a 720p clip {statistics.median(cancels):.0f} ms (worst {max(cancels):.0f})"
    )
    assert max(cancels) < 300

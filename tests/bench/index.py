"""How long it takes to index a clip and to reach a frame: `pytest tests/bench/index.py -m bench -s`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.clips import clip
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.video.probe import examine
from vvlm_desktop.video.reader import FrameReader

pytestmark = pytest.mark.bench
SHORT = ("h264_bframes.mp4", "h264.ts", "h264.mkv", "h264_edit_list.mp4", "hevc.mp4", "av1.mp4", "mjpeg.avi")


def best_ms(work: Callable[[], object], *, times: int = 7) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return min(taken)


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """108,000 frames: three seconds remuxed over and over."""
    path = tmp_path_factory.mktemp("bench") / "hour.mp4"
    with av.open(str(clip("h264_bframes.mp4"))) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        packets = [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in old.demux(stream) if p.size]
        lap = int(Fraction(3) / stream.time_base)
        for round_number in range(1200):
            for data, pts, dts, is_key in packets:
                packet = av.Packet(data)
                packet.stream, packet.time_base = copy, stream.time_base
                packet.pts, packet.dts, packet.is_keyframe = pts + round_number * lap, dts + round_number * lap, is_key
                new.mux(packet)
    return path


def test_short_clips() -> None:
    for name in SHORT:
        path = clip(name)
        index_ms, examine_ms = best_ms(lambda p=path: read_index(p)), best_ms(lambda p=path: examine(p))
        print(f"{name:22} index {index_ms:6.1f} ms   examine {examine_ms:6.1f} ms")
        assert index_ms < 50


def test_an_hour(hour: Path) -> None:
    index = read_index(hour)
    assert len(index) == 108_000
    text = json.dumps(index.to_json())
    print(f"an hour: index {best_ms(lambda: read_index(hour), times=3):.0f} ms, ", end="")
    print(f"examine {best_ms(lambda: examine(hour), times=3):.0f} ms, ", end="")
    print(f"sidecar {len(text) / 1e6:.1f} MB, read in {best_ms(lambda: FrameIndex.from_json(json.loads(text))):.0f} ms")
    with FrameReader(hour, index) as reader:
        taken = [best_ms(lambda n=n: reader.frame(n), times=1) for n in range(107_999, 0, -3571)]
    print(f"a frame of it: median {statistics.median(taken):.1f} ms, most {max(taken):.1f} ms")

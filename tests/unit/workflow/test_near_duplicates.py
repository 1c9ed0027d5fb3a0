"""A copy that was encoded anew looks the same; another drive does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from tests.unit.workflow.conftest import put_clip
from vvlm_desktop.video.index import read_index
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.near_duplicates import (
    fingerprint_file,
    fingerprint_of,
    frame_hash,
    joined,
    look_alikes,
    looks_same,
    same_looking,
)

REAL = Path(__file__).parents[3] / ".." / "shared" / "clips" / "driving"


def scenery(seed: int, t: float) -> np.ndarray:
    """A picture with structure of its own that moves with time."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (9, 24, 3)).astype(np.float32)
    shift = int(t * 2)
    rows = np.roll(coarse, shift, axis=1)[:, :16]
    return np.clip(np.kron(rows, np.ones((10, 10, 1))), 0, 255).astype(np.uint8)


def film(path: Path, *, picture: Callable[[float], np.ndarray], seconds: float = 5, size=(160, 90), crf=23, skip=0.0):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": "ultrafast"}
        for k in range(int(seconds * 10)):
            frame = av.VideoFrame.from_ndarray(picture(k / 10 + skip), format="rgb24")
            out.mux(stream.encode(frame.reformat(*size, "yuv420p")))
        out.mux(stream.encode())
    return path


def fingerprint(path: Path):
    return fingerprint_file(path, read_index(path))


@pytest.mark.parametrize(
    "copy", [{"crf": 40}, {"size": (112, 64), "crf": 35}, {"size": (320, 180)}, {"skip": 0.2, "crf": 30}]
)
def test_an_encoded_or_scaled_or_slightly_cut_copy_looks_the_same(tmp_path, copy):
    one = fingerprint(film(tmp_path / "a.mp4", picture=lambda t: scenery(1, t)))
    other = fingerprint(film(tmp_path / "b.mp4", picture=lambda t: scenery(1, t), **copy))

    assert len(one) == 5
    assert looks_same(one, other)


def test_other_sceneries_do_not(tmp_path):
    prints = {
        str(seed): fingerprint(film(tmp_path / f"{seed}.mp4", picture=lambda t, s=seed: scenery(s, t), seconds=3))
        for seed in range(5)
    }

    assert list(same_looking(prints)) == []


def test_pictures_without_structure_say_nothing(tmp_path):
    flat = np.full((90, 160, 3), 90, np.uint8)
    prints = {
        name: fingerprint(film(tmp_path / name, picture=lambda t: flat, seconds=2)) for name in ("a.mp4", "b.mp4")
    }

    assert frame_hash(flat) is None
    assert [len(rows) for rows in prints.values()] == [0, 0]
    assert list(same_looking(prints)) == []
    assert not looks_same(*prints.values())


def test_pairs_are_found_among_many():
    rng = np.random.default_rng(7)
    prints = {f"clip {n}": rng.integers(0, 2**63, (n % 5 + 1, 4)).astype(np.uint64) for n in range(60)}
    copy = prints["clip 14"].copy()
    copy[:, 0] ^= np.uint64(0b1011)  # three bits of 256
    prints["copy of 14"] = copy[:3]  # and the end is cut off

    assert list(same_looking(prints)) == [("clip 14", "copy of 14")]


def test_only_new_clips_are_compared_again():
    rng = np.random.default_rng(7)
    prints = {f"clip {n}": rng.integers(0, 2**63, (3, 4)).astype(np.uint64) for n in range(9)}
    prints["a copy of 1"] = prints["clip 1"]
    prints["a copy of 4"] = prints["clip 4"]

    found = set(same_looking(prints, compared={key for key in prints if key != "a copy of 4"}))

    assert found == {("a copy of 4", "clip 4")}
    assert list(same_looking(prints, compared=prints.keys())) == []


def test_pairs_are_kept_and_a_damaged_list_is_made_again(session, tmp_path):
    files = [film(tmp_path / f"{n}.mp4", picture=lambda t: scenery(1, t), seconds=1.0 + n / 5) for n in range(2)]
    clips = [item.clip for item in add_paths(session, files).items]
    kept = session.library.folder / "fingerprints" / "pairs.json"

    def run(some):
        return look_alikes(session, some, tell=lambda *_: None, cancelled=lambda: False)

    first = run(clips)
    assert [set(pair) for pair in first] == [{clip.id for clip in clips}]
    assert run(clips) == first
    assert run(clips[:1]) == []
    kept.unlink()
    assert run(clips[:1]) == run(clips[1:]) == []
    assert run(clips) == first  # what was only seen apart is compared
    for damage in ("{", '{"version": 1, "pairs": [[1]], "compared": []}', "[]"):
        kept.write_text(damage)
        assert [set(pair) for pair in run(clips)] == [{clip.id for clip in clips}]


def test_groups_are_closed_under_pairs():
    found = joined([("b", "c"), ("a", "b"), ("x", "y")], ["a", "b", "c", "x", "y", "z"])

    assert found == {"a": "a", "b": "a", "c": "a", "x": "x", "y": "x", "z": "z"}


def test_a_clip_without_a_file_has_no_fingerprint(session):
    assert len(fingerprint_of(session, put_clip(session, "gone.mp4"))) == 0


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real clips are not at hand")
def test_real_drives_differ_and_their_copies_do_not(tmp_path):
    prints, copies = {}, {}
    for file in sorted(REAL.glob("*.mp4")):
        prints[file.stem] = fingerprint(file)
        with av.open(str(file)) as source:
            pictures = [frame.to_ndarray(format="rgb24", width=320, height=180) for frame in source.decode(video=0)]
            rate = float(source.streams.video[0].average_rate)
        copy = film(
            tmp_path / file.name,
            picture=lambda t, p=pictures, r=rate: p[min(len(p) - 1, round(t * r))],
            seconds=len(pictures) / rate,
            crf=36,
        )
        copies[file.stem] = fingerprint(copy)
    assert list(same_looking(prints)) == []
    assert all(looks_same(prints[name], copies[name]) for name in prints)

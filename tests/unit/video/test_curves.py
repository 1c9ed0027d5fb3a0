import dataclasses
import errno
import os
import zipfile

import numpy as np
import pytest

from vvlm_desktop.errors import FormatError, StorageFullError
from vvlm_desktop.video.curves import Curves, load_npz, running_median, save_npz


def curves(points=100, *, sound=True):
    rng = np.random.default_rng(1)
    values = {
        name: rng.random(points).astype(np.float32)
        for name in ("brightness", "contrast", "sharpness", "motion", "forward", "yaw", "jolt")
    }
    values["forward"][0] = np.nan
    return Curves(
        pts=np.arange(points, dtype=np.int64) * 512 + 7,
        t_s=(np.arange(points) / 15).astype(np.float32),
        sound=rng.random(points).astype(np.float32) if sound else None,
        **values,
    )


@pytest.mark.parametrize("sound", [True, False])
def test_what_is_saved_is_loaded(tmp_path, sound):
    before = curves(sound=sound)
    save_npz(before, tmp_path / "new" / "c.npz")
    after = load_npz(tmp_path / "new" / "c.npz")
    assert set(after.arrays()) == set(before.arrays())
    for name, array in before.arrays().items():
        np.testing.assert_array_equal(after.arrays()[name], array)
        assert after.arrays()[name].dtype == array.dtype
    assert (after.sound is None) is (not sound)
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["c.npz"]


def test_a_failed_save_leaves_the_last_good_one(tmp_path, monkeypatch):
    file = tmp_path / "c.npz"
    save_npz(curves(10), file)

    def full(handle, **_):
        handle.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(StorageFullError, match="No space left"):
        save_npz(curves(20), file)
    assert len(load_npz(file)) == 10
    assert list(tmp_path.iterdir()) == [file]


def test_reducing_keeps_peaks_means_and_times():
    before = curves(10_000)
    before.motion[1234] = 5.0
    before.jolt[77] = np.nan
    after = before.reduced(400)
    assert len(after) == 400
    assert after.motion.max() == 5.0
    assert set(after.pts) <= set(before.pts)
    assert after.pts[0] == before.pts[0]
    assert (np.diff(after.pts) > 0).all()
    assert float(after.brightness.mean()) == pytest.approx(float(before.brightness.mean()), abs=1e-3)
    assert float(after.jolt[3]) == pytest.approx(float(np.nanmax(before.jolt[75:100])))
    assert not np.isnan(after.forward[0])


def test_reducing_leaves_gaps_where_nothing_was_measured():
    before = curves(1000)
    before.forward[100:200] = np.nan
    before.sound[100:200] = np.nan
    after = before.reduced(100)
    assert np.isnan(after.forward[10:20]).all()
    assert np.isnan(after.sound[10:20]).all()
    assert not np.isnan(after.sound[20:]).any()


def test_short_curves_are_not_reduced():
    before = curves(10)
    assert before.reduced(10) is before


def test_curves_of_different_length_are_misuse():
    with pytest.raises(ValueError, match="different length"):
        dataclasses.replace(curves(10), motion=np.zeros(9, np.float32))


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 half a zip", b"text"])
def test_a_file_that_holds_no_curves_says_what_to_do(tmp_path, content):
    file = tmp_path / "c.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        load_npz(file)
    assert "Analyse the clip again" in caught.value.hint


def test_a_truncated_or_pickled_or_newer_file_is_refused(tmp_path):
    file = tmp_path / "c.npz"
    save_npz(curves(), file)
    whole = file.read_bytes()
    for length in (10, len(whole) // 2, len(whole) - 30):
        file.write_bytes(whole[:length])
        with pytest.raises(FormatError):
            load_npz(file)
    np.savez(file, format=np.int64(1), pts=np.array([object()], dtype=object))
    with pytest.raises(FormatError):
        load_npz(file)
    np.savez(file, format=np.int64(99), pts=np.arange(3))
    with pytest.raises(FormatError, match="newer"):
        load_npz(file)
    with zipfile.ZipFile(file, "w") as empty:
        empty.writestr("x", "y")
    with pytest.raises(FormatError):
        load_npz(file)


def test_a_running_median_ignores_outliers_and_gaps():
    values = np.array([1, 1, 9, 1, np.nan, 1, 1], dtype=np.float32)
    np.testing.assert_array_equal(running_median(values, reach=2), np.ones(7))
    assert np.isnan(running_median(np.full(5, np.nan, np.float32), reach=2)).all()

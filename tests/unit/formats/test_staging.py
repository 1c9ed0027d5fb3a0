from __future__ import annotations

import errno

import pytest

from vvlm_desktop.errors import FormatError, StorageFullError
from vvlm_desktop.formats.staging import require_empty, staged_folder, write_text


def test_the_folder_appears_with_everything_in_it(tmp_path):
    out = tmp_path / "deep" / "out"

    with staged_folder(out) as folder:
        write_text(folder / "a.txt", ["one\n", "two\n"])
        assert not out.exists()

    assert (out / "a.txt").read_bytes() == b"one\ntwo\n"
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_an_empty_folder_may_be_filled(tmp_path):
    out = tmp_path / "out"
    out.mkdir()

    with staged_folder(out) as folder:
        write_text(folder / "a.txt", ["x"])

    assert (out / "a.txt").exists()


def test_a_failure_leaves_nothing_behind(tmp_path):
    def fail_halfway():
        with staged_folder(tmp_path / "out") as folder:
            write_text(folder / "a.txt", ["x"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "filled"])
def test_what_is_there_is_never_overwritten(tmp_path, kind):
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine.txt").write_text("mine")

    with pytest.raises(FormatError, match="never overwrites") as caught:
        require_empty(out)

    assert caught.value.hint
    assert str(out) in str(caught.value)


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (errno.ENOSPC, StorageFullError, "disk is full"),
        (errno.EDQUOT, StorageFullError, "disk is full"),
        (errno.EACCES, StorageFullError, "may not be written"),
        (errno.EROFS, StorageFullError, "may not be written"),
        (errno.EIO, FormatError, "was not made"),
    ],
)
def test_a_failed_write_names_the_folder_and_what_to_do(tmp_path, code, error, words):
    out = tmp_path / "out"

    with pytest.raises(error, match=words) as caught, staged_folder(out):
        raise OSError(code, "no")

    assert str(out) in str(caught.value)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []

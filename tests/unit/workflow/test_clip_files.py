"""Another file at a clip's path is never taken for the clip, and the clip's own file is read again only in doubt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.clips import make_clip
from tests.unit.workflow.conftest import put_answer
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import (
    ClipMissingError,
    ClipReplacedError,
    ClipUnreadableError,
    FormatError,
    StorageFullError,
)
from vvlm_desktop.workflow import clip_files, review
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.clip_files import ends_sha256, existing_path, is_untouched, likely_path
from vvlm_desktop.workflow.exporting import export
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.session import Session


def _padded(file: Path, size_bytes: int) -> None:
    """Make an MP4 exactly so long with a `free` box, which players skip."""
    missing = size_bytes - file.stat().st_size
    with file.open("ab") as end:
        end.write(missing.to_bytes(4, "big") + b"free" + bytes(missing - 8))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "a.mp4", frames=10, fps=25)


@pytest.fixture
def clip(session: Session, file: Path) -> Clip:
    _padded(file, 20_000)
    return _added(session, file)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another recording of the same length in bytes."""
    made = make_clip(tmp_path / "other.mp4", numbers=range(500, 510), fps=25)
    _padded(made, 20_000)
    return made


def _added(session: Session, file: Path) -> Clip:
    (item,) = add_paths(session, [file]).items
    assert item.clip is not None
    return item.clip


def _changed(file: Path) -> None:
    """Another time of change, whatever the resolution of the file system's clock."""
    now = file.stat().st_mtime_ns
    os.utime(file, ns=(now, now + 5_000_000_000))


@pytest.fixture
def whole_reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that were read whole."""
    seen: list[Path] = []
    read = clip_files.sha256_of

    def watched(path: Path) -> str:
        seen.append(path)
        return read(path)

    monkeypatch.setattr(clip_files, "sha256_of", watched)
    return seen


def test_replaced_file_of_another_size_is_said_to_be_replaced(session: Session, file: Path, tmp_path: Path) -> None:
    clip = _added(session, file)
    make_clip(tmp_path / "b.mp4", frames=30, fps=25).replace(file)
    with pytest.raises(ClipReplacedError, match="was replaced by another file"):
        existing_path(session, clip)
    with pytest.raises(ClipReplacedError):
        index_of(session, clip)


def test_replaced_file_of_the_same_size_is_said_to_be_replaced(
    session: Session, clip: Clip, file: Path, other: Path
) -> None:
    other.replace(file)
    _changed(file)
    with pytest.raises(ClipReplacedError):
        existing_path(session, clip)


def test_path_at_which_another_clip_was_added_is_no_longer_the_first_ones(
    session: Session, clip: Clip, file: Path, other: Path
) -> None:
    kept_ns = file.stat().st_mtime_ns
    other.replace(file)
    os.utime(file, ns=(kept_ns, kept_ns))  # so that neither size nor time tells
    second = _added(session, file)
    assert second.id != clip.id
    assert existing_path(session, second) == file
    with pytest.raises(ClipReplacedError):
        existing_path(session, session.library.clip(clip.id))


def test_copy_elsewhere_takes_the_place_of_a_replaced_file(
    session: Session, clip: Clip, file: Path, other: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(file.read_bytes())
    _added(session, copy)
    other.replace(file)
    _changed(file)
    assert existing_path(session, clip) == copy


def test_untouched_file_is_not_read_again(session: Session, clip: Clip, whole_reads: list[Path]) -> None:
    existing_path(session, clip)
    assert is_untouched(session, clip)
    assert whole_reads == []


def test_file_with_another_time_is_read_once_then_known_again(
    session: Session, clip: Clip, file: Path, whole_reads: list[Path]
) -> None:
    _changed(file)
    assert not is_untouched(session, clip)
    for _ in range(2):
        assert existing_path(session, clip) == file
    assert whole_reads == [file]
    assert is_untouched(session, clip)


def test_full_disk_does_not_keep_an_unchanged_file_from_being_opened(
    session: Session, clip: Clip, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise StorageFullError("The disk is full.")

    monkeypatch.setattr(type(session.library), "note_unchanged", full)
    _changed(file)
    assert existing_path(session, clip) == file
    assert "could not be noted" in caplog.text


def test_large_file_is_told_by_its_ends_and_is_never_vouched_for_by_them(
    session: Session, clip: Clip, file: Path, other: Path, whole_reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_files, "_WHOLE_BYTES", 100)
    _changed(file)
    assert existing_path(session, clip) == file
    assert not is_untouched(session, clip)
    other.replace(file)
    _changed(file)
    with pytest.raises(ClipReplacedError):
        existing_path(session, clip)
    assert whole_reads == []


def test_ends_of_two_files_differ_wherever_the_first_or_last_mebibyte_does(tmp_path: Path) -> None:
    size = 3 << 20
    plain = bytearray(size)
    seen = set()
    for place in (None, 0, (1 << 20) - 1, size - (1 << 20), size - 1):
        content = bytearray(plain)
        if place is not None:
            content[place] = 1
        (tmp_path / "x").write_bytes(content)
        seen.add(ends_sha256(tmp_path / "x"))
    assert len(seen) == 5


def test_missing_file_and_closed_folder_are_told_apart(
    session: Session, clip: Clip, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.unlink()
    with pytest.raises(ClipMissingError):
        existing_path(session, clip)

    def closed(_path: Path) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(ClipUnreadableError, match="may not be read"):
        existing_path(session, clip)
    assert likely_path(session, clip) == file


def test_export_names_a_replaced_file_instead_of_linking_it(
    session: Session, clip: Clip, file: Path, other: Path, tmp_path: Path
) -> None:
    put_answer(session, clip, {"event_type": "collision"})
    review.settle(session, clip.id, {"event_type": "collision"})
    other.replace(file)
    _changed(file)
    with pytest.raises(FormatError, match="its content has changed since it was added"):
        export(session, "metadata", tmp_path / "out")


def test_export_compares_a_doubtful_file_and_links_it_if_it_is_the_same(
    session: Session, clip: Clip, file: Path, tmp_path: Path
) -> None:
    review.settle(session, clip.id, {"event_type": "collision"})
    _changed(file)
    report = export(session, "metadata", tmp_path / "out")
    assert (report.records, report.failed) == (1, ())

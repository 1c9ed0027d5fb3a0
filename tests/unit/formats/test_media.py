from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.formats.items import make_clip
from vvlm_desktop.errors import FormatError, JobCancelledError
from vvlm_desktop.formats.media import place_media, safe_name, unique_names


def test_clips_are_linked_to_the_original(tmp_path):
    clip = make_clip(tmp_path / "in")

    placed = place_media([clip], tmp_path / "clips", copy=False)

    link = tmp_path / "clips" / "a.mp4"
    assert (placed.linked, placed.hardlinked, placed.copied) == (1, 0, 0)
    assert link.is_symlink()
    assert link.resolve() == Path(clip.path)


def test_a_clip_that_is_itself_a_link_is_linked_to_its_file(tmp_path):
    clip = make_clip(tmp_path / "in")
    (tmp_path / "in" / "alias.mp4").symlink_to(clip.path)

    place_media([replace(clip, path=str(tmp_path / "in" / "alias.mp4"))], tmp_path / "clips", copy=False)

    assert (tmp_path / "clips" / "alias.mp4").readlink() == Path(clip.path)


def _no_links(self, target, **kwargs):
    raise OSError(errno.EPERM, "not allowed")


def test_without_symbolic_links_hard_links_are_made_and_counted(tmp_path, monkeypatch):
    clip = make_clip(tmp_path / "in")
    monkeypatch.setattr(Path, "symlink_to", _no_links)

    placed = place_media([clip], tmp_path / "clips", copy=False)

    assert (placed.linked, placed.hardlinked) == (0, 1)
    assert (tmp_path / "clips" / "a.mp4").samefile(clip.path)


def test_without_any_links_the_user_is_told_to_copy(tmp_path, monkeypatch):
    clip = make_clip(tmp_path / "in")
    monkeypatch.setattr(Path, "symlink_to", _no_links)
    monkeypatch.setattr(os, "link", _no_links)

    with pytest.raises(FormatError) as caught:
        place_media([clip], tmp_path / "clips", copy=False)

    assert "--copy" in caught.value.hint


def test_a_full_disk_is_not_mistaken_for_missing_links(tmp_path, monkeypatch):
    def full(self, target, **kwargs):
        raise OSError(errno.ENOSPC, "full")

    clip = make_clip(tmp_path / "in")
    monkeypatch.setattr(Path, "symlink_to", full)

    with pytest.raises(OSError, match="full"):
        place_media([clip], tmp_path / "clips", copy=False)


def test_copies_have_the_same_bytes(tmp_path):
    clip = make_clip(tmp_path / "in", content=os.urandom(3_000_000))

    placed = place_media([clip], tmp_path / "clips", copy=True)

    copied = tmp_path / "clips" / "a.mp4"
    assert placed.copied == 1
    assert not copied.is_symlink()
    assert copied.read_bytes() == Path(clip.path).read_bytes()


def test_a_copy_whose_content_is_no_longer_the_clip_fails_and_leaves_no_file(tmp_path):
    clip = make_clip(tmp_path / "in", content=b"before")
    Path(clip.path).write_bytes(b"after!")

    placed = place_media([clip], tmp_path / "clips", copy=True)

    assert "content has changed" in placed.failed[clip.sha256]
    assert list((tmp_path / "clips").iterdir()) == []


@pytest.mark.parametrize("copy", [False, True])
def test_missing_and_changed_files_fail_alone_with_the_reason(tmp_path, copy):
    good, gone, grown = (make_clip(tmp_path / "in", name) for name in ("good.mp4", "gone.mp4", "grown.mp4"))
    Path(gone.path).unlink()
    Path(grown.path).write_bytes(b"more than it was before, by far")

    placed = place_media([gone, grown, good], tmp_path / "clips", copy=copy)

    assert placed.files == {good.sha256: "good.mp4"}
    assert "no longer at" in placed.failed[gone.sha256]
    assert "changed since it was added" in placed.failed[grown.sha256]


def test_a_folder_in_place_of_the_file_fails_alone(tmp_path):
    clip = make_clip(tmp_path / "in")
    Path(clip.path).unlink()
    Path(clip.path).mkdir()

    assert clip.sha256 in place_media([clip], tmp_path / "clips", copy=False).failed


def test_two_streams_of_one_file_share_it(tmp_path):
    first = make_clip(tmp_path / "in")
    second = make_clip(tmp_path / "in", stream_index=1)

    placed = place_media([first, second], tmp_path / "clips", copy=False)

    assert placed.files == {first.sha256: "a.mp4"}
    assert placed.linked == 1


@pytest.mark.parametrize("name", ["drive home.mp4", "🚗💥.mp4", "#1 100%.mp4", "größe.MP4", "a.b.c.mp4", "no suffix"])
def test_ordinary_names_stay_as_they_are(name):
    assert safe_name(f"/some/where/{name}") == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a:b.mp4", "a_b.mp4"),
        ("a\nb.mp4", "a_b.mp4"),
        ("a\\b.mp4", "a_b.mp4"),
        ("con.mp4", "_con.mp4"),
        ("COM1", "_COM1"),
        (".hidden.mp4", "_hidden.mp4"),
        ("end. ", "end"),
        ("a\udcff.mp4", "a_.mp4"),
        ("...", "clip"),
    ],
)
def test_names_that_some_system_refuses_are_changed(name, safe):
    assert safe_name(f"/some/where/{name}") == safe


def test_long_names_are_cut_between_characters_and_keep_their_suffix():
    name = safe_name("/x/" + "🚗" * 100 + ".mp4")

    assert len(name.encode()) <= 255
    assert name.endswith("🚗.mp4")


def test_clashing_names_get_a_piece_of_the_hash_whatever_the_order(tmp_path):
    clips = [
        make_clip(tmp_path / "one", "a.mp4", content=b"1"),
        make_clip(tmp_path / "two", "A.MP4", content=b"2"),
        make_clip(tmp_path / "three", "a\u0308.mp4", content=b"3"),
        make_clip(tmp_path / "four", "ä.mp4", content=b"4"),
        make_clip(tmp_path / "five", "alone.mp4", content=b"5"),
    ]

    names = unique_names(clips)

    assert names == unique_names(clips[::-1])
    assert names[clips[0].sha256] == f"a-{clips[0].sha256[:8]}.mp4"
    assert names[clips[1].sha256] == f"A-{clips[1].sha256[:8]}.MP4"
    assert names[clips[4].sha256] == "alone.mp4"
    assert len({name.casefold() for name in names.values()}) == 5


def test_a_name_made_unique_does_not_clash_with_one_that_looked_so_already(tmp_path):
    first = make_clip(tmp_path / "one", "a.mp4", content=b"1")
    second = make_clip(tmp_path / "two", "a.mp4", content=b"2")
    trap = make_clip(tmp_path / "three", f"a-{first.sha256[:8]}.mp4", content=b"3")

    assert len(set(unique_names([first, second, trap]).values())) == 3


def test_progress_counts_files_and_cancelling_stops(tmp_path):
    clips = [make_clip(tmp_path / "in", name) for name in ("a.mp4", "b.mp4")]
    told: list[tuple[int, int, str]] = []

    place_media(clips, tmp_path / "one", copy=False, progress=lambda *args: told.append(args))
    assert told == [(0, 2, "a.mp4"), (1, 2, "b.mp4"), (2, 2, "")]

    with pytest.raises(JobCancelledError):
        place_media(clips, tmp_path / "two", copy=True, cancelled=lambda: True)

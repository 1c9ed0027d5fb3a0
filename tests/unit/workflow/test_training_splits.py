"""Which part a clip belongs to: decided once, kept, and never separated from what belongs to it."""

from __future__ import annotations

import json

import pytest

from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.formats.split import assign_split
from vvlm_desktop.workflow.training_splits import BOOK_FILE, Member, place, read_book, write_book


def recordings(split: str, count: int) -> list[str]:
    found = (f"drive-{n}" for n in range(10_000) if assign_split(f"drive-{n}") == split)
    return [next(found) for _ in range(count)]


def members(*names: str, **changes) -> list[Member]:
    return [Member(f"clip of {name}", name, **changes) for name in names]


def splits(found) -> dict[str, str]:
    return {clip_id: placement.split for clip_id, placement in found.items()}


def test_a_new_recording_falls_where_its_name_says():
    names = [name for split in ("train", "val", "test") for name in recordings(split, 3)]

    found = place(members(*names), book={})

    assert splits(found) == {f"clip of {name}": assign_split(name) for name in names}
    assert {placement.problem for placement in found.values()} == {""}


def test_adding_clips_moves_nothing():
    names = recordings("train", 12) + recordings("val", 2) + recordings("test", 2)
    first = place(members(*names[:6]), book={})
    book = splits(first)

    for end in range(7, len(names)):
        found = place(members(*names[:end]), book=book)
        assert {clip_id: split for clip_id, split in splits(found).items() if clip_id in book} == book
        book |= {clip_id: split for clip_id, split in splits(found).items() if clip_id not in book}


def test_a_part_that_the_hash_leaves_empty_is_filled_with_new_recordings():
    names = recordings("train", 20)

    found = splits(place(members(*names), book={}))
    tally = {split: list(found.values()).count(split) for split in ("train", "val", "test")}
    assert tally == {"train": 16, "val": 2, "test": 2}

    decided = {f"clip of {name}": "train" for name in names}
    assert set(splits(place(members(*names), book=decided)).values()) == {"train"}


def test_clips_that_are_not_in_the_set_fill_no_part():
    names, waiting = recordings("train", 10), recordings("test", 3) + recordings("val", 3)

    found = splits(place(members(*names, *waiting), book={}, taking_part={f"clip of {name}" for name in names}))

    assert [found[f"clip of {name}"] for name in names].count("test") == 1
    assert [found[f"clip of {name}"] for name in names].count("val") == 1


def test_few_recordings_are_left_to_the_hash():
    assert set(splits(place(members(*recordings("train", 4)), book={})).values()) == {"train"}


def test_clips_of_one_recording_and_clips_that_look_the_same_stay_together():
    (train,), (test,) = recordings("train", 1), recordings("test", 1)
    every = [Member("a", train), Member("b", train), Member("c", test), Member("d", test)]

    apart = place(every, book={})
    together = place(every, similar=[("b", "c"), ("c", "not here")], book={})

    assert len(set(splits(apart).values())) == 2
    assert len(set(splits(together).values())) == 1
    assert len({placement.group for placement in together.values()}) == 1


def test_what_was_tested_on_never_trains_and_draws_new_lookalikes_to_it():
    (train,) = recordings("train", 1)

    found = place([Member("old", "x"), Member("new", train)], similar=[("old", "new")], book={"old": "test"})

    assert splits(found) == {"old": "test", "new": "test"}


def test_a_trained_clip_that_turns_out_to_belong_to_the_test_part_is_kept_out():
    found = place([Member("a", "x"), Member("b", "y")], similar=[("a", "b")], book={"a": "test", "b": "train"})

    assert found["a"].problem == ""
    assert "leak" in found["b"].problem
    assert found["b"].split == "test"


def test_a_group_with_a_draft_measures_nobody():
    (test,) = recordings("test", 1)
    every = [Member("a", test, drafted=True), Member("b", test)]

    assert set(splits(place(every, book={})).values()) == {"val"}
    found = place(every, book={"a": "test", "b": "test"})
    assert set(splits(found).values()) == {"val"}
    assert {placement.problem for placement in found.values()} == {""}


def test_the_book_survives_being_lost_or_damaged(tmp_path):
    write_book(tmp_path, {"a": "test", "b": "train"})
    assert read_book(tmp_path) == {"a": "test", "b": "train"}
    (tmp_path / BOOK_FILE).write_text("{damaged")
    assert read_book(tmp_path, sets=[{"a": "test"}]) == {"a": "test"}
    (tmp_path / BOOK_FILE).write_text(json.dumps({"clips": {"a": "nonsense", "b": "val"}}))
    assert read_book(tmp_path) == {"b": "val"}
    (tmp_path / BOOK_FILE).unlink()
    assert read_book(tmp_path, sets=[{"a": "test"}, {"b": "val"}]) == {"a": "test", "b": "val"}


def test_a_book_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFullError):
        write_book(tmp_path / "file", {})

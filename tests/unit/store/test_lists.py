"""Lists of clips: filters, orders, pages, and search that takes whatever is typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.store.builders import make_analysis, make_clip, note, status, verdict
from vvlm_desktop.store.library import ClipFilter, Library
from vvlm_desktop.store.search import SORTS
from vvlm_desktop.store.signing import SigningKey


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory, key: SigningKey) -> Iterator[Library]:
    """Clips 1 to 5: reviewed as collision, analysed, broken, sample, dismissed. To be read only."""
    with Library.open(tmp_path_factory.mktemp("five"), key=key) as library:
        _fill(library)
        yield library


def _fill(library: Library) -> None:
    names = {1: "Charlie_1.mp4", 2: "alpha 2.mp4", 3: "Bravo-3.mp4", 4: "été 🚗.mp4", 5: "delta.mp4"}
    for number, name in names.items():
        clip = make_clip(number, path=f"/d/{name}", duration_s=10.0 - number)
        if number == 3:
            clip = replace(clip, frames=0, problem="Nothing plays.")
        library.add_clip(replace(clip, is_sample=number == 4))
    library.add_analysis(make_analysis(make_clip(1), attention=0.2, backend="video-model"))
    library.add_analysis(make_analysis(make_clip(2), attention=0.9))
    library.append([verdict(make_clip(1)), status(make_clip(1)), note(make_clip(1), "Ask the driver's shift lead")])
    library.append([status(make_clip(5), "dismissed", reviewer="Ben", reason="duplicate")])


def _numbers(library: Library, chosen: ClipFilter | None = None, **order: object) -> list[int]:
    by_id = {make_clip(number).id: number for number in range(10)}
    return [by_id[row.clip.id] for row in library.clip_rows(library.clip_rowids(chosen, **order))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        (ClipFilter(), [1, 2, 3, 4, 5]),
        (ClipFilter(status=("reviewed", "dismissed")), [1, 5]),
        (ClipFilter(problem=True), [3]),
        (ClipFilter(problem=False), [1, 2, 4, 5]),
        (ClipFilter(readable=True), [1, 2, 4, 5]),
        (ClipFilter(readable=False), [3]),
        (ClipFilter(sample=True), [4]),
        (ClipFilter(backend="video-model", reviewer="Anna"), [1]),
        (ClipFilter(sample=False, problem=False), [1, 2, 5]),
        (ClipFilter(backend="signals"), [2]),
        (ClipFilter(reviewer="Ben"), [5]),
        (ClipFilter(reviewer="Ben", status=("reviewed",)), []),
        (ClipFilter(labels={"event_type": ("collision",)}), [1]),
        (ClipFilter(labels={"event_type": ("collision", "near_miss")}), [1, 2]),
        (ClipFilter(labels={"cause_of_risk": ("late_reaction",)}), [2]),
        (ClipFilter(labels={"ego_response": ("",)}), [2]),
        (ClipFilter(labels={"event_time": ("present",)}), [2]),
        (ClipFilter(labels={"event_type": ("near_miss",), "cause_of_risk": ("speeding",)}), [2]),
        (ClipFilter(labels={"event_type": ()}), []),
        (ClipFilter(text="alp"), [2]),
        (ClipFilter(text="ALPHA 2"), [2]),
        (ClipFilter(text="shift driver"), [1]),
        (ClipFilter(text="van cuts"), [1, 2]),  # the caption, which nobody judged, of the reviewed one too
        (ClipFilter(text="ete"), [4]),
        (ClipFilter(text="e\u0301te\u0301"), [4]),
        (ClipFilter(text="🚗"), [4]),
        (ClipFilter(text="lpha"), []),  # words are found from their beginning
        (ClipFilter(text="  "), [1, 2, 3, 4, 5]),
        (ClipFilter(text="charlie_1"), [1]),
        (ClipFilter(text="mp4", status=("needs_review",), problem=False), [2, 4]),
    ],
)
def test_filters(five: Library, chosen: ClipFilter, numbers: list[int]) -> None:
    assert _numbers(five, chosen) == numbers
    assert five.count_clips(chosen) == len(numbers)
    for sort in SORTS:
        assert sorted(_numbers(five, chosen, sort=sort)) == numbers


@pytest.mark.parametrize(
    ("sort", "up", "down"),
    [
        ("added", [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),
        ("name", [2, 3, 1, 5, 4], [4, 5, 1, 3, 2]),
        ("duration", [5, 4, 3, 2, 1], [1, 2, 3, 4, 5]),
        ("status", [2, 3, 4, 1, 5], [5, 1, 4, 3, 2]),
        ("event", [1, 2, 3, 4, 5], [2, 1, 5, 4, 3]),  # clips without an event come last in both directions
        ("attention", [1, 2, 3, 4, 5], [2, 1, 5, 4, 3]),
        ("updated", [3, 4, 2, 1, 5], [5, 1, 2, 4, 3]),
    ],
)
def test_orders(five: Library, sort: str, up: list[int], down: list[int]) -> None:
    if sort == "updated":  # Anna's and Ben's actions may fall into the same millisecond
        ordered = _numbers(five, sort=sort)
        assert ordered[:3] == up[:3]
        assert set(ordered[3:]) == {1, 5}
        return
    assert _numbers(five, sort=sort) == up
    assert _numbers(five, sort=sort, descending=True) == down


def test_an_unknown_order_or_status_is_misuse(five: Library) -> None:
    with pytest.raises(ValueError, match="cannot sort by 'colour'"):
        five.clip_rowids(sort="colour")
    with pytest.raises(ValueError, match="finished"):
        five.clip_rowids(ClipFilter(status=("finished",)))


def test_a_row_holds_what_the_table_shows(five: Library) -> None:
    first, second, third = five.clip_rows(five.clip_rowids())[:3]
    assert (first.labels, first.source, first.reviewer) == ({"event_type": "collision"}, "review", "Anna")
    assert (first.clip.status, first.confidence, first.backend) == ("reviewed", 0.75, "video-model")
    assert second.labels["cause_of_risk"] == ["speeding", "late_reaction"]
    assert (second.source, second.attention, second.analysed, second.reviewer) == ("analysis", 0.9, True, None)
    assert second.updated_at == "2026-01-02T00:00:00.000Z"
    assert (third.labels, third.source, third.analysed, third.backend) == ({}, None, False, None)
    assert third.clip.problem == "Nothing plays."


def test_pages_keep_the_order_asked_for_and_leave_out_what_is_gone(five: Library) -> None:
    ids = list(five.clip_rowids())
    assert [row.rowid for row in five.clip_rows([ids[3], 999, ids[0]])] == [ids[3], ids[0]]
    assert five.clip_rows([]) == []


def test_labels_of_a_review_in_progress_are_not_shown_as_truth(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    library.add_analysis(make_analysis(clip))
    library.append([verdict(clip, "collision")])
    row = library.clip_rows(library.clip_rowids())[0]
    assert (row.clip.status, row.source, row.labels["event_type"]) == ("in_review", "analysis", "near_miss")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=12) | st.sampled_from(['"', "'", "a AND", "NEAR(", "^x", "*", "name:x", "-1", "%", "\x00"])
)
def test_no_typed_text_breaks_the_search(five: Library, text: str) -> None:
    assert five.count_clips(ClipFilter(text=text)) == len(five.clip_rowids(ClipFilter(text=text), sort="name"))

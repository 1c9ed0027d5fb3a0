"""The clips worth most attention come first, misses get a chance, and nothing jumps under the hand."""

from __future__ import annotations

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.review_queue import ReviewQueue
from vvlm_desktop.workflow.session import Session


def _fill(session: Session, count: int) -> list[str]:
    """`count` clips, the later the less attention."""
    ids = []
    for number in range(count):
        clip = put_clip(session, f"{number:03}.mp4")
        put_answer(session, clip, {"event_type": "no_incident"}, attention=1.0 - number / count)
        ids.append(clip.id)
    return ids


def _ids(queue: ReviewQueue) -> list[str]:
    return [clip.id for clip in queue.clips(0, len(queue.rowids))]


def test_most_attention_comes_first_and_the_unreadable_not_at_all(session: Session) -> None:
    ids = _fill(session, 6)
    put_clip(session, "broken.mp4", frames=0, problem="cut off")
    queue = ReviewQueue(session)
    queue.refresh()
    assert _ids(queue) == ids


def test_settled_and_dismissed_clips_are_not_asked_for_again(session: Session) -> None:
    ids = _fill(session, 4)
    review.accept_rest(session, ids[0], window_seen=True)
    review.set_status(session, ids[1], "dismissed", reason="duplicate")
    review.set_value(session, ids[2], "weather", "rain")
    queue = ReviewQueue(session)
    queue.refresh()
    assert _ids(queue) == ids[2:]


def test_every_twentieth_place_goes_to_a_clip_of_the_lower_half(session: Session) -> None:
    ids = _fill(session, 100)
    queue = ReviewQueue(session)
    queue.refresh()
    order = _ids(queue)
    assert sorted(order) == sorted(ids)
    chosen = [order.index(clip.id) for row in queue.random_rowids for clip in _clip(session, row)]
    assert sorted(chosen) == [19, 39]
    assert all(ids.index(order[place]) >= 50 for place in chosen)
    again = ReviewQueue(session)
    again.refresh()
    assert again.rowids == queue.rowids, "the same library gives the same order at each start"


def _clip(session: Session, rowid: int) -> list[Clip]:
    return [row.clip for row in session.library.clip_rows([rowid])]


def test_order_stays_while_a_clip_is_open_and_what_is_new_comes_last(session: Session) -> None:
    ids = _fill(session, 8)
    queue = ReviewQueue(session)
    queue.refresh()
    before = list(queue.rowids)
    urgent = put_clip(session, "urgent.mp4")
    put_answer(session, urgent, {"event_type": "collision"}, attention=1.0)
    put_answer(session, session.library.clip(ids[7]), {"event_type": "collision"}, attention=1.0)
    for current in (before[4], before[1]):  # whichever clip one jumps to
        queue.refresh(current=current)
        assert queue.rowids[:8] == before
        assert _ids(queue)[8] == urgent.id
    assert not queue.sorted_by_rank
    queue.refresh()
    assert set(_ids(queue)[:2]) == {urgent.id, ids[7]}
    assert queue.sorted_by_rank


def test_finished_clip_leaves_the_order_of_the_others_and_the_open_one_its_place(session: Session) -> None:
    ids = _fill(session, 5)
    queue = ReviewQueue(session)
    queue.refresh()
    for done in (ids[1], ids[2]):
        review.accept_rest(session, done, window_seen=True)
    queue.refresh(current=queue.rowids[2])
    assert _ids(queue) == [ids[0], ids[2], ids[3], ids[4]]
    assert queue.sorted_by_rank


def test_clip_that_is_there_by_chance_stays_so_when_the_library_is_read_again(session: Session) -> None:
    _fill(session, 100)
    queue = ReviewQueue(session)
    queue.refresh()
    before = list(queue.rowids), queue.random_rowids
    queue.refresh(current=queue.rowids[30])
    assert (queue.rowids, queue.random_rowids) == before
    assert queue.sorted_by_rank


@pytest.mark.parametrize("step", [1, -1])
def test_next_unfinished_passes_over_what_was_settled_meanwhile(session: Session, step: int) -> None:
    ids = _fill(session, 5)
    queue = ReviewQueue(session)
    queue.refresh()
    review.accept_rest(session, ids[2], window_seen=True)
    start, expected = (ids[1], ids[3]) if step > 0 else (ids[3], ids[1])
    rowid = queue.next_unfinished(queue.rowids[ids.index(start)], step=step)
    assert rowid is not None
    assert _clip(session, rowid)[0].id == expected
    edge = queue.rowids[-1 if step > 0 else 0]
    assert queue.next_unfinished(edge, step=step) is None

"""Two programs on one library: what another one analyses in the same way is left to it, by exactly one of the two."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.unit.workflow.conftest import put_clip
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.workflow.interrupted import options_to_keep, take_over
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.sharing import begin_batch, pending_elsewhere
from vvlm_desktop.workflow.workers import Workers

OPTIONS = {"model": "m", "adapter": None, "frames": 8}


@pytest.fixture
def clips(session: Session) -> list[Clip]:
    return [put_clip(session, f"{name}.mp4") for name in "abc"]


@pytest.fixture
def other() -> Iterator[dict[str, Any]]:
    """A living program that is not this one, as the owner of a batch."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield {"pid": process.pid, "created": psutil.Process(process.pid).create_time(), "token": "t"}
    process.communicate(b"\n", timeout=10)


def put_batch(session: Session, clips: list[Clip], owner: dict[str, Any], **options: Any) -> str:
    kept = options_to_keep({**OPTIONS, **options}, schema=session.schema, owner=owner)
    return session.library.open_batch("local", [clip.id for clip in clips], options=kept)


def test_clips_of_another_run_are_left_to_it(session: Session, clips: list[Clip], other: dict[str, Any]) -> None:
    put_batch(session, clips[:2], other)
    batch_id, todo, taken = begin_batch(session, clips, backend="local", options=OPTIONS)
    assert (todo, taken) == ([clips[2]], {clips[0].id, clips[1].id})
    assert batch_id is not None
    assert session.library.batch_pending(batch_id) == [clips[2].id]
    assert take_over(session, batch_id, owner=Workers(lambda _: None).owner), "the workers here may take it"


def test_where_another_run_has_all_nothing_is_left_open(
    session: Session, clips: list[Clip], other: dict[str, Any]
) -> None:
    theirs = put_batch(session, clips, other)
    assert begin_batch(session, clips, backend="local", options=OPTIONS)[:2] == (None, [])
    assert [batch.id for batch in session.library.unfinished_batches()] == [theirs]


@pytest.mark.parametrize("changed", [{"frames": 4}, {"model": "n"}, {"adapter": "run 1"}])
def test_another_question_is_asked_all_the_same(
    session: Session, clips: list[Clip], other: dict[str, Any], changed: dict[str, Any]
) -> None:
    put_batch(session, clips, other, **changed)
    assert begin_batch(session, clips, backend="local", options=OPTIONS)[1:] == (clips, frozenset())


def test_of_two_that_begin_at_once_the_first_noted_does_the_work(
    session: Session, clips: list[Clip], other: dict[str, Any]
) -> None:
    mine, _, _ = begin_batch(session, clips, backend="local", options=OPTIONS)
    put_batch(session, clips, other)  # noted after ours
    assert pending_elsewhere(session, backend="local", options=OPTIONS, before=mine) == frozenset()


def test_run_that_died_is_no_reason_to_wait(session: Session, clips: list[Clip], other: dict[str, Any]) -> None:
    put_batch(session, clips[:1], {**other, "created": 1.0})
    assert begin_batch(session, clips, backend="local", options=OPTIONS)[2] == frozenset()

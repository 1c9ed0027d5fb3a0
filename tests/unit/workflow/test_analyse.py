"""A batch survives what its child does: answers, fails, dies, is told to stop; each clip is settled exactly once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from tests.unit.workflow.workers import FakeWorkers
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.jobs.child import ChildExited
from vvlm_desktop.protocol import AnalyseRequest, Done, Failure, Progress, Result
from vvlm_desktop.workflow import analyse
from vvlm_desktop.workflow.analyse import AnalyseBatch, BatchEvent
from vvlm_desktop.workflow.interrupted import continue_or_begin, interrupted_batches, pending_clip_ids
from vvlm_desktop.workflow.session import Session


class Bench:
    """A batch, its child, and what it told."""

    def __init__(self, session: Session, clips: list[Clip], *, batch_id: str | None = None) -> None:
        self.workers = FakeWorkers()
        self.events: list[BatchEvent] = []
        self.batch = AnalyseBatch(
            session,
            clips,
            backend="signals",
            workers=self.workers,
            on_event=self.events.append,
            batch_id=batch_id,
        )

    @property
    def asked(self) -> AnalyseRequest:
        return self.workers.only.requests[-1]

    def answer(self, **changes: Any) -> None:
        answer = Answer(
            labels={"time_of_day": "day"},
            confidence={"time_of_day": 0.9},
            confidence_kind="measured_margin",
            frames_pts=(0,),
            raw_text="{}",
            model="signals 1",
            provenance="measurement",
            **changes,
        )
        self.batch.handle(Result(self.asked.id, answer.to_json()))
        self.batch.handle(Done(self.asked.id))

    def kinds(self) -> list[str]:
        return [e.kind for e in self.events if e.kind != "progress"]


@pytest.fixture
def clips(session: Session, tmp_path: Path) -> list[Clip]:
    made = []
    for number in range(3):
        file = tmp_path / f"{number}.mp4"
        file.write_text(file.name)
        made.append(put_clip(session, file.name, path=str(file), size_bytes=len(file.name)))
    return made


def _died(kind: str = "signals", *, pid: int = 1001, expected: bool = False) -> ChildExited:
    return ChildExited(kind, -9, expected=expected, stderr_tail="last words", pid=pid)


def _full(*_arguments: object, **_named: object) -> None:
    raise StorageFullError("The disk is full.", hint="Make room.")


def test_each_answer_is_stored_and_the_next_clip_asked_for(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    for clip in clips:
        assert bench.asked.clip_id == clip.id
        bench.answer()
    assert bench.kinds() == ["started", "analysed", "analysed", "analysed", "finished"]
    assert [len(session.library.analyses(c.id)) for c in clips] == [1, 1, 1]
    assert session.library.unfinished_batches() == []


def test_failed_clip_is_named_and_the_others_go_on(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.batch.handle(Failure(bench.asked.id, "Damaged.", hint="Copy it again.", details="trace"))
    bench.batch.handle(Done(bench.asked.id))
    bench.answer()
    bench.answer()
    (failed,) = [e for e in bench.events if e.kind == "failed"]
    assert (failed.clip, failed.message, failed.hint) == (clips[0], "Damaged.", "Copy it again.")
    assert (bench.batch.done, bench.batch.failed, bench.batch.finished) == (2, 1, True)


def test_dead_worker_gets_the_clip_once_more_then_it_is_marked(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.batch.handle(_died())
    assert [r.clip_id for r in bench.workers.only.requests] == [clips[0].id] * 2
    bench.batch.handle(_died())
    (failed,) = [e for e in bench.events if e.kind == "failed"]
    assert failed.clip == clips[0]
    assert failed.details == "last words"
    assert bench.asked.clip_id == clips[1].id


def test_another_kinds_death_is_no_concern(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.batch.handle(_died("cloud"))
    assert len(bench.workers.only.requests) == 1


def test_late_words_about_an_earlier_request_are_ignored(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    first = bench.asked
    bench.batch.handle(_died())
    bench.batch.handle(Result(first.id, {}))
    bench.batch.handle(Done(first.id))
    assert len(bench.workers.only.requests) == 2
    assert session.library.analyses(clips[0].id) == []


def test_cancel_stops_within_the_clip_and_keeps_what_was_stored(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.answer()
    bench.batch.cancel()
    assert bench.workers.only.cancelled == [bench.asked.id]
    bench.batch.handle(Failure(bench.asked.id, "Cancelled.", cancelled=True))
    bench.batch.handle(Done(bench.asked.id))
    assert bench.kinds()[-1] == "cancelled"
    assert bench.batch.failed == 0
    assert [len(session.library.analyses(c.id)) for c in clips] == [1, 0, 0]


def test_missing_file_is_passed_over(session: Session, clips: list[Clip]) -> None:
    Path(clips[0].path).unlink()
    bench = Bench(session, clips)
    bench.batch.start()
    assert bench.asked.clip_id == clips[1].id
    assert "no longer" in next(e.message for e in bench.events if e.kind == "failed")


def test_worker_that_cannot_start_leaves_every_clip_waiting(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.workers.only.refusals = 100
    bench.batch.start()
    assert bench.batch.finished
    assert bench.kinds() == ["started", "stopped"]
    (left,) = interrupted_batches(session)
    assert left.clips == tuple(clips)


def test_full_disk_is_told_for_the_clip_and_nothing_is_half_stored(
    session: Session, clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    monkeypatch.setattr(type(session.library), "add_analysis", _full)
    bench.answer()
    (failed,) = [e for e in bench.events if e.kind == "failed"]
    assert (failed.message, failed.hint) == ("The disk is full.", "Make room.")
    assert session.library.analyses(clips[0].id) == []


def test_time_left_follows_the_length_of_what_is_left(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    assert bench.events[-1].seconds_left is None
    bench.answer()
    first = bench.events[-1].seconds_left
    assert first is not None
    bench.batch.handle(Progress(bench.asked.id, 0.5, "measuring"))
    later = bench.events[-1].seconds_left
    assert later is not None
    assert later < first


def test_killed_batch_is_found_and_goes_on(session: Session, clips: list[Clip]) -> None:
    batch = session.library.open_batch("signals", [c.id for c in clips], options={"owner": {"pid": 1, "created": 0.0}})
    put_answer(session, clips[0], {"time_of_day": "day"}, created_at="2000-01-01T00:00:00.000Z")
    session.library.batch_done(batch, clips[0].id)
    (left,) = interrupted_batches(session)
    assert [c.id for c in left.clips] == [c.id for c in clips[1:]]
    assert left.options == {}
    assert continue_or_begin(session, clips, backend="signals", options={}) == (batch, clips[1:])
    assert continue_or_begin(session, clips, backend="signals", options={"frames": 3})[0] is None


def test_batch_of_a_living_program_is_left_alone(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    assert interrupted_batches(session) == []
    assert continue_or_begin(session, clips, backend="signals", options={})[0] is None


def test_batch_whose_clips_were_analysed_since_is_closed(session: Session, clips: list[Clip]) -> None:
    session.library.open_batch("signals", [clips[0].id], options={})
    put_answer(session, clips[0], {"time_of_day": "day"}, created_at="2000-01-01T00:00:00.000Z")
    assert interrupted_batches(session) == []
    assert session.library.unfinished_batches() == []


def test_analysis_from_before_the_batch_does_not_settle_its_clip(session: Session, clips: list[Clip]) -> None:
    put_answer(session, clips[0], {"time_of_day": "day"}, created_at="2999-01-01T00:00:00.000Z")
    session.library.open_batch("signals", [clips[0].id], options={})
    assert [left.clips for left in interrupted_batches(session)] == [(clips[0],)]


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), StorageFullError("The disk is full.")])
def test_clip_that_cannot_be_looked_for_is_its_own_failure(
    session: Session, clips: list[Clip], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def closed(_session: Session, clip: Clip) -> Path:
        if clip.id == clips[0].id:
            raise error
        return Path(clip.path)

    monkeypatch.setattr(analyse, "existing_path", closed)
    bench = Bench(session, clips)
    bench.batch.start()
    assert bench.asked.clip_id == clips[1].id
    assert bench.batch.failed == 1


def test_failure_that_cannot_be_stored_does_not_stop_the_batch(
    session: Session, clips: list[Clip], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    for name in ("batch_done", "close_batch"):
        monkeypatch.setattr(type(session.library), name, _full)
    for _ in clips:
        bench.batch.handle(Failure(bench.asked.id, "Damaged."))
        bench.batch.handle(Done(bench.asked.id))
    assert bench.kinds() == ["started", "failed", "failed", "failed", "finished"]
    assert "could not be stored" in caplog.text


def test_answer_that_cannot_be_read_is_a_failure(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.batch.handle(Result(bench.asked.id, {"nonsense": 1}))
    bench.batch.handle(Done(bench.asked.id))
    assert bench.batch.failed == 1
    assert bench.asked.clip_id == clips[1].id


def test_late_end_of_an_earlier_worker_is_not_counted_against_the_clip(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.batch.handle(_died(pid=77))
    bench.batch.handle(_died(pid=77))
    assert len(bench.workers.only.requests) == 1
    assert bench.batch.failed == 0


def test_worker_that_dies_just_before_it_is_asked_is_replaced(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.workers.only.refusals = 1
    bench.batch.start()
    assert bench.asked.clip_id == clips[0].id
    assert bench.batch.failed == 0
    bench.batch.handle(_died(pid=1001))  # the one that took nothing
    assert len(bench.workers.only.requests) == 1


def test_worker_that_dies_after_its_answer_settles_the_clip_once(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips[:1])
    bench.batch.start()
    answer = Answer({}, {}, None, (0,), "{}", model="m", provenance="measurement")
    bench.batch.handle(Result(bench.asked.id, answer.to_json()))
    bench.batch.handle(_died())
    assert (bench.batch.done, bench.batch.failed, bench.batch.finished) == (1, 0, True)
    assert len(bench.workers.only.requests) == 1


def test_worker_that_was_sent_away_gets_the_clip_again_and_no_try_is_counted(
    session: Session, clips: list[Clip]
) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    for _ in range(3):
        bench.batch.handle(_died(expected=True))
    assert [r.clip_id for r in bench.workers.only.requests] == [clips[0].id] * 4
    assert bench.batch.failed == 0


def test_cancel_ends_at_once_where_no_worker_is_left_to_answer(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.workers.alive = False
    bench.batch.cancel()
    assert bench.batch.finished
    assert bench.kinds()[-1] == "cancelled"
    bench.batch.handle(_died())
    assert bench.kinds().count("cancelled") == 1


def test_batch_in_line_is_in_the_library_before_it_begins(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    assert bench.batch.open()
    (batch,) = session.library.unfinished_batches()
    assert (batch.pending, batch.options["schema_key"]) == (3, session.schema.key)
    assert pending_clip_ids(session, "signals") == {c.id for c in clips}
    bench.batch.start()
    assert len(session.library.unfinished_batches()) == 1
    assert bench.batch.pending_ids == {c.id for c in clips}
    bench.answer()
    assert bench.batch.pending_ids == {c.id for c in clips[1:]}


def test_batch_of_closed_workers_in_this_process_goes_on(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    assert interrupted_batches(session) == []
    bench.workers.close()
    (left,) = interrupted_batches(session)
    assert left.clips == tuple(clips)


def test_released_batch_is_taken_by_the_first_who_asks_and_by_nobody_else(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.batch.release()
    (left,) = interrupted_batches(session)
    first, second = (Bench(session, list(left.clips), batch_id=left.batch_id) for _ in range(2))
    assert first.batch.open()
    assert not second.batch.open()
    second.batch.start()
    assert second.kinds() == ["started", "finished"]
    assert second.workers.only.requests == []
    (batch,) = session.library.unfinished_batches()
    assert batch.options["owner"] == first.workers.owner
    first.batch.start()
    assert first.asked.clip_id == clips[0].id


def test_batch_of_another_label_schema_does_not_fit(session: Session, clips: list[Clip]) -> None:
    session.library.open_batch("signals", [c.id for c in clips], options={"schema_key": "fleet-3", "labels_sha": "x"})
    (left,) = interrupted_batches(session)
    assert (left.fits, left.schema_key, left.options) == (False, "fleet-3", {})
    assert continue_or_begin(session, clips, backend="signals", options={})[0] is None


def test_batch_with_the_same_name_of_schema_but_other_labels_does_not_fit(session: Session, clips: list[Clip]) -> None:
    key = session.schema.key
    session.library.open_batch("signals", [c.id for c in clips], options={"schema_key": key, "labels_sha": "x"})
    (left,) = interrupted_batches(session)
    assert not left.fits


def test_interrupted_batch_goes_on_under_another_consent(session: Session, clips: list[Clip]) -> None:
    kept = {"model": "m", "allow_upload": "first", "owner": {"pid": 1, "created": 0.0}}
    batch = session.library.open_batch("gemini", [c.id for c in clips], options=kept)
    session.library.batch_done(batch, clips[0].id)
    again = {"model": "m", "allow_upload": "second"}
    assert continue_or_begin(session, clips, backend="gemini", options=again) == (batch, clips[1:])
    assert continue_or_begin(session, clips, backend="gemini", options={**again, "model": "n"})[0] is None

"""A worker that works on several clips at once is kept busy, and its death is blamed on what it had begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.workflow.conftest import put_clip
from tests.unit.workflow.workers import FakeWorkers
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.backends.catalogue import backend_info
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ConsentError
from vvlm_desktop.jobs.child import ChildExited
from vvlm_desktop.protocol import AnalyseRequest, Done, Failure, Progress, Result, Upload
from vvlm_desktop.workflow.analyse import AnalyseBatch, BatchEvent
from vvlm_desktop.workflow.interrupted import continue_or_begin, interrupted_batches
from vvlm_desktop.workflow.requests import RequestHooks
from vvlm_desktop.workflow.session import Session

IN_FLIGHT = backend_info("local").in_flight
ANSWER = Answer({"time_of_day": "day"}, {}, None, (0,), "{}", model="m", provenance="model", flags=("Fewer frames.",))


class Bench:
    """A batch for a model, whose worker takes several clips at once."""

    def __init__(self, session: Session, clips: list[Clip], **changes: Any) -> None:
        self.workers = FakeWorkers()
        self.events: list[BatchEvent] = []
        self.clips = clips
        values = {"backend": "local", "workers": self.workers, "on_event": self.events.append, **changes}
        self.batch = AnalyseBatch(session, clips, **values)

    def asked(self) -> list[int]:
        """Which clips were asked for, in order."""
        return [self.number(request) for request in self.workers.only.requests]

    def number(self, request: AnalyseRequest) -> int:
        return [clip.id for clip in self.clips].index(request.clip_id)

    def request(self, number: int) -> AnalyseRequest:
        """The last one for a clip."""
        return next(r for r in reversed(self.workers.only.requests) if self.number(r) == number)

    def begin(self, number: int, done: float = 0.5) -> None:
        self.batch.handle(Progress(self.request(number).id, done, "looking"))

    def answer(self, number: int, answer: Answer = ANSWER) -> None:
        self.batch.handle(Result(self.request(number).id, answer.to_json()))
        self.batch.handle(Done(self.request(number).id))

    def die(self, *, expected: bool = False) -> None:
        pid = self.workers.only.pid
        self.workers.only.pid += 1
        self.batch.handle(ChildExited("local", -9, expected=expected, stderr_tail="last words", pid=pid))

    def kinds(self) -> list[str]:
        return [e.kind for e in self.events if e.kind != "progress"]


def make_clips(session: Session, folder: Path, count: int) -> list[Clip]:
    made = []
    for number in range(count):
        file = folder / f"{number:02}.mp4"
        file.write_text(file.name)
        made.append(put_clip(session, file.name, path=str(file), size_bytes=len(file.name)))
    return made


@pytest.fixture
def clips(session: Session, tmp_path: Path) -> list[Clip]:
    return make_clips(session, tmp_path, 4)


def test_worker_is_given_as_many_as_it_can_use_and_another_for_each_that_is_done(
    session: Session, tmp_path: Path
) -> None:
    bench = Bench(session, make_clips(session, tmp_path, IN_FLIGHT + 2))
    bench.batch.start()
    assert bench.asked() == list(range(IN_FLIGHT))
    bench.answer(5)
    bench.answer(0)
    assert bench.asked() == list(range(IN_FLIGHT + 2))
    for number in [*range(1, 5), *range(6, IN_FLIGHT + 2)]:
        assert not bench.batch.finished
        bench.answer(number)
    assert bench.kinds() == ["started", *["analysed"] * (IN_FLIGHT + 2), "finished"]
    assert session.library.unfinished_batches() == []


def test_measurements_go_one_at_a_time(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips, backend="signals")
    bench.batch.start()
    assert bench.asked() == [0]


def test_fraction_counts_every_clip_in_hand(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.begin(0, 0.5)
    bench.begin(1, 0.25)
    assert bench.events[-1].fraction == pytest.approx(0.75 / 4)
    bench.answer(1)
    assert bench.events[-1].fraction == pytest.approx(1.5 / 4)
    assert bench.events[-1].flags == ("Fewer frames.",)


def test_failure_among_several_is_its_own(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.batch.handle(Failure(bench.request(2).id, "Damaged."))
    bench.batch.handle(Done(bench.request(2).id))
    for number in (0, 1, 3):
        bench.answer(number)
    assert (bench.batch.done, bench.batch.failed, bench.batch.finished) == (3, 1, True)


def test_after_a_death_what_had_begun_is_tried_alone_and_the_rest_waits(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.begin(1)
    bench.begin(2)
    bench.die()
    assert bench.asked()[4:] == [1]
    bench.answer(1)
    assert bench.asked()[4:] == [1, 2]
    bench.answer(2)
    assert bench.asked()[4:] == [1, 2, 0, 3]
    bench.answer(0)
    bench.answer(3)
    assert (bench.batch.done, bench.batch.failed, bench.batch.finished) == (4, 0, True)


def test_clip_that_kills_its_worker_alone_too_is_marked_and_nobody_else(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.begin(0)
    bench.begin(1)
    bench.die()
    bench.begin(0)
    bench.die()
    (failed,) = [e for e in bench.events if e.kind == "failed"]
    assert (failed.clip, failed.details) == (clips[0], "last words")
    assert bench.asked()[4:] == [0, 1]
    for number in (1, 2, 3):
        bench.answer(number)
    assert (bench.batch.done, bench.batch.failed, bench.batch.finished) == (3, 1, True)


def test_worker_that_always_dies_at_once_comes_to_an_end(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    for _ in range(8):
        bench.die()
    assert bench.batch.finished
    assert bench.batch.failed <= 1
    (left,) = interrupted_batches(session)
    assert len(left.clips) == 4 - bench.batch.failed
    stopped = bench.events[-1]
    assert stopped.kind == "stopped"
    assert "fewer frames" in stopped.hint
    assert f"{len(left.clips)} clips wait" in stopped.hint
    assert stopped.details == "last words"


def test_answer_between_deaths_keeps_the_batch_going(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    for number in range(3):
        bench.begin(number)
        bench.die()  # over this clip, which waits to be tried alone
        bench.answer(number)
    assert "stopped" not in bench.kinds()
    assert (bench.batch.done, bench.batch.failed) == (3, 0)


@pytest.mark.parametrize(
    "error",
    ["BackendUnavailableError", "ModelFolderError", "OutOfMemoryError", "ConsentError", "CloudAccessError"],
)
def test_what_concerns_every_clip_is_said_once_and_all_wait(session: Session, clips: list[Clip], error: str) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    for number in bench.asked():
        told = Failure(bench.request(number).id, "No weights.", hint="Download them.", error=error)
        bench.batch.handle(told)
        bench.batch.handle(Done(told.id))
    assert bench.kinds() == ["started", "stopped"]
    assert bench.events[-1].message == "No weights."
    assert bench.events[-1].hint == "Download them. 4 clips wait; start the analysis again when this is mended."
    assert (bench.batch.failed, bench.batch.finished) == (0, True)
    (left,) = interrupted_batches(session)
    assert left.clips == tuple(clips)
    assert continue_or_begin(session, clips, backend="local", options={}) == (left.batch_id, clips)


@pytest.mark.parametrize("error", ["ClipUnreadableError", "CloudError", "BackendError", ""])
def test_trouble_over_one_clip_stops_nothing(session: Session, clips: list[Clip], error: str) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.batch.handle(Failure(bench.request(0).id, "Damaged.", error=error))
    bench.batch.handle(Done(bench.request(0).id))
    assert not bench.batch.finished
    assert bench.kinds() == ["started", "failed"]


def test_memory_that_runs_out_after_an_answer_is_that_clips_own_trouble(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.answer(0)
    bench.batch.handle(Failure(bench.request(1).id, "It does not fit.", error="OutOfMemoryError"))
    assert bench.kinds() == ["started", "analysed", "failed"]


def test_network_that_fails_after_an_answer_is_trouble_over_one_clip(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.answer(0)
    bench.batch.handle(Failure(bench.request(1).id, "It cannot be reached.", error="CloudAccessError"))
    assert bench.kinds() == ["started", "analysed", "failed"]


def test_waiting_in_the_worker_is_no_fault_also_when_its_frames_were_read_ahead(
    session: Session, clips: list[Clip]
) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.batch.handle(Progress(bench.request(0).id, 0.0, "waiting"))
    bench.begin(1)
    bench.batch.handle(Progress(bench.request(1).id, 0.08, "waiting for the model"))
    bench.begin(3)
    bench.die()
    assert bench.asked()[4:] == [3]
    bench.answer(3)
    assert bench.asked()[4:] == [3, 0, 1, 2]


def test_clip_that_was_alone_is_alone_again_when_its_worker_was_sent_away(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.begin(2)
    bench.die()
    bench.die(expected=True)
    assert bench.asked()[4:] == [2, 2]
    assert bench.batch.failed == 0


def test_child_that_is_gone_when_it_is_asked_is_not_taken_for_one_that_was_sent_away(
    session: Session, tmp_path: Path
) -> None:
    bench = Bench(session, make_clips(session, tmp_path, IN_FLIGHT + 1))
    bench.batch.start()
    bench.begin(0)
    pid = bench.workers.only.pid
    bench.workers.only.refusals = 1
    bench.answer(1)  # its successor finds the child gone; a new one takes it
    bench.batch.handle(ChildExited("local", -9, expected=True, stderr_tail="", pid=pid))
    bench.answer(IN_FLIGHT)
    assert bench.asked()[IN_FLIGHT:] == [IN_FLIGHT, 0]


def test_cancel_stops_every_clip_in_hand_and_keeps_what_comes_all_the_same(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips)
    bench.batch.start()
    bench.answer(0)
    bench.batch.cancel()
    assert bench.workers.only.cancelled == [bench.request(n).id for n in (1, 2, 3)]
    bench.answer(1)  # it was faster than the word to stop
    for number in (2, 3):
        assert not bench.batch.finished
        bench.batch.handle(Failure(bench.request(number).id, "Cancelled.", cancelled=True))
        bench.batch.handle(Done(bench.request(number).id))
    assert bench.kinds() == ["started", "analysed", "analysed", "cancelled"]
    assert [len(session.library.analyses(c.id)) for c in clips] == [1, 1, 0, 0]


def test_keys_travel_with_the_request_and_never_into_the_library(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips, options={"model": "m"}, secrets={"api_key": "s3cr3t-value"})
    bench.batch.start()
    assert bench.request(0).secrets == {"api_key": "s3cr3t-value"}
    assert "s3cr3t-value" not in repr(bench.request(0))
    (stored,) = session.library.unfinished_batches()
    assert "s3cr3t-value" not in str(stored)


def test_answers_of_a_teacher_are_drafts(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips, options={"teacher": True})
    bench.batch.start()
    bench.answer(0)
    (analysis,) = session.library.analyses(clips[0].id)
    assert analysis.provenance == "teacher_draft"
    assert session.library.clip(clips[0].id).status == "needs_review"


def test_hooks_see_each_request_before_during_and_after(session: Session, clips: list[Clip]) -> None:
    seen: list[tuple[str, object]] = []
    hooks = RequestHooks(
        before=lambda clip, request: seen.append(("before", request.id)),
        on_upload=lambda upload: seen.append((upload.state, upload.id)),
        after=lambda request_id: seen.append(("after", request_id)),
    )
    bench = Bench(session, clips[:1], hooks=hooks)
    bench.batch.start()
    id_ = bench.request(0).id
    bench.batch.handle(Upload(id_, "sending", "host", "12 frames", 5))
    bench.batch.handle(Upload("another", "sending", "host", "12 frames", 5))
    bench.answer(0)
    assert seen == [("before", id_), ("sending", id_), ("after", id_)]


def test_only_the_part_that_was_asked_for_is_looked_at(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips, options={"model": "m", "range_ms": [1000, 2500]})
    bench.batch.start()
    assert {request.range_ms for request in bench.workers.only.requests} == {(1000, 2500)}


def test_clip_that_may_not_leave_is_never_handed_over_and_waits(session: Session, clips: list[Clip]) -> None:
    def refuse(_clip: Clip, _request: AnalyseRequest) -> None:
        raise ConsentError("Nobody allowed it.", hint="Allow it.")

    bench = Bench(session, clips, hooks=RequestHooks(before=refuse))
    bench.batch.start()
    assert bench.workers.only.requests == []
    assert bench.kinds() == ["started", "stopped"]
    assert (bench.batch.failed, bench.batch.finished) == (0, True)


def test_nothing_leaves_without_a_consent_whoever_started_the_batch(session: Session, clips: list[Clip]) -> None:
    bench = Bench(session, clips, backend="gemini", options={"model": "m", "allow_upload": "made up"})
    bench.batch.start()
    assert bench.workers.only.requests == []
    assert bench.kinds() == ["started", "stopped"]
    assert (bench.batch.failed, bench.batch.finished) == (0, True)
    assert "consent" in bench.events[-1].message

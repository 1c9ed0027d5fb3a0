"""A free question goes to the worker and its answer into the library, beside a batch or alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.workflow.conftest import put_clip
from tests.unit.workflow.workers import FakeWorkers
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import BackendError, StorageFullError, UsageError
from vvlm_desktop.jobs.child import ChildExited
from vvlm_desktop.protocol import AnalyseRequest, Done, Failure, Hello, Progress, Result, Upload
from vvlm_desktop.workflow.analyse import AnalyseBatch
from vvlm_desktop.workflow.ask import MAX_QUESTION_CHARACTERS, AskEvent, Asking
from vvlm_desktop.workflow.requests import RequestHooks
from vvlm_desktop.workflow.session import Session

SAID = Answer(
    labels={},
    confidence={},
    confidence_kind=None,
    frames_pts=(512, 1024),
    raw_text="The van.",
    model="m",
    provenance="model",
    settings={"frames": 2},
    kind="question",
    question="Who?",
)


class Bench:
    """A question, its worker, and what it told."""

    def __init__(self, session: Session, clip: Clip, question: str = "Who?", **changes: Any) -> None:
        self.workers = FakeWorkers()
        self.events: list[AskEvent] = []
        values = {"backend": "local", "options": {"model": "m"}, "workers": self.workers, **changes}
        self.asking = Asking(session, clip, question, on_event=self.events.append, **values)

    @property
    def asked(self) -> AnalyseRequest:
        return self.workers.only.requests[-1]

    def die(self, *, expected: bool = False) -> None:
        exited = ChildExited("local", -9, expected=expected, stderr_tail="last words", pid=self.workers.only.pid)
        self.workers.only.pid += 1
        self.asking.handle(exited)

    def kinds(self) -> list[str]:
        return [e.kind for e in self.events if e.kind != "progress"]


@pytest.fixture
def clip(session: Session, tmp_path: Path) -> Clip:
    file = tmp_path / "a.mp4"
    file.write_text(file.name)
    return put_clip(session, file.name, path=str(file), size_bytes=len(file.name))


def test_answer_is_kept_as_a_question_with_the_frames_it_saw(session: Session, clip: Clip) -> None:
    bench = Bench(session, clip, "  Who had\nthe right of way? ", range_ms=(3000, 7500))
    bench.asking.start()
    assert (bench.asked.question, bench.asked.range_ms) == ("Who had the right of way?", (3000, 7500))
    bench.asking.handle(Progress(bench.asked.id, 0.5, "looking"))
    bench.asking.handle(Result(bench.asked.id, SAID.to_json()))
    bench.asking.handle(Done(bench.asked.id))
    assert bench.kinds() == ["answered"]
    (stored,) = session.library.questions(clip.id)
    assert stored == bench.asking.analysis == bench.events[-1].analysis
    assert (stored.question, stored.raw_text) == ("Who had the right of way?", "The van.")
    assert (stored.frames_pts, stored.settings["range_ms"]) == ((512, 1024), [3000, 7500])
    assert session.library.analyses(clip.id) == []


@pytest.mark.parametrize("question", ["", " \n\t ", "x" * (MAX_QUESTION_CHARACTERS + 1)])
def test_no_question_and_a_novel_are_refused(session: Session, clip: Clip, question: str) -> None:
    with pytest.raises(UsageError):
        Bench(session, clip, question)


def test_longest_question_is_asked(session: Session, clip: Clip) -> None:
    Bench(session, clip, "x" * MAX_QUESTION_CHARACTERS).asking.start()


def test_measurements_cannot_be_asked_and_it_says_what_can(session: Session, clip: Clip) -> None:
    with pytest.raises(BackendError, match="cannot be asked") as caught:
        Bench(session, clip, backend="signals")
    assert "local" in caught.value.hint
    assert "gemini" in caught.value.hint


def test_local_backend_without_a_model_is_refused(session: Session, clip: Clip) -> None:
    with pytest.raises(BackendError, match="needs a model"):
        Bench(session, clip, options={})


def test_range_is_cut_to_the_clip_and_one_outside_it_refused(session: Session, clip: Clip) -> None:
    assert Bench(session, clip, range_ms=(9000, 99_000)).asking.range_ms == (9000, 10_000)
    for outside in [(10_000, 12_000), (5000, 5000), (6000, 2000)]:
        with pytest.raises(UsageError, match="Nothing of the clip"):
            Bench(session, clip, range_ms=outside)


def test_question_runs_beside_a_batch_and_neither_hears_the_other(session: Session, clip: Clip) -> None:
    bench = Bench(session, clip)
    batch = AnalyseBatch(
        session,
        [clip],
        backend="local",
        workers=bench.workers,
        on_event=lambda _event: None,
        options={"model": "m"},
    )
    batch.start()
    bench.asking.start()
    of_batch, of_question = bench.workers.only.requests
    labels = Answer({"time_of_day": "day"}, {}, None, (0,), "{}", model="m", provenance="model")
    for message in (
        Hello("local", 1),
        Result(of_question.id, SAID.to_json()),
        Done(of_question.id),
        Result(of_batch.id, labels.to_json()),
        Done(of_batch.id),
    ):
        batch.handle(message)
        bench.asking.handle(message)
    assert (batch.done, batch.finished, bench.kinds()) == (1, True, ["answered"])
    assert [a.kind for a in session.library.analyses(clip.id)] == ["labels"]
    assert [a.kind for a in session.library.questions(clip.id)] == ["question"]


def test_failure_is_told_and_nothing_stored(session: Session, clip: Clip) -> None:
    bench = Bench(session, clip)
    bench.asking.start()
    bench.asking.handle(Failure(bench.asked.id, "No memory.", hint="Fewer frames.", details="trace"))
    bench.asking.handle(Done(bench.asked.id))
    (failed,) = [e for e in bench.events if e.kind == "failed"]
    assert (failed.message, failed.hint, failed.details) == ("No memory.", "Fewer frames.", "trace")
    assert session.library.questions(clip.id) == []


@pytest.mark.parametrize("spoil", [{"kind": "labels"}, {"raw_text": "  "}, {"provenance": "oracle"}])
def test_what_is_no_answer_to_the_question_is_a_failure(session: Session, clip: Clip, spoil: dict[str, Any]) -> None:
    bench = Bench(session, clip)
    bench.asking.start()
    bench.asking.handle(Result(bench.asked.id, {**SAID.to_json(), **spoil}))
    assert bench.kinds() == ["failed"]
    assert session.library.questions(clip.id) == []


def test_dead_worker_is_asked_once_more_then_the_question_fails(session: Session, clip: Clip) -> None:
    bench = Bench(session, clip)
    bench.asking.start()
    bench.die(expected=True)
    bench.die()
    assert not bench.asking.finished
    bench.die()
    assert bench.kinds() == ["failed"]
    assert bench.events[-1].details == "last words"
    assert len(bench.workers.only.requests) == 3


def test_end_of_another_child_is_no_concern(session: Session, clip: Clip) -> None:
    bench = Bench(session, clip)
    bench.asking.start()
    bench.asking.handle(ChildExited("local", -9, expected=False, stderr_tail="", pid=77))
    bench.asking.handle(ChildExited("cloud", -9, expected=False, stderr_tail="", pid=bench.workers.only.pid))
    assert len(bench.workers.only.requests) == 1


def test_cancelled_question_stores_nothing(session: Session, clip: Clip) -> None:
    bench = Bench(session, clip)
    bench.asking.start()
    bench.asking.cancel()
    assert bench.workers.only.cancelled == [bench.asked.id]
    bench.asking.handle(Failure(bench.asked.id, "Cancelled.", cancelled=True))
    assert bench.kinds() == ["cancelled"]


def test_cancel_ends_at_once_where_no_worker_is_left(session: Session, clip: Clip) -> None:
    bench = Bench(session, clip)
    bench.asking.start()
    bench.workers.alive = False
    bench.asking.cancel()
    assert bench.kinds() == ["cancelled"]


def test_full_disk_is_told(session: Session, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise StorageFullError("The disk is full.", hint="Make room.")

    bench = Bench(session, clip)
    bench.asking.start()
    monkeypatch.setattr(type(session.library), "add_analysis", full)
    bench.asking.handle(Result(bench.asked.id, SAID.to_json()))
    assert (bench.kinds(), bench.events[-1].message) == (["failed"], "The disk is full.")


def test_missing_file_fails_before_anything_is_sent(session: Session, clip: Clip) -> None:
    Path(clip.path).unlink()
    bench = Bench(session, clip)
    bench.asking.start()
    assert (bench.kinds(), bench.workers.only.requests) == (["failed"], [])


def test_hooks_see_the_question(session: Session, clip: Clip) -> None:
    seen: list[str] = []
    hooks = RequestHooks(
        before=lambda _clip, request: seen.append(str(request.question)),
        on_upload=lambda upload: seen.append(upload.state),
        after=lambda _id: seen.append("after"),
    )
    bench = Bench(session, clip, hooks=hooks)
    bench.asking.start()
    bench.asking.handle(Upload(bench.asked.id, "sent", "host", "2 frames", 5))
    bench.asking.handle(Result(bench.asked.id, SAID.to_json()))
    assert seen == ["Who?", "sent", "after"]

"""Between a batch and a worker that sends: the ledger's line is there before anything can go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.workflow.conftest import put_clip
from tests.unit.workflow.workers import FakeWorkers
from vvlm_desktop.backends.catalogue import backend_info
from vvlm_desktop.errors import ConsentError
from vvlm_desktop.protocol import AnalyseRequest, Upload
from vvlm_desktop.workflow import analyse, ask, consent, ledger
from vvlm_desktop.workflow.analyse import AnalyseBatch
from vvlm_desktop.workflow.courier import Courier
from vvlm_desktop.workflow.left_overs import left_overs
from vvlm_desktop.workflow.session import Session

HOST = "generativelanguage.googleapis.com"


def request(backend: str, request_id: str = "r1") -> AnalyseRequest:
    return AnalyseRequest(request_id, backend, "c1", "/clips/a.mp4", 0, "")


def courier_for(session: Session, *, allowed: bool = True) -> Courier:
    clip = put_clip(session, "a.mp4")
    plan = consent.plan_upload([clip], backend="gemini", options={"model": "flash"})
    options = {"model": "flash"}
    if allowed:
        options[consent.ALLOWED] = consent.allow(session, plan, how="command_line")
    return Courier(session, backend_info("gemini"), options)


def test_without_consent_nothing_goes_and_nothing_is_written(session: Session) -> None:
    courier = courier_for(session, allowed=False)

    with pytest.raises(ConsentError):
        courier.before_sending(request("gemini"))

    assert ledger.transmissions(session) == []


def test_the_line_is_there_when_the_request_may_go(session: Session) -> None:
    courier_for(session).before_sending(request("gemini"))

    (line,) = ledger.transmissions(session)
    assert (line.state, line.clip_id, line.backend, line.model) == ("asked", "c1", "gemini", "flash")
    assert line.host == "generativelanguage.googleapis.com"
    assert line.consent_id == ledger.consents(session)[0].id


def test_a_request_that_failed_before_sending_leaves_no_line(session: Session) -> None:
    courier = courier_for(session)
    courier.before_sending(request("gemini"))
    courier.on_settled("r1")

    assert ledger.transmissions(session) == []


def test_what_was_told_stays_when_the_request_is_settled(session: Session) -> None:
    courier = courier_for(session)
    courier.before_sending(request("gemini"))
    courier.on_upload(Upload("r1", "sending", "h", "video", 10))
    courier.on_upload(Upload("r1", "sent", "h", "video", 10, "files/x"))
    courier.on_settled("r1")

    assert [(each.state, each.remote) for each in ledger.transmissions(session)] == [("sent", "files/x")]


def test_a_backend_that_stays_here_leaves_no_trace(session: Session) -> None:
    courier = Courier(session, backend_info("signals"), {})
    courier.before_sending(request("signals"))
    courier.on_settled("r1")

    assert session.library.history() == []


def sending_batch(session: Session, workers: FakeWorkers) -> AnalyseBatch:
    clip = put_clip(session, "a.mp4")
    plan = consent.plan_upload([clip], backend="gemini", options={})
    options = {consent.ALLOWED: consent.allow(session, plan, how="command_line")}
    batch = AnalyseBatch(
        session, [clip], backend="gemini", workers=workers, on_event=lambda _event: None, options=options
    )
    batch.start()
    return batch


def upload(request_id: str, state: str) -> Upload:
    return Upload(request_id, state, HOST, "video", 10, "files/x")


def test_what_a_dead_worker_had_still_said_reaches_the_ledger_after_a_cancel(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyse, "existing_path", lambda _session, _clip: tmp_path)
    workers = FakeWorkers()
    batch = sending_batch(session, workers)
    (request,) = workers.only.requests
    workers.alive = False

    batch.cancel()
    assert batch.finished
    for state in ("sending", "sent"):
        batch.handle(upload(request.id, state))

    (line,) = ledger.transmissions(session)
    assert (line.state, line.remains) == ("sent", True)
    assert left_overs(session).names == ("files/x",)


def test_uploads_of_another_batch_are_not_written_twice(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyse, "existing_path", lambda _session, _clip: tmp_path)
    batch = sending_batch(session, FakeWorkers())

    batch.handle(upload("of-another", "sending"))

    assert [each.state for each in ledger.transmissions(session)] == ["asked"]


def test_a_question_that_was_given_up_still_hears_what_left(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "existing_path", lambda _session, _clip: tmp_path)
    workers = FakeWorkers()
    clip = put_clip(session, "a.mp4")
    plan = consent.plan_upload([clip], backend="gemini", options={})
    options = {consent.ALLOWED: consent.allow(session, plan, how="command_line")}
    asking = ask.Asking(
        session, clip, "Why?", backend="gemini", workers=workers, on_event=lambda _event: None, options=options
    )
    asking.start()
    (request,) = workers.only.requests
    workers.alive = False

    asking.cancel()
    for state in ("sending", "sent", "deleted"):
        asking.handle(upload(request.id, state))

    assert [each.state for each in ledger.transmissions(session)] == ["deleted"]

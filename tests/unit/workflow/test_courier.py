"""Between a batch and a worker that sends: the ledger's line is there before anything can go."""

from __future__ import annotations

import pytest

from tests.unit.workflow.conftest import put_clip
from vvlm_desktop.backends.catalogue import backend_info
from vvlm_desktop.errors import ConsentError
from vvlm_desktop.protocol import AnalyseRequest, Upload
from vvlm_desktop.workflow import consent, ledger
from vvlm_desktop.workflow.courier import Courier
from vvlm_desktop.workflow.session import Session


def request(backend: str, request_id: str = "r1") -> AnalyseRequest:
    return AnalyseRequest(request_id, backend, "c1", "/clips/a.mp4", 0, "")


def courier_for(session: Session, *, allowed: bool = True) -> Courier:
    clip = put_clip(session, "a.mp4")
    plan = consent.plan_upload([clip], backend="gemini", options={"model": "flash"})
    options = {"model": "flash"}
    if allowed:
        options[consent.ALLOWED] = consent.allow(session, plan, how="asked")
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

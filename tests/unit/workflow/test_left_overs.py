"""What a killed program left at Gemini: known without asking, told from what is in hand, deleted and written down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from tests.standins.gemini import GeminiStandin, StoredFile
from tests.standins.http_server import serving
from vvlm_desktop.backends.catalogue import backend_info
from vvlm_desktop.backends.cloud_options import upload_name
from vvlm_desktop.domain.review import NewEvent
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import CloudError
from vvlm_desktop.protocol import AnalyseRequest, Upload
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import consent, ledger, left_overs
from vvlm_desktop.workflow.courier import Courier
from vvlm_desktop.workflow.keys import Keys
from vvlm_desktop.workflow.session import Session

HOST = "generativelanguage.googleapis.com"
DEAD = {"pid": 2**22 - 1, "created": 1.0}


def left(
    session: Session,
    request_id: str,
    *states: str,
    named: bool = True,
    host: str = HOST,
    owner: Mapping[str, Any] = DEAD,
) -> str:
    """Events as a program leaves them that is gone now; returns the file's name."""
    name = upload_name(request_id)
    asked = {"request": request_id, "clip": "c1", "backend": "gemini", "host": host, "state": "asked", "owner": owner}
    events = [asked]
    for state in states:
        events.append({"request": request_id, "host": host, "state": state, "remote": name if named else None})
    session.library.append([NewEvent("upload", None, "Ada", "", event) for event in events])
    return name


@pytest.mark.parametrize("states", [("sending",), ("sending", "sent"), ("sending", "failed")])
def test_what_was_not_deleted_is_left_over_with_its_end_and_how_to_delete_it(
    session: Session, states: tuple[str, ...]
) -> None:
    name = left(session, "r1", *states)

    found = left_overs.left_overs(session)

    assert found.names == (name,)
    assert found.until is not None
    assert timedelta(hours=47) < found.until - datetime.now(UTC) <= timedelta(hours=48)
    assert found.sentence.startswith(f"1 upload may still lie at {HOST}, until ")
    assert "vvlm cloud clean" in found.hint


def test_a_file_of_which_nothing_was_heard_is_looked_for_under_its_first_name(session: Session) -> None:
    name = left(session, "r1")

    assert left_overs.left_overs(session).names == (name,)


@pytest.mark.parametrize("states", [("sending", "sent", "deleted"), ("refused",), ("sending", "sent", "gone")])
def test_what_is_over_is_not_left_over(session: Session, states: tuple[str, ...]) -> None:
    left(session, "r1", *states)

    assert not left_overs.left_overs(session)


def test_pictures_without_a_file_leave_nothing_over(session: Session) -> None:
    left(session, "r1", "sending", "sent", named=False)
    left(session, "r2", "sending", "failed", named=False)

    found = left_overs.left_overs(session)
    assert (bool(found), found.sentence, found.hint, found.until) == (False, "", "", None)


def test_after_two_days_nothing_is_left(session: Session) -> None:
    left(session, "r1", "sending", "sent")

    assert not left_overs.left_overs(session, now=datetime.now(UTC) + timedelta(hours=48, seconds=1))


def test_what_another_running_program_sends_is_not_touched(session: Session) -> None:
    other = psutil.Process(os.getppid())
    left(session, "r1", "sending", owner={"pid": other.pid, "created": other.create_time()})

    assert not left_overs.left_overs(session)


def test_what_is_in_hand_here_is_left_over_only_when_it_is_settled(session: Session) -> None:
    plan_of = consent.UploadPlan(backend_info("gemini"), "flash", HOST, 1, 1, "The video")
    options = {consent.ALLOWED: consent.allow(session, plan_of, how="command_line")}
    courier = Courier(session, backend_info("gemini"), options)
    courier.before_sending(AnalyseRequest("r1", "gemini", "c1", "/a.mp4", 0, ""))
    courier.on_upload(Upload("r1", "sending", HOST, "video", 10, "files/x"))
    assert not left_overs.left_overs(session)

    courier.on_settled("r1")

    assert left_overs.left_overs(session).names == ("files/x",)


def test_files_at_another_address_are_told_but_not_asked_for_here(session: Session) -> None:
    left(session, "r1", "sending", "sent", host="127.0.0.1:9")

    found = left_overs.left_overs(session)

    assert (len(found.lines), found.here) == (1, ())
    assert left_overs.clean(session, secrets={}) == left_overs.Cleaned()


def test_cleaning_deletes_and_writes_down_what_became_of_each(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(GeminiStandin()) as gemini:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", gemini.address)
        host = consent.host_of("gemini", {})
        there = left(session, "r1", "sending", "sent", host=host)
        left(session, "r2", host=host)
        gemini.stored = {name: StoredFile(name, "x", b"") for name in (there, "files/somebody-elses")}

        cleaned = left_overs.clean(session, secrets={"gemini": "AIza-key-of-a-test"})

    assert list(gemini.stored) == ["files/somebody-elses"]
    assert cleaned == left_overs.Cleaned(deleted=1, absent=1)
    assert "1 deleted" in cleaned.sentence
    assert "not there any more" in cleaned.sentence
    assert [each.state for each in ledger.transmissions(session)] == ["deleted", "gone"]
    assert not left_overs.left_overs(session)
    assert session.library.verify().ok


def test_where_nobody_answers_everything_stays_left_over(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    left(session, "r1", "sending", "sent", host="127.0.0.1:9")

    with pytest.raises(CloudError, match="cannot be reached"):
        left_overs.clean(session, secrets={"gemini": "AIza-key-of-a-test"})

    assert len(left_overs.left_overs(session).here) == 1


def test_nothing_is_deleted_unasked_unless_uploads_are_on_and_there_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys()
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    assert not left_overs.may_clean(Settings(allow_upload=True), keys)
    keys.use_for_this_session("gemini", "AIza-key")
    assert left_overs.may_clean(Settings(allow_upload=True), keys)
    assert not left_overs.may_clean(Settings(allow_upload=False), keys)


def test_time_of_the_ledger_is_read_as_utc(session: Session) -> None:
    left(session, "r1", "sending", "sent")

    (line,) = left_overs.left_overs(session).lines
    assert abs(line.until - left_overs.datetime.fromisoformat(utc_now())) - timedelta(hours=48) < timedelta(minutes=1)

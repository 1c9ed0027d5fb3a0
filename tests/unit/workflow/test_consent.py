"""Nothing leaves before somebody allowed just that."""

from __future__ import annotations

import pytest

from tests.unit.workflow.conftest import put_clip
from vvlm_desktop.errors import ConsentError
from vvlm_desktop.workflow import consent, ledger
from vvlm_desktop.workflow.session import Session


def test_the_plan_names_clips_bytes_and_host(session: Session) -> None:
    clips = [put_clip(session, "a.mp4", size_bytes=3_000_000), put_clip(session, "b.mp4", size_bytes=1_500_000)]

    plan = consent.plan_upload(clips, backend="gemini", options={"model": "gemini-flash-latest"})

    assert (plan.clips, plan.size_bytes) == (2, 4_500_000)
    assert plan.sentence == (
        "The video without sound of 2 clips would leave this computer: "
        "at most about 4.5 MB to generativelanguage.googleapis.com."
    )


def test_the_plan_says_that_people_will_be_heard_and_counts_each_look(session: Session) -> None:
    clips = [put_clip(session, "a.mp4", size_bytes=3_000_000)]

    plan = consent.plan_upload(clips, backend="gemini", options={"sound": True, "event_ms": 0})

    assert plan.size_bytes == 6_000_000
    assert plan.sentence.startswith("The video with sound of 1 clip would leave")


def test_a_server_gets_pictures_and_a_local_address_counts_as_leaving(session: Session) -> None:
    clip = put_clip(session, "a.mp4")
    options = {"base_url": "http://192.168.1.20:8000/v1?token=x", "sampling": {"frames": 12}}

    plan = consent.plan_upload([clip], backend="server", options=options)

    assert plan.host == "192.168.1.20:8000"
    assert "token" not in plan.sentence
    assert plan.content == "12 pictures"


@pytest.mark.parametrize(
    "address",
    ["", "not an address", "http://key:secret@10.0.0.7/v1", "ftp://x/", "http://", "http://[::1", "http://x:99999999"],
)
def test_an_address_that_is_none_is_refused(session: Session, address: str) -> None:
    clip = put_clip(session, "a.mp4")

    with pytest.raises(ConsentError, match="address"):
        consent.plan_upload([clip], backend="server", options={"base_url": address})


def test_only_a_recorded_consent_opens_the_way(session: Session) -> None:
    clip = put_clip(session, "a.mp4")
    with pytest.raises(ConsentError, match="consent"):
        consent.require_allowed(session, backend="gemini", options={})
    with pytest.raises(ConsentError, match="consent"):
        consent.require_allowed(session, backend="gemini", options={consent.ALLOWED: True})

    allowed = consent.allow(session, consent.plan_upload([clip], backend="gemini", options={}), how="command_line")

    consent.require_allowed(session, backend="gemini", options={consent.ALLOWED: allowed})
    assert [(each.how, each.clips, each.reviewer) for each in ledger.consents(session)] == [("command_line", 1, "Ada")]


def test_what_stays_here_needs_no_consent(session: Session) -> None:
    consent.require_allowed(session, backend="signals", options={})
    with pytest.raises(ConsentError, match="nothing is sent"):
        consent.plan_upload([], backend="local", options={})


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "1 kB"), (999, "1 kB"), (420_000, "420 kB"), (4_500_000, "4.5 MB"), (2.5e9, "2.50 GB")],
)
def test_sizes_for_people(size_bytes: int, words: str) -> None:
    assert consent.megabytes(int(size_bytes)) == words


def test_a_consent_holds_for_the_address_it_names_and_no_other(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = put_clip(session, "a.mp4")
    here, there = {"base_url": "http://10.0.0.7:8000/v1"}, {"base_url": "http://10.0.0.8:8000/v1"}
    server = consent.allow(session, consent.plan_upload([clip], backend="server", options=here), how="command_line")
    gemini = consent.allow(session, consent.plan_upload([clip], backend="gemini", options={}), how="command_line")

    consent.require_allowed(session, backend="server", options={**here, consent.ALLOWED: server})
    with pytest.raises(ConsentError, match="another one"):
        consent.require_allowed(session, backend="server", options={**there, consent.ALLOWED: server})
    with pytest.raises(ConsentError, match="another one"):
        consent.require_allowed(session, backend="server", options={**here, consent.ALLOWED: gemini})
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://elsewhere.example")
    with pytest.raises(ConsentError, match="another one"):
        consent.require_allowed(session, backend="gemini", options={consent.ALLOWED: gemini})


@pytest.mark.parametrize(
    ("how", "holds"),
    [(consent.ASKED_IN_WINDOW, False), (consent.ASKED_AT_TERMINAL, True), ("command_line", True)],
)
def test_the_switch_takes_a_yes_in_the_window_back(session: Session, how: str, holds: bool) -> None:
    clip = put_clip(session, "a.mp4")
    allowed = consent.allow(session, consent.plan_upload([clip], backend="gemini", options={}), how=how)
    session.settings = session.settings.model_copy(update={"allow_upload": True})
    consent.require_allowed(session, backend="gemini", options={consent.ALLOWED: allowed})

    session.settings = session.settings.model_copy(update={"allow_upload": False})

    if holds:
        consent.require_allowed(session, backend="gemini", options={consent.ALLOWED: allowed})
        return
    with pytest.raises(ConsentError, match="switched off"):
        consent.require_allowed(session, backend="gemini", options={consent.ALLOWED: allowed})

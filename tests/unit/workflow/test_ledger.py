"""The ledger: nothing leaves without a line that was there before, and erasing a clip does not erase the proof."""

from __future__ import annotations

from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.protocol import Upload
from vvlm_desktop.workflow import ledger
from vvlm_desktop.workflow.ledger import Transmission
from vvlm_desktop.workflow.session import Session, open_session

HOST = "example.test"


def ask(session: Session, request_id: str = "r1", clip_id: str = "c1") -> None:
    ledger.record_asked(
        session,
        Transmission(request_id, utc_now(), "", "Ada", clip_id, "gemini", "flash", HOST, "video", 900, "asked"),
    )


def tell(session: Session, state: str, *, request_id: str = "r1", remote: str | None = None, size: int = 800) -> None:
    ledger.record_upload(session, Upload(request_id, state, HOST, "video 00:00–00:05", size, remote))


def test_killed_before_anything_was_told_may_have_left(session: Session) -> None:
    ask(session)

    (line,) = ledger.transmissions(session)
    assert (line.state, line.clip_id, line.left) == ("asked", "c1", True)
    assert "may have left" in line.in_words


def test_a_request_that_ended_without_sending_is_no_transmission(session: Session) -> None:
    ask(session)
    ledger.record_refused(session, "r1")

    assert ledger.transmissions(session) == []
    assert ledger.summary(session) == (0, 0, 0)


def test_one_line_follows_a_file_from_sending_to_deleted(session: Session) -> None:
    ask(session)
    tell(session, "sending")
    tell(session, "sent", remote="files/a")
    assert [each.remote for each in ledger.left_overs(session, backend="gemini")] == ["files/a"]

    tell(session, "deleted", remote="files/a")

    (line,) = ledger.transmissions(session)
    assert (line.state, line.remote, line.clip_id, line.model) == ("deleted", "files/a", "c1", "flash")
    assert ledger.left_overs(session, backend="gemini") == []
    assert ledger.summary(session) == (1, 800, 0)


def test_two_files_of_one_request_are_two_lines(session: Session) -> None:
    ask(session)
    tell(session, "sent", remote="files/a")
    tell(session, "deleted", remote="files/a")
    tell(session, "sent", remote="files/b")

    assert [(each.remote, each.state) for each in ledger.transmissions(session)] == [
        ("files/a", "deleted"),
        ("files/b", "sent"),
    ]
    assert ledger.summary(session) == (1, 1600, 1)


def test_what_broke_off_may_have_left_in_part(session: Session) -> None:
    ask(session)
    tell(session, "sending")
    tell(session, "failed")

    (line,) = ledger.transmissions(session)
    assert (line.state, line.left, line.remains) == ("failed", True, False)
    assert "may have left in part" in line.in_words
    assert ledger.summary(session) == (1, 800, 0)


def test_what_broke_off_under_a_name_may_still_lie_there_until_it_is_deleted(session: Session) -> None:
    ask(session)
    tell(session, "sending", remote="files/a")
    tell(session, "failed", remote="files/a")

    (line,) = ledger.transmissions(session)
    assert (line.left, line.remains) == (True, True)
    assert "may still lie there" in line.in_words
    assert ledger.summary(session) == (1, 800, 1)

    ledger.record_deleted(session, line)
    assert ledger.summary(session) == (1, 800, 0)


def test_what_broke_off_and_is_known_to_be_gone_closes_the_line_with_its_name(session: Session) -> None:
    ask(session)
    tell(session, "sending", remote="files/a")
    tell(session, "failed")
    tell(session, "sending", remote="files/b")
    tell(session, "sent", remote="files/b")
    tell(session, "deleted", remote="files/b")

    assert [(each.remote, each.state) for each in ledger.transmissions(session)] == [
        (None, "failed"),
        ("files/b", "deleted"),
    ]
    assert ledger.summary(session) == (1, 1600, 0)


def test_pictures_sent_twice_are_counted_twice(session: Session) -> None:
    ask(session)
    for _ in range(2):
        tell(session, "sending")
        tell(session, "sent")

    assert ledger.summary(session) == (1, 1600, 0)


def test_refused_before_it_was_told_of_sending_is_set_right(session: Session) -> None:
    ask(session)
    ledger.record_refused(session, "r1")
    tell(session, "sending", remote="files/a")

    assert [(each.state, each.clip_id) for each in ledger.transmissions(session)] == [("sending", "c1")]


def test_a_line_written_by_another_program_is_seen_at_once(session: Session) -> None:
    ask(session)
    assert len(ledger.transmissions(session)) == 1
    with open_session(session.settings, library_dir=session.library.folder) as other:
        ask(other, "r2", "c2")
        tell(other, "sending", request_id="r2")

    assert [each.state for each in ledger.transmissions(session)] == ["asked", "sending"]


def test_inline_pictures_leave_no_file_behind(session: Session) -> None:
    ask(session)
    tell(session, "sending")
    tell(session, "sent")

    (line,) = ledger.transmissions(session)
    assert (line.left, line.remains) == (True, False)


def test_left_over_deleted_later_is_on_record(session: Session) -> None:
    ask(session)
    tell(session, "sent", remote="files/a")
    (line,) = ledger.left_overs(session, backend="gemini")

    ledger.record_deleted(session, line)

    assert ledger.left_overs(session, backend="gemini") == []
    assert [each.state for each in ledger.transmissions(session)] == ["deleted"]


def test_erasing_a_clip_leaves_the_proof_and_the_chain_verifies(session: Session) -> None:
    ask(session, clip_id="c1")
    tell(session, "sent")
    session.library.erase_payloads("c1")

    assert [each.clip_id for each in ledger.transmissions(session)] == ["c1"]
    assert session.library.verify().ok


def test_ledger_survives_rebuild_and_never_counts_as_a_review(session: Session) -> None:
    ask(session)
    tell(session, "sent")
    session.library.rebuild()

    assert len(ledger.transmissions(session)) == 1
    assert session.library.undo("Ada") is None

"""Every kind of tampering shows, and the first break is named."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from tests.unit.store.builders import make_clip, note, tamper
from vvlm_desktop.store.chain import GENESIS, canonical, header_hash
from vvlm_desktop.store.library import Head, Library
from vvlm_desktop.store.signing import new_key


def _problems(library: Library, *heads: Head) -> list[str]:
    report = library.verify(heads=heads)
    assert report.ok == (not report.problems)
    return report.problems


def test_an_untouched_library_holds(reviewed: Library) -> None:
    report = reviewed.verify(heads=reviewed.heads())
    assert (report.ok, report.events, report.origins, report.signed, report.notes) == (True, 10, 1, True, [])


def test_an_empty_library_holds(library: Library) -> None:
    report = library.verify()
    assert (report.ok, report.events, report.origins, report.signed) == (True, 0, 0, True)


def test_an_edited_payload(reviewed: Library) -> None:
    tamper(reviewed, "UPDATE event SET payload = replace(payload, 'note 1', 'note X') WHERE seq = 4")
    assert _problems(reviewed)[0] == f"Chain {reviewed.origin} breaks: the payload of event 4 was changed."


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'status'",
        "at = '2020-01-01T00:00:00.000Z'",
        "lamport = 99",
        "action_id = 'other'",
        "undoes = 'other'",
        "clip_id = 'other'",
        "payload_hash = 'other'",
        "v = 2",
    ],
)
def test_an_edited_header(reviewed: Library, change: str) -> None:
    tamper(reviewed, f"UPDATE event SET {change} WHERE seq = 5")
    assert _problems(reviewed)[0] == f"Chain {reviewed.origin} breaks: the header of event 5 was changed."


def test_an_edited_header_with_its_hash_made_to_fit(reviewed: Library) -> None:
    _rehash(reviewed, only=5, at="2020-01-01T00:00:00.000Z")
    assert _problems(reviewed)[0] == f"Chain {reviewed.origin} breaks: event 6 does not follow the event before it."


def test_a_deleted_event_in_the_middle(reviewed: Library) -> None:
    tamper(reviewed, "DELETE FROM event WHERE seq IN (3, 4)")
    assert _problems(reviewed)[0] == f"Chain {reviewed.origin} breaks: events 3 to 4 are missing."


def test_a_deleted_event_with_the_numbers_closed_up(reviewed: Library) -> None:
    closed_up = [f"UPDATE event SET seq = {seq - 1} WHERE seq = {seq}" for seq in range(4, 11)]
    tamper(reviewed, "DELETE FROM event WHERE seq = 3", *closed_up)
    assert _problems(reviewed)[0] == f"Chain {reviewed.origin} breaks: the header of event 3 was changed."


def test_two_events_swapped(reviewed: Library) -> None:
    swap = [f"UPDATE event SET seq = {new} WHERE seq = {old}" for old, new in ((4, 99), (6, 4), (99, 6))]
    tamper(reviewed, *swap)
    assert _problems(reviewed)[0] == f"Chain {reviewed.origin} breaks: the header of event 4 was changed."


def test_a_removed_tail(reviewed: Library) -> None:
    tamper(reviewed, "DELETE FROM event WHERE seq > 8")
    assert _problems(reviewed)[0] == f"Chain {reviewed.origin} breaks: its tail, events 9 to 10, was removed."


def _cut(library: Library, seq: int) -> tuple[str, ...]:
    """Statements that remove a tail and move the head back to fit."""
    with closing(sqlite3.connect(library.folder / "library.db")) as connection:
        last = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()[0]
    return (f"DELETE FROM event WHERE seq > {seq}", f"UPDATE head SET seq = {seq}, hash = '{last}'")


def test_a_removed_tail_with_the_head_moved_back_contradicts_the_signature(reviewed: Library) -> None:
    tamper(reviewed, *_cut(reviewed, 8))
    expected = f"Chain {reviewed.origin} breaks: its tail, events 9 to 10, was removed; the signed head shows it."
    assert _problems(reviewed)[0] == expected


def test_a_removed_tail_is_not_covered_up_by_the_next_action(reviewed: Library) -> None:
    tamper(reviewed, *_cut(reviewed, 8))
    reviewed.rebuild()
    for number in range(3):
        reviewed.append([note("c", f"later {number}")])
    assert any("was rewritten" in problem and "signed head" in problem for problem in _problems(reviewed))


def test_a_removed_tail_without_signatures_contradicts_a_head_kept_elsewhere(reviewed: Library) -> None:
    heads = [Head.from_json(json.loads(json.dumps(head.to_json()))) for head in reviewed.heads()]
    forget = ("DELETE FROM signature", "UPDATE origin SET public_key = NULL", "DELETE FROM undo_entry")
    tamper(reviewed, *_cut(reviewed, 8), *forget)
    reviewed.rebuild()
    assert reviewed.verify().ok
    assert not reviewed.verify().signed
    assert "events 9 to 10, was removed; the given head" in _problems(reviewed, *heads)[0]


def test_all_events_removed(reviewed: Library) -> None:
    tamper(reviewed, "DELETE FROM event")
    assert _problems(reviewed)[0] == f"Chain {reviewed.origin} breaks: all its events, 1 to 10, were removed."


def test_a_whole_chain_removed_contradicts_a_head_kept_elsewhere(reviewed: Library) -> None:
    heads = reviewed.heads()
    tamper(reviewed, "DELETE FROM event", "DELETE FROM head", "DELETE FROM signature", "DELETE FROM review")
    reviewed.rebuild()
    assert _problems(reviewed, *heads)[0].startswith(f"Chain {reviewed.origin} is missing: it had 10 events")


def _rehash(library: Library, *, only: int | None = None, at: str | None = None, payload: str | None = None) -> str:
    """Rewrite event 5 and make the hashes fit (of all later events and the head, unless `only`), as an attacker can."""
    with closing(sqlite3.connect(library.folder / "library.db")) as connection:
        connection.row_factory = sqlite3.Row
        for trigger in ("event_is_immutable", "event_stays"):
            connection.execute(f"DROP TRIGGER {trigger}")
        prev = GENESIS
        for row in connection.execute("SELECT * FROM event ORDER BY seq").fetchall():
            header = {key: row[key] for key in row.keys() if key not in ("hash", "salt", "payload", "clip_id")}  # noqa: SIM118
            header |= {"clip": row["clip_id"], "prev": prev}
            text = row["payload"]
            if row["seq"] == 5:
                header["at"] = at or header["at"]
                text = payload or text
                header["payload_hash"] = hashlib.sha256(row["salt"] + text.encode()).hexdigest()
            new = header_hash(header)
            if only in (None, row["seq"]):
                values = (header["at"], prev, header["payload_hash"], text, new, row["seq"])
                sql = "UPDATE event SET at = ?, prev = ?, payload_hash = ?, payload = ?, hash = ? WHERE seq = ?"
                connection.execute(sql, values)
                prev = new
            else:
                prev = row["hash"]
        if only is None:
            connection.execute("UPDATE head SET hash = ?", (prev,))
        connection.commit()
        return prev


def _rewritten(library: Library) -> str:
    event = library.history()[4]
    assert event.payload is not None
    content = {"reviewer": "Anna", "schema_key": "dashcam-1", "analysis_id": None, "data": event.payload}
    content["data"] = {**event.payload, "after": None}
    last = _rehash(library, payload=canonical(content))
    library.rebuild()
    return last


def test_a_rewritten_chain_contradicts_its_signature(reviewed: Library) -> None:
    _rewritten(reviewed)
    rewritten = "was rewritten: its event 10 is not the one that once was there; the signed head shows it."
    assert _problems(reviewed) == [f"Chain {reviewed.origin} {rewritten}"]


def test_a_rewritten_chain_with_the_signed_hash_replaced_has_a_false_signature(reviewed: Library) -> None:
    tamper(reviewed, ("UPDATE signature SET hash = ?", (_rewritten(reviewed),)))
    assert _problems(reviewed) == [f"The signature of chain {reviewed.origin} at event 10 is false."]


def test_a_rewritten_chain_without_its_signature_contradicts_the_remembered_key(reviewed: Library) -> None:
    _rewritten(reviewed)
    tamper(reviewed, "DELETE FROM signature")
    assert _problems(reviewed) == [f"The signature of chain {reviewed.origin} was removed."]


def test_a_rewritten_chain_contradicts_a_head_kept_elsewhere(reviewed: Library) -> None:
    heads = reviewed.heads()
    _rewritten(reviewed)
    tamper(reviewed, "DELETE FROM signature", "UPDATE origin SET public_key = NULL")
    assert reviewed.verify().ok
    assert "was rewritten: its event 10" in _problems(reviewed, *heads)[0]


def test_a_chain_signed_anew_with_another_key(reviewed: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = reviewed.heads()
    assert reviewed.verify().ok  # this session holds the first key from here on
    monkeypatch.setenv("VVLM_SIGNING_KEY", new_key())
    with Library.open(reviewed.folder) as other:
        other.append([note("c", "with another key")])
        assert "was first signed with another key" in _problems(other)[0]
    tamper(reviewed, "UPDATE origin SET public_key = (SELECT public_key FROM signature)")
    assert "signed with another key than this computer's" in _problems(reviewed)[0]
    with Library.open(reviewed.folder) as other:
        assert other.verify().ok  # everything fits, except what was kept elsewhere
        assert "another key than the given head" in _problems(other, *heads)[0]


def test_a_given_head_that_was_edited_is_not_believed(reviewed: Library) -> None:
    head = replace(reviewed.heads()[0], seq=9)
    assert _problems(reviewed, head) == [f"The given head of chain {reviewed.origin} at event 9 has a false signature."]


def test_a_payload_removed_without_an_erasure_on_record(reviewed: Library) -> None:
    tamper(reviewed, "UPDATE event SET payload = NULL, salt = NULL WHERE seq = 2")
    assert "payload of event 2 was removed, and no erasure is on record" in _problems(reviewed)[0]
    tamper(reviewed, "UPDATE event SET salt = x'00' WHERE seq = 2")
    assert "half of the payload of event 2 is missing" in _problems(reviewed)[0]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE review SET status = 'reviewed'",
        "UPDATE review SET document = replace(document, 'value_4', 'collision')",
        "DELETE FROM review",
        "UPDATE clip_state SET status = 'dismissed'",
        "UPDATE clip_state SET labels = '{}'",
        "DELETE FROM clip_state",
        "UPDATE clip_label SET value = 'collision' WHERE field = 'event_type'",
        "DELETE FROM clip_label WHERE field = 'event_type'",
        "UPDATE clip_text SET note = 'nothing'",
        "INSERT INTO review SELECT clip_id, 'Ben', schema_key, status, 1, document, updated_at, 1, '', 1 FROM review",
    ],
)
def test_a_list_that_differs_from_the_history_shows_and_is_mended(reviewed: Library, change: str) -> None:
    tamper(reviewed, change)
    clip = make_clip()
    assert _problems(reviewed) == [
        f"What is stored of clip {clip.id} differs from its history; `vvlm rebuild` recreates it."
    ]
    assert reviewed.rebuild() == 1
    assert reviewed.verify().ok


@pytest.mark.parametrize(
    "change", ["DELETE FROM undo_entry WHERE position = 2", "UPDATE undo_entry SET action_id = 'x' WHERE position = 1"]
)
def test_undo_entries_that_differ_from_the_history(reviewed: Library, change: str) -> None:
    tamper(reviewed, change)
    assert "What can be undone differs" in _problems(reviewed)[0]
    reviewed.rebuild()
    assert reviewed.verify().ok


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("INSERT INTO clip_label VALUES ('event_type', 'collision', 999)", "clip_label"),
        ("INSERT INTO clip_text (rowid, name, caption, note) VALUES (999, 'x', '', '')", "clip_text"),
    ],
)
def test_rows_of_clips_that_do_not_exist(reviewed: Library, change: str, table: str) -> None:
    tamper(reviewed, change)
    assert _problems(reviewed) == [f"{table} has rows of clips that do not exist; `vvlm rebuild` recreates it."]
    reviewed.rebuild()
    assert reviewed.verify().ok


def test_a_changed_analysis(reviewed: Library) -> None:
    tamper(reviewed, "UPDATE analysis SET document = replace(document, 'near_miss', 'collision')")
    assert "was changed" in _problems(reviewed)[0]


def test_a_changed_analysis_with_its_fingerprint_made_to_fit(reviewed: Library) -> None:
    document = reviewed.analyses(make_clip().id)[0]
    with closing(sqlite3.connect(reviewed.folder / "library.db")) as connection:
        text = connection.execute("SELECT document FROM analysis").fetchone()[0].replace("van", "bus")
    tamper(
        reviewed,
        ("UPDATE analysis SET document = ?, sha256 = ?", (text, hashlib.sha256(text.encode()).hexdigest())),
    )
    assert _problems(reviewed)[0] == f"Analysis {document.id} is not the one that a reviewer judged."


def test_an_analysis_listed_with_other_facts(reviewed: Library) -> None:
    tamper(reviewed, "UPDATE analysis SET backend = 'gemini'")
    assert "listed with other facts" in _problems(reviewed)[0]


def test_a_removed_analysis(reviewed: Library) -> None:
    tamper(reviewed, "DELETE FROM analysis")
    assert "which a reviewer judged, was removed" in _problems(reviewed)[0]


def test_a_history_that_ends_behind_its_head_takes_no_more_events(reviewed: Library) -> None:
    from vvlm_desktop.errors import LibraryDamagedError

    tamper(reviewed, "UPDATE head SET seq = 4")
    with pytest.raises(LibraryDamagedError, match="does not end where its head says"):
        reviewed.append([note("c", "x")])
    assert "events 5 to 10 are beyond its head" in _problems(reviewed)[0]


def test_many_differing_clips_are_counted(library: Library) -> None:
    for number in range(8):
        library.add_clip(make_clip(number))
    tamper(library, "UPDATE clip_state SET labels = '[]'")
    found = _problems(library)
    assert len(found) == 6
    assert found[-1] == "The same holds for 3 more clips."

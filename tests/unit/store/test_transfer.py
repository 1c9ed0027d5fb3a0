"""Chains to and from other libraries, and erasing what is private."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.store.builders import SCHEMA, make_analysis, make_clip, note, status, tamper, verdict
from vvlm_desktop.errors import FormatError
from vvlm_desktop.store.library import ClipFilter, Library


@pytest.fixture
def other(reviewed: Library) -> Library:
    """Another library, with ten events on the clip that both have."""
    return reviewed


def _exported(library: Library) -> list[dict[str, Any]]:
    """As a file would hold it."""
    return json.loads(json.dumps(list(library.export_events())))  # type: ignore[no-any-return]


def test_a_chain_arrives_verbatim_and_folds_to_the_same_review(library: Library, other: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    change = library.import_events(_exported(other), heads=other.heads(), source="from Ben.jsonl")
    assert change.clip_ids == (clip.id,)
    assert library.reviews(clip.id) == other.reviews(clip.id)
    imported = [event for event in library.history() if event.origin == other.origin]
    assert imported == other.history()
    own = library.history()[-1]
    assert own.payload == {"source": "from Ben.jsonl", "origin": other.origin, "events": 10}
    report = library.verify(heads=other.heads())
    assert (report.ok, report.origins, report.signed, report.notes) == (True, 2, True, [])
    assert {head.origin for head in library.heads()} == {library.origin, other.origin}


def test_importing_twice_changes_nothing(library: Library, other: Library) -> None:
    library.import_events(_exported(other))
    before = _exported(library)
    assert library.import_events(_exported(other)).clip_ids == ()
    assert library.import_events([]).action_id is None
    assert _exported(library) == before


def test_only_what_is_new_is_taken(library: Library, other: Library) -> None:
    library.import_events(_exported(other))
    other.append([note(make_clip(), "later")])
    other.import_events(_exported(library))  # the whole of it comes back: known
    library.import_events(_exported(other))
    assert len([event for event in library.history() if event.origin == other.origin]) == 12
    assert library.verify().ok
    assert other.verify().ok


def test_two_libraries_end_with_the_same_reviews_whatever_the_order(library: Library, other: Library) -> None:
    clip = make_clip()
    library.add_clip(clip)
    library.append([verdict(clip, "no_incident"), status(clip, reviewer="Ben"), note(clip, "here")])
    here, there = _exported(library), _exported(other)
    library.import_events(there)
    other.import_events(here)
    assert library.reviews(clip.id) == other.reviews(clip.id)
    assert library.verify().ok
    assert other.verify().ok


def test_undo_leaves_imported_actions_alone(library: Library, other: Library) -> None:
    library.import_events(_exported(other))
    review = library.reviews(make_clip().id)
    assert library.undo("Anna") is None
    assert library.reviews(make_clip().id) == review


def test_taking_back_keeps_what_an_import_set_later(library: Library, other: Library) -> None:
    clip = make_clip()
    library.append([note(clip, "mine"), verdict(clip, "collision", field="other_field")])
    library.import_events(_exported(other))  # a longer history: its note was written later
    assert library.review(clip.id, reviewer="Anna", schema_key=SCHEMA).note == "note 4"
    library.undo("Anna")
    review = library.review(clip.id, reviewer="Anna", schema_key=SCHEMA)
    assert review.note == "note 4"
    assert "other_field" not in review.verdicts
    assert "event_type" in review.verdicts


def _first_header(events: list[dict[str, Any]]) -> dict[str, Any]:
    header: dict[str, Any] = events[0]["header"]
    return header


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda events: events[3].update(payload=events[3]["payload"].replace("note 1", "note X")),
            "payload of event 4",
        ),
        (lambda events: events[3]["header"].update(at="2020-01-01T00:00:00.000Z"), "header of event 4"),
        (lambda events: events.pop(3), "event 4 is missing"),
        (lambda events: events.pop(0), "event 1 is missing"),
        (lambda events: events.append(events[2]), "event 3 occurs twice"),
        (lambda events: events[3].update(hash="0" * 64), "header of event 4"),
        (lambda events: events[3].pop("salt"), "no. 4 cannot be read"),
        (lambda events: events[3].update(salt="nothing"), "no. 4 cannot be read"),
        (lambda events: events[3]["header"].update(seq="4"), "no. 4 cannot be read"),
        (lambda events: events[3]["header"].update(seq=True), "no. 4 cannot be read"),
        (lambda events: events[3]["header"].update(clip=["x"]), "no. 4 cannot be read"),
        (lambda events: events[3]["header"].update(more=1), "no. 4 cannot be read"),
        (lambda events: events[3].update(header=None), "no. 4 cannot be read"),
        (lambda events: events.insert(3, "text"), "no. 4 cannot be read"),
        (lambda events: events[3]["header"].update(lamport=2**60), "no. 4 cannot be read"),
        (lambda events: events[3].update(payload="[]"), "no. 4 cannot be read"),
        (lambda events: events[3].update(payload="{"), "no. 4 cannot be read"),
        (lambda events: events[3].update(payload=7), "no. 4 cannot be read"),
        (lambda events: events[3].update(payload='{"data": {}, "reviewer": 1, "schema_key": ""}'), "no. 4 cannot be"),
    ],
)
def test_a_damaged_chain_is_refused_whole(library: Library, other: Library, damage: Any, words: str) -> None:
    events = _exported(other)
    damage(events)
    with pytest.raises(FormatError, match=words) as error:
        library.import_events(events)
    assert "Nothing was imported" in error.value.hint
    assert library.history() == []
    assert library.verify().origins == 0


def test_a_chain_that_went_two_ways_is_refused(library: Library, other: Library) -> None:
    library.import_events(_exported(other)[:8])
    tamper(other, "DELETE FROM event WHERE seq > 6", "DELETE FROM signature", "UPDATE head SET seq = 6")
    with other.read() as connection:
        last = connection.exec_driver_sql("SELECT hash FROM event WHERE seq = 6").scalar_one()
    tamper(other, f"UPDATE head SET hash = '{last}'")
    other.rebuild()
    other.append([note(make_clip(), "another seventh event")])
    with pytest.raises(FormatError, match="went two different ways: event 7"):
        library.import_events(_exported(other))


def test_a_false_signature_is_refused(library: Library, other: Library) -> None:
    from dataclasses import replace

    with pytest.raises(FormatError, match="signature of the review history"):
        library.import_events(_exported(other), heads=[replace(other.heads()[0], at="2020-01-01T00:00:00.000Z")])
    assert library.history() == []


def test_an_unsigned_import_is_noted_and_does_not_make_our_own_chain_unsigned(library: Library, other: Library) -> None:
    library.import_events(_exported(other))
    report = library.verify()
    assert (report.ok, report.signed) == (True, True)
    assert report.notes == [f"Imported chain {other.origin}: events 1 to 10 are not covered by a signature."]


def test_what_a_newer_version_wrote_is_refused_rather_than_half_understood(library: Library, other: Library) -> None:
    from vvlm_desktop.store.chain import new_link

    content = {"reviewer": "Anna", "schema_key": SCHEMA, "analysis_id": None, "data": {"after": "on_the_moon"}}
    link = new_link(
        origin="new",
        seq=1,
        prev="0" * 64,
        kind="status",
        at="2027-01-01T00:00:00.000Z",
        lamport=1,
        action_id="a",
        undoes=None,
        clip_id=library.add_clip(make_clip()).clip.id,
        content=content,
    )
    with pytest.raises(FormatError, match="does not know"):
        library.import_events([link.to_json()])
    assert library.history() == []


def test_a_restored_backup_gets_its_own_later_events_back(reviewed: Library) -> None:
    later = _exported(reviewed)
    tamper(reviewed, "DELETE FROM event WHERE seq > 8", "DELETE FROM signature")
    with reviewed.read() as connection:
        last = connection.exec_driver_sql("SELECT hash FROM event WHERE seq = 8").scalar_one()
    tamper(reviewed, f"UPDATE head SET seq = 8, hash = '{last}'")
    reviewed.rebuild()
    reviewed.import_events(later)
    assert reviewed.review(make_clip().id, reviewer="Anna", schema_key=SCHEMA).note == "note 4"
    assert reviewed.verify().ok
    for _ in range(5):
        assert reviewed.undo("Anna") is not None
    assert reviewed.undo("Anna") is None


def test_erased_payloads_leave_a_tombstone_that_verifies(library: Library) -> None:
    clip, kept = library.add_clip(make_clip(1)).clip, library.add_clip(make_clip(2)).clip
    library.add_analysis(make_analysis(clip))
    library.append([verdict(clip), note(clip, "Herr Ostermann was driving"), note(kept, "stays"), status(clip)])
    library.append([note(clip, "secondsecret", reviewer="Friederike")])
    assert library.erase_payloads(clip.id) == 4
    report = library.verify()
    assert (report.ok, report.erased, report.signed) == (True, 4, True)
    assert library.reviews(clip.id) == []
    assert library.clip(clip.id).status == "needs_review"
    assert library.count_clips(ClipFilter(text="Ostermann")) == 0
    assert library.count_clips(ClipFilter(text="stays")) == 1
    assert [event.payload is None for event in library.history()] == [True, True, False, True, True, False]
    assert library.erase_payloads(clip.id) == 0
    assert library.rebuild() == 2
    assert library.verify().ok
    library.close()
    for file in library.folder.iterdir():
        if file.is_file():
            content = file.read_bytes()
            for private in (b"Ostermann", b"ostermann", b"secondsecret", b"Friederike", b"friederike"):
                assert private not in content, f"{private!r} is still in {file.name}"


def test_what_was_erased_cannot_be_taken_back_but_the_rest_can(library: Library) -> None:
    library.append([note("c", "kept")])
    library.append([note("c", "both"), note("d", "both")])
    library.append([note("d", "erased")])
    library.erase_payloads("d")
    change = library.undo("Anna")
    assert change is not None
    assert change.clip_ids == ("c",)
    assert library.review("c", reviewer="Anna", schema_key=SCHEMA).note == "kept"
    library.undo("Anna")
    assert library.undo("Anna") is None
    assert library.verify().ok


def test_an_erased_chain_can_be_imported(library: Library, other: Library) -> None:
    other.erase_payloads(make_clip().id)
    library.import_events(_exported(other), heads=other.heads())
    report = library.verify()
    assert (report.ok, report.erased) == (True, 10)
    assert library.reviews(make_clip().id) == []

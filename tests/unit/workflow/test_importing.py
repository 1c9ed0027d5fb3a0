"""An import takes what an export says, once, and nothing that the export does not hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clips import make_clip
from tests.unit.workflow.conftest import put_answer
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import PtsRange, Review
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.exporting import export
from vvlm_desktop.workflow.importing import import_file
from vvlm_desktop.workflow.session import Session, open_session


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Makes libraries of other people on other computers."""
    with ExitStack() as stack:
        yield lambda name, reviewer="Ben": stack.enter_context(
            open_session(Settings(reviewer=reviewer), library_dir=tmp_path / name)
        )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return make_clip(tmp_path / "in" / "a.mp4", frames=10, fps=25)


@pytest.fixture
def clip(session: Session, file: Path) -> Clip:
    return _added(session, file)


def _added(session: Session, file: Path) -> Clip:
    (item,) = add_paths(session, [file]).items
    assert item.clip is not None
    return item.clip


def _imported(session: Session, clip: Clip) -> Review:
    (found,) = (r for r in session.library.reviews(clip.id) if r.reviewer.startswith("R1 of "))
    return found


def _same(one: Review, other: Review) -> bool:
    return (one.labels(), one.evidence, one.note, one.status, one.dismiss_reason) == (
        other.labels(),
        other.evidence,
        other.note,
        other.status,
        other.dismiss_reason,
    )


def test_second_export_brings_what_was_taken_back_since_the_first(
    session: Session, clip: Clip, elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    there = elsewhere("there")
    review.settle(session, clip.id, {"event_type": "collision", "weather": "rain"})
    review.set_evidence(session, clip.id, "event_type", None, PtsRange(0, 512))
    review.set_note(session, clip.id, "first")
    export(session, "ours", tmp_path / "one", copy=True)
    assert import_file(there, tmp_path / "one").imported == 1
    review.clear_field(session, clip.id, "event_type")
    review.remove_evidence(session, clip.id, "event_type", None, PtsRange(0, 512))
    review.set_note(session, clip.id, "")
    export(session, "ours", tmp_path / "two", copy=True)
    assert import_file(there, tmp_path / "two").imported == 1
    own = session.library.review(clip.id, reviewer="Ada", schema_key=session.schema.key)
    assert "event_type" not in own.labels()
    assert _same(_imported(there, clip), own)


@pytest.mark.parametrize("status", ["reviewed", "dismissed"])
def test_importing_twice_changes_nothing(
    session: Session, clip: Clip, elsewhere: Callable[..., Session], tmp_path: Path, status: str
) -> None:
    there = elsewhere("there")
    put_answer(session, clip, {"event_type": "near_miss", "weather": "rain"})
    review.settle(session, clip.id, {"event_type": "collision"})
    review.set_evidence(session, clip.id, "event_type", None, PtsRange(0, 512))
    if status == "dismissed":
        review.set_status(session, clip.id, "dismissed", reason="no_picture")
    export(session, "ours", tmp_path / "out", copy=True, unreviewed=True)
    first = import_file(there, tmp_path / "out")
    events = len(there.library.history())
    second = import_file(there, tmp_path / "out")
    assert (first.imported, first.known, second.imported, second.known) == (1, 0, 0, 1)
    assert len(there.library.history()) == events
    assert _imported(there, clip).status == status


def test_export_of_a_chain_that_is_here_is_known_already(
    session: Session, clip: Clip, elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    there = elsewhere("there")
    review.settle(session, clip.id, {"event_type": "collision"})
    export(session, "ours", tmp_path / "plain", copy=True)
    export(session, "ours", tmp_path / "log", copy=True, with_log=True)
    assert import_file(there, tmp_path / "log").imported == 1
    again = import_file(there, tmp_path / "plain")
    assert (again.imported, again.known, again.problems) == (0, 1, ())
    assert [r.reviewer for r in there.library.reviews(clip.id)] == ["Ada"]
    review.set_value(session, clip.id, "event_type", "near_miss")
    export(session, "ours", tmp_path / "newer", copy=True)
    (said,) = import_file(there, tmp_path / "newer").problems
    assert "--log" in said


def test_export_of_a_library_that_knows_us_is_not_taken_for_our_own(
    session: Session, clip: Clip, elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    """Whichever of the two origins sorts first."""
    for number in range(4):
        there = elsewhere(f"there{number}")
        review.set_note(session, clip.id, str(number))
        review.settle(session, clip.id, {"event_type": "collision"})
        export(session, "ours", tmp_path / f"log{number}", copy=True, with_log=True)
        import_file(there, tmp_path / f"log{number}")
        review.settle(there, clip.id, {"event_type": "near_miss"})
        export(there, "ours", tmp_path / f"back{number}", copy=True)
        assert import_file(session, tmp_path / f"back{number}").imported
        assert any(r.reviewer.endswith(there.library.origin[:8]) for r in session.library.reviews(clip.id))


def test_one_name_on_two_computers_is_told(
    session: Session, clip: Clip, file: Path, elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    there = elsewhere("there", reviewer="Ada")
    _added(there, file)
    for one in (session, there):
        review.settle(one, clip.id, {"event_type": "collision"})
    export(session, "ours", tmp_path / "out", copy=True, with_log=True)
    (said,) = import_file(there, tmp_path / "out").notes
    assert said.startswith(f"“Ada” reviewed here and from {session.library.origin[:8]}")
    assert import_file(there, tmp_path / "out").notes == ()
    third = elsewhere("third", reviewer="Cleo")
    review.settle(third, _added(third, file).id, {"event_type": "collision"})
    assert import_file(third, tmp_path / "out").notes == ()


def test_link_out_of_the_export_adds_no_file(
    session: Session, clip: Clip, elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    there = elsewhere("there")
    review.settle(session, clip.id, {"event_type": "collision"})
    export(session, "ours", tmp_path / "out", copy=True)
    private = make_clip(tmp_path / "private.mp4", frames=12, fps=25)
    for target in (private, Path(clip.path)):
        placed = tmp_path / "out" / "clips" / "a.mp4"
        placed.unlink()
        placed.symlink_to(target)
        (problem,) = import_file(there, tmp_path / "out").problems
        assert "not in the library" in problem
        assert there.library.all_clips() == []


def test_file_in_the_export_that_is_another_clip_is_not_added(
    session: Session, clip: Clip, elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    there = elsewhere("there")
    review.settle(session, clip.id, {"event_type": "collision"})
    export(session, "ours", tmp_path / "out", copy=True)
    make_clip(tmp_path / "out" / "clips" / "a.mp4", frames=12, fps=25)
    assert import_file(there, tmp_path / "out").problems
    assert there.library.all_clips() == []
    assert there.library.problem_files() == []


def test_imported_answer_dated_in_the_future_is_not_what_a_review_starts_from(
    session: Session, clip: Clip, file: Path, elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    there = elsewhere("there")
    mine = put_answer(there, _added(there, file), {"event_type": "no_incident"})
    far = put_answer(session, clip, {"event_type": "collision"}, created_at="2999-01-01T00:00:00.000Z")
    review.settle(session, clip.id, {"event_type": "collision"})
    export(session, "ours", tmp_path / "out", copy=True)
    assert import_file(there, tmp_path / "out").imported == 1
    assert review.open_review(there, clip.id).analysis == mine
    assert [a.id for a in there.library.analyses(clip.id)] == [mine.id, far.id]


def test_imported_answer_under_the_id_of_one_of_ours_changes_nothing(
    session: Session, clip: Clip, file: Path, elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    there = elsewhere("there")
    _added(there, file)
    put_answer(session, clip, {"event_type": "collision"})
    review.settle(session, clip.id, {"event_type": "collision"})
    export(session, "ours", tmp_path / "out", copy=True)
    (record,) = (tmp_path / "out" / "corrections.jsonl").read_text().splitlines()
    mine = put_answer(there, clip, {"event_type": "no_incident"})
    there.library.add_analysis(replace(mine, id=json.loads(record)["analysis"]["id"]))
    assert import_file(there, tmp_path / "out").imported == 1
    assert len(there.library.analyses(clip.id)) == 2

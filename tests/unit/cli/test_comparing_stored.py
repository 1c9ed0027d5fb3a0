"""`vvlm compare --list` and `--a … --b …`: nothing is run, what is stored is compared."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Vvlm
from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.workflow.session import open_session


@pytest.fixture(autouse=True)
def answered(library) -> None:
    """Two clips: a model alone, with an adapter, and Gemini about the first."""
    said = {"event_type": "near_miss", "weather": "clear"}
    with open_session(library_dir=library) as session:
        for name in ("a.mp4", "b.mp4"):
            clip = put_clip(session, name)
            put_answer(session, clip, said, backend="local", model="M")
            put_answer(session, clip, {**said, "weather": "rain"}, backend="local", model="M", adapter="march-001")
            if name == "a.mp4":
                put_answer(session, clip, {**said, "event_type": "collision"}, backend="gemini", model="gemini-x")


def test_list_has_the_names_that_can_be_compared(vvlm: Vvlm) -> None:
    told = vvlm("compare", "--list", "--json").data["answerers"]
    assert [(each["name"], each["clips"]) for each in told] == [("M", 2), ("M + march-001", 2), ("gemini-x", 1)]
    assert "M + march-001" in vvlm("compare", "--list").stdout


def test_any_two_are_compared_by_part_of_their_names(vvlm: Vvlm) -> None:
    told = vvlm("compare", "--a", "M", "--b", "gemini", "--json").data
    assert (told["a"], told["b"]) == ("M", "gemini-x")
    (clip,) = told["clips"]
    event = next(each for each in clip["fields"] if each["field"] == "event_type")
    assert (event["a"], event["b"], event["standing"]) == ("near_miss", "collision", "differs")
    weather = next(each for each in told["agreement"] if each["field"] == "weather")
    assert (weather["both_answered"], weather["agree"]) == (1, 1)


def test_table_names_the_two_and_those_named_clips_only(vvlm: Vvlm) -> None:
    told = vvlm("compare", "b.mp4", "--a", "M", "--b", "march").stdout
    assert "1 clip, A M, B M + march-001" in told
    assert "a.mp4" not in told


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--a", "M"), "name the other"),
        (("--a", "M", "--b", "nobody"), "Nobody called 'nobody'"),
        (("--a", "M +", "--b", "M", "extra.mp4"), "extra.mp4"),
        (("--a", "M", "--b", "m"), "are the same"),
        (("--a", "M", "--b", ""), "Nobody called ''"),
    ],
)
def test_what_cannot_be_compared_is_said(vvlm: Vvlm, asked, said) -> None:
    told = vvlm("compare", *asked)
    assert told.exit_code == 2
    assert said in told.stderr

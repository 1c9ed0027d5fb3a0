"""`vvlm trainset` from making to checking, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Vvlm
from tests.tiny_models import tiny_model

Add = Callable[..., None]


@pytest.fixture
def reviewed(vvlm: Vvlm, add: Add) -> None:
    add("a", "b")
    for name, event in (("a.mp4", "collision"), ("b.mp4", "near_miss")):
        done = vvlm("review", name, "--set", f"event_type={event}", "--set", "weather=rain", "--set", "visibility=good")
        assert done.exit_code == 0, done.stderr


def test_a_set_is_made_listed_shown_and_checked(vvlm: Vvlm, reviewed: None, library: Path) -> None:
    made = vvlm("trainset", "make", "fleet", "--frames", "4", "--json")
    assert made.exit_code == 0, made.stderr
    assert made.data["is_new"]
    assert (made.data["name"], made.data["number"], made.data["clips"]) == ("fleet", 1, 2)
    assert made.data["training_set"]["groups"] == 1  # both clips show the same
    assert Path(made.data["folder"]).parent == library / "training_sets"

    again = vvlm("trainset", "make", "fleet", "--frames", "4")
    assert "no new one was made. “fleet” now stands for it" in again.stdout

    listed = vvlm("trainset", "list", "--json").data
    assert [each["id"] for each in listed] == [made.data["id"]]
    assert "fleet-001" in vvlm("trainset", "list").stdout

    shown = vvlm("trainset", "show", "fleet")
    assert "near_miss" in shown.stdout
    assert "(unknown)" not in shown.stdout
    assert shown.stdout.index("weather") < shown.stdout.index("visibility")  # as the schema, not by the alphabet
    for said in (again, shown):
        assert "the rule for promotion asks for" in said.stdout

    checked = vvlm("trainset", "check", made.data["folder"])
    assert checked.exit_code == 0, checked.stderr
    assert "2 of 2 clips decode" in checked.stdout
    assert "bound its tokens" in checked.stdout
    assert "Nothing must be mended" in checked.stdout
    assert "the rule for promotion asks for" in vvlm("trainset", "check", "fleet").stdout

    vvlm("review", "a.mp4", "--status", "dismissed", "--reason", "no_picture")
    late = vvlm("trainset", "show", "fleet").stdout
    assert "withdrawn since it was made: a.mp4, dismissed" in late
    assert "vvlm trainset make fleet" in late


def test_a_models_tokenizer_counts_the_answers(vvlm: Vvlm, reviewed: None, tmp_path: Path) -> None:
    vvlm("trainset", "make", "fleet")
    counted = vvlm("trainset", "check", "fleet", "--tokenizer", tiny_model("qwen2_5_vl"), "--json").data
    bounded = vvlm("trainset", "check", "fleet", "--json").data
    assert counted["longest_answer"]["exact"]
    assert 10 < counted["longest_answer"]["length"] < bounded["longest_answer"]["length"]

    short = vvlm("trainset", "check", "fleet", "--tokenizer", tiny_model("qwen2_5_vl"), "--answer-tokens", "20")
    assert short.exit_code == 1
    assert "must be mended: Answers of more than 20 tokens" in short.stderr

    (tmp_path / "tokenizer.json").write_text("{}")
    for wrong in (tmp_path, tmp_path / "gone"):
        refused = vvlm("trainset", "check", "fleet", "--tokenizer", wrong)
        assert refused.exit_code == 2
        assert "Traceback" not in refused.stderr


def test_a_set_with_a_damaged_clip_ends_with_one(vvlm: Vvlm, reviewed: None) -> None:
    folder = Path(vvlm("trainset", "make", "fleet", "--copy", "--json").data["folder"])
    next((folder / "clips").iterdir()).unlink()
    done = vvlm("trainset", "check", "fleet", "--json")
    assert done.exit_code == 1
    assert [finding["level"] for finding in json.loads(done.stdout)["findings"]].count("error") == 1


def test_what_cannot_be_is_told_with_the_way_out(vvlm: Vvlm, add: Add) -> None:
    add("a")
    nothing = vvlm("trainset", "make", "fleet")
    assert nothing.exit_code == 1
    assert "not reviewed yet" in nothing.stderr
    assert "--unreviewed" not in nothing.stderr
    unknown = vvlm("trainset", "show", "fleet")
    assert unknown.exit_code == 2
    assert "vvlm trainset make" in unknown.stderr
    assert vvlm("trainset", "make", "No Name").exit_code == 2

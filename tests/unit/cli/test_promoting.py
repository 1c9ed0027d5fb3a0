"""`vvlm promote`, `rollback`, `promotions` and `changes` as they are typed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.model_folders import write_adapter
from tests.unit.workflow.conftest import put_answer
from tests.unit.workflow.evaluations import BASE_ID, EVEN, ODD, Bench, coin, right, wrong
from vvlm_desktop.cli.commands import app
from vvlm_desktop.cli.output import local_time
from vvlm_desktop.settings import Settings, load_settings
from vvlm_desktop.workflow.session import open_session


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library with the run march-001, better than the base, and april-001, which guesses."""
    folder = tmp_path / "library"
    with open_session(Settings(reviewer="Ada"), library_dir=folder) as session:
        bench = Bench(session, tmp_path, test=20)
        bench.measure(bench.run("march-001"), {"base": wrong, "march-001": right})
        bench.measure(bench.run("april-001", fill=2), {"base": coin("a"), "april-001": coin("b")})
        bench.run("may-001", fill=3)
        for clip, labels in zip(bench.clips["test"][:2], (EVEN, ODD), strict=True):
            local = {"backend": "local", "model": BASE_ID, "prompt_sha": "p"}
            put_answer(session, clip, dict(EVEN), **local)
            put_answer(session, clip, dict(labels), adapter="march-001", **local)
    return folder


def vvlm(library: Path, *arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*arguments, "--library", str(library)], catch_exceptions=False)
    return done.exit_code, " ".join(done.stdout.split()), " ".join(done.stderr.split())


def test_from_a_dry_run_to_the_default_and_back(library: Path) -> None:
    code, text, _ = vvlm(library, "promote", "march", "--dry-run")
    assert code == 0
    for words in ("at least 20 test clips", "Enough test clips", "march-001 may become the default: +100.0 points"):
        assert words in text
    assert load_settings().local_adapter == ""
    assert vvlm(library, "promotions")[1] == "Nothing was promoted in this library."
    code, text, _ = vvlm(library, "promote", "march-001", "--reviewer", "Zoë")
    assert code == 0
    assert "One step back: vvlm rollback" in text
    assert load_settings().local_adapter == "march-001"
    assert "promoted by Zoë" in vvlm(library, "models", "adapters")[1]
    (told,) = json.loads(vvlm(library, "promotions", "--json")[1])
    assert (told["reviewer"], told["kind"], told["before"]["backend"]) == ("Zoë", "promoted", "signals")
    code, text, _ = vvlm(library, "rollback")
    assert (code, text.startswith("Analyse now uses the built-in measurements")) == (0, True)
    assert load_settings().local_adapter == ""
    table = vvlm(library, "promotions")[1]
    assert table.index("rolled back") < table.index("promoted")
    assert vvlm(library, "rollback")[0] == 2


def test_a_refusal_names_the_condition_and_ends_with_one(library: Path) -> None:
    for arguments in (("promote", "april-001", "--dry-run"), ("promote", "april-001")):
        code, text, _ = vvlm(library, *arguments)
        assert code == 1
        assert "DOES NOT HOLD" in text
        assert "april-001 may not become the default. Not clearly better on average" in text
    assert load_settings().local_adapter == ""
    told = json.loads(vvlm(library, "promote", "april-001", "--dry-run", "--json")[1])
    assert (told["allowed"], told["promoted"], told["looks"]) == (False, False, 2)
    assert {check["holds"] for check in told["checks"]} == {True, False}


def test_what_was_not_measured_says_how(library: Path) -> None:
    code, _, errors = vvlm(library, "promote", "may-001")
    assert code == 2
    assert "vvlm evaluate may-001" in errors
    code, _, errors = vvlm(library, "promote", "march-001", "--evaluation", "no-such")
    assert code == 2
    assert "evaluation-test" in errors


def test_clips_that_would_change_are_listed(library: Path) -> None:
    code, text, _ = vvlm(library, "changes", "march-001")
    assert code == 0
    for words in ("test-1.mp4", "right then", "1 of 2 clips would change", "1 towards what a person said, 0 away"):
        assert words in text
    assert "test-0.mp4" not in text
    told = json.loads(vvlm(library, "changes", "march", "--json")[1])
    assert [(each["towards"], each["learnt_from"]) for each in told["changed"]] == [("right", False)]
    assert (told["compared"], told["by_field"]["event_type"]) == (2, 1)
    assert vvlm(library, "changes", "nobody")[0] == 2


def test_clips_that_the_adapter_learnt_from_are_marked_and_judge_nobody(library: Path) -> None:
    with open_session(Settings(reviewer="Ada"), library_dir=library) as session:
        (clip,) = (clip for clip in session.library.all_clips() if clip.path.endswith("/train-1.mp4"))
        local = {"backend": "local", "model": BASE_ID, "prompt_sha": "p"}
        put_answer(session, clip, dict(EVEN), **local)
        put_answer(session, clip, dict(ODD), adapter="march-001", **local)
    text = vvlm(library, "changes", "march-001")[1]
    for words in ("learnt from", "1 of 3 clips are clips that one of them learnt from", "1 towards what a person said"):
        assert words in text
    names = ("--a", BASE_ID, "--b", f"{BASE_ID} + march-001")
    assert "1 of 3 clips are clips that one of them learnt from" in vvlm(library, "compare", *names)[1]
    told = json.loads(vvlm(library, "compare", *names, "--json")[1])
    event = next(each for each in told["agreement"] if each["field"] == "event_type")
    assert (told["learnt_from"], event["both_answered"], event["reviewed"], event["b_right"]) == (1, 3, 2, 2)


def test_what_is_the_default_already_is_said_and_no_failure(library: Path) -> None:
    assert vvlm(library, "promote", "march-001")[0] == 0
    for options in ((), ("--dry-run",)):
        code, text, _ = vvlm(library, "promote", "march-001", *options)
        assert (code, text) == (0, "The adapter of march-001 is the default already; nothing was changed.")
    assert json.loads(vvlm(library, "promote", "march-001", "--json")[1])["default_already"] is True
    assert len(json.loads(vvlm(library, "promotions", "--json")[1])) == 1
    code, _, errors = vvlm(library, "changes", "march-001")
    assert (code, "compared with itself: it is in use" in errors) == (2, True)
    assert vvlm(library, "changes", "march-001", "--now", "base")[0] == 0


def test_an_adapter_from_elsewhere_is_refused_with_the_reason(library: Path) -> None:
    home = Settings().models_folder() / "adapters"
    write_adapter(home / "bought", base=BASE_ID)
    code, _, errors = vvlm(library, "promote", "bought")
    assert code == 2
    assert "bought was made by no run that this library has" in errors
    assert f"vvlm models use {BASE_ID} --adapter bought --unmeasured" in errors


def test_changes_compares_with_nobody_unknown_and_names_what_is_missing(library: Path) -> None:
    for arguments in (("march-001", "--now", "nobody"), ("nobody", "--model", BASE_ID)):
        code, _, errors = vvlm(library, "changes", *arguments)
        assert code == 2
        assert "There is no adapter 'nobody'" in errors
        assert "march-001" in errors
    text = vvlm(library, "changes", "march-001")[1]
    assert f"vvlm compare --model {BASE_ID} --adapter march-001" in text
    text = vvlm(library, "changes", "may-001", "--now", "march-001")[1]
    assert f"vvlm analyse --model {BASE_ID} --adapter march-001; vvlm analyse" in text


def test_times_are_of_this_computer_s_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        assert local_time("2026-11-21T23:30:00.000Z") == "2026-11-22 01:30"
        assert local_time("yesterday") == "yesterday"
    finally:
        monkeypatch.undo()
        time.tzset()

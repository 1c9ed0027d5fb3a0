"""Gemini through the whole program and its real worker: every fault gets its message, nothing stays, no key shows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.cloud import ANSWER, KEY, UPLOADED, add_clips, is_nowhere
from tests.e2e.conftest import Vvlm
from tests.standins.gemini import GeminiStandin, blocked, said
from tests.standins.http_server import Fault, serving
from tests.standins.openai import OpenAIStandin
from vvlm_desktop.store.library import Library


@pytest.fixture
def gemini(monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiStandin]:
    with serving(GeminiStandin(ANSWER)) as standin:
        standin.states = ["ACTIVE"]
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", standin.address)
        monkeypatch.setenv("GEMINI_API_KEY", KEY)
        yield standin


@pytest.fixture
def add(vvlm: Vvlm, tmp_path: Path) -> Callable[[int], None]:
    return lambda number: add_clips(vvlm, tmp_path / "clips", number)


@pytest.fixture
def command_lines() -> Iterator[list[str]]:
    """What anybody on this computer could read of our processes while they run."""
    seen: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            for child in psutil.Process().children(recursive=True):
                try:
                    seen.append(" ".join(child.cmdline()))
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield seen
    over.set()
    watcher.join()


def error(status: int, message: str = "no") -> Fault:
    return Fault(status=status, body={"error": {"code": status, "message": message, "status": "X"}})


#: What goes wrong, and what the reviewer reads; "" where it is overcome.
FAULTS: dict[str, tuple[dict[str, list[Fault]], dict[str, Any], str]] = {
    "429 with Retry-After": ({"generate": [Fault(status=429, body={}, headers={"Retry-After": "1"})]}, {}, ""),
    "429 for hours": ({"generate": [Fault(status=429, body={}, headers={"Retry-After": "9000"})]}, {}, "quota"),
    "500 once": ({"put": [error(500)]}, {}, ""),
    "FAILED": ({}, {"states": ["PROCESSING", "FAILED"]}, "could not read the video"),
    "cut in the upload": ({"put": [Fault(cut=True)]}, {}, ""),
    "cut after the upload": ({"put": [Fault(cut_after=True)]}, {}, ""),
    "slow drip": ({"generate": [Fault(drip_s=0.0002)]}, {}, ""),
    "blocked": ({}, {"answers": [blocked()]}, "PROHIBITED_CONTENT"),
    "truncated": ({}, {"answers": [said('{"event_type": "no_in', finish="MAX_TOKENS")]}, "cut off"),
    "wrong schema": ({}, {"answers": ['{"event_type": 7}']}, "does not have the form"),
    "not deleted": ({"delete": [error(500)] * 4}, {}, "could not be deleted"),
}


#: A result and a message in every run; the others take a second or two each.
QUICK = {"cut after the upload"}


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAULTS]
)
def test_a_fault_ends_in_a_result_or_a_message_and_nothing_stays(
    vvlm: Vvlm,
    add: Callable[[int], None],
    gemini: GeminiStandin,
    library: Path,
    tmp_path: Path,
    command_lines: list[str],
    name: str,
) -> None:
    faults, changes, message = FAULTS[name]
    add(1)
    for kind, each in faults.items():
        gemini.fail(kind, *each)
    for attribute, value in changes.items():
        getattr(gemini, attribute).clear()
        getattr(gemini, attribute).extend(value)

    done = vvlm("analyse", *UPLOADED, "--json")

    (row,) = done.data
    told = f"{row['problem'] or ''} {' '.join(row['flags'])}"
    assert message in told
    assert row["outcome"] == ("analysed" if not message or row["flags"] else "failed"), told
    assert "Traceback" not in done.stderr
    if name == "not deleted":
        assert len(gemini.stored) == 1
        assert "1 upload may still lie at" in vvlm("ledger").stdout
        vvlm("cloud", "clean")
    assert gemini.stored == {}
    assert vvlm("cloud", "status", "--json").data["left_over"]["uploads"] == 0
    assert vvlm("verify").exit_code == 0
    assert any("vvlm_desktop.worker" in line for line in command_lines)
    assert not any(KEY in line for line in command_lines)
    is_nowhere(KEY, tmp_path, done)


#: What would meet every clip, and what the reviewer reads.
NO_ACCESS = {
    "401": ({"start": [error(401, f"bad key {KEY}")] * 9}, "did not accept the key"),
    "404 model": ({"generate": [error(404)] * 9}, "no model"),
}


@pytest.mark.parametrize("name", ["401", pytest.param("404 model", marks=pytest.mark.slow)])
def test_what_concerns_every_clip_is_said_once_and_they_wait(
    vvlm: Vvlm, add: Callable[[int], None], gemini: GeminiStandin, tmp_path: Path, name: str
) -> None:
    faults, message = NO_ACCESS[name]
    add(5)
    for kind, each in faults.items():
        gemini.fail(kind, *each)

    done = vvlm("analyse", *UPLOADED)

    assert done.exit_code == 1
    assert (done.stdout + done.stderr).count(message) == 1
    assert "5 clips wait" in done.stderr
    assert "Traceback" not in done.stderr
    assert gemini.stored == {}
    is_nowhere(KEY, tmp_path, done)
    gemini.faults.clear()
    again = vvlm("analyse", *UPLOADED, "--json")
    assert [row["outcome"] for row in again.data] == ["analysed"] * 5


def test_server_at_which_nobody_listens_is_said_once(vvlm: Vvlm, add: Callable[[int], None]) -> None:
    add(3)
    done = vvlm("analyse", "--backend", "server", "--url", "http://127.0.0.1:9/v1", "--allow-upload")
    assert done.exit_code == 1
    assert done.stderr.count("cannot be reached at 127.0.0.1:9") == 1
    assert "3 clips wait" in done.stderr


def test_consent_is_on_record_before_anything_and_what_it_took_is_told(
    vvlm: Vvlm, add: Callable[[int], None], gemini: GeminiStandin, library: Path
) -> None:
    add(2)
    done = vvlm("analyse", *UPLOADED)
    assert done.exit_code == 0, done.stderr
    assert "In all 4,000 tokens in, 480 out, about $0.0024." in done.stdout
    with Library.open(library) as opened:
        leaving = [event for event in opened.history() if event.kind in ("consent", "upload")]
    assert [event.kind for event in leaving[:2]] == ["consent", "upload"]
    assert leaving[1].payload is not None
    assert leaving[1].payload["state"] == "asked"
    states = [event.payload["state"] for event in leaving if event.kind == "upload" and event.payload]
    assert sorted(states) == sorted(["asked", "sending", "sent", "deleted"] * 2)
    assert vvlm("ledger", "--consents", "--json").data[0]["clips"] == 2


def test_teacher_and_question_go_the_same_way(vvlm: Vvlm, add: Callable[[int], None], gemini: GeminiStandin) -> None:
    add(1)
    drafted = vvlm("analyse", *UPLOADED, "--as-teacher", "--json")
    assert drafted.exit_code == 0, drafted.stderr
    (analysis,) = vvlm("show", "c0.mp4", "--json").data["analyses"]
    assert (analysis["provenance"], analysis["settings"]["votes"]) == ("teacher_draft", 2)
    gemini.answers[0] = "A bus."
    told = vvlm("ask", "c0.mp4", "What is ahead?", "--backend", "gemini", "--range", "0..1", "--allow-upload", "--json")
    assert told.exit_code == 0, told.stderr
    assert told.data["raw_text"] == "A bus."
    sent = vvlm("ledger", "--json").data
    assert [(each["state"], each["content"].split(",")[1]) for each in sent] == [
        ("deleted", " without sound"),
        ("sent", " without sound"),
    ]


def test_without_a_terminal_nothing_is_asked_and_nothing_leaves(
    vvlm: Vvlm, add: Callable[[int], None], gemini: GeminiStandin
) -> None:
    add(1)
    refused = vvlm("analyse", "--backend", "gemini")
    assert refused.exit_code == 1
    assert "The video without sound of 1 clip would leave this computer" in refused.stderr
    assert "--allow-upload" in refused.stderr
    assert gemini.seen == []


@pytest.mark.parametrize(("said_", "sent"), [("n", False), ("y", True)])
def test_at_a_terminal_it_is_asked_and_a_no_sends_nothing(
    vvlm: Vvlm,
    add: Callable[[int], None],
    gemini: GeminiStandin,
    monkeypatch: pytest.MonkeyPatch,
    said_: str,
    sent: bool,
) -> None:
    from vvlm_desktop.cli import leaving

    add(1)
    asked: list[str] = []
    monkeypatch.setattr(leaving, "somebody_is_there", lambda: True)
    monkeypatch.setattr(leaving.typer, "confirm", lambda text, **_: (asked.append(text), said_ == "y")[1])
    done = vvlm("analyse", "--backend", "gemini", "--json")
    assert len(asked) == 1
    assert asked[0].startswith("The video without sound of 1 clip would leave")
    assert (done.exit_code, bool(gemini.seen)) == (0 if sent else 1, sent)
    consents = vvlm("ledger", "--consents", "--json").data
    assert [each["how"] for each in consents] == (["asked_at_the_terminal"] if sent else [])


def test_a_server_gets_pictures_its_own_line_and_its_own_consent(
    vvlm: Vvlm, add: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VVLM_SERVER_KEY", KEY)
    add(1)
    with serving(OpenAIStandin(ANSWER, key=KEY)) as server:
        tested = vvlm("cloud", "test", "server", "--url", server.base_url, with_library=False)
        assert tested.exit_code == 0, tested.stderr
        assert server.asked == []
        done = vvlm(
            "analyse", "--backend", "server", "--url", server.base_url, "--frames", "3", "--allow-upload", "--json"
        )
        assert done.exit_code == 0, done.stderr
        host = server.address.removeprefix("http://")
    assert len(vvlm("ledger", "--consents", "--json").data) == 1
    (line,) = vvlm("ledger", "--json").data
    assert (line["host"], line["state"], line["content"]) == (host, "sent", "3 frames, JPEG")
    is_nowhere(KEY, tmp_path, done, tested)


@pytest.mark.parametrize(
    "option", [("--votes", "2"), ("--url", "http://x/v1"), ("--width", "320"), ("--per-minute", "3")]
)
def test_what_only_a_cloud_has_is_refused_elsewhere(vvlm: Vvlm, option: tuple[str, str]) -> None:
    refused = vvlm("analyse", "--backend", "signals", *option)
    assert (refused.exit_code, f"no {option[0]}" in refused.stderr) == (2, True)


def test_connection_and_keys(vvlm: Vvlm, gemini: GeminiStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = vvlm("cloud", "test", "gemini", "--json", with_library=False)
    assert tested.data["model"] == "gemini-flash-latest"
    wrong = vvlm("cloud", "test", "gemini", "--model", "gemini-9", with_library=False)
    assert (wrong.exit_code, "no model gemini-9" in wrong.stderr) == (1, True)
    where = vvlm("cloud", "key", "where", "gemini", with_library=False)
    assert "GEMINI_API_KEY" in where.stdout
    assert vvlm("cloud", "key", "where", "elsewhere", with_library=False).exit_code == 2
    monkeypatch.delenv("GEMINI_API_KEY")
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    none = vvlm("cloud", "test", "gemini", with_library=False)
    assert (none.exit_code, "no key for Gemini" in none.stderr) == (1, True)
    assert KEY not in tested.stdout + wrong.stderr + where.stdout + none.stderr
    assert os.environ.get("GEMINI_API_KEY") is None

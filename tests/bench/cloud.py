"""Requests that overlap against one after the other, at a server that takes 300 ms: `pytest FILE -m bench -s`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clips import clip
from tests.standins.gemini import GeminiStandin
from tests.standins.http_server import serving
from tests.standins.openai import OpenAIStandin
from tests.unit.backends.cloud.jobs import Jobs, answer_of
from vvlm_desktop.backends.gemini.backend import GeminiBackend
from vvlm_desktop.backends.server.backend import ServerBackend

pytestmark = pytest.mark.bench
CLIPS = 50
LATENCY_S = 0.3
ANSWER = json.dumps({"event_type": "no_incident", "event_time": None, "actions": ["go"], "caption": "Nothing."})


@contextmanager
def server() -> Iterator[tuple[Any, dict[str, Any]]]:
    with serving(OpenAIStandin(ANSWER, latency_s=LATENCY_S)) as standin:
        yield ServerBackend(), {"base_url": f"{standin.address}/v1", "sampling": {"frames": 16}}


@contextmanager
def gemini_inline() -> Iterator[tuple[Any, dict[str, Any]]]:
    with gemini(GeminiBackend()) as both:
        yield both


@contextmanager
def gemini_uploaded() -> Iterator[tuple[Any, dict[str, Any]]]:
    with gemini(GeminiBackend(inline_bytes=0)) as both:
        yield both


@contextmanager
def gemini(backend: GeminiBackend) -> Iterator[tuple[Any, dict[str, Any]]]:
    with serving(GeminiStandin(ANSWER, latency_s=LATENCY_S)) as standin, pytest.MonkeyPatch.context() as patch:
        standin.states = ["ACTIVE"]
        patch.setenv("GOOGLE_GEMINI_BASE_URL", standin.address)
        yield backend, {"per_minute": 0}


def rate(backend: Any, options: dict[str, Any], *, clips: int, concurrency: int) -> float:
    """Clips a second."""
    jobs = Jobs()
    for _ in range(clips):
        jobs.add(
            clip("h264_bframes.mp4"),
            {**options, "allow_upload": True, "concurrency": concurrency},
            backend=backend.name,
        )
    began = time.perf_counter()
    outcomes = jobs.run(backend)
    taken_s = time.perf_counter() - began
    assert len([answer_of(each) for each in outcomes]) == clips
    return clips / taken_s


#: 50 clips at 8 at once are 7 rounds, so at most 7.1 times as fast. An upload takes four more requests a clip, which
#: this process also has to answer.
@pytest.mark.parametrize(("kind", "times"), [(server, 6.0), (gemini_inline, 6.0), (gemini_uploaded, 5.0)])
def test_requests_that_overlap_are_faster(kind: Any, times: float) -> None:
    with kind() as (backend, options):
        rate(backend, options, clips=1, concurrency=1)
        one = rate(backend, options, clips=10, concurrency=1)
        eight = rate(backend, options, clips=CLIPS, concurrency=8)
    print(f"\n{kind.__name__}: 1 at once {one:.2f} clips/s, 8 at once {eight:.2f} clips/s, ×{eight / one:.1f}")
    assert eight >= times * one


#: The same through the command, with its real worker, its ledger and its library.
def test_fifty_clips_through_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.e2e.cloud import ANSWER as WHOLE_ANSWER
    from vvlm_desktop.settings import Settings
    from vvlm_desktop.workflow import consent, ledger
    from vvlm_desktop.workflow.add import add_paths
    from vvlm_desktop.workflow.analyse import analyse
    from vvlm_desktop.workflow.cloud import cloud_options
    from vvlm_desktop.workflow.session import open_session

    for number in range(CLIPS):
        ending = b"\0\0\0\x09free" + bytes([number])
        (tmp_path / f"c{number}.mp4").write_bytes(clip("h264_bframes.mp4").read_bytes() + ending)
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-for-a-bench")
    with (
        serving(GeminiStandin(WHOLE_ANSWER, latency_s=LATENCY_S)) as standin,
        open_session(Settings(reviewer="Ada"), library_dir=tmp_path / "library") as session,
    ):
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", standin.address)
        add_paths(session, [tmp_path / f"c{number}.mp4" for number in range(CLIPS)])
        clips = [each for each in session.library.all_clips() if each.readable]
        assert len(clips) == CLIPS

        def run(number: int, concurrency: int) -> float:
            options = {**cloud_options(session.settings, "gemini", per_minute=0), "concurrency": concurrency}
            plan = consent.plan_upload(clips[:number], backend="gemini", options=options)
            options[consent.ALLOWED] = consent.allow(session, plan, how="command_line")
            began = time.perf_counter()
            batch = analyse(session, clips[:number], backend="gemini", options=options)
            assert (batch.done, batch.failed) == (number, 0)
            return number / (time.perf_counter() - began)

        one, eight = run(10, 1), run(CLIPS, 8)
        assert ledger.summary(session)[0] == CLIPS
        assert session.library.verify().ok
    print(f"\nprogram: 1 at once {one:.2f} clips/s, 8 at once {eight:.2f} clips/s, ×{eight / one:.1f}")

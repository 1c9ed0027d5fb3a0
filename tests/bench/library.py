"""How a library of 100,000 clips opens, sorts, filters and pages. Run: pytest -m bench tests/bench/library.py -s."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from tests.unit.store.builders import make_analysis, make_clip, note, status, verdict
from vvlm_desktop.domain.review import STATUSES
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.analyses import analysis_to_text, text_sha256
from vvlm_desktop.store.clips import display_name
from vvlm_desktop.store.library import ClipFilter, Library

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

CLIPS = 100_000
PAGE = 200
_EVENTS = ("collision", "near_miss", "no_incident", None)
_WORDS = ("van", "bus", "cuts", "in", "brakes", "hard", "at", "lights", "rain", "wet", "night", "turns", "merges")


def _fill(folder: Path) -> None:
    """Rows as the program would have written them, in bulk; deterministic."""
    draw = random.Random(7)
    with Library.open(folder) as library, library.write() as connection:
        for start in range(0, CLIPS, 10_000):
            clips, states, labels, texts, analyses = [], [], [], [], []
            for row in range(start + 1, start + 10_001):
                clip = make_clip(
                    row, path=f"/fleet/{row % 97:02d}/20240{row % 9 + 1}_{draw.randrange(10**6):06d}_F.mp4"
                )
                values = {key: getattr(clip, key) for key in clip.__dataclass_fields__ if key != "status"}
                clips.append({**values, "clip_row": row, "name": display_name(clip.path)})
                event = draw.choice(_EVENTS)
                caption = " ".join(draw.choices(_WORDS, k=12)).capitalize() + "."
                said = {"event_type": event, "weather": draw.choice(["rain", "clear"]), "scene": "urban"}
                said = {key: value for key, value in said.items() if value} | {"caption": caption}
                reviewed = row % 5 == 0
                states.append(
                    {
                        "clip_row": row,
                        "status": (state := draw.choice(STATUSES[1:]) if reviewed else "needs_review"),
                        "status_rank": STATUSES.index(state),
                        "reviewer": "Anna" if reviewed else None,
                        "source": "analysis",
                        "labels": json.dumps(said),
                        "event_type": event,
                        "confidence": draw.random(),
                        "attention": draw.random() if event else None,
                        "backend": "signals",
                        "updated_at": f"2026-01-{draw.randrange(28) + 1:02d}T00:00:00.000Z",
                    }
                )
                labels.append({"field": "@backend", "value": "signals", "clip_row": row})
                labels += [
                    {"field": key, "value": value, "clip_row": row} for key, value in said.items() if key != "caption"
                ]
                texts.append({"row": row, "name": display_name(clip.path), "caption": caption, "note": ""})
                document = analysis_to_text(make_analysis(clip, labels=said))
                analyses.append(
                    {
                        "id": f"a-{clip.id}",
                        "clip_id": clip.id,
                        "backend": "signals",
                        "model": "signals 1",
                        "schema_key": "dashcam-1",
                        "schema_labels_sha": "labels",
                        "created_at": "2026-01-02T00:00:00.000Z",
                        "attention": 0.5,
                        "document": document,
                        "sha256": text_sha256(document),
                    }
                )
            for table, rows in (
                (t.clip, clips),
                (t.clip_state, states),
                (t.clip_label, labels),
                (t.analysis, analyses),
            ):
                connection.execute(insert(table), rows)
            connection.execute(
                text("INSERT INTO clip_text (rowid, name, caption, note) VALUES (:row, :name, :caption, :note)"), texts
            )
        connection.execute(text("INSERT INTO clip_text (clip_text) VALUES ('optimize')"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("fleet")
    _fill(place)
    return place


@pytest.fixture
def fleet(folder: Path) -> Iterator[Library]:
    with Library.open(folder) as library:
        yield library


def _median_ms(work: Callable[[], object], *, times: int = 7) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def _report(what: str, ms: float, limit_ms: float) -> None:
    print(f"\n{what}: {ms:.1f} ms (limit {limit_ms:g})", end="")
    assert ms < limit_ms, what


def test_opening_and_the_first_page(folder: Path) -> None:
    def opened() -> None:
        with Library.open(folder) as library:
            ids = library.clip_rowids()
            assert len(ids) == CLIPS
            library.clip_rows(ids[:PAGE])

    _report("open, ids, first page", _median_ms(opened), 150)


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("sort", ["added", "name", "status", "event", "attention", "duration", "updated"])
def test_sorting(fleet: Library, sort: str, descending: bool) -> None:
    assert len(fleet.clip_rowids(sort=sort, descending=descending)) == CLIPS
    _report(f"sort {sort}", _median_ms(lambda: fleet.clip_rowids(sort=sort, descending=descending)), 150)


@pytest.mark.parametrize("sort", ["added", "name", "attention"])
@pytest.mark.parametrize(
    "chosen",
    [
        ClipFilter(text="van"),
        ClipFilter(text="2024 ra"),
        ClipFilter(status=("needs_review",)),
        ClipFilter(labels={"event_type": ("near_miss",), "weather": ("rain",)}),
        ClipFilter(backend="signals", problem=False),
        ClipFilter(text="v", status=("needs_review", "in_review"), labels={"event_type": ("collision",)}),
    ],
    ids=["word", "two words", "status", "labels", "backend", "all together"],
)
def test_filtering(fleet: Library, chosen: ClipFilter, sort: str) -> None:
    assert len(fleet.clip_rowids(chosen, sort=sort)) > 0
    _report(f"filter, sort {sort}", _median_ms(lambda: fleet.clip_rowids(chosen, sort=sort), times=5), 250)


def test_paging(fleet: Library) -> None:
    ids = fleet.clip_rowids(sort="name")
    starts = iter(range(0, CLIPS, 1_700))
    _report("page of 200", _median_ms(lambda: fleet.clip_rows(ids[(at := next(starts)) : at + PAGE]), times=50), 5)


def test_a_verdict_is_stored_in_the_blink_of_an_eye(fleet: Library) -> None:
    numbers = iter(range(1, 1000))

    def judge() -> None:
        clip = make_clip(next(numbers))
        fleet.append([verdict(clip), note(clip, "a note"), status(clip)])

    judge()
    _report("one action of three events", _median_ms(judge, times=50), 30)


def test_memory(folder: Path) -> None:
    script = (
        "import sys, psutil; from pathlib import Path; from vvlm_desktop.store.library import Library\n"
        "Library.open(Path(sys.argv[2])).close()\n"
        "rss = lambda: psutil.Process().memory_info().rss\n"
        "before = rss(); library = Library.open(Path(sys.argv[1])); ids = library.clip_rowids(sort='name')\n"
        "pages = [library.clip_rows(ids[at:at + 200]) for at in range(0, 4000, 200)]\n"
        "other = library.clip_rowids(sort='attention')\n"
        "print((rss() - before) / 2**20)"
    )
    command = [sys.executable, "-c", script, str(folder), str(folder.parent / "empty")]
    grown = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(f"\nmemory: +{grown:.0f} MB (limit 60)", end="")
    assert grown < 60


def test_checking_and_rebuilding_take_seconds(folder: Path) -> None:
    with Library.open(folder) as library:
        start = time.perf_counter()
        assert library.rebuild() == CLIPS
        rebuilt = time.perf_counter()
        assert library.verify().ok
        print(f"\nrebuild {rebuilt - start:.1f} s, verify {time.perf_counter() - rebuilt:.1f} s", end="")

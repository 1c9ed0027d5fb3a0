"""Nothing confirmed is ever lost: kill -9 in the middle, and two processes that write at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.store.builders import SCHEMA, make_analysis, make_clip
from vvlm_desktop.store.library import Library

pytestmark = pytest.mark.usefixtures("real_libraries")

_WRITER = """
import sys
from pathlib import Path
from tests.unit.store.builders import make_clip, note, status, verdict
from vvlm_desktop.store.library import Library

folder, reviewer, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
library = Library.open(folder)
clip = make_clip(1)
for number in range(count):
    events = [verdict(clip, f"v{number}", reviewer=reviewer), note(clip, f"{number}", reviewer=reviewer)]
    change = library.append([*events, status(clip, reviewer=reviewer)])
    print(number, change.action_id, flush=True)
"""
_ANALYSER = """
import sys
from pathlib import Path
from tests.unit.store.builders import make_analysis
from vvlm_desktop.store.library import Library

library = Library.open(Path(sys.argv[1]))
for batch in library.unfinished_batches():
    for clip_id in library.batch_pending(batch.id):
        clip = library.clip(clip_id)
        library.add_analysis(make_analysis(clip, f"run{sys.argv[2]}"), batch_id=batch.id)
        print(clip_id, flush=True)
"""


def _start(script: str, *arguments: object) -> subprocess.Popen[str]:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)


def _kill_after(process: subprocess.Popen[str], lines: int) -> list[str]:
    """Everything that the process confirmed until it was killed in the middle of its work."""
    assert process.stdout is not None
    confirmed = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    confirmed += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    return [line.strip() for line in confirmed if line.endswith("\n")]


def test_every_confirmed_action_survives_kill_9_and_none_is_half_there(tmp_path: Path) -> None:
    confirmed = [line.split()[1] for line in _kill_after(_start(_WRITER, tmp_path, "Anna", 100_000), 25)]
    assert len(confirmed) >= 25
    with Library.open(tmp_path) as library:
        kinds: dict[str, list[str]] = {}
        for event in library.history():
            kinds.setdefault(event.action_id, []).append(event.kind)
        assert list(kinds)[: len(confirmed)] == confirmed
        assert len(kinds) <= len(confirmed) + 1  # at most the one that was stored but not yet confirmed
        assert set(map(tuple, kinds.values())) == {("verdict", "note", "status")}
        assert library.verify().ok
        assert library.review(make_clip(1).id, reviewer="Anna", schema_key=SCHEMA).note == str(len(kinds) - 1)
        for _ in kinds:
            assert library.undo("Anna") is not None
        assert library.undo("Anna") is None


def test_two_processes_write_at_the_same_time_and_both_succeed(tmp_path: Path) -> None:
    processes = [_start(_WRITER, tmp_path / "new", reviewer, 40) for reviewer in ("Anna", "Ben")]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    with Library.open(tmp_path / "new") as library:
        history = library.history()
        assert [event.seq for event in history] == list(range(1, 241))
        assert {event.action_id for event in history} == {
            line.split()[1] for output in outputs for line in output.splitlines()
        }
        assert library.verify().ok
        for reviewer in ("Anna", "Ben"):
            assert library.review(make_clip(1).id, reviewer=reviewer, schema_key=SCHEMA).note == "39"


def test_a_batch_killed_in_the_middle_goes_on_and_stores_nothing_twice(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        clips = [library.add_clip(make_clip(number)).clip for number in range(60)]
        batch_id = library.open_batch("signals", [clip.id for clip in clips], options={})
    confirmed = _kill_after(_start(_ANALYSER, tmp_path, 1), 10)
    second = _start(_ANALYSER, tmp_path, 2)
    rest = second.communicate(timeout=60)[0].split()
    with Library.open(tmp_path) as library:
        assert set(confirmed).isdisjoint(rest)
        assert library.batch_pending(batch_id) == []
        for clip in clips:
            found = [analysis.id for analysis in library.analyses(clip.id)]
            assert found in ([make_analysis(clip, "run1").id], [make_analysis(clip, "run2").id])
        assert library.verify().ok

"""A local model all the way: the real worker loads it, analyses, answers, compares; killed in between, it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.clips import clip
from tests.e2e.conftest import Vvlm
from vvlm_desktop.domain.labels import normalise
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.paths import bundled_schema

pytestmark = pytest.mark.slow

CLIPS = ("h264_bframes.mp4", "h264_vfr.mp4", "h264_edit_list.mp4")


@pytest.fixture(scope="module")
def model() -> Path:
    from tests.tiny_models import tiny_model

    return tiny_model("internvl")


@pytest.fixture(scope="module")
def adapter(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.tiny_models import tiny_adapter

    return tiny_adapter(tmp_path_factory.mktemp("adapters") / "fleet-1", model, seed=1)


@pytest.fixture
def clips(vvlm: Vvlm) -> None:
    assert vvlm("add", *(clip(name) for name in CLIPS)).exit_code == 0


def test_every_answer_is_valid_and_says_what_it_saw(vvlm: Vvlm, clips: None, model: Path) -> None:
    done = vvlm("analyse", "--model", model, "--frames", "4", "--json")
    assert done.exit_code == 0, done.stderr
    assert [row["outcome"] for row in done.data] == ["analysed"] * 3
    schema = parse_schema(bundled_schema("dashcam").read_text(encoding="utf-8"), source="dashcam")
    for row in done.data:
        (analysis,) = vvlm("show", row["clip"], "--json").data["analyses"]
        labels, _repairs = normalise(schema, analysis["labels"])
        assert labels == analysis["labels"]
        assert len(analysis["frames_pts"]) == 4
        assert analysis["model"] == model.name


def test_question_gets_an_answer_from_the_part_it_is_about(vvlm: Vvlm, clips: None, model: Path) -> None:
    told = vvlm("ask", "h264_bframes", "What happens?", "--model", model, "--frames", "3", "--range", "1..2", "--json")
    assert told.exit_code == 0, told.stderr
    assert (told.data["kind"], told.data["settings"]["range_ms"]) == ("question", [1000, 2000])
    assert len(told.data["frames_pts"]) == 3


def test_base_and_adapter_see_the_same_and_differ(vvlm: Vvlm, clips: None, model: Path, adapter: Path) -> None:
    told = vvlm("compare", "--model", model, "--adapter", adapter, "--frames", "4", "--json")
    assert told.exit_code == 0, told.stderr
    assert all(pair["same_frames"] and pair["same_prompt"] and pair["same_settings"] for pair in told.data["clips"])
    assert any(field["standing"] == "differs" for pair in told.data["clips"] for field in pair["fields"])


def test_killed_worker_costs_no_clip(vvlm: Vvlm, clips: None, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vvlm_desktop.jobs.child import Child

    killed = threading.Event()
    hear: Callable[[Child, bytes], None] = Child._on_line

    def on_line(child: Child, line: bytes) -> None:
        hear(child, line)
        if not killed.is_set() and b'"stage":"answering' in line:
            killed.set()
            psutil.Process(child.pid).kill()

    monkeypatch.setattr(Child, "_on_line", on_line)
    done = vvlm("analyse", "--model", model, "--frames", "4", "--json")
    assert killed.is_set()
    assert (done.exit_code, [row["outcome"] for row in done.data]) == (0, ["analysed"] * 3)

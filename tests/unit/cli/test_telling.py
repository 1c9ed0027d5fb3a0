"""What a command says when it fails, is stopped, or makes something new: sentences to people, JSON to programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Vvlm
from vvlm_desktop.cli.log_file import log_to_file
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.workflow import add as adding
from vvlm_desktop.workflow import analyse as analysis
from vvlm_desktop.workflow import doctor
from vvlm_desktop.workflow.batch_events import BatchEvent

Add = Callable[..., None]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "kind"),
    [
        (("show", "nothing"), 2, "clip_not_found"),
        (("analyse", "--backend", "oracle"), None, None),
        (("show",), 2, "usage"),
        (("add", "/nowhere/at/all.mp4", "--bogus"), 2, "usage"),
        (("models", "import", "/nowhere/at/all"), 1, "model_folder"),
    ],
)
def test_failure_is_json_where_json_was_asked_for(
    vvlm: Vvlm, arguments: tuple[str, ...], exit_code: int | None, kind: str | None
) -> None:
    in_library = arguments[0] != "models"
    done = vvlm(*arguments, "--json", with_library=in_library)
    told = json.loads(done.stdout)
    assert set(told) == {"error", "hint", "kind"}
    assert told["error"]
    assert done.stderr.strip(), "people read it, too"
    assert done.exit_code == vvlm(*arguments, with_library=in_library).exit_code
    if kind is not None:
        assert (done.exit_code, told["kind"]) == (exit_code, kind)


def test_failure_without_json_leaves_stdout_clean(vvlm: Vvlm) -> None:
    assert vvlm("show", "nothing").stdout == ""


def test_warnings_of_the_program_go_to_a_file_and_not_to_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VVLM_DATA_DIR", str(tmp_path / "data"))
    root = logging.getLogger()
    before = list(root.handlers)
    log_to_file()
    (mine,) = [handler for handler in root.handlers if handler not in before]
    try:
        logs = tmp_path / "data" / "logs"
        assert not logs.exists(), "nothing to say, nothing written"
        logging.getLogger("vvlm_desktop.x").warning("a raw line")
        assert "a raw line" in (logs / "vvlm-command.log").read_text()
        assert "a raw line" not in capfd.readouterr().err
    finally:
        root.removeHandler(mine)
        mine.close()


def test_doctor_says_whether_there_are_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VVLM_DATA_DIR", str(tmp_path / "data"))

    def found() -> str:
        return next(check.found for check in doctor._files() if check.name == "Logs")

    assert found().endswith("(nothing was logged yet)")
    (tmp_path / "data" / "logs").mkdir(parents=True)
    (tmp_path / "data" / "logs" / "vvlm.log").touch()
    assert found().endswith("(vvlm.log)")


def test_new_library_is_told_of_once(vvlm: Vvlm, library: Path) -> None:
    assert f"A new library was made in {library}." in vvlm("clips").stderr.replace("\n", " ")
    assert "new library" not in vvlm("clips").stderr


def _stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_stopped_analysis_says_how_many_are_done_and_how_to_go_on(
    vvlm: Vvlm, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("a", "b")

    def stop_after_the_first(
        _session: object, clips: list[Clip], *, on_event: Callable[..., None], **_: object
    ) -> None:
        on_event(BatchEvent("analysed", 1, 0, len(clips), 0.5, clips[0]))
        raise KeyboardInterrupt

    monkeypatch.setattr(analysis, "analyse", stop_after_the_first)
    done = vvlm("analyse", "--model", "m")
    assert done.exit_code == 130
    assert "1 of 2 clips is analysed and stored; the same command goes on with the rest." in done.stderr
    assert "the same command would begin anew" in vvlm("analyse", "a.mp4", "b.mp4", "--model", "m").stderr


def test_each_command_says_what_stopping_it_left_behind(vvlm: Vvlm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "add_paths", _stop)
    done = vvlm("add", "x.mp4")
    assert (done.exit_code, "added so far stay" in done.stderr) == (130, True)

"""The two commands install once, say what is missing, and never wait for an answer."""

from __future__ import annotations

import importlib.util
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "installer" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", python)
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "stamp.txt")
    monkeypatch.setattr(module, "_gpu_name", lambda: None)
    monkeypatch.setattr(module, "_has_pip", lambda: True)
    return module


@pytest.fixture
def pip_calls(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "_pip", lambda arguments: calls.append(list(arguments)))
    monkeypatch.setattr(bootstrap, "_tried", lambda arguments: calls.append(list(arguments)) or True)
    return calls


def test_second_run_installs_nothing(bootstrap: ModuleType, pip_calls: list[list[str]]) -> None:
    bootstrap._install(["local", "test"], torch="auto")
    assert pip_calls
    pip_calls.clear()
    bootstrap._install(["local", "test"], torch="auto")
    bootstrap._install([], torch="auto")
    assert pip_calls == []


def test_torch_is_asked_for_exactly_and_first(bootstrap: ModuleType, pip_calls: list[list[str]]) -> None:
    bootstrap._install(["local"], torch="auto")
    assert pip_calls[0][-1].startswith("torch==")
    assert pip_calls[-1][-1].endswith("[local]")


def test_without_gpu_linux_gets_the_small_build_and_the_large_one_only_where_that_is_all_there_is(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    monkeypatch.setattr(bootstrap, "_tried", lambda arguments: asked.append(list(arguments)) or False)
    monkeypatch.setattr(bootstrap, "_pip", lambda arguments: asked.append(list(arguments)))
    bootstrap._install_torch([], torch="auto")
    assert [command[-1].endswith("+cpu") for command in asked] == [True, True, False]
    assert [bootstrap.TORCH_INDEX["cpu"] in command for command in asked] == [False, True, False]


def test_with_gpu_linux_gets_the_usual_build(
    bootstrap: ModuleType, pip_calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    monkeypatch.setattr(bootstrap, "_gpu_name", lambda: "NVIDIA H200")
    bootstrap._install_torch([], torch="auto")
    assert len(pip_calls) == 1
    assert "+" not in pip_calls[0][-1]


def test_environment_whose_making_was_interrupted_is_made_anew(
    bootstrap: ModuleType, pip_calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(bootstrap, "_has_pip", lambda: False)
    monkeypatch.setattr(bootstrap, "_make_venv", lambda: made.append("venv"))
    bootstrap._install([], torch="auto")
    assert made == ["venv"]


def test_run_does_not_take_away_what_test_installed(bootstrap: ModuleType, pip_calls: list[list[str]]) -> None:
    bootstrap._install(["test"], torch="auto")
    bootstrap._install(["local"], torch="auto")
    assert pip_calls[-1][-1].endswith("[local,test]")


def test_changed_constraints_install_again(
    bootstrap: ModuleType, pip_calls: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap._install([], torch="auto")
    pip_calls.clear()
    other = tmp_path / "constraints.txt"
    other.write_text("av==1\n")
    monkeypatch.setattr(bootstrap, "CONSTRAINTS", other)
    bootstrap._install([], torch="auto")
    assert len(pip_calls) == 1


def test_failed_installation_is_tried_again(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: Sequence[str]) -> None:
        raise bootstrap.BootstrapError("no network")

    monkeypatch.setattr(bootstrap, "_pip", fail)
    with pytest.raises(bootstrap.BootstrapError):
        bootstrap._install([], torch="auto")
    assert not bootstrap.STAMP.exists()


def test_missing_library_without_rights_prints_the_command(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(bootstrap, "_qt_error", lambda: "ImportError: libEGL.so.1: cannot open shared object file")
    monkeypatch.setattr(bootstrap, "_missing_packages", lambda: ["libegl1"])
    with pytest.raises(bootstrap.BootstrapError, match=r"apt-get update && apt-get install -y .*libegl1"):
        bootstrap._ensure_qt()


def test_without_display_the_demo_runs_instead_of_the_window(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(bootstrap, "_install", lambda extras, torch: None)
    monkeypatch.setattr(bootstrap, "_ensure_qt", lambda: None)
    monkeypatch.setattr(bootstrap, "_gpu_name", lambda: None)
    monkeypatch.setattr(bootstrap, "_call", lambda *arguments, env=None: calls.append(arguments) or 0)
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert bootstrap.main(["run"]) == 0
    assert calls == [("-m", "vvlm_desktop", "demo")]


def test_gpu_brings_the_local_model_packages(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "_install", lambda extras, torch: installed.append(list(extras)))
    monkeypatch.setattr(bootstrap, "_ensure_qt", lambda: None)
    monkeypatch.setattr(bootstrap, "_gpu_name", lambda: "NVIDIA RTX 4090")
    monkeypatch.setattr(bootstrap, "_has_display", lambda: True)
    monkeypatch.setattr(bootstrap, "_call", lambda *arguments, env=None: 0)
    bootstrap.main(["run", "--", "clips"])
    assert installed == [["local"]]


def test_a_failing_step_fails_the_command_and_the_others_still_run(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def call(*arguments: str, env: dict[str, str] | None = None) -> int:
        ran.append(arguments[1])
        return 1 if arguments[1] == "mypy" else 0

    monkeypatch.setattr(bootstrap, "_install", lambda extras, torch: None)
    monkeypatch.setattr(bootstrap, "_ensure_qt", lambda: None)
    monkeypatch.setattr(bootstrap, "_call", call)
    assert bootstrap.main(["test"]) == 1
    assert ran[-1] == "pytest"
    assert "FAILED: types" in capsys.readouterr().out


def test_every_declared_package_has_an_exact_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [name for group in project["optional-dependencies"].values() for name in group]
    declared = {_package(line) for line in [*project["dependencies"], *extras]}
    lines = (ROOT / "installer" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    exact = {_package(line) for line in lines if "==" in line}
    assert declared <= exact


def test_the_gate_is_the_readme_command() -> None:
    command = "python3 installer/bootstrap.py test"
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_help_needs_nothing_installed() -> None:
    result = subprocess.run(
        ["python3", "-S", "-E", str(ROOT / "installer" / "bootstrap.py"), "--help"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert result.returncode == 0, result.stderr
    assert "--local-model" in result.stdout


def _package(line: str) -> str:
    name = line.split(";", maxsplit=1)[0]
    for sign in ("[", "=", ">", "<", "!", "~"):
        name = name.split(sign)[0]
    return name.strip().lower().replace("_", "-")

import os
import subprocess
import sys
from pathlib import Path

import vvlm_desktop
from vvlm_desktop.jobs.argv import worker_argv, worker_environment, worker_threads


def test_from_source_the_module_is_started_with_a_safe_path():
    argv = worker_argv("signals")
    assert argv[0] == sys.executable
    assert "-P" in argv
    assert argv[-4:] == ["-m", "vvlm_desktop.worker", "--kind", "signals"]


def test_a_frozen_program_starts_itself(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/vvlm/vvlm")
    assert worker_argv("signals") == ["/opt/vvlm/vvlm", "--worker", "--kind", "signals"]


def test_the_worker_is_found_from_any_folder_and_not_replaced_by_a_file_there(tmp_path):
    (tmp_path / "vvlm_desktop").mkdir()
    (tmp_path / "vvlm_desktop" / "worker.py").write_text("raise SystemExit(99)")
    done = subprocess.run(
        worker_argv("signals"),
        cwd=tmp_path,
        env=worker_environment(),
        input=b"",
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b'"ev":"hello"' in done.stdout


def test_number_crunching_leaves_the_window_a_core(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "2")
    environment = worker_environment()
    assert environment["OMP_NUM_THREADS"] == "7"
    assert environment["MKL_NUM_THREADS"] == "2"  # what the user set stays
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert worker_threads() == 1


def test_an_inherited_path_is_kept_behind_ours(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    first, second = worker_environment()["PYTHONPATH"].split(os.pathsep)
    assert Path(first) == Path(vvlm_desktop.__file__).parent.parent
    assert second == "/elsewhere"


def test_only_the_worker_that_downloads_may_use_the_network_for_models(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    for kind in ("signals", "local", "cloud", ""):
        environment = worker_environment(kind)
        assert (environment["HF_HUB_OFFLINE"], environment["TRANSFORMERS_OFFLINE"]) == ("1", "1"), kind
    environment = worker_environment("download")
    assert (environment["HF_HUB_OFFLINE"], environment["TRANSFORMERS_OFFLINE"]) == ("0", "0")
    assert environment["HF_ENDPOINT"] == "https://mirror.example"
    assert environment["HF_HUB_DISABLE_TELEMETRY"] == "1"

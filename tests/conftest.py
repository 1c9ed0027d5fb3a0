"""What every test gets: its own data folder, no second thread in numeric libraries, no thread left behind."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Read when the libraries are imported, so set before any test module is.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

import pytest
import typer.testing
from hypothesis import settings as hypothesis_settings

from tests.quick_libraries import quick_libraries
from vvlm_desktop.ui.collector import collect_if_due

# Six thousand tests make folders and libraries: in memory that takes a third of the time that a disk takes, where there
# is room for it. Whoever chose a place gets that one.
_MEMORY = Path("/dev/shm")
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= 8 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# Without, each worker rewrites the assertions of all test files, and each process that a test starts compiles the
# program anew; git ignores what it writes.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Machines are noisy: how long one example takes says nothing.
hypothesis_settings.register_profile("vvlm", deadline=None)
hypothesis_settings.load_profile("vvlm")


@pytest.fixture(scope="session", autouse=True)
def _quick_libraries() -> Iterator[None]:
    with quick_libraries():
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_commands() -> Iterator[None]:
    """A process reads its commands once; typer's runner would do so for every command line that a test types."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.testing._get_command))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_collector_in_threads() -> Iterator[None]:
    """As in the program: the automatic collector would take Qt's objects apart in whichever thread allocates next."""
    gc.disable()
    yield
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """What lies in memory takes it away from others; kept where a test failed, to be looked at."""
    if exitstatus == 0 and not hasattr(session.config, "workerinput"):
        place = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # pytest has no other way
        if _MEMORY in place.parents and "pytest-of-" in str(place):
            shutil.rmtree(place, ignore_errors=True)


def pytest_collection_finish() -> None:
    _keep_what_is_there()


@pytest.fixture(autouse=True)
def _garbage_is_collected_here() -> Iterator[None]:
    yield
    if gc.get_count()[-1] > gc.get_threshold()[-1]:
        _keep_what_is_there()
    else:
        collect_if_due()


def _keep_what_is_there() -> None:
    """Modules and caches stay to the end; to look through torch's takes half a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _isolated_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VVLM_DATA_DIR", str(tmp_path / "vvlm-data"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("VVLM_SIGNING_KEY", raising=False)
    # Set by whatever runs the tests side by side: tables would be folded there and nowhere else.
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    # Threads of Qt and of native libraries appear as dummies; ours all have a name and must have ended.
    left = [
        t
        for t in threading.enumerate()
        if t not in before and t.is_alive() and not isinstance(t, threading._DummyThread)
    ]
    for thread in left:
        thread.join(5)
    left = [t for t in left if t.is_alive()]
    assert not left, f"threads left behind: {left}"

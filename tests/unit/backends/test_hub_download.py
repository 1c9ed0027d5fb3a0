"""Downloads in their real worker, from a stand-in of the hub on the loopback."""

import errno
import json
import os
import queue
import sys
import threading
import time

import pytest

from tests.model_folders import model_files, write_model
from tests.standins.hub import COMMIT, NEWER_COMMIT, TOKEN, hub
from vvlm_desktop.backends.hub_errors import translated
from vvlm_desktop.backends.model_folder import examine_model
from vvlm_desktop.backends.model_record import model_folder_of, partial_folder_of, read_plan, read_record
from vvlm_desktop.errors import DownloadError
from vvlm_desktop.jobs.argv import worker_environment
from vvlm_desktop.jobs.child import Child, ChildExited
from vvlm_desktop.protocol import Done, Failure, Hello, Progress, Result, ToolRequest

MODEL = "OpenGVLab/InternVL3-1B-hf"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
WAIT_S = 20.0

#: A worker whose files may not grow beyond a size: the disk says no in the middle of a write.
SMALL_FILES = (
    "import resource, runpy, signal, sys; limit = int(sys.argv.pop(1));"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit));"
    "runpy.run_module('vvlm_desktop.worker', run_name='__main__', alter_sys=True)"
)


class Worker:
    """A download worker that talks to the stand-in."""

    def __init__(self, address, folder=None, *, argv=None, **environment):
        self.folder, self.heard, self._number = folder, queue.Queue(), 0
        settings = {**worker_environment("download"), "HF_ENDPOINT": address, **environment}
        settings.pop("HF_TOKEN", None)
        self.child = Child("download", self.heard.put, argv=argv, environment=settings)

    def __enter__(self):
        self.child.start()
        assert isinstance(self.heard.get(timeout=WAIT_S), Hello)
        return self

    def __exit__(self, *_):
        self.child.close()

    def ask(self, model=MODEL, *, token=None, **arguments):
        self._number += 1
        secrets = {"huggingface": token} if token else {}
        arguments = {"id": model, "folder": str(self.folder), **arguments}
        self.child.send(ToolRequest(str(self._number), "download_model", arguments, secrets=secrets))
        return str(self._number)

    def answer(self, *_, **__):
        """The outcome of the request in hand, and the progress before it."""
        said, shown = None, []
        while not isinstance(message := self.heard.get(timeout=WAIT_S), Done):
            assert not isinstance(message, ChildExited), message
            if isinstance(message, Progress):
                shown.append(message)
            else:
                said = message
        return said, shown

    def download(self, model=MODEL, **options):
        self.ask(model, **options)
        return self.answer()[0]


def wait_until(true):
    pause = threading.Event()
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        pause.wait(0.01)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models"


@pytest.fixture(scope="module")
def resident():
    """One stand-in and one worker for all tests that leave both alive: a worker takes half a second to start."""
    with hub() as served, Worker(served.url) as worker:
        yield served, worker


@pytest.fixture
def there(resident, folder):
    served, worker = resident
    served.reset(models={MODEL: model_files()})
    worker.folder = folder
    yield served, worker
    served.released.set()


def test_a_model_arrives_whole_checked_and_pinned_and_nothing_else_is_fetched(there, folder):
    served, worker = there
    files = {
        **model_files(),
        "pytorch_model.bin": b"pickle",
        "modeling_x.py": b"import os",
        "onnx/model.json": b"{}",
        "vvlm-model.json": b'{"id": "x", "origin": "link", "linked_to": "/etc"}',
        "..json": b"{}",
        "LICENSE": b"MIT",
    }
    served.models = {MODEL: files}
    worker.ask()
    result, shown = worker.answer()
    again = worker.download()
    assert isinstance(result, Result), result
    path = model_folder_of(folder, MODEL)
    assert result.answer == {
        "id": MODEL,
        "path": str(path),
        "revision": COMMIT,
        "size_bytes": sum(len(v) for v in model_files().values()) + 3,
        "already": False,
    }
    assert {p.name for p in path.iterdir()} == {*model_files(), "LICENSE", "vvlm-model.json"}
    assert all((path / name).read_bytes() == content for name, content in model_files().items())
    assert examine_model(path).name == MODEL
    record = read_record(path)
    assert (record.revision, record.origin, record.linked_to) == (COMMIT, "download", None)
    assert record.files[FIRST]["checksum"].startswith("sha256:")
    assert not partial_folder_of(folder, MODEL).exists()
    assert shown[-1].done == 1.0
    assert again.answer["already"] is True
    assert not [p for p in served.paths if "harness" in p or "telemetry" in p]
    assert len(served.asked) == len(model_files()) + 1


def test_a_cut_connection_goes_on_from_where_it_was(there, folder):
    served, worker = there
    files = model_files()
    served.cut_once_after = {FIRST: 70_001}
    result = worker.download()
    assert isinstance(result, Result), result
    first, second = served.requests_for(FIRST)
    assert (first.start, first.sent) == (0, 70_001)
    assert second.start == 70_001
    assert first.sent + second.sent == len(files[FIRST])
    assert (model_folder_of(folder, MODEL) / FIRST).read_bytes() == files[FIRST]


def test_a_killed_download_is_partly_here_never_loads_and_goes_on_in_another_process(folder):
    files = model_files()
    with hub(models={MODEL: files}, stall_after={SECOND: 50_000}) as served:
        with Worker(served.url, folder) as worker:
            worker.ask()
            assert served.stalled.wait(WAIT_S)
            part = partial_folder_of(folder, MODEL) / f"{SECOND}.part"
            wait_until(lambda: part.exists() and part.stat().st_size == 50_000)
            os.kill(worker.child.pid, 9)
        assert read_plan(part.parent).revision == COMMIT
        with pytest.raises(Exception, match="incomplete"):
            examine_model(part.parent)
        assert not model_folder_of(folder, MODEL).exists()
        served.stall_after.clear()
        with Worker(served.url, folder) as worker:
            result = worker.download()
    assert isinstance(result, Result), result
    assert [(each.start, each.sent) for each in served.requests_for(SECOND)] == [
        (0, 50_000),
        (50_000, len(files[SECOND]) - 50_000),
    ]
    assert len(served.requests_for(FIRST)) == 1
    assert (model_folder_of(folder, MODEL) / SECOND).read_bytes() == files[SECOND]


def test_what_does_not_match_its_checksum_is_refused_and_deleted(there, folder):
    served, worker = there
    served.wrong_checksum = {FIRST}
    failed = worker.download()
    assert failed.error == "DownloadError"
    assert FIRST in failed.message
    assert "checksum" in failed.message
    partial = partial_folder_of(folder, MODEL)
    assert not (partial / FIRST).exists()
    assert not (partial / f"{FIRST}.part").exists()
    assert not model_folder_of(folder, MODEL).exists()
    served.wrong_checksum = {"config.json"}  # small files are checked by git's own id
    assert "config.json" in worker.download().message
    served.wrong_checksum = set()
    assert isinstance(worker.download(), Result)


def test_bytes_that_rotted_between_two_tries_are_fetched_again(there, folder):
    served, worker = there
    files = model_files()
    partial = partial_folder_of(folder, MODEL)
    partial.mkdir(parents=True)
    (partial / f"{FIRST}.part").write_bytes(b"\0" * 60_000)
    (partial / SECOND).write_bytes(b"\0" * len(files[SECOND]))
    assert isinstance(worker.download(), Result)
    assert [each.start for each in served.requests_for(FIRST)] == [60_000, 0]
    assert [each.start for each in served.requests_for(SECOND)] == [0]
    assert (model_folder_of(folder, MODEL) / SECOND).read_bytes() == files[SECOND]


def test_what_was_damaged_on_the_disk_is_mended_by_downloading_again(there, folder):
    served, worker = there
    files = model_files()
    path = model_folder_of(folder, MODEL)
    assert isinstance(worker.download(), Result)
    (path / FIRST).write_bytes(b"\xff" * len(files[FIRST]))
    (path / SECOND).write_bytes(files[SECOND][:1000])
    (path / "config.json").unlink()
    served.asked.clear()
    result = worker.download()
    assert isinstance(result, Result), result
    assert result.answer["already"] is False
    assert sorted((each.name, each.start) for each in served.asked) == [
        ("config.json", 0),
        (FIRST, 0),
        (SECOND, 1000),
    ]
    assert all((path / name).read_bytes() == content for name, content in files.items())


def test_large_files_come_from_elsewhere_and_the_token_does_not_go_there(there, folder):
    served, worker = there
    with hub(models={MODEL: model_files()}, cut_once_after={FIRST: 30_000}) as store:
        served.elsewhere, served.gated = store.url, {MODEL}
        result = worker.download(token=TOKEN)
    assert isinstance(result, Result), result
    assert [each.start for each in store.requests_for(FIRST)] == [0, 30_000]
    assert {each.name for each in store.asked} == {FIRST, SECOND}
    assert not any(each.authorised for each in store.asked)
    assert all(each.authorised for each in served.asked)


def test_what_somebody_else_put_there_is_not_overwritten(there, folder):
    served, worker = there
    path = write_model(model_folder_of(folder, MODEL))
    failed = worker.download()
    assert "was not downloaded by this program" in failed.message
    assert path.exists()
    assert served.paths == []


def test_a_server_that_ignores_ranges_is_taken_from_the_start(there, folder):
    served, worker = there
    files = model_files()
    partial = partial_folder_of(folder, MODEL)
    partial.mkdir(parents=True)
    (partial / f"{FIRST}.part").write_bytes(files[FIRST][:60_000])
    served.ignore_range = True
    worker.ask()
    result, shown = worker.answer()
    assert isinstance(result, Result), result
    assert all(0 <= each.done <= 1 for each in shown)
    assert (model_folder_of(folder, MODEL) / FIRST).read_bytes() == files[FIRST]


def test_stopping_keeps_what_is_here(there, folder):
    served, worker = there
    served.stall_after = {FIRST: 50_000}
    number = worker.ask()
    assert served.stalled.wait(WAIT_S)
    part = partial_folder_of(folder, MODEL) / f"{FIRST}.part"
    wait_until(lambda: part.exists() and part.stat().st_size == 50_000)
    worker.child.cancel(number)
    served.released.set()
    failed, _ = worker.answer()
    assert failed.cancelled
    assert part.read_bytes() == model_files()[FIRST][:50_000]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are set otherwise there")
def test_a_disk_that_takes_no_more_is_told_and_what_is_here_stays(folder):
    argv = [sys.executable, "-c", SMALL_FILES, "60000", "--kind", "download"]
    with hub(models={MODEL: model_files()}) as served:
        with Worker(served.url, folder, argv=argv) as worker:
            failed = worker.download()
        assert failed.error == "DownloadError", failed
        assert "disk is full" in failed.message
        assert "goes on from there" in failed.hint
        assert (partial_folder_of(folder, MODEL) / f"{FIRST}.part").stat().st_size == 60_000
        with Worker(served.url, folder) as worker:
            assert isinstance(worker.download(), Result)
    assert served.requests_for(FIRST)[-1].start == 60_000


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_way_of_being_full_is_called_that(code):
    with pytest.raises(DownloadError, match="disk is full"), translated(MODEL, host="https://hub"):
        raise OSError(code, os.strerror(code))


def test_room_is_asked_for_before_the_first_weight(there, folder):
    served, worker = there
    served.claimed_bytes = {FIRST: 10**15}
    failed = worker.download()
    assert failed.error == "DownloadError"
    assert "not enough room" in failed.message
    assert served.asked == []


def test_a_file_that_is_longer_than_the_hub_says_is_not_taken(there, folder):
    served, worker = there
    served.claimed_bytes = {FIRST: 1000}
    failed = worker.download()
    assert failed.error == "DownloadError"
    assert "longer than the hub says" in failed.message
    assert not [path.name for path in partial_folder_of(folder, MODEL).iterdir() if path.name.startswith(FIRST)]


def test_refusals_say_what_to_do_and_no_token_is_ever_shown(there, folder):
    served, worker = there
    gated, private, pickled, remote = "A/gated", "A/private", "A/pickled", "OpenGVLab/InternVL3-8B"
    models = {
        gated: model_files(),
        private: model_files(),
        pickled: {"config.json": b"{}", "pytorch_model.bin": b"x"},
        remote: {**model_files(), "config.json": json.dumps({"auto_map": {"AutoModel": "m.M"}}).encode()},
        "A/alien": {**model_files(), "config.json": b'{"model_type": "llama"}'},
    }
    served.reset(models=models, gated={gated}, private={private})
    said = {
        name: worker.download(model, **more)
        for name, model, more in (
            ("gated", gated, {}),
            ("private", private, {}),
            ("absent", "A/nothing", {"token": TOKEN}),
            ("pickled", pickled, {}),
            ("remote", remote, {}),
            ("alien", "A/alien", {}),
            ("path", "../../etc/passwd", {}),
            ("let in", gated, {"token": TOKEN}),
        )
    }
    served.broken_with = 503
    said["broken"] = worker.download(private)
    assert "accepted its terms" in said["gated"].message
    assert "HF_TOKEN" in said["gated"].hint
    assert "or it is private" in said["private"].message
    assert "no model A/nothing" in said["absent"].message
    assert "pickled" in said["pickled"].message
    assert "never run" in said["remote"].message
    assert "OpenGVLab/InternVL3-8B-hf" in said["remote"].hint
    assert said["alien"].error == "ModelFolderError"
    assert said["path"].error == "UsageError"
    assert "HTTP 503" in said["broken"].message
    assert isinstance(said["let in"], Result)
    assert all(isinstance(each, Failure) for name, each in said.items() if name != "let in")
    assert not any(TOKEN in repr(each) for each in said.values())
    assert TOKEN not in worker.child.stderr_tail
    assert not any(each.name.endswith(".safetensors") for each in served.asked if not each.authorised)
    assert not partial_folder_of(folder, remote).exists()


def test_no_network_is_told_plainly(folder):
    with Worker("http://127.0.0.1:9", folder) as worker:
        failed = worker.download()
    assert failed.error == "DownloadError"
    assert "127.0.0.1 cannot be reached" in failed.message
    assert "network" in failed.hint


def test_every_other_worker_is_offline(folder):
    with hub(models={MODEL: model_files()}) as served:
        with Worker(served.url, folder, **{n: worker_environment("local")[n] for n in OFFLINE}) as worker:
            failed = worker.download()
        assert served.paths == []
    assert failed.error == "DownloadError"
    assert "HF_HUB_OFFLINE" in failed.message


OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def test_a_download_goes_on_with_the_commit_that_it_began_with(there, folder):
    served, worker = there
    served.wrong_checksum = {SECOND}
    assert isinstance(worker.download(), Failure)
    served.wrong_checksum, served.commit = set(), NEWER_COMMIT
    failed = worker.download()
    assert "no longer on" in failed.message
    assert "Begin anew" in failed.hint

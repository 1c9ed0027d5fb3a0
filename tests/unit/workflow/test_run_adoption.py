"""Adapters of finished runs: taken to the models once, whole or not at all, and never again once deleted."""

import errno
import shutil

import pytest

from tests.unit.workflow.run_builders import finish, made_run, made_session
from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.errors import StorageFullError
from vvlm_desktop.workflow import model_import, run_adoption
from vvlm_desktop.workflow.adapters import installed_adapters
from vvlm_desktop.workflow.model_import import plan_removal, remove
from vvlm_desktop.workflow.runs import adopt_finished, adopted_name


@pytest.fixture
def session(tmp_path):
    with made_session(tmp_path) as opened:
        yield opened


def names(session):
    return [each.name for each in installed_adapters(session.settings) if each.usable]


def test_a_finished_run_gives_its_adapter_once(session):
    made_run(session)
    run = made_run(session)
    adapter = finish(run)
    assert adopt_finished(session) == ["march-002"]
    assert names(session) == ["march-002"]
    assert adopted_name(run) == "march-002"
    taken = session.settings.models_folder() / "adapters" / "march-002"
    for file in adapter.iterdir():
        assert (taken / file.name).read_bytes() == file.read_bytes()
    assert adopt_finished(session) == []


def test_one_that_was_deleted_stays_deleted(session):
    run = made_run(session)
    finish(run)
    adopt_finished(session)
    remove(session.settings, plan_removal(session.settings, run.name))
    assert adopt_finished(session) == []
    assert names(session) == []


def test_one_that_somebody_imported_is_not_taken_twice(session):
    run = made_run(session)
    model_import.import_folder(session.settings, finish(run), copy=True, name="by hand")
    assert adopt_finished(session) == []
    assert adopted_name(run) == "by_hand"
    assert len(names(session)) == 1


def test_another_librarys_adapter_of_the_same_name_is_left_alone(session):
    run = made_run(session)
    adapter = finish(run)
    other = session.settings.models_folder() / "adapters" / run.name
    shutil.copytree(adapter, other)
    (other / "card.json").write_text('{"name": "march-001", "made": "elsewhere"}')
    assert adopt_finished(session) == ["march-001-2"]
    assert "elsewhere" in (other / "card.json").read_text()
    assert adopted_name(run) == "march-001-2"


def test_a_full_disk_leaves_nothing_and_it_is_taken_later(session, monkeypatch):
    run = made_run(session)
    finish(run)

    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(model_import, "_copy_file", full)
        with pytest.raises(StorageFullError, match="disk is full"):
            adopt_finished(session)
    assert names(session) == []
    assert adopt_finished(session) == ["march-001"]


def test_where_it_cannot_be_noted_it_is_not_taken(session, monkeypatch):
    """It would come back after it was deleted."""
    finish(made_run(session))

    def read_only(*_args):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(run_adoption, "write_atomically", read_only)
    with pytest.raises(StorageFullError, match="Read-only"):
        adopt_finished(session)
    assert names(session) == []


def test_a_copy_that_was_cut_short_is_made_again(session):
    run = made_run(session)
    finish(run)
    (run.folder / "adopted.json").write_text('{"state": "copying"}')
    (session.settings.models_folder() / "adapters" / f".{run.name}.copying").mkdir(parents=True)
    assert adopt_finished(session) == ["march-001"]


def test_one_that_cannot_be_used_is_refused_once(session, caplog):
    run = made_run(session)
    (finish(run) / "adapter_model.safetensors").write_bytes(b"half of it")
    assert adopt_finished(session) == []
    assert adopt_finished(session) == []
    assert len([record for record in caplog.records if "was not taken" in record.message]) == 1


def test_another_window_that_does_it_just_now_is_left_to_it(session):
    finish(made_run(session))
    home = session.settings.models_folder() / "adapters"
    home.mkdir()
    with GpuSlot(home / ".adopting.lock") as other:
        assert other.acquire("adapters")
        assert adopt_finished(session) == []
    assert adopt_finished(session) == ["march-001"]

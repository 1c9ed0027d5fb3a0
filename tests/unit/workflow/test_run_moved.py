"""A library or a models folder that was moved keeps its runs: they find their set and their base again."""

import json
import shutil
from dataclasses import replace

import pytest

from tests.model_folders import write_model
from tests.unit.workflow.run_builders import finish, made_run, made_session
from vvlm_desktop.backends.model_folder import examine_model, fingerprint
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.run_moved import sentences
from vvlm_desktop.workflow.run_planning import arguments_of
from vvlm_desktop.workflow.run_shelf import list_runs
from vvlm_desktop.workflow.session import open_session

SET = "march-001-0123456789ab"


@pytest.fixture
def moved(tmp_path):
    """A library with a finished run, which is called otherwise since."""
    with made_session(tmp_path) as session:
        run = made_run(session)
        base = examine_model(tmp_path / "models" / "m")
        finish(run, card={"name": run.name, "base_fingerprint": fingerprint(base)})
    (tmp_path / "library").rename(tmp_path / "renamed")
    with open_session(Settings(models_dir=str(tmp_path / "models")), library_dir=tmp_path / "renamed") as opened:
        yield opened


def at(session, **settings):
    (run,) = list_runs(replace(session, settings=session.settings.model_copy(update=settings)))
    return run


def test_a_renamed_library_has_the_sets_of_its_runs(moved, tmp_path):
    run, place = at(moved), str(tmp_path / "renamed" / "training_sets" / SET)
    assert run.config.train_set == place
    assert f"train_set={place}" in arguments_of(run)
    assert sentences(run.moved) == [f"Its training set was moved; it is used from {place}."]


def test_nothing_is_said_where_nothing_was_moved(tmp_path):
    with made_session(tmp_path) as session:
        made_run(session)
        assert at(session).moved == {}


def test_a_set_of_other_content_is_not_taken_for_it(moved):
    home = moved.library.folder / "training_sets"
    (home / SET).rename(home / "march-001-ba9876543210")
    assert at(moved).moved == {}


def test_a_base_that_was_moved_is_known_by_its_fingerprint(moved, tmp_path):
    (tmp_path / "models").rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "m").rename(tmp_path / "elsewhere" / "called otherwise")
    run = at(moved, models_dir=str(tmp_path / "elsewhere"))
    assert run.config.model_dir == str(tmp_path / "elsewhere" / "called otherwise")
    assert f"model_dir={run.config.model_dir}" in arguments_of(run)


def test_another_model_of_the_same_name_is_not_its_base(moved, tmp_path):
    shutil.rmtree(tmp_path / "models")
    write_model(tmp_path / "elsewhere" / "m", hidden=128)
    assert "model_dir" not in at(moved, models_dir=str(tmp_path / "elsewhere")).moved


def test_a_run_without_a_checkpoint_finds_its_base_by_name(moved, tmp_path):
    (moved.library.folder / "runs" / "march-001" / "adapter" / "card.json").write_text(json.dumps({"name": "x"}))
    (tmp_path / "models").rename(tmp_path / "elsewhere")
    run = at(moved, models_dir=str(tmp_path / "elsewhere"))
    assert run.config.model_dir == str(tmp_path / "elsewhere" / "m")

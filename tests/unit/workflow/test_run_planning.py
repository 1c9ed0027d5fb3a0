"""What a run is going to be: base, number, values; and the runs that a library has."""

import shlex

import pytest

from tests.model_folders import write_adapter, write_model
from tests.unit.workflow.run_builders import finish, made_run, made_session, made_set
from vvlm_desktop.backends.train_config import load_config
from vvlm_desktop.errors import ModelFolderError, SettingsError, StorageFullError, UsageError
from vvlm_desktop.workflow import run_planning
from vvlm_desktop.workflow.gpu import Gpu, Hardware
from vvlm_desktop.workflow.model_shelf import find_model
from vvlm_desktop.workflow.runs import (
    adopt_finished,
    command_of,
    create_run,
    find_run,
    list_runs,
    log_tail,
    plan_run,
    remove_run,
    runs_apart,
    suggested,
)

GIB = 1024**3


@pytest.fixture
def session(tmp_path):
    with made_session(tmp_path) as opened:
        yield opened


def computer(free_gib: float | None, *, memory_gib: float = 64) -> Hardware:
    gpus = () if free_gib is None else (Gpu(0, "G", 80 * GIB, int(free_gib * GIB)),)
    return Hardware(gpus, "", "", "", "", int(memory_gib * GIB), int(memory_gib * GIB), 8)


def test_a_plan_names_base_set_and_folder_and_writes_nothing(session, tmp_path):
    before = sorted(session.library.folder.rglob("*"))
    training_set = made_set(session)
    config = plan_run(session, training_set, values={})
    assert config.model_dir == str(tmp_path / "models" / "m")
    assert config.model_id == "m"
    assert config.train_set == str(training_set.folder)
    assert config.run_dir == str(session.library.folder / "runs" / "march-001")
    assert (config.name, config.frames) == ("march-001", 12)
    assert [path for path in sorted(session.library.folder.rglob("*")) if path not in before] == [
        training_set.folder.parent,
        training_set.folder,
    ]


def test_paths_are_found_from_where_the_trainer_stands_and_adapters_by_name(session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = plan_run(session, made_set(session), values={"start_from": "earlier", "cache_dir": "features"})
    assert (config.start_from, config.cache_dir) == (str(tmp_path / "earlier"), str(tmp_path / "features"))
    home = write_adapter(session.settings.models_folder() / "adapters" / "march-001", base="m")
    assert plan_run(session, made_set(session), values={"start_from": "March-001"}).start_from == str(home)


def test_texts_are_numbers_where_numbers_are_wanted(session):
    config = plan_run(session, made_set(session), values={"frames": "4", "checkpointing": "false", "rank": 32})
    assert (config.frames, config.checkpointing, config.rank) == (4, False, 32)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rank": "many"}, "rank must be "),
        ({"learnin_rate": 1}, "learnin_rate: there is no such value"),
        ({"frames": 0}, "frames must be "),
        ({"preset": "7gb"}, "preset must be "),
        ({"rank": None}, "rank must be "),
    ],
)
def test_a_value_that_is_not_allowed_is_named(session, values, words):
    with pytest.raises(SettingsError) as told:
        plan_run(session, made_set(session), values=values)
    assert str(told.value).startswith(words)
    assert "python -m" not in told.value.hint


@pytest.mark.parametrize("key", ["model_dir", "run_dir", "train_set", "name"])
def test_what_is_chosen_elsewhere_is_no_value(session, key):
    with pytest.raises(UsageError, match=key):
        plan_run(session, made_set(session), values={key: "x"})


@pytest.mark.parametrize("name", ["../x", "a/b", ".x", "a b", "x" * 60, "ä", "a\nb"])
def test_a_name_that_cannot_be_a_folders_is_refused(session, name):
    with pytest.raises(UsageError, match="cannot name a run"):
        plan_run(session, made_set(session), name=name, values={})


def test_compressed_weights_are_refused_with_what_to_do(session, monkeypatch):
    from dataclasses import replace

    found = find_model(session.settings, "m")
    compressed = replace(found, folder=replace(found.folder, quantised="bitsandbytes"))
    monkeypatch.setattr(run_planning, "find_model", lambda *_: compressed)
    with pytest.raises(ModelFolderError, match="compressed") as told:
        plan_run(session, made_set(session), values={})
    assert "nf4" in told.value.hint


def test_no_model_or_none_of_that_name_is_said(session):
    with pytest.raises(UsageError, match="no model 'other'"):
        plan_run(session, made_set(session), model="other", values={})


@pytest.mark.parametrize(
    ("free_gib", "parameters", "preset", "precision"),
    [
        (79, 8e9, "80gb", "bf16"),
        (23, 8e9, "24gb", "bf16"),
        (15, 8e9, "16gb", "nf4"),
        (7, 8e9, "8gb", "nf4"),
        (2, 8e9, "8gb", "nf4"),
        (15, 1e9, "16gb", "bf16"),
        (None, 1e9, None, "fp32"),
        (None, 30e9, None, "bf16"),
    ],
)
def test_preset_and_precision_suit_what_is_free(session, free_gib, parameters, preset, precision):
    from dataclasses import replace

    found = find_model(session.settings, "m")
    base = replace(found, folder=replace(found.folder, parameters=int(parameters)))
    given = suggested(base, on=computer(free_gib))
    assert (given.values.get("preset"), given.values["precision"]) == (preset, precision)
    assert "frames" not in given.values
    assert given.sentence.endswith(".")


@pytest.mark.parametrize(
    ("preset", "free_gib", "words"),
    [
        ("80gb", 15, "15.0 GB are free here, which suits 16gb"),
        ("16gb", None, "there is no GPU here"),
        ("16gb", 15, ""),
        ("8gb", 79, ""),
        ("none", None, ""),
    ],
)
def test_a_preset_for_more_than_is_here_is_noted(preset, free_gib, words):
    said = run_planning.preset_note(preset, on=computer(free_gib))
    assert (words in said) if words else said == ""


def test_what_is_given_wins_over_what_is_proposed(session, monkeypatch):
    monkeypatch.setattr(run_planning, "hardware", lambda: computer(15))
    small = plan_run(session, made_set(session), values={"rank": 4})
    assert (small.preset, small.rank, small.frames) == ("16gb", 4, 12)
    chosen = plan_run(session, made_set(session), values={"preset": "8gb"})
    assert (chosen.preset, chosen.precision, chosen.rank, chosen.frames) == ("8gb", "nf4", 8, 12)
    assert plan_run(session, made_set(session), values={"precision": "fp32"}).preset == "none"


def test_sample_clips_train_only_where_the_set_was_made_with_them(session):
    plain = made_set(session)
    assert not plan_run(session, plain, values={}).include_samples
    samples = made_set(session, training_set={"filters": {"include_samples": True}})
    assert plan_run(session, samples, values={}).include_samples


def test_numbers_count_up_and_none_comes_twice(session):
    first, second = made_run(session), made_run(session)
    assert (first.name, second.name) == ("march-001", "march-002")
    finish(second)
    assert adopt_finished(session) == ["march-002"]
    remove_run(session, second)
    remove_run(session, first)
    assert made_run(session).name == "march-003"
    assert list_runs(session)[0].name == "march-003"


def test_two_windows_with_the_same_plan_make_two_runs(session):
    config = plan_run(session, made_set(session), values={})
    assert [create_run(session, config).name for _ in range(3)] == ["march-001", "march-002", "march-003"]
    assert [run.config.name for run in list_runs(session)] == ["march-003", "march-002", "march-001"]


def test_a_run_that_cannot_be_written_leaves_nothing(session, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_planning, "save_config", full)
    with pytest.raises(StorageFullError, match="the disk is full"):
        made_run(session)
    assert list((session.library.folder / "runs").glob("march*")) == []


def test_the_command_is_the_config_again(session, tmp_path):
    config = plan_run(session, made_set(session), values={"learning_rate": "2e-5", "checkpointing": False})
    words = shlex.split(command_of(config))
    assert words[1:5] == ["-P", "-m", "training", "train"]
    assert load_config(None, words[5:]) == config
    run = create_run(session, config)
    again = shlex.split(command_of(run, check_only=True))
    assert again[4:6] == ["check", "--config"]
    assert load_config(run.folder / "run.toml") == run.config


def test_runs_are_found_by_name_part_and_folder(session):
    first, second = made_run(session), made_run(session)
    assert find_run(session, "march-001") == first
    for text in ("002", "2", "march-2", "March-02"):
        assert find_run(session, text) == second
    assert find_run(session, str(second.folder)) == second
    with pytest.raises(UsageError, match="several"):
        find_run(session, "march")
    with pytest.raises(UsageError, match="no run") as told:
        find_run(session, "may")
    assert "march-001" in told.value.hint
    with pytest.raises(UsageError):
        find_run(session, "")


def test_a_folder_that_is_no_run_is_not_listed(session):
    made_run(session)
    for name in ("march-007", "notes", "x-001"):
        (session.library.folder / "runs" / name).mkdir()
    (session.library.folder / "runs" / "march-007" / "run.toml").write_bytes(b"\xff = [")
    assert [run.name for run in list_runs(session)] == ["march-001"]


def test_a_library_that_was_moved_keeps_its_runs(tmp_path):
    with made_session(tmp_path) as session:
        made_run(session)
    (tmp_path / "library").rename(tmp_path / "elsewhere")
    write_model(tmp_path / "models" / "m")
    (tmp_path / "elsewhere").rename(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "library2")
    from vvlm_desktop.workflow.session import open_session

    with open_session(library_dir=tmp_path / "library2") as session:
        (run,) = list_runs(session)
        assert run.folder == tmp_path / "library2" / "runs" / "march-001"
        assert f"run_dir={run.folder}" in command_of(run)


def test_only_what_differs_is_told_apart_in_words(session):
    one = made_run(session, rank=8, alpha=16, checkpointing=True)
    two = made_run(session, rank=32, alpha=16, checkpointing=False)
    assert dict(runs_apart([one, two])) == {"Rank": ("8", "32"), "Gradient checkpointing": ("yes", "no")}
    assert runs_apart([one, one]) == []
    assert runs_apart([]) == []


def test_the_end_of_a_log_is_plain_text(session):
    run = made_run(session)
    assert log_tail(run) == ""
    (run.folder / "log").write_bytes(
        b"first\n\x1b[31mred\x1b[0m\n  5%|  |\r 50%|x |\r100%|xx|\r\nb\xe4d \x00\x07end\n\x1b]0;title\x07after\n\n\n"
    )
    assert log_tail(run).split("\n") == ["first", "red", "100%|xx|", "b\ufffdd end", "after"]
    assert log_tail(run, lines=2).split("\n") == ["b\ufffdd end", "after"]
    (run.folder / "log").write_bytes(b"x" * 3_000_000 + b"\nlast\n")
    assert log_tail(run) == "last"


def test_nothing_outside_of_the_library_is_ever_removed(session, tmp_path):
    from dataclasses import replace

    run = made_run(session)
    for folder in (tmp_path, session.library.folder, session.library.folder / "runs"):
        with pytest.raises(UsageError, match="not deleted"):
            remove_run(session, replace(run, folder=folder))
    assert run.folder.exists()

"""The config: file, overrides and presets, and what is said when one of them is wrong."""

import tomllib

import pytest

from vvlm_desktop.backends.train_config import PRESETS, TrainConfig, explanations, load_config, save_config
from vvlm_desktop.errors import SettingsError

NEEDED = ("model_dir=/m", "train_set=/s")


def test_overrides_win_over_the_file_and_both_over_the_preset(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('model_dir = "/m"\ntrain_set = "/s"\npreset = "8gb"\nrank = 4\nframes = 12\n', encoding="utf-8")
    config = load_config(file, ["frames=6", "projector=true", "learning_rate=2e-5"])
    assert (config.rank, config.frames, config.alpha) == (4, 6, PRESETS["8gb"]["alpha"])
    assert (config.projector, config.learning_rate, config.precision) == (True, 2e-5, "nf4")


def test_run_folder_is_where_the_config_lies_unless_named(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('model_dir = "/m"\ntrain_set = "/s"\n', encoding="utf-8")
    assert load_config(file).run_dir == str(tmp_path)
    assert load_config(file, ["run_dir=/elsewhere"]).run_dir == "/elsewhere"


@pytest.mark.parametrize(
    ("pairs", "message", "hint"),
    [
        ((*NEEDED, "learning_rat=1"), "learning_rat: there is no such value", "learning_rate"),
        (
            (*NEEDED, "frames=many"),
            "frames must be a whole number from 1 to 128; “many” is not. For example 16",
            "As many as analyses",
        ),
        ((*NEEDED, "rank=0"), "rank must be a whole number from 1 to 512; “0” is not", "Size of the adapter"),
        ((*NEEDED, "precision=fp8"), "precision must be one of fp32, bf16, int8 or nf4; “fp8” is not", "QLoRA"),
        ((*NEEDED, "preset=12gb"), "preset must be one of none, 8gb", "Fills in"),
        ((*NEEDED, "learning_rate=nan"), "learning_rate must be a number, more than 0 .*nan", "halve it"),
        ((*NEEDED, "learning_rate=abc"), r"“abc” is not\. For example 0\.0001", "halve it"),
        ((*NEEDED, "cache=perhaps"), "cache must be true or false; “perhaps” is not", "once per clip"),
        ((*NEEDED, "train_set="), "train_set: it is needed", "Folder of an export"),
        ((*NEEDED, "early_stopping=2", "eval_every=5"), "save_every must equal eval_every", "--explain"),
        (("model_dir=/m",), "train_set: it is needed", "Folder of an export"),
        (("frames",), "not of the form key=value", "frames"),
    ],
)
def test_what_is_wrong_is_said_with_a_hint(pairs, message, hint):
    with pytest.raises(SettingsError, match=message) as caught:
        load_config(None, pairs)
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["rank = ", "\xff"])
def test_file_that_is_no_toml(tmp_path, text):
    file = tmp_path / "run.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match="cannot be read"):
        load_config(file)


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        load_config(tmp_path / "none.toml")


@pytest.mark.parametrize("preset", PRESETS)
def test_saved_config_is_the_same_and_explains_every_value(tmp_path, preset):
    config = load_config(None, [*NEEDED, f"preset={preset}", 'name=Zoë\'s "best"\\1', "targets=.*q_proj"])
    save_config(config, tmp_path / "run.toml")
    again = load_config(tmp_path / "run.toml")
    assert again.model_dump(exclude={"run_dir"}) == config.model_dump(exclude={"run_dir"})
    text = (tmp_path / "run.toml").read_text(encoding="utf-8")
    assert text.count("\n# ") == len(TrainConfig.model_fields)
    assert set(tomllib.loads(text)) == set(TrainConfig.model_fields)


def test_every_value_is_explained_in_a_line():
    for key, _, words in explanations():
        assert 10 < len(words) < 150, key
        assert words.endswith("."), key
    said = {key: words for key, _, words in explanations()}
    assert said["precision"].endswith("Allowed: fp32, bf16, int8 or nf4.")
    assert said["dropout"].endswith("Allowed: a number, at least 0 and less than 1.")
    assert "Allowed" not in said["targets"]


def test_presets_are_possible_configs():
    for preset, values in PRESETS.items():
        config = load_config(None, [*NEEDED, f"preset={preset}"])
        assert {key: getattr(config, key) for key in values} == dict(values)


def test_identity_leaves_out_what_may_change_between_the_parts_of_a_run():
    one = load_config(None, [*NEEDED, "run_dir=/a", "eval_clips=3"])
    other = load_config(None, [*NEEDED, "run_dir=/b", "device=cpu", "cache=false"])
    assert one.identity() == other.identity()
    assert one.identity() != load_config(None, [*NEEDED, "seed=1"]).identity()

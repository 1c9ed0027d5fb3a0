"""Values of a run: all there are, where they start from, what is refused, and what they need."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox

from vvlm_desktop.backends.model_shape import shape_of_config
from vvlm_desktop.backends.train_config import PRESETS, TrainConfig
from vvlm_desktop.ui.training.form import ConfigForm
from vvlm_desktop.ui.training.form_start import (
    PRESET_TITLES,
    Start,
    needs,
    start_of,
    start_of_preset,
)
from vvlm_desktop.ui.training.form_values import ELSEWHERE, FormValues, text_of
from vvlm_desktop.workflow.gpu import Gpu, Hardware
from vvlm_desktop.workflow.run_planning import Suggestion

GIB = 1024**3
#: As InternVL3-8B.
EIGHT = shape_of_config(
    {
        "text_config": {
            "hidden_size": 3584,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "intermediate_size": 18944,
            "vocab_size": 151_674,
        },
        "vision_config": {
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "intermediate_size": 4096,
            "image_size": [448, 448],
            "patch_size": [14, 14],
        },
    },
    parameters=7_944_000_000,
)


def computer(*, gpu_gib: float | None = None, memory_gib: float = 32) -> Hardware:
    gpus = (Gpu(0, "Card", int(gpu_gib * GIB), int(gpu_gib * GIB)),) if gpu_gib else ()
    problem = "" if gpu_gib else "No NVIDIA GPU or driver was found."
    return Hardware(gpus, "", "", problem, "", int(memory_gib * GIB), int(memory_gib * GIB), 8)


def config(**values) -> TrainConfig:
    return TrainConfig.model_validate({"model_dir": "m", "train_set": "s", **values})


@pytest.fixture
def form(qtbot, look) -> ConfigForm:
    made = ConfigForm(Start("none", "", {"frames": 16}))
    qtbot.addWidget(made)
    made.resize(700, 600)
    made.show()
    return made


def put(qtbot, row, text) -> None:
    row.editor.selectAll()
    qtbot.keyClicks(row.editor, text)


def test_every_value_there_is_can_be_found_with_its_explanation(form):
    assert len(form.rows) < 10
    form.more.click()
    assert set(form.rows) | set(form.fixed) == set(TrainConfig.model_fields)
    assert set(form.fixed) == set(ELSEWHERE)
    for key, row in form.rows.items():
        field = TrainConfig.model_fields[key]
        assert row.help.text() == field.description
        assert row.editor.accessibleName() == field.title
    form.more.click()
    assert not form.rows["seed"].isVisibleTo(form)


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("learning_rate", "2", "At most 1."),
        ("learning_rate", "0", "More than 0."),
        ("learning_rate", "fast", "A number is needed, such as 0.0001."),
        ("learning_rate", "nan", "A number is needed, such as 0.0001."),
        ("rank", "1.5", "A whole number is needed."),
        ("rank", "", "A whole number is needed."),
        ("frames", "500", "At most 128."),
        ("epochs", "-1", "More than 0."),
    ],
)
def test_value_that_is_refused_is_said_at_its_field(form, qtbot, key, text, said):
    row = form.rows[key]
    row.editor.selectAll()
    qtbot.keyClick(row.editor, Qt.Key.Key_Delete)
    qtbot.keyClicks(row.editor, text)
    assert row.reason.text() == said
    assert row.reason.isVisibleTo(form)
    assert form.config is None
    assert row.editor.property("invalid") == "true"
    assert row.editor.text() == text  # what is typed is never exchanged for something else
    row.reset.click()
    assert not row.reason.isVisibleTo(form)
    assert form.config is not None


def test_rule_over_two_values_is_said_at_the_one_it_names(form, qtbot):
    form.more.click()
    put(qtbot, form.rows["early_stopping"], "3")
    put(qtbot, form.rows["eval_every"], "50")
    assert "save_every must equal eval_every" in form.rows["early_stopping"].reason.text()
    put(qtbot, form.rows["save_every"], "50")
    assert not form.rows["early_stopping"].reason.isVisibleTo(form)


def test_changes_are_marked_counted_and_taken_back(form, qtbot):
    assert not form.reset.isVisibleTo(form)
    put(qtbot, form.rows["rank"], "32")
    put(qtbot, form.rows["learning_rate"], "2e-4")
    assert form.rows["rank"].changed_mark.isVisibleTo(form)
    assert form.rows["rank"].changed_mark.text() == "changed"
    assert not form.rows["frames"].changed_mark.isVisibleTo(form)
    assert form.reset.text() == "Reset all 2"
    assert (form.config.rank, form.config.learning_rate) == (32, 2e-4)
    put(qtbot, form.rows["rank"], "16")  # as it started
    assert form.reset.text() == "Reset it"
    form.reset.click()
    assert form.values.typed == {}
    assert form.rows["learning_rate"].editor.text() == "0.0001"


def test_another_preset_keeps_what_was_typed(form, qtbot):
    put(qtbot, form.rows["learning_rate"], "5e-5")
    form.show_start(Start("8gb", "", {"frames": 16}))
    assert form.rows["rank"].editor.text() == "8"
    assert form.rows["learning_rate"].editor.text() == "5e-5"
    assert form.config.learning_rate == 5e-5
    assert form.values.given["preset"] == "8gb"
    assert form.config.alpha == PRESETS["8gb"]["alpha"]
    assert form.config.frames == 16  # as analyses, not as the preset


def test_choice_and_switch_are_values(form):
    box = form.rows["precision"].editor
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(box.findData("nf4"))
    box.activated.emit(box.currentIndex())
    form.more.click()
    form.rows["projector"].editor.setChecked(True)
    assert (form.config.precision, form.config.projector) == ("nf4", True)
    assert form.values.changed("precision")
    assert form.values.changed("projector")


def test_values_of_a_run_can_be_taken_up_again(form):
    form.show_config(Start("none", "", {"frames": 16}), config(rank=64, frames=16, epochs=1))
    assert form.values.typed == {"rank": 64, "epochs": 1.0}
    assert form.rows["rank"].editor.text() == "64"


@pytest.mark.parametrize(("value", "text"), [(1e-4, "0.0001"), (3.0, "3"), (0.05, "0.05"), (1e-7, "1e-07"), (8, "8")])
def test_numbers_as_they_are_typed(value, text):
    assert text_of(value) == text
    assert float(text) == value


def test_as_typed_equals_the_start():
    values = FormValues(Start("none", ""))
    values.put("learning_rate", " 0.0001 ")
    values.put("projector", False)
    assert values.typed == {}


def test_every_preset_has_a_title_and_says_what_this_computer_has():
    assert set(PRESET_TITLES) == set(PRESETS)
    assert "made for 24 gb" in start_of_preset("24gb", on=computer(gpu_gib=12)).reason.lower()
    assert "Card, has 12.0 GB" in start_of_preset("24gb", on=computer(gpu_gib=12)).reason
    assert "No NVIDIA GPU" in start_of_preset("8gb", on=computer()).reason


def test_start_takes_the_suggestion_and_the_frames_of_analyses():
    start = start_of(Suggestion({"preset": "16gb", "precision": "bf16"}, "Because."), frames=12)
    assert (start.preset, start.reason) == ("16gb", "Because.")
    assert dict(start.values) == {"precision": "bf16", "frames": 12}


def test_needs_say_whether_it_fits():
    good = needs(EIGHT, config(preset="80gb"), on=computer(gpu_gib=79), clips=24)
    assert good.fits
    assert "79.0 GB are free on the GPU" in good.sentence
    bad = needs(EIGHT, config(preset="24gb"), on=computer(gpu_gib=8), clips=24)
    assert bad.fits is False
    assert "Take a smaller preset" in bad.sentence
    slow = needs(EIGHT, config(precision="bf16"), on=computer(memory_gib=64), clips=24)
    assert "On the processor at least" in slow.sentence
    assert needs(None, config(), on=computer(), clips=1).fits is None

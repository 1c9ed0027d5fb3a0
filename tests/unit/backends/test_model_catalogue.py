from pathlib import Path

import pytest

from vvlm_desktop import paths
from vvlm_desktop.backends.model_catalogue import catalogue, catalogue_model, native_id, parse_catalogue
from vvlm_desktop.backends.model_shape import shape_of_config
from vvlm_desktop.errors import BackendError, ModelFolderError

TEXT = (paths.resources_dir() / "models.toml").read_text(encoding="utf-8")
ALL = catalogue()


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.id)
def test_parameters_follow_from_the_architecture(entry):
    shape = entry.shape
    vision = shape.vision
    gated = 3 if entry.model_type == "qwen2_5_vl" else 2
    tower = vision.layers * (4 * vision.hidden + gated * vision.mlp) * vision.hidden
    explained = shape.text.linear_parameters + shape.text.embedding_parameters + tower
    # The rest is the projector, position tables, norms and biases.
    assert explained <= shape.parameters <= explained * 1.06
    assert shape.text.heads % shape.text.kv_heads == 0


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.id)
def test_a_download_is_as_large_as_its_parameters_in_16_or_32_bits(entry):
    bytes_each = 4 if entry.model_type == "smolvlm" else 2
    assert entry.download_bytes == pytest.approx(entry.parameters * bytes_each, rel=0.04)


def test_every_entry_is_a_checkpoint_that_needs_no_code_of_its_own():
    assert all(native_id(entry.id) is None for entry in ALL)
    assert {entry.id.split("/")[0] for entry in ALL} == {"OpenGVLab", "Qwen", "HuggingFaceTB"}
    assert len({entry.title for entry in ALL}) == len(ALL) == 18


@pytest.mark.parametrize(
    ("wanted", "instead"),
    [
        ("OpenGVLab/InternVL3-8B", "OpenGVLab/InternVL3-8B-hf"),
        ("internvl3_5-4b", "OpenGVLab/InternVL3_5-4B-HF"),
        ("OpenGVLab/InternVL3-8B-hf", None),
        ("OpenGVLab/InternVL3-78B", None),
        ("Qwen/Qwen2.5-VL-7B-Instruct", None),
        ("", None),
    ],
)
def test_the_same_weights_without_code_are_named(wanted, instead):
    assert native_id(wanted) == instead


def test_an_entry_is_found_whatever_the_case():
    assert catalogue_model("opengvlab/internvl3_5-1b-hf").title == "InternVL3.5 1B"
    assert catalogue_model("nobody/nothing") is None


def line_of(part, *, of="InternVL3-8B-hf"):
    start = TEXT.index(of)
    return TEXT[: TEXT.index(part, start)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("parameters = 7_944_000_000", "parameters = -1", line_of("parameters ="), "parameters"),
        ("parameters = 7_944_000_000", 'parameters = "many"', line_of("parameters ="), "parameters"),
        ("parameters = 7_944_000_000", "params = 7", line_of("[[model]]", of="InternVL3-2B-hf") + 0, "parameters"),
        ("layers = 28, heads = 28", "layers = 0, heads = 28", line_of("text ="), "layers"),
        (
            'model_type = "internvl"\nlicence',
            'model_type = "gpt"\nlicence',
            line_of("model_type", of="3-1B-hf"),
            "model",
        ),
        ('"OpenGVLab/InternVL3-8B-hf"', '"../etc"', line_of('"', of='id = "OpenGVLab/InternVL3-8B'), "id"),
        ('"OpenGVLab/InternVL3-8B-hf"', '"opengvlab/INTERNVL3-2B-hf"', line_of("I", of="InternVL3-8B-hf"), "twice"),
        ("[[model]]\n", "[[model]\n", 9, "line 9"),
    ],
)
def test_a_broken_catalogue_names_the_line(old, new, line, said):
    assert old in TEXT
    with pytest.raises(BackendError, match=said) as caught:
        parse_catalogue(TEXT.replace(old, new, 1), source=Path("models.toml"))
    assert f"line {line}" in str(caught.value)
    assert caught.value.hint


CONFIGS = {
    "OpenGVLab/InternVL3-8B-hf": {
        "image_seq_length": 256,
        "text_config": {
            "hidden_size": 3584,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "intermediate_size": 18944,
            "vocab_size": 151674,
        },
        "vision_config": {
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "intermediate_size": 4096,
            "image_size": [448, 448],
            "patch_size": [14, 14],
        },
    },
    # The older form: the language model's numbers lie at the top.
    "Qwen/Qwen2.5-VL-7B-Instruct": {
        "hidden_size": 3584,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "intermediate_size": 18944,
        "vocab_size": 152064,
        "tie_word_embeddings": False,
        "vision_config": {
            "depth": 32,
            "hidden_size": 1280,
            "intermediate_size": 3420,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
    },
    "Qwen/Qwen3-VL-2B-Instruct": {
        "tie_word_embeddings": True,
        "text_config": {
            "hidden_size": 2048,
            "num_hidden_layers": 28,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "intermediate_size": 6144,
            "vocab_size": 151936,
        },
        "vision_config": {
            "depth": 24,
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
    },
    "HuggingFaceTB/SmolVLM2-256M-Video-Instruct": {
        "scale_factor": 4,
        "text_config": {
            "hidden_size": 576,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "intermediate_size": 1536,
            "vocab_size": 49280,
        },
        "vision_config": {
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "intermediate_size": 3072,
            "image_size": 512,
            "patch_size": 16,
        },
    },
}


@pytest.mark.parametrize("model_id", CONFIGS)
def test_a_folder_has_the_shape_that_the_catalogue_says(model_id):
    entry = catalogue_model(model_id)
    shape = shape_of_config(CONFIGS[model_id], parameters=entry.parameters)
    assert shape.text == entry.shape.text
    assert shape.tokens_per_frame == entry.shape.tokens_per_frame
    assert shape.vision.tokens == pytest.approx(entry.shape.vision.tokens, abs=1)  # one of InternVL's is no patch
    assert shape.vision.frames_together == entry.shape.vision.frames_together


@pytest.mark.parametrize(
    "broken", [{}, {"vision_config": {}}, {"text_config": {"hidden_size": "wide"}}, {"text_config": 7}]
)
def test_a_config_that_lacks_numbers_is_refused(broken):
    with pytest.raises(ModelFolderError, match=r"config\.json"):
        shape_of_config(broken, parameters=1)

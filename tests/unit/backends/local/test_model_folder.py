"""What is found out about a model's folder without loading it, and a sentence for all that is wrong with it."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_models import FAMILIES, copy_model, tiny_model
from tests.unit.backends.local.folders import edit, in_pieces
from vvlm_desktop.backends.model_folder import examine_model
from vvlm_desktop.errors import ModelFolderError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_model("internvl", tmp_path / "my model")


def refused(folder: Path, *words: str) -> ModelFolderError:
    with pytest.raises(ModelFolderError) as caught:
        examine_model(folder)
    for word in words:
        assert word in f"{caught.value} {caught.value.hint}", (word, str(caught.value), caught.value.hint)
    return caught.value


# --- good ones --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_folder_tells_family_size_and_number_of_parameters(family):
    found = examine_model(tiny_model(family))
    assert (found.family, found.is_adapter, found.quantised, found.dtype) == (family, False, None, "fp32")
    assert found.weight_bytes == (tiny_model(family) / "model.safetensors").stat().st_size
    assert found.parameters * 4 == pytest.approx(found.weight_bytes, rel=0.01)
    assert found.config["model_type"] == found.model_type


def test_folder_in_pieces_is_read_by_its_index(tmp_path):
    folder = in_pieces(tmp_path)
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    whole = examine_model(tiny_model("qwen2_5_vl"))
    assert examine_model(folder).parameters == whole.parameters
    assert examine_model(folder).tensors.keys() == whole.tensors.keys()


def test_name_of_a_folder_in_the_hubs_cache_is_the_repositorys(tmp_path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    folder = tmp_path / "models--OpenGVLab--VideoChat-R1_5-7B" / "snapshots" / commit
    shutil.copytree(tiny_model("qwen2_5_vl"), folder)
    assert examine_model(folder).name == "OpenGVLab/VideoChat-R1_5-7B"


def test_no_model_library_is_loaded_to_look_at_a_folder():
    script = (
        "import sys; from pathlib import Path; from vvlm_desktop.backends.model_folder import examine_model; "
        f"assert examine_model(Path({str(tiny_model('internvl'))!r})).family == 'internvl'; "
        "print([m for m in ('torch', 'transformers', 'safetensors', 'peft') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


# --- what is wrong, in words ------------------------------------------------------------------------------------------


def test_absent_folder_is_named(tmp_path):
    refused(tmp_path / "gone", "There is no folder", "gone")


def test_folder_of_something_else(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    refused(tmp_path, "holds no model", "config.json")


def test_folder_without_weights(folder):
    (folder / "model.safetensors").unlink()
    refused(folder, "holds no weights")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "checkpoint.pth"])
def test_pickled_weights_are_refused_and_never_opened(folder, name):
    (folder / "model.safetensors").rename(folder / name)
    refused(folder, "pickled", name, "could run a program", ".safetensors")


def test_pickled_weights_beside_safetensors_do_not_matter(folder):
    (folder / "optimizer.pt").write_bytes(b"junk")
    assert examine_model(folder).family == "internvl"


def test_llama_cpp_weights_point_to_the_server(folder):
    (folder / "model.safetensors").rename(folder / "model-q4.gguf")
    refused(folder, "GGUF", "llama.cpp")


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("InternVL3-8B", "OpenGVLab/InternVL3-8B-hf"),
        ("InternVL3_5-4B", "OpenGVLab/InternVL3_5-4B-HF"),
        ("weights", "-hf"),
    ],
)
def test_model_that_needs_its_own_code_names_the_one_that_does_not(folder, name, instead):
    edit(folder / "config.json", model_type="internvl_chat", auto_map={"AutoModel": "modeling_internvl_chat.Model"})
    (folder / "modeling_internvl_chat.py").write_text("raise SystemExit('run')")
    refused(folder.rename(folder.parent / name), "never run", instead + (" instead" if name != "weights" else ""))


def test_code_beside_an_unknown_architecture_is_refused_even_without_auto_map(folder):
    edit(folder / "config.json", model_type="internvl_chat")
    (folder / "modeling_internvl_chat.py").write_text("")
    refused(folder, "never run")


def test_script_beside_a_known_architecture_does_not_matter(folder):
    (folder / "example.py").write_text("raise SystemExit('run')")
    assert examine_model(folder).family == "internvl"


def test_wrong_architecture_says_what_it_is_and_what_is_known(folder):
    edit(folder / "config.json", model_type="whisper")
    refused(folder, "'whisper'", "InternVL", "Qwen3-VL", "VideoChat-R1.5")


@pytest.mark.parametrize("text", ["{", "[]", "", "\x00\xff", "[" * 100_000])
def test_damaged_config_is_named(folder, text):
    (folder / "config.json").write_text(text)
    refused(folder, "config.json is damaged")


def test_unsupported_compression_is_named(folder):
    edit(folder / "config.json", quantization_config={"quant_method": "awq"})
    refused(folder, "awq", "uncompressed")


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_cut_off_weights_are_found_at_once(folder, keep):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    refused(folder, "model.safetensors is damaged")


def test_weights_with_something_behind_them_are_damaged(folder):
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"more")
    refused(folder, "4 bytes too many")


@pytest.mark.parametrize(
    "header",
    [b"not json", b"[]", b'{"a": 3}', b'{"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 4]}}', b"\xff\xff"],
)
def test_scrambled_header_is_found(folder, header):
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")
    refused(folder, "model.safetensors is damaged", "header")


def test_header_that_claims_to_be_huge_is_not_read(folder):
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    refused(folder, "header is cut off or scrambled")


def test_pointer_of_git_lfs_is_told_from_damage(folder):
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    refused(folder, "only a pointer", "git-lfs")


def test_missing_piece_is_counted_and_named(tmp_path):
    folder = in_pieces(tmp_path)
    pieces = sorted(folder.glob("model-*.safetensors"))
    pieces[1].unlink()
    refused(folder, "incomplete", f"1 of {len(pieces)} files", pieces[1].name)


def test_index_cannot_reach_outside_of_its_folder(tmp_path):
    folder = in_pieces(tmp_path)
    (tmp_path / "secret.safetensors").write_bytes(b"x" * 100)
    index = folder / "model.safetensors.index.json"
    data = json.loads(index.read_text())
    data["weight_map"]["lm_head.weight"] = "../secret.safetensors"
    index.write_text(json.dumps(data))
    refused(folder, "outside of its folder", "secret.safetensors")


@pytest.mark.parametrize("name", ["tokenizer.json", "processor_config.json"])
def test_missing_tokenizer_or_processor_is_named(folder, name):
    (folder / name).unlink()
    refused(folder, "incomplete", "missing")


@pytest.mark.parametrize("size", [{"height": 384, "width": 384}, {"shortest_edge": 448}, 384, None])
def test_internvl_processor_must_be_set_to_448_px(folder, size):
    edit(folder / "processor_config.json", video_processor__size=size)
    refused(folder, "448 px", "Download the model again")


def test_internvl_processor_must_know_the_colours_it_was_trained_with(folder):
    edit(folder / "processor_config.json", video_processor__image_mean=[0.481, 0.457, 0.408])
    refused(folder, "normalises colours wrongly")


def test_internvl_processor_and_model_agree_on_tokens_a_frame(folder):
    edit(folder / "processor_config.json", image_seq_length=256)
    refused(folder, "256 tokens a frame instead of 4")


def test_qwen_patches_must_be_cut_as_the_model_expects(tmp_path):
    folder = copy_model("qwen2_5_vl", tmp_path / "qwen")
    edit(folder / "processor_config.json", video_processor__patch_size=16)
    refused(folder, "patch_size 16", "14")


@pytest.mark.parametrize("place", ["", "text_config__", "vision_config__"])
@pytest.mark.parametrize("named", ["kernels-community/flash-attn", {"": "somebody/kernel:forward"}])
def test_compiled_code_from_the_network_is_refused_wherever_a_config_names_it(folder, place, named):
    edit(folder / "config.json", **{f"{place}_attn_implementation": named})
    refused(folder, "code from the network", "/")


def test_ordinary_attention_may_be_named(folder):
    edit(folder / "config.json", text_config___attn_implementation="sdpa")
    assert examine_model(folder).family == "internvl"


@pytest.mark.parametrize("nonsense", [None, 7, "small", [1]])
def test_config_with_something_else_where_a_table_belongs_is_damaged(folder, nonsense):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vision_config": nonsense}))
    refused(folder, "damaged")


def test_weights_that_are_called_compressed_and_are_not_are_damaged(folder):
    compressed = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    edit(folder / "config.json", quantization_config=compressed)
    refused(folder, "compressed", "not")


@pytest.mark.parametrize("text", ["{}", "not json", "", "[" * 100_000])
def test_damaged_tokenizer_is_found_without_loading_and_named_with_its_folder(folder, text):
    (folder / "tokenizer.json").write_text(text)
    refused(folder, f"{folder / 'tokenizer.json'} is damaged")


@pytest.mark.parametrize(
    ("family", "key"),
    [
        *((family, "vocab_size") for family in FAMILIES),
        ("internvl", "hidden_size"),
        ("internvl", "intermediate_size"),
        ("smolvlm", "num_hidden_layers"),
        ("qwen2_5_vl", "num_hidden_layers"),
    ],
)
def test_config_of_another_size_than_the_weights_is_found_without_loading(tmp_path, family, key):
    folder = copy_model(family, tmp_path / "mixed")
    config = json.loads((folder / "config.json").read_text())
    edit(folder / "config.json", **{f"text_config__{key}": config["text_config"][key] * 2})
    refused(folder, str(folder), "do not fit its config.json", "two models")


def test_the_file_that_sets_the_processor_is_the_one_that_is_named(folder):
    settings = json.loads((folder / "processor_config.json").read_text())["video_processor"]
    edit(folder / "processor_config.json", video_processor__size=384)
    refused(folder, f"384 px instead of 448 px ({folder / 'processor_config.json'})")
    (folder / "video_preprocessor_config.json").write_text(json.dumps({**settings, "size": 392}))
    refused(folder, f"392 px instead of 448 px ({folder / 'video_preprocessor_config.json'})")


def test_one_weight_file_goes_before_an_index_as_when_it_is_loaded(folder):
    index = {"weight_map": {"lm_head.weight": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert examine_model(folder).tensors.keys() == examine_model(tiny_model("internvl")).tensors.keys()

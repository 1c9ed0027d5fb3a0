"""Tiny models of the real architectures with random weights, saved as the folders that people download.

    folder = tiny_model("internvl")                 # config, safetensors, processor, tokenizer, chat template
    adapter = tiny_adapter(tmp_path / "a", folder, seed=1)

They load through exactly the production path. Folders of `tiny_model` are shared by all tests and sessions (they live
in the system's temporary folder under a name that holds the hash of this file): `copy_model` before changing one.
InternVL keeps its 448 px but has patches of 112, so that a frame is four tokens; Qwen keeps its patches of 14 or 16.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sysconfig
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch

from vvlm_desktop.backends.local.torchvision_compat import ensure_torchvision

ensure_torchvision()  # before transformers is imported

import transformers  # noqa: E402
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402
from transformers.models.smolvlm import processing_smolvlm  # noqa: E402

SMALL_VOCABULARY = 2_048
#: As many entries as Qwen2.5's embedding has; what the forced runs of a JSON depend on.
REAL_VOCABULARY = 151_936
#: A frozen random head of standard deviation 0.02 cannot put more than about 1 % on any token.
_HEAD_GAIN = 8
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"),
    *("<|image_pad|>", "<|video_pad|>", "<img>", "</img>", "<IMG_CONTEXT>", "<video>", "<image>"),
    *("<fake_token_around_image>", "<global-img>", "<end_of_utterance>"),
)
_SCHEMA = Path(__file__).parents[1] / "resources" / "schemas"
_MEAN_STD = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}

_INTERNVL_TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'}}{% if message['content'] is string %}"
    "{{ message['content'] }}{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' %}"
    "{{ '<IMG_CONTEXT>\n' }}{% elif content['type'] == 'video' %}{{ '<video>\n' }}"
    "{% elif content['type'] == 'text' %}{{ content['text'] }}{% endif %}{% endfor %}{% endif %}{{'<|im_end|>\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{'<|im_start|>assistant\n' }}{% endif %}"
)
_QWEN_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n{% else %}"
    "{% for content in message['content'] %}{% if content['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% elif content['type'] == 'video' %}"
    "<|vision_start|><|video_pad|><|vision_end|>{% elif 'text' in content %}{{ content['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


# --- what tests call ------------------------------------------------------------------------------------------------


@cache
def tiny_model(family: str, *, vocabulary: int = SMALL_VOCABULARY, seed: int = 0) -> Path:
    """The folder of a tiny model, made on first use.

    Args:
        family: one of `FAMILIES`.
        vocabulary: entries of the tokenizer; `REAL_VOCABULARY` for benchmarks.
        seed: of the random weights.
    """
    folder = _cache_folder() / f"{family}-{vocabulary}-{seed}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=_cache_folder()) as making:
            draft = Path(making) / "draft"
            torch.manual_seed(seed)
            _BUILDERS[family](draft, _tokenizer_file(vocabulary))
            _publish(draft, folder)
    return folder


def tiny_adapter(folder: Path, base: Path, *, seed: int, strength: float = 0.5, projector: bool = False) -> Path:
    """Save a LoRA adapter for the model at `base` into `folder`, with weights that change what it says.

    Args:
        projector: also give it a projector of its own, as training does.
    """
    from peft import LoraConfig, get_peft_model

    model = transformers.AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=r".*(model\.)?(language_model|text_model)\..*\.(q_proj|v_proj|gate_proj)",
        modules_to_save=[_PROJECTORS[model.config.model_type]] if projector else None,
        task_type="CAUSAL_LM",
        base_model_name_or_path=str(base),
    )
    with warnings.catch_warnings():
        # WORKAROUND peft 0.21 reads an attribute that transformers 5.23 renamed.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        tuned = get_peft_model(model, config)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_B" in name or "modules_to_save" in name:
                weight.add_(torch.randn(weight.shape, generator=random) * strength * 0.1)
    tuned.save_pretrained(folder)
    return folder


def copy_model(family: str, target: Path, *, vocabulary: int = SMALL_VOCABULARY) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(tiny_model(family, vocabulary=vocabulary), target))


# --- tokenizer ------------------------------------------------------------------------------------------------------


def _tokenizer_file(vocabulary: int) -> Path:
    path = _cache_folder() / f"tokenizer-{vocabulary}.json"
    if not path.exists():
        trained = min(vocabulary, 16_384) - len(_SPECIAL)
        files = _texts(100 if vocabulary == SMALL_VOCABULARY else 400)
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=trained, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
        tokenizer.train(files, trainer)
        padded = _padded(json.loads(tokenizer.to_str()), entries=vocabulary - len(_SPECIAL))
        tokenizer = Tokenizer.from_str(json.dumps(padded))
        tokenizer.add_special_tokens(list(_SPECIAL))
        with tempfile.TemporaryDirectory(dir=_cache_folder()) as making:
            draft = Path(making) / path.name
            tokenizer.save(str(draft))
            draft.replace(path)
    return path


def _texts(limit: int) -> list[str]:
    """Text that is on every machine: the label schemas and Python's own library."""
    library = Path(sysconfig.get_paths()["stdlib"])
    return [str(path) for path in (*sorted(_SCHEMA.glob("*.toml")) * 20, *sorted(library.glob("*.py"))[:limit])]


def _padded(tokenizer: dict[str, Any], *, entries: int) -> dict[str, Any]:
    """Entries without a merge are never produced by encoding, but weigh as much as others when a token is chosen."""
    words = tokenizer["model"]["vocab"]
    fill = (f"Ġ{first}{second}" for first, second in _pairs(sorted(words)))
    while len(words) < entries:
        words.setdefault(next(fill), len(words))
    return tokenizer


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    plain = [word for word in words if word.isascii() and word.isalpha()]
    return ((first, second) for first in plain for second in plain)


def _tokenizer(file: Path, template: str, **names: str) -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(file),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=32_768,
        extra_special_tokens=names,
    )
    tokenizer.chat_template = template
    return tokenizer


# --- models ---------------------------------------------------------------------------------------------------------


def _text_config(tokenizer: PreTrainedTokenizerFast, **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 256,
        "max_position_embeddings": 32_768,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
        **more,
    }


def _save(model: Any, processor: Any, folder: Path) -> None:
    with torch.no_grad():
        model.lm_head.weight.mul_(_HEAD_GAIN)
        for name, weight in model.named_parameters():
            # Zero as created, so that two places in a picture would look alike.
            if name.endswith(("position_embeddings", "cls_token")):
                weight.normal_(std=0.02)
    tokenizer = processor.tokenizer
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _internvl(folder: Path, file: Path) -> None:
    names = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    tokenizer = _tokenizer(file, _INTERNVL_TEMPLATE, **names, video_token="<video>")
    config = transformers.InternVLConfig(
        vision_config={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "image_size": [448, 448],
            "patch_size": [112, 112],
        },
        text_config=_text_config(tokenizer, model_type="qwen2", tie_word_embeddings=False),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    size = {"height": 448, "width": 448}
    processor = transformers.InternVLProcessor(
        image_processor=transformers.GotOcr2ImageProcessor(size=size, crop_to_patches=False, **_MEAN_STD),
        tokenizer=tokenizer,
        video_processor=transformers.InternVLVideoProcessor(size=size, **_MEAN_STD),
        image_seq_length=4,
        chat_template=_INTERNVL_TEMPLATE,
    )
    _save(transformers.InternVLForConditionalGeneration(config), processor, folder)


def _qwen_parts(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    ids = tokenizer.convert_tokens_to_ids
    return {
        "image_token_id": ids("<|image_pad|>"),
        "video_token_id": ids("<|video_pad|>"),
        "vision_start_token_id": ids("<|vision_start|>"),
        "vision_end_token_id": ids("<|vision_end|>"),
        "tie_word_embeddings": False,
    }


def _qwen_2_5_vl(folder: Path, file: Path) -> None:
    names = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
    tokenizer = _tokenizer(file, _QWEN_TEMPLATE, **names)
    rope = {"rope_type": "default", "rope_theta": 1_000_000.0, "mrope_section": [4, 6, 6]}
    config = transformers.Qwen2_5_VLConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "num_heads": 4,
            "intermediate_size": 128,
            "out_hidden_size": 128,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "tokens_per_second": 2,
            "window_size": 112,
            "fullatt_block_indexes": [1],
        },
        text_config=_text_config(tokenizer, rope_parameters=rope),
        **_qwen_parts(tokenizer),
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 16_384}
    processor = transformers.Qwen2_5_VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(size=size),
        tokenizer=tokenizer,
        video_processor=transformers.Qwen2VLVideoProcessor(size=size),
        chat_template=_QWEN_TEMPLATE,
    )
    _save(transformers.Qwen2_5_VLForConditionalGeneration(config), processor, folder)


def _qwen3_vl(folder: Path, file: Path) -> None:
    names = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
    names |= {"vision_bos_token": "<|vision_start|>", "vision_eos_token": "<|vision_end|>"}
    tokenizer = _tokenizer(file, _QWEN_TEMPLATE, **names)
    rope = {"rope_type": "default", "rope_theta": 1_000_000.0, "mrope_section": [4, 6, 6], "mrope_interleaved": True}
    config = transformers.Qwen3VLConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "num_heads": 4,
            "intermediate_size": 128,
            "out_hidden_size": 128,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "num_position_embeddings": 256,
            "deepstack_visual_indexes": [0, 1],
        },
        text_config=_text_config(tokenizer, rope_parameters=rope, head_dim=32),
        **_qwen_parts(tokenizer),
    )
    size = {"shortest_edge": 4096, "longest_edge": 32 * 32 * 24_576}
    processor = transformers.Qwen3VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(size=size, patch_size=16, merge_size=2),
        tokenizer=tokenizer,
        video_processor=transformers.Qwen3VLVideoProcessor(size=size),
        chat_template=_QWEN_TEMPLATE,
    )
    _save(transformers.Qwen3VLForConditionalGeneration(config), processor, folder)


def _smolvlm(folder: Path, file: Path) -> None:
    names = {"fake_image_token": "<fake_token_around_image>", "image_token": "<image>", "video_token": "<video>"}
    names |= {"global_image_token": "<global-img>", "end_of_utterance_token": "<end_of_utterance>"}
    tokenizer = _tokenizer(file, processing_smolvlm.DEFAULT_CHAT_TEMPLATE, **names)
    config = transformers.SmolVLMConfig(
        vision_config={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "image_size": 128,
            "patch_size": 16,
        },
        text_config=_text_config(tokenizer, model_type="llama", tie_word_embeddings=False),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=4,
        tie_word_embeddings=False,
    )
    half = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    largest = {"longest_edge": 128}
    if processing_smolvlm.num2words is None:
        processing_smolvlm.num2words = str  # only to be saved; loading brings its own
    try:
        processor = transformers.SmolVLMProcessor(
            image_processor=transformers.SmolVLMImageProcessor(size=largest, max_image_size=largest, **half),
            tokenizer=tokenizer,
            video_processor=transformers.SmolVLMVideoProcessor(size=largest, max_image_size=largest, **half),
            image_seq_len=4,
            chat_template=processing_smolvlm.DEFAULT_CHAT_TEMPLATE,
        )
    finally:
        if processing_smolvlm.num2words is str:
            processing_smolvlm.num2words = None
    _save(transformers.SmolVLMForConditionalGeneration(config), processor, folder)


_BUILDERS: dict[str, Callable[[Path, Path], None]] = {
    "internvl": _internvl,
    "qwen2_5_vl": _qwen_2_5_vl,
    "qwen3_vl": _qwen3_vl,
    "smolvlm": _smolvlm,
}
_PROJECTORS = {
    "internvl": "multi_modal_projector",
    "qwen2_5_vl": "merger",
    "qwen3_vl": "merger",
    "smolvlm": "connector",
}
#: What `tiny_model` can make.
FAMILIES = tuple(_BUILDERS)


# --- files ----------------------------------------------------------------------------------------------------------


def _publish(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        if not folder.exists():  # otherwise another test process was faster
            raise


@cache
def _cache_folder() -> Path:
    versions = f"{transformers.__version__} {torch.__version__}".encode()
    version = hashlib.sha256(Path(__file__).read_bytes() + versions).hexdigest()[:12]
    owner = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir()) / f"vvlm-test-models-{owner}-{version}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder

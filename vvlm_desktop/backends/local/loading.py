"""From a folder to a loaded model: safetensors only, no code of others, no network, and plain words when it fails."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from vvlm_desktop.backends.install_hint import INSTALL_LOCAL
from vvlm_desktop.backends.local.adapters import Adapters
from vvlm_desktop.backends.local.devices import choose_device
from vvlm_desktop.backends.local.families import family_for
from vvlm_desktop.backends.local.families.base import Family
from vvlm_desktop.backends.local.stepping_down import is_out_of_memory
from vvlm_desktop.backends.local.torchvision_compat import ensure_torchvision
from vvlm_desktop.backends.model_folder import ModelFolder, examine_model
from vvlm_desktop.errors import BackendUnavailableError, ModelFolderError

PRECISIONS = ("fp32", "bf16", "int8", "nf4")
_COPY_AGAIN = "Download or copy the model again."
#: Never the network, whatever a checkpoint names.
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


@dataclass(slots=True)
class LoadedModel:
    """A model in memory, with its processor.

    Attributes:
        model: transformers' model; adapters that are in use work inside it.
        precision: one of `PRECISIONS`; what the folder has where its weights were compressed already.
    """

    model: Any
    processor: Any
    tokenizer: Any
    family: Family
    folder: ModelFolder
    precision: str
    device: torch.device
    _adapters: Adapters = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._adapters = Adapters(self.model, self.folder)

    @property
    def adapters(self) -> tuple[str, ...]:
        """Names of the adapters that were loaded."""
        return self._adapters.names

    @property
    def adapter(self) -> str | None:
        """The adapter in use, None for the base alone."""
        return self._adapters.in_use

    @property
    def adapter_note(self) -> str:
        """What people should know about the adapter in use; empty where there is nothing."""
        return self._adapters.note

    def use_adapter(self, name: str | None, directory: Path | str | None = None) -> None:
        """Work with an adapter from now on, with the base alone for None; exact both ways.

        Raises:
            ModelFolderError: it cannot be read, or was made for another base.
        """
        self._adapters.use(name, directory)


def load_model(folder: Path, *, precision: str, device: str) -> LoadedModel:
    """Load the model in `folder`.

    Args:
        precision: one of `PRECISIONS`; weights that were compressed already stay as they are.
        device: `cpu` or `cuda:N`.

    Raises:
        ModelFolderError: the folder cannot be used; the sentence says why.
        BackendUnavailableError: a package is missing, or the GPU or its driver does not answer.
        torch.OutOfMemoryError: as it comes, so that the caller can step down.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"no precision: {precision!r}")
    # Whoever loads it later, it would tell users to install a package that makes nothing here faster.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    device = choose_device(device)
    examined = examine_model(folder)
    if examined.is_adapter:
        base = examined.config.get("base_model_name_or_path") or "the model it was trained on"
        raise ModelFolderError(
            f"{folder.name} is an adapter, not a model.", hint=f"Choose its base ({base}) as model and it as adapter."
        )
    family = family_for(examined.config, source=str(folder))
    transformers = transformers_package()
    if examined.quantised is not None:
        precision = "int8" if examined.config["quantization_config"].get("load_in_8bit") else "nf4"
    _check_config(transformers, examined)
    processor = load_processor(folder, family)
    model = _load_weights(transformers, examined, family, precision, device)
    return LoadedModel(
        model=model,
        processor=processor,
        tokenizer=processor.tokenizer,
        family=family,
        folder=examined,
        precision=precision,
        device=torch.device(device),
    )


def transformers_package() -> Any:
    """transformers, imported offline, beside whatever torchvision there is, without progress bars.

    Raises:
        BackendUnavailableError: it or torchvision is missing.
    """
    if ensure_torchvision() == "absent":
        raise BackendUnavailableError(
            "Local models need the package torchvision, which is not there.", hint=INSTALL_LOCAL
        )
    try:
        with _environment(_OFFLINE):
            transformers = importlib.import_module("transformers")
    except ImportError as error:
        raise BackendUnavailableError(
            f"Local models need the package transformers, which cannot be loaded: {error}.", hint=INSTALL_LOCAL
        ) from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def load_processor(folder: Path, family: Family) -> Any:
    """The processor (with the tokenizer) of a folder, checked by its family; also for training.

    Raises:
        ModelFolderError: it cannot be read, or is set to something that the model was not trained on.
    """
    transformers = transformers_package()
    family.before_loading()
    try:
        processor = transformers.AutoProcessor.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
    except Exception as error:
        # tokenizers raises bare Exception for a damaged tokenizer.json, so nothing narrower catches it.
        raise ModelFolderError(
            f"The processor in {folder} cannot be read: one of tokenizer.json, tokenizer_config.json,"
            " processor_config.json and preprocessor_config.json is damaged.",
            hint=_COPY_AGAIN,
        ) from error
    if getattr(processor, "video_processor", None) is None or getattr(processor, "tokenizer", None) is None:
        raise ModelFolderError(f"{folder} has no processor for videos.", hint=_COPY_AGAIN)
    if not (processor.chat_template or processor.tokenizer.chat_template):
        raise ModelFolderError(f"{folder} has no chat template.", hint=_COPY_AGAIN)
    _try_template(processor, folder)
    settings = processor.video_processor.to_dict()
    length = getattr(processor, "image_seq_length", None)
    family.check(settings | ({"image_seq_length": length} if length else {}), family.config)
    return processor


def _try_template(processor: Any, folder: Path) -> None:
    """Chat templates are programs of their own, run in a sandbox; one that fails would fail over every clip."""
    content = [{"type": "video"}, {"type": "text", "text": "?"}]
    conversation = [
        {"role": "system", "content": content[1:]},
        {"role": "user", "content": content},
    ]
    try:
        processor.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
    except Exception as error:
        # Whatever the template does: jinja2's errors, and those of Python inside of it.
        raise ModelFolderError(
            f"The chat template in {folder} (chat_template.jinja, or in tokenizer_config.json) does not work.",
            hint=_COPY_AGAIN,
        ) from error


def _check_config(transformers: Any, examined: ModelFolder) -> None:
    with _plain_failures(examined, "config.json"):
        transformers.AutoConfig.from_pretrained(str(examined.path), trust_remote_code=False, local_files_only=True)


def _load_weights(transformers: Any, examined: ModelFolder, family: Family, precision: str, device: str) -> Any:
    arguments: dict[str, Any] = {
        "dtype": torch.float32 if precision == "fp32" else torch.bfloat16,
        "attn_implementation": "sdpa",
        "use_safetensors": True,
        "trust_remote_code": False,
        "local_files_only": True,
        "output_loading_info": True,
    }
    if device != "cpu" or precision in {"int8", "nf4"}:
        arguments["device_map"] = {"": device}
    if precision in {"int8", "nf4"} and examined.quantised is None:
        arguments["quantization_config"] = quantisation(transformers, family, precision)
    with _plain_failures(examined, "one of its weight files or config.json"):
        model, report = transformers.AutoModelForImageTextToText.from_pretrained(str(examined.path), **arguments)
    missing = sorted(map(str, (*report["missing_keys"], *report["mismatched_keys"])))
    if missing:  # transformers fills them with random numbers and only warns
        raise ModelFolderError(
            f"The weights in {examined.path} do not fit its config.json: {len(missing)} parts are missing or of "
            f"another size, the first is {missing[0]}.",
            hint=_COPY_AGAIN,
        )
    _keep_layout(model)
    return model.eval()


def _keep_layout(model: Any) -> None:
    """Leave compressed weights as they were loaded.

    WORKAROUND bitsandbytes 0.50: on processors with AVX-512 the first pass packs them anew, and putting an adapter on
    (any `state_dict`) unpacks them inexactly, so that the base would say something else from then on.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def quantisation(transformers: Any, family: Family, precision: str) -> Any:
    """How bitsandbytes is to compress the language model, and nothing else; also for training.

    Raises:
        BackendUnavailableError: bitsandbytes is missing.
    """
    try:
        importlib.import_module("bitsandbytes")
    except (ImportError, OSError) as error:
        raise BackendUnavailableError(
            f"{precision} needs the package bitsandbytes, which cannot be loaded: {_first_line(error)}",
            hint=f"{INSTALL_LOCAL}. Or choose the precision bf16.",
        ) from error
    # It says once for each layer that numbers are cast, which is how int8 works.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    kind = (
        {"load_in_8bit": True}
        if precision == "int8"
        else {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_compute_dtype": torch.bfloat16,
            "bnb_4bit_use_double_quant": True,
        }
    )
    return transformers.BitsAndBytesConfig(**kind, llm_int8_skip_modules=family.unquantised_modules)


@contextmanager
def _plain_failures(examined: ModelFolder, file: str) -> Iterator[None]:
    """What transformers and torch raise for unusable weights, as sentences; memory running out is left as it is."""
    errors = importlib.import_module("huggingface_hub.errors")
    safetensors = importlib.import_module("safetensors")
    try:
        yield
    except (
        safetensors.SafetensorError,
        errors.StrictDataclassError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
    ) as error:
        raise ModelFolderError(
            f"The model in {examined.path} cannot be loaded: {file} is damaged, or names something unknown.",
            hint=_COPY_AGAIN,
        ) from error
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        if "CUDA" in str(error) or "driver" in str(error).lower():
            raise BackendUnavailableError(
                f"The GPU does not answer: {_first_line(error)}",
                hint="Start the computer again if it goes on; `vvlm doctor` shows what the driver says.",
            ) from error
        raise ModelFolderError(
            f"The weights in {examined.path} do not fit its config.json: their sizes differ.", hint=_COPY_AGAIN
        ) from error
    except ImportError as error:
        raise BackendUnavailableError(f"A package is missing: {_first_line(error)}", hint=INSTALL_LOCAL) from error


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Variables that libraries read when they are imported; children must not inherit them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines()] or [type(error).__name__]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]

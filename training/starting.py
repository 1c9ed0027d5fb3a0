"""Going on from an adapter that is there already, of the same base and the same size."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vvlm_desktop.backends.model_folder import AdapterFolder, examine_adapter
from vvlm_desktop.errors import ModelFolderError, SettingsError

if TYPE_CHECKING:
    from vvlm_desktop.backends.local.families.base import Family
    from vvlm_desktop.backends.model_folder import ModelFolder
    from vvlm_desktop.backends.train_config import TrainConfig

_WEIGHTS = "adapter_model.safetensors"


def examine_start(folder: ModelFolder, family: Family, config: TrainConfig) -> AdapterFolder | None:
    """The adapter to go on from, None for a fresh one; the base need not be loaded for that.

    Raises:
        ModelFolderError: it is none, or one of another base.
        SettingsError: it has another size or other layers than the config; it says which.
    """
    if not config.start_from:
        return None
    start = examine_adapter(Path(config.start_from).expanduser(), base=folder)
    saved = sorted(name.rpartition(".")[2] for name in family.projector_modules) if config.projector else []
    pairs = (
        ("rank", start.rank, config.rank),
        ("alpha", start.config.get("lora_alpha"), config.alpha),
        ("targets", start.config.get("target_modules"), config.targets or family.lora_targets),
        ("projector", sorted(start.saved_modules) != [], saved != []),
    )
    for key, its, ours in pairs:
        if its != ours:
            shown = str(its).lower() if isinstance(its, bool) else its
            raise SettingsError(
                f"start_from: {start.name} was trained with {key}={shown}, and {key} is {str(ours).lower()} here.",
                hint=f"Set {key}={shown}, or leave start_from empty to begin with a fresh adapter.",
            )
    return start


def load_start(tuned: Any, start: AdapterFolder) -> None:
    """Give the adapter on a model the weights of `start`.

    Raises:
        ModelFolderError: they are not the same layers after all.
    """
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    weights = load_file(str(start.path / _WEIGHTS))
    try:
        report: Any = set_peft_model_state_dict(tuned, weights)
    except RuntimeError as error:  # sizes differ
        raise _other_layers(start, str(error).splitlines()[0]) from error
    missing = [name for name in report.missing_keys if "lora_" in name or "modules_to_save" in name]
    if missing or report.unexpected_keys:
        raise _other_layers(start, (missing or list(report.unexpected_keys))[0])


def start_fingerprint(config: TrainConfig) -> str:
    """SHA-256 of the weights to go on from, empty for a fresh adapter."""
    if not config.start_from:
        return ""
    return hashlib.sha256((Path(config.start_from).expanduser() / _WEIGHTS).read_bytes()).hexdigest()


def _other_layers(start: AdapterFolder, reason: str) -> ModelFolderError:
    return ModelFolderError(
        f"The adapter {start.name} cannot be gone on from, its layers are other ones: {reason}",
        hint="Leave start_from empty to begin with a fresh adapter.",
    )

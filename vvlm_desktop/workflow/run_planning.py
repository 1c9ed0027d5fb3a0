"""What a run is going to be: its base, its number, and values that suit this computer; and the command that is it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.atomic_file import write_atomically
from vvlm_desktop.backends.model_memory import GIB, in_gib
from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.backends.train_config import PRESETS, Preset, TrainConfig, load_config, save_config
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import ModelFolderError, SettingsError, UsageError
from vvlm_desktop.jobs.argv import training_argv
from vvlm_desktop.workflow.adapters import adapter_named, adapters_folder
from vvlm_desktop.workflow.gpu import Hardware, hardware
from vvlm_desktop.workflow.model_shelf import InstalledModel, find_model
from vvlm_desktop.workflow.run_launch import cannot_write
from vvlm_desktop.workflow.run_shelf import CREATED_FILE, Run, number_of, runs_folder
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.training_shelf import TrainingSet

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}")
_NUMBERS_FILE = "numbers.json"
#: Chosen by other means than by a value.
GIVEN = {
    "model_dir": "the model",
    "train_set": "the training set",
    "run_dir": "the library",
    "name": "the name",
}
#: Free memory from which on a preset is proposed; the driver and the desktop keep some of what a card is sold with.
_PRESET_FROM: tuple[tuple[float, Preset], ...] = ((70, "80gb"), (21, "24gb"), (14, "16gb"), (6.5, "8gb"))
#: Beside the weights of a small model in bf16: activations of one clip, gradients and the adapter.
_ROOM_BESIDE_WEIGHTS = 6 * GIB
_PRESETS_ARE_FOR = 8e9


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Values that suit a model on this computer, and why, in a sentence."""

    values: Mapping[str, Any]
    sentence: str


def plan_run(
    session: Session, training_set: TrainingSet, *, model: str | None = None, name: str = "", values: Mapping[str, Any]
) -> TrainConfig:
    """The config of a run that could be started; nothing is written yet.

    What is not in `values` is as `suggested` for this computer; frames are the settings' unless they are given.

    Args:
        model: as `models.find_model` takes it; None for the settings' one.
        name: of the adapter; empty for the training set's name. It gets a number.
        values: anything else that `TrainConfig` has; texts are read as numbers where numbers are wanted.

    Raises:
        UsageError: no such model, or a name that cannot be one.
        ModelFolderError: a model that cannot be trained, such as one whose weights are compressed.
        SettingsError: a value that is not allowed; it names it.
    """
    for key, instead in GIVEN.items():
        if key in values:
            raise UsageError(f"{key} cannot be set here.", hint=f"Choose {instead} instead.")
    base = trainable_model(session, model)
    chosen = (name or training_set.name).strip()
    if not _NAME.fullmatch(chosen) or chosen.endswith("."):
        raise UsageError(f"“{chosen}” cannot name a run.", hint="Use letters, digits, - and _, 40 at most.")
    named = f"{chosen}-{_next_number(session, chosen):03d}"
    proposed = {} if {"preset", "precision"} & values.keys() else suggested(base).values
    return _config(
        {
            "frames": session.settings.frames,
            **_of_the_set(session, training_set),
            **proposed,
            **_found_from_anywhere(session, values),
            "model_dir": str(base.path),
            "model_id": base.name,
            "model_revision": base.revision or "",
            "train_set": str(training_set.folder.resolve()),
            "run_dir": str(runs_folder(session).resolve() / named),
            "name": named,
        }
    )


def trainable_model(session: Session, text: str | None) -> InstalledModel:
    """A model of this computer that can be fine-tuned.

    Raises:
        UsageError: none fits, or several.
        ModelFolderError: it cannot be used, or its weights are compressed.
    """
    found = find_model(session.settings, session.settings.local_model if text is None else text)
    if found.folder is not None and found.folder.quantised is not None:
        raise ModelFolderError(
            f"{found.name} cannot be fine-tuned: its weights were compressed when they were saved.",
            hint="Take the uncompressed model; with precision=nf4 it is compressed while it is loaded (QLoRA).",
        )
    return found


def suggested(base: InstalledModel, *, on: Hardware | None = None) -> Suggestion:
    """Preset and precision by what is free now."""
    on = on or hardware()
    parameters = base.folder.parameters if base.folder is not None else 0
    if on.gpu is None:
        return _on_processor(parameters, on)
    free = on.gpu.available_bytes
    fitting: Preset | None = next((preset for least, preset in _PRESET_FROM if free >= least * GIB), None)
    preset: Preset = fitting or "8gb"
    values: dict[str, Any] = {key: value for key, value in PRESETS[preset].items() if key != "frames"}
    words = f"{in_gib(free)} of the GPU's memory are free: preset {preset}"
    if values["precision"] == "nf4" and parameters and parameters * 2 + _ROOM_BESIDE_WEIGHTS <= free:
        values["precision"] = "bf16"
        words += ", in full quality because the model is small"
    elif fitting is None:
        words += ", the smallest one, and even that may be too large"
    elif parameters > 1.3 * _PRESETS_ARE_FOR:
        words += f", made for 8 billion parameters; this model has {parameters / 1e9:.0f}"
    return Suggestion(
        {**values, "preset": preset}, f"{words}. The step on the longest clip tells what it really needs."
    )


def preset_note(preset: str, *, on: Hardware | None = None) -> str:
    """A sentence where a preset was made for more memory than is free here; empty where it suits."""
    needed = next((least for least, name in _PRESET_FROM if name == preset), None)
    if needed is None:
        return ""
    on = on or hardware()
    made_for = f"The preset {preset} was made for a GPU with about {needed:g} GB free"
    if on.gpu is None:
        return f"{made_for}; there is no GPU here that can be used, so it trains on the processor, slowly."
    free = on.gpu.available_bytes
    if free >= needed * GIB:
        return ""
    fitting = next((name for least, name in _PRESET_FROM if free >= least * GIB), "8gb")
    return f"{made_for}; {in_gib(free)} are free here, which suits {fitting}. The step on the longest clip tells."


def _on_processor(parameters: int, on: Hardware) -> Suggestion:
    roomy = parameters * 4 * 1.5 <= on.memory_free_bytes
    precision = "fp32" if roomy else "bf16"
    why = "in full precision" if roomy else "in half precision, because memory is short"
    return Suggestion(
        {"precision": precision, "device": "auto"},
        f"There is no GPU: it trains on the processor, {why}, which takes long with any but a small model.",
    )


def create_run(session: Session, config: TrainConfig) -> Run:
    """Make its folder with `run.toml`; not started yet. Where another window took the number, it gets the next one.

    Raises:
        StorageFullError: the folder cannot be written.
    """
    parent = runs_folder(session)
    taken = number_of(Path(config.run_dir).name)
    name, number = taken or (config.name or "run", 1)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = parent.resolve() / f"{name}-{number:03d}"
        while not _made(folder):
            number += 1
            folder = folder.with_name(f"{name}-{number:03d}")
    except OSError as error:
        raise cannot_write(parent, error) from error
    config = config.model_copy(update={"run_dir": str(folder), "name": folder.name})
    created_at = utc_now()
    try:
        write_atomically(folder / CREATED_FILE, json.dumps({"created_at": created_at}) + "\n")
        save_config(config, RunFiles(folder).config_file)
        _remember_number(parent, name, number)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise cannot_write(folder, error) from error
    return Run(folder, folder.name, config, created_at)


def command_of(run: Run | TrainConfig, *, check_only: bool = False, values: Mapping[str, Any] | None = None) -> str:
    """The exact command for a terminal, quoted for the shell of this system; `values` are those of this start."""
    verb = "check" if check_only else "train"
    if isinstance(run, Run):
        others = [f"{key}={value}" for key, value in (values or {}).items()]
        return _quoted(training_argv(verb, *arguments_of(run), *others))
    given = {key: getattr(run, key) for key in TrainConfig.model_fields if key in run.model_fields_set}
    words = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}
    return _quoted(training_argv(verb, *(f"{key}={word}" for key, word in words.items() if word)))


def arguments_of(run: Run) -> list[str]:
    """By which the trainer finds a run and all it needs; they are where they lie, also after they were moved."""
    moved = [f"{key}={place}" for key, place in run.moved.items()]
    return ["--config", str(RunFiles(run.folder).config_file), f"run_dir={run.folder}", *moved]


# --- parts ----------------------------------------------------------------------------------------------------------


def _config(values: Mapping[str, Any]) -> TrainConfig:
    """The config of these values.

    Raises:
        SettingsError: one is not allowed.
    """
    try:
        return load_config(None, [f"{key}={value}" for key, value in values.items()])
    except SettingsError as error:
        sentence = str(error).removeprefix("The command line: ")
        hint = error.hint.replace("python -m training train --explain", "vvlm train --explain")
        raise SettingsError(sentence, hint=hint) from error


def _of_the_set(session: Session, training_set: TrainingSet) -> dict[str, Any]:
    """What the set itself says of how it is to be read."""
    schemas = training_set.manifest.get("schemas")
    filters = training_set.about.get("filters")
    of_set: dict[str, Any] = {}
    if isinstance(schemas, Mapping | list) and len(schemas) > 1 and session.schema.key in schemas:
        of_set["schema_key"] = session.schema.key
    if isinstance(filters, Mapping) and filters.get("include_samples"):
        of_set["include_samples"] = True
    return of_set


def _found_from_anywhere(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with whole paths, because the trainer stands in another folder; an adapter may be named, too."""
    found = dict(values)
    for key in ("start_from", "cache_dir"):
        typed = str(values.get(key) or "").strip()
        adapter = adapter_named(session.settings, typed) if typed and key == "start_from" else None
        if typed:
            found[key] = str(adapter.path if adapter is not None else Path(typed).expanduser().absolute())
    return found


def _next_number(session: Session, name: str) -> int:
    """One that no run and no adapter of this name has had, also not one that was deleted."""
    parent = runs_folder(session)
    taken = [_numbers(parent).get(name.lower(), 0)]
    for folder in (parent, adapters_folder(session.settings)):
        try:
            found = [number_of(path.name) for path in folder.iterdir()]
        except OSError:
            continue
        taken += [each[1] for each in found if each is not None and each[0].lower() == name.lower()]
    return max(taken) + 1


def _numbers(parent: Path) -> dict[str, int]:
    try:
        noted = json.loads((parent / _NUMBERS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    pairs = noted.items() if isinstance(noted, dict) else ()
    return {name: number for name, number in pairs if isinstance(number, int) and 0 <= number < 1_000_000}


def _remember_number(parent: Path, name: str, number: int) -> None:
    noted = _numbers(parent)
    noted[name.lower()] = max(number, noted.get(name.lower(), 0))
    write_atomically(parent / _NUMBERS_FILE, json.dumps(noted) + "\n")


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def _quoted(argv: list[str]) -> str:
    return subprocess.list2cmdline(argv) if sys.platform == "win32" else shlex.join(argv)

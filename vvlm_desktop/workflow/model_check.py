"""Whether a downloaded model's files are still what the hub gave: each is read and compared with what was recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vvlm_desktop.backends.model_record import read_record
from vvlm_desktop.errors import ModelFolderError, UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.model_shelf import installed_models

_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file of a model, and how it compares with what was recorded."""

    name: str
    state: Literal["same", "changed", "missing"]


def check_model(
    settings: Settings, text: str, *, report: Callable[[int, int], object] = lambda _done, _total: None
) -> tuple[Path, list[CheckedFile]]:
    """Read all files of a downloaded model; its folder, and each recorded file in order.

    Args:
        settings: where the models folder is.
        text: the model's name, or a part that fits only one.
        report: bytes read, and all of them.

    Raises:
        UsageError: there is no such model, or nothing was recorded of it.
        ModelFolderError: a file cannot be read.
    """
    wanted = text.strip().lower()
    models = installed_models(settings)
    exact = [model for model in models if model.name.lower() == wanted]
    matches = exact or [model for model in models if wanted and wanted in model.name.lower()]
    if len(matches) != 1:
        problem = f"{text!r} fits several models." if matches else f"There is no model {text!r} on this computer."
        raise UsageError(problem, hint="`vvlm models` lists them all.")
    (model,) = matches
    record = read_record(model.entry) if model.entry is not None else None
    if record is None or not record.files:
        raise UsageError(
            f"{model.name} was not downloaded by this program, so nothing is recorded to compare it with.",
            hint="Compare it with the place it came from, or download it: vvlm models download ID",
        )
    total = sum(size for name in record.files if (size := _size(model.path / Path(name).name)) is not None)
    done, found = 0, []
    for name, said in sorted(record.files.items()):
        file = model.path / Path(name).name  # never out of this folder, whatever the record says
        found.append(
            CheckedFile(name, _compared(file, str(said.get("checksum", "")), done=done, report=_of(report, total)))
        )
        done += _size(file) or 0
    return model.path, found


def _of(report: Callable[[int, int], object], total: int) -> Callable[[int], object]:
    return lambda done: report(done, total)


def _compared(
    file: Path, checksum: str, *, done: int, report: Callable[[int], object]
) -> Literal["same", "changed", "missing"]:
    size = _size(file)
    if size is None:
        return "missing"
    kind, _, wanted = checksum.partition(":")
    # What git calls a file by; a checksum here, not a signature.
    digest = hashlib.sha256() if kind == "sha256" else hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
                done += len(chunk)
                report(done)
    except OSError as error:
        raise ModelFolderError(f"{file} cannot be read: {error.strerror}.", hint="Look at its rights.") from error
    return "same" if digest.hexdigest() == wanted else "changed"


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None

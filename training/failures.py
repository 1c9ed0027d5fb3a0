"""What can go wrong in a training, each as a sentence with what to change."""

from __future__ import annotations

import errno

from vvlm_desktop.backends.install_hint import INSTALL_LOCAL
from vvlm_desktop.errors import BackendError, BackendUnavailableError, OutOfMemoryError, StorageFullError, VvlmError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
#: What torch's and safetensors' writers say when a disk is full; they have no class for it.
_FULL_DISK_WORDS = ("No space left on device", "os error 28", "PytorchStreamWriter failed writing", "os error 122")
_LESS_MEMORY = (
    "Try the next smaller preset, or set one of these: fewer frames, batch=1, checkpointing=true, precision=nf4, a"
    " smaller rank. The last checkpoint can be used."
)


def explained(error: BaseException) -> VvlmError | None:
    """An expected failure in plain words; None for a bug, which is to propagate."""
    from vvlm_desktop.backends.local.stepping_down import MemoryRanOutError, is_out_of_memory

    if isinstance(error, VvlmError):
        return error
    if isinstance(error, MemoryRanOutError) or is_out_of_memory(error):
        return OutOfMemoryError("The GPU's memory ran out.", hint=_LESS_MEMORY)
    text = str(error)
    if (isinstance(error, OSError) and error.errno in _NO_SPACE) or any(words in text for words in _FULL_DISK_WORDS):
        return StorageFullError(
            "The disk is full.",
            hint="Free some space, then start the run again: it goes on from its last whole checkpoint. With"
            " cache=false keep_checkpoints=1, which may be given then, it needs less.",
        )
    if isinstance(error, PermissionError):
        return StorageFullError(
            f"{error.filename} may not be written to.",
            hint="Correct its permissions, or give another cache_dir where the run is started again.",
        )
    if isinstance(error, ImportError):
        return BackendUnavailableError(
            f"Training needs a package that cannot be loaded: {error}.",
            hint=INSTALL_LOCAL,
        )
    if isinstance(error, RuntimeError) and "CUDA error" in text:
        return BackendError(
            f"The GPU failed: {text.splitlines()[0]}.",
            hint="Start the run again, it goes on from its last checkpoint; restart the computer if it happens again.",
        )
    return None

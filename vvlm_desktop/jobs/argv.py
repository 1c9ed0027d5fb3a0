"""How a worker is started: from source, from an installed package, or from the frozen program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import vvlm_desktop

#: By which a frozen program knows that it is to train.
TRAINING_FLAG = "--training"
#: The only kind of worker that may fetch weights.
DOWNLOAD_KIND = "download"


def worker_argv(kind: str) -> list[str]:
    """Command line of a worker; a frozen program is its own interpreter and knows `--worker` instead of `-m`."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--worker", "--kind", kind]
    # -P: a file called av.py in the folder the user happens to stand in must not be imported instead of ours.
    return [sys.executable, "-P", "-m", "vvlm_desktop.worker", "--kind", kind]


def training_argv(*arguments: str) -> list[str]:
    """Command line of the trainer with `arguments`."""
    if getattr(sys, "frozen", False):
        return [sys.executable, TRAINING_FLAG, *arguments]
    return [sys.executable, "-P", "-m", "training", *arguments]


def training_environment() -> dict[str, str]:
    """The program's environment for a trainer, which stays when the program goes."""
    environment = worker_environment()
    if getattr(sys, "frozen", False):
        # A packed program unpacks itself into a folder that goes with it; the trainer needs one of its own.
        environment["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
    environment["PYTHONUNBUFFERED"] = "1"  # the log tells at once, also when the trainer is killed
    environment["PYTHONIOENCODING"] = "utf-8:backslashreplace"
    return environment


def worker_threads() -> int:
    """How many threads a worker may keep busy: all cores but the one that the window needs."""
    return max(1, (os.cpu_count() or 1) - 1)


def worker_environment(kind: str = "") -> dict[str, str]:
    """The program's environment for a worker of `kind`.

    The package is findable under `-P`, number crunching is held to its threads, and no library of models may go to the
    network, except in the worker that downloads them because somebody asked for it.
    """
    environment = dict(os.environ)
    # Read when the libraries are imported, so it has to be there before the child starts.
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        environment[name] = "0" if kind == DOWNLOAD_KIND else "1"
    environment["HF_HUB_DISABLE_TELEMETRY"] = "1"
    # The same numbers for GPUs as the driver's own tools and the window have.
    environment.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    if not getattr(sys, "frozen", False):
        source = str(Path(vvlm_desktop.__file__).resolve().parent.parent)
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([source, *([inherited] if inherited else [])])
    threads = str(worker_threads())
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        environment.setdefault(name, threads)
    return environment

"""A throw-away environment for each consumer, made once, and a script of `consumers/` run in it.

They live below `VVLM_FORMAT_ENVS` (the system's temporary folder unless set) and take some GB and minutes; nothing of
them is installed where the program runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(os.environ.get("VVLM_FORMAT_ENVS", Path(tempfile.gettempdir()) / "vvlm-format-envs"))
#: What pip does, step by step: a torch that is asked for exactly first comes as the build without a GPU. Parts whose
#: build does not fit that torch are taken out again; a broken one is worse than none, and no loader of rows needs it.
ENVIRONMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "hf": (("install", "datasets", "av", "pillow"),),
    "llamafactory": (
        ("install", "llamafactory"),
        ("install", "qwen-vl-utils", "decord"),
        ("uninstall", "-y", "torchaudio"),
    ),
    "trl": (("install", "torch==2.13.0"), ("install", "trl"), ("uninstall", "-y", "torchvision")),
    "swift": (("install", "torch==2.13.0"), ("install", "ms-swift"), ("uninstall", "-y", "torchvision")),
}
_CONSUMERS = Path(__file__).parent / "consumers"
_INSTALL_S = 1800


def python_of(name: str) -> Path:
    """Interpreter of an environment; it is made if it is not there. Skips the test where it cannot be."""
    folder = ROOT / f"venv-{name}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = folder / "complete"
    if not done.is_file():
        venv.create(folder, with_pip=True)
        for step in ENVIRONMENTS[name]:
            command = [str(python), "-m", "pip", *step, "-q", "--no-input"]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
            if ran.returncode:
                pytest.skip(f"{name} cannot be installed here: {ran.stderr[-500:]}")
        done.touch()
    return python


def consume(name: str, script: str, *arguments: object, cwd: Path | None = None, **variables: str) -> Any:
    """What `consumers/SCRIPT` printed as its last line, JSON, run in the environment `name`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV"))}
    environment |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **variables}
    command = [str(python_of(name)), str(_CONSUMERS / script), *(str(argument) for argument in arguments)]
    ran = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=600, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout[-2000:]}\n{ran.stderr[-6000:]}"
    sys.stdout.write(ran.stdout)
    return json.loads(ran.stdout.strip().splitlines()[-1])

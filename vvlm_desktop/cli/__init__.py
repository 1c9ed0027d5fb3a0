"""The `vvlm` command: the same use cases as the window. `vvlm app` opens the window."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from pathlib import Path

# A frozen program starts its children by itself; they must not load the command line.
_WORKER_FLAG = "--worker"
_TRAINING_FLAG = "--training"


def main() -> None:
    """Entry of the `vvlm` command."""
    if sys.argv[1:2] == [_WORKER_FLAG]:
        from vvlm_desktop.worker import main as worker_main

        sys.exit(worker_main(sys.argv[1:]))
    if sys.argv[1:2] == [_TRAINING_FLAG]:
        # By name: the program starts the trainer and is no part of it.
        sys.exit(importlib.import_module("training.command_line").main(sys.argv[2:]))
    try:
        if sys.argv[1:2] == ["app"] and not any(argument.startswith("-") for argument in sys.argv[2:]):
            sys.exit(_open_window(sys.argv[2:]))
        from vvlm_desktop.cli.commands import app
        from vvlm_desktop.cli.log_file import log_to_file

        log_to_file()
        app(prog_name="vvlm")
    except Exception:  # noqa: BLE001 - the edge of the process: a bug is written down, not thrown at the reviewer
        sys.exit(_tell_bug())


def _open_window(names: list[str]) -> int:
    """`vvlm app` without options: what reads options takes a quarter of the time until the window is there."""
    # Importing makes only objects that stay; collecting among them is time lost.
    gc.disable()
    from vvlm_desktop.app import run

    library = os.environ.get("VVLM_LIBRARY")
    return run(library_dir=Path(library).expanduser() if library else None, add=[Path(name) for name in names])


def _tell_bug() -> int:
    """Write the traceback to the log file and say where it is."""
    import traceback

    from vvlm_desktop import paths
    from vvlm_desktop.cli import output
    from vvlm_desktop.errors import VvlmError

    details = traceback.format_exc()
    file = paths.log_dir() / "vvlm-fault.log"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as log:
            log.write(f"{' '.join(sys.argv)}\n{details}\n")
        where = f"in {file}"
    except OSError:
        sys.stderr.write(details)
        where = "above"
    hint = f"Nothing that was stored is lost. The details are {where}."
    fault = VvlmError("Something went wrong in the program itself.", hint=hint)
    if "--json" in sys.argv:
        output.print_json({**output.error_json(fault), "kind": "bug"})
    output.complain(fault)
    return 1

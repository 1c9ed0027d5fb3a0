"""The `vvlm` command: the same use cases as the window. `vvlm app` opens the window."""

from __future__ import annotations

import logging
import sys

# A frozen program starts its children by itself; they must not load the command line.
_WORKER_FLAG = "--worker"


def main() -> None:
    """Entry of the `vvlm` command."""
    if sys.argv[1:2] == [_WORKER_FLAG]:
        from vvlm_desktop.worker import main as worker_main

        sys.exit(worker_main(sys.argv[1:]))
    from vvlm_desktop.cli.commands import app

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    app(prog_name="vvlm")

"""A process that outlives the one that started it, its terminal and its window.

It is nobody's child: whoever started it may end or be killed, and no zombie is left where it ends first.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vvlm_desktop.errors import JobError

#: The shell starts the program in the background, says who it is, and ends: the system adopts the program.
_ORPHAN = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
_SHELL = "/bin/sh"
_PATIENCE_S = 30.0


def start_detached(argv: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path) -> int:
    """Start a program that stays when this one goes; its process id.

    Args:
        argv: program and arguments.
        log: what it writes is added there.
        environment: all of its variables.
        folder: where it stands; not the user's, which could not be removed as long as it runs.

    Raises:
        JobError: it cannot be started, or the log cannot be written.
    """
    program = shutil.which(argv[0], path=environment.get("PATH"))
    if program is None:
        raise JobError(f"{argv[0]} cannot be started: there is no such program.", hint=_REPAIR)
    try:
        log.open("ab").close()
        return _start([program, *argv[1:]], log=log, environment=environment, folder=folder)
    except OSError as error:
        raise JobError(
            f"The training could not be started: {error.strerror or error} ({error.filename or folder}).",
            hint="Look at the free space and the rights of that folder.",
        ) from error
    except (ValueError, subprocess.SubprocessError) as error:
        raise JobError(f"The training could not be started: {error}.", hint=_REPAIR) from error


_REPAIR = "Run `vvlm doctor`; the installation may be incomplete."

if sys.platform == "win32":
    _LOOSE = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS

    def _start(argv: list[str], *, log: Path, environment: Mapping[str, str], folder: Path) -> int:
        with log.open("ab") as output:
            # A job of the program that started us would take the training with it when it closes.
            for flags in (_LOOSE | subprocess.CREATE_BREAKAWAY_FROM_JOB, _LOOSE):
                try:
                    process = subprocess.Popen(
                        argv,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        env=dict(environment),
                        cwd=folder,
                        creationflags=flags,
                    )
                except PermissionError:  # a job that lets nobody go
                    if flags == _LOOSE:
                        raise
                    continue
                pid = process.pid
                process.returncode = 0  # nobody waits for it, and there are no zombies here
                return pid
        raise ValueError("no way to start was tried")

else:

    def _start(argv: list[str], *, log: Path, environment: Mapping[str, str], folder: Path) -> int:
        done = subprocess.run(
            [_SHELL, "-c", _ORPHAN, "vvlm", str(log), *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,  # no terminal, so that closing one takes nothing with it
            timeout=_PATIENCE_S,
            check=True,
        )
        return int(done.stdout)

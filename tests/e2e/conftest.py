"""The command line as a user has it: `vvlm …` on a library of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vvlm_desktop.cli.commands import app


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def data(self) -> Any:
        return json.loads(self.stdout)


Vvlm = Callable[..., Outcome]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def vvlm(library: Path) -> Vvlm:
    """Run one command on `library`."""

    def run(*arguments: str | Path, with_library: bool = True) -> Outcome:
        given = [str(a) for a in arguments]
        if with_library:
            given += ["--library", str(library)]
        result = CliRunner().invoke(app, given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run

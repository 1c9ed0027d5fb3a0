"""Warnings of the program: for those who look for a fault; a person at a terminal is told in sentences instead."""

from __future__ import annotations

import logging
import logging.handlers
from io import TextIOWrapper
from pathlib import Path

from typing_extensions import override

from vvlm_desktop import paths

_FILE, _MAX_BYTES = "vvlm-command.log", 1_000_000


class _LogFile(logging.handlers.RotatingFileHandler):
    """Made with its folder when there is something to write; where that cannot be, nothing is said of it."""

    @override
    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written is no fault of the command."""


def log_to_file() -> None:
    """From now on warnings are written beside the other logs."""
    file = _LogFile(paths.log_dir() / _FILE, maxBytes=_MAX_BYTES, backupCount=1, encoding="utf-8", delay=True)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    file.setLevel(logging.WARNING)
    logging.getLogger().addHandler(file)

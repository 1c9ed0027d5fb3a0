"""Letting the user choose what to add."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget


def choose_files(window: QWidget) -> list[Path]:
    """Video files; none where the dialog was left."""
    names, _ = QFileDialog.getOpenFileNames(window, "Add video files")
    return [Path(name) for name in names]


def choose_folder(window: QWidget) -> list[Path]:
    """A folder of clips; none where the dialog was left."""
    name = QFileDialog.getExistingDirectory(window, "Add a folder of clips")
    return [Path(name)] if name else []

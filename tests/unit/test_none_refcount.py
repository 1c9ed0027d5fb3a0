"""PySide6 6.12 on Python 3.11 drops a reference to None on every call that returns it, and kills the process."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject


def test_calls_returning_none_keep_its_reference_count() -> None:
    target = QObject()
    before = sys.getrefcount(None)
    for _ in range(3000):
        target.setObjectName("x")
    assert sys.getrefcount(None) > before - 1000

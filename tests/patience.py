"""Limits in wall-clock time that a busy machine does not break."""

from __future__ import annotations

import os


def within(seconds: float) -> float:
    """What an idle machine does in `seconds` takes this long while it has other work as well."""
    if not hasattr(os, "getloadavg"):
        return 4 * seconds
    waiting = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(2.0, 3 * waiting)  # two test processes alone keep two processors busy

"""Times within a clip as people write and read them."""

from __future__ import annotations

import re

_TIME = re.compile(r"(?:(?:([0-9]{1,3}):)?([0-9]{1,4}):)?([0-9]{1,6})(?:[.,]([0-9]{1,6}))?\s*s?", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:\.{2,3}|…|[–—-]|\bto\b)\s*", re.IGNORECASE)
_LONGEST_TEXT = 64


def format_time(ms: int) -> str:
    """Minutes, seconds and hundredths: `00:07.84`; hours before them where there are any."""
    hundredths = (ms + 5) // 10
    minutes, hundredths = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{minutes:02}:{hundredths // 100:02}.{hundredths % 100:02}"
    return f"{hours}:{seconds}" if hours else seconds


def format_range(start_ms: int, end_ms: int) -> str:
    """Start and end: `00:07.84–00:08.31`."""
    return f"{format_time(start_ms)}–{format_time(end_ms)}"


def parse_time(text: str) -> int | None:
    """Milliseconds of `7.84`, `7.84 s`, `00:07.84` or `1:02:07.84`; None if it is no time."""
    match = _TIME.fullmatch(text.strip()[:_LONGEST_TEXT])
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups()
    if minutes is not None and int(seconds) >= 60:
        return None
    whole_s = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds)
    return whole_s * 1000 + (round(int(fraction) * 1000 / 10 ** len(fraction)) if fraction else 0)


def parse_range(text: str) -> tuple[int, int] | None:
    """Milliseconds of `1.2..3.4`, `00:01.20–00:03.40` or a single time; None if it is neither."""
    parts = _BETWEEN.split(text.strip()[: 2 * _LONGEST_TEXT])
    if len(parts) > 2:
        return None
    times = [parse_time(part) for part in parts]
    start_ms, end_ms = times[0], times[-1]
    return None if start_ms is None or end_ms is None else (start_ms, end_ms)

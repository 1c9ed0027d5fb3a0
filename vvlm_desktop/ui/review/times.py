"""Times in seconds as people read them."""

from __future__ import annotations

from vvlm_desktop.domain.clock import format_range, format_time


def clock_text(seconds: float) -> str:
    """`7.84` as `00:07.84`; hours only where there are any."""
    return format_time(round(max(0.0, seconds) * 1000))


def span_text(start_s: float, end_s: float) -> str:
    """`00:07.84–00:08.31`; a single time where both are one frame."""
    return clock_text(start_s) if end_s <= start_s else format_range(round(start_s * 1000), round(end_s * 1000))


def rate_text(rate: float) -> str:
    """`1×`, `0.25×`."""
    return f"{rate:g}×"

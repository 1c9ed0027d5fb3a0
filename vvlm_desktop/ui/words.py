"""Names, counts and times as people read them."""

from __future__ import annotations

import html
import re
from datetime import datetime
from pathlib import PurePath

from PySide6.QtGui import Qt

from vvlm_desktop.domain.clip import Clip


def file_name(path: str | PurePath) -> str:
    """The name of a file as text that can be shown, whatever bytes the file system gave."""
    return shown(PurePath(path).name or str(path))


def clip_name(clip: Clip, *, suffix: bool = True) -> str:
    """The name of a clip's file, and which camera of it where it holds more than one."""
    path = PurePath(clip.path)
    name = file_name(path) if suffix else shown(path.stem)
    return f"{name}, camera {clip.stream_index + 1}" if clip.stream_index else name


def shown(text: str) -> str:
    """`text` without what cannot be shown: bytes that are not UTF-8, and line breaks in names."""
    return text.encode("utf-8", "replace").decode().replace("\n", " ").replace("\r", " ")


def plain_tip(text: str) -> str:
    """`text` for a tooltip, shown letter for letter: Qt takes what looks like markup for markup, in names of files too.

    Text that does not look like it is returned as it is.
    """
    if not Qt.mightBeRichText(text):
        return text
    return f'<p style="white-space:pre-wrap">{html.escape(text)}</p>'


def breakable(text: str) -> str:
    """`text` with places to break a line in words of more than forty letters, which would widen a window instead."""
    return re.sub(r"[^\s/\\-]{40}(?=[^\s/\\-])", "\\g<0>\N{ZERO WIDTH SPACE}", text)


def sentences(*parts: str) -> str:
    """`parts` one after the other, each ending as a sentence does."""
    said = (part.strip() for part in parts)
    return " ".join(part if part[-1] in ".!?:" else f"{part}." for part in said if part)


def menu_text(text: str) -> str:
    """`text` for a menu, a button or a tick box, where a single `&` would underline the letter after it."""
    return text.replace("&", "&&")


def count(number: int, one: str, many: str = "") -> str:
    """`number` of something: 1 clip, 300 clips."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def clock(seconds: float) -> str:
    """A duration as minutes and seconds, hours only where there are some."""
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"


def when(utc: str, *, now: datetime | None = None) -> str:
    """A stored time on this computer's clock: "today 14:03", "21 Nov 14:03", "21 Nov 2025"."""
    try:
        local = datetime.fromisoformat(utc).astimezone()
    except ValueError:
        return ""
    today = (now or datetime.now().astimezone()).astimezone()
    if local.date() == today.date():
        return f"today {local:%H:%M}"
    day = f"{local.day} {local:%b}"
    return f"{day} {local:%H:%M}" if local.year == today.year else f"{day} {local.year}"

"""The ledger as the page shows it: lines of text, found, narrowed and counted; nothing of Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.models.consent import receiver
from vvlm_desktop.ui.widgets.marks import Mark
from vvlm_desktop.ui.words import count, file_name, when
from vvlm_desktop.workflow import ledger
from vvlm_desktop.workflow.consent import megabytes
from vvlm_desktop.workflow.courier import is_in_hand
from vvlm_desktop.workflow.left_overs import left_overs
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.transmissions import Transmission

State = Literal["moving", "remains", "sent", "deleted", "unknown"]
#: state → words of the filter, shape, colour
STATES: dict[State, tuple[str, Mark, str]] = {
    "moving": ("Being sent now", "half", "accent"),
    "remains": ("May still lie there", "warning", "bad"),
    "sent": ("Sent", "up", "doubtful"),
    "deleted": ("Sent, deleted there", "check", "good"),
    "unknown": ("May have left", "ring", "doubtful"),
}
_HOW = {"asked": "asked in the window", "window": "asked in the window", "command_line": "--allow-upload"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table.

    Attributes:
        cells: as they are shown; `sort` by what each column is ordered.
        raw: as it is exported, under `Sheet.names`.
    """

    cells: tuple[str, ...]
    sort: tuple[str | int, ...]
    raw: tuple[str | int, ...]
    mark: Mark
    ink: str
    state: str = ""
    clip_id: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Lines under their headlines."""

    titles: tuple[str, ...]
    names: tuple[str, ...]
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerView:
    """Everything that the page shows.

    Attributes:
        left_over: what may still lie elsewhere, in a sentence; empty where nothing does.
        can_delete: how many of those can be deleted from here.
    """

    sent: Table
    allowed: Table
    left_over: str = ""
    can_delete: int = 0


SENT_TITLES = ("When", "Clip", "To", "What", "Size", "What became of it")
ALLOWED_TITLES = ("When", "Who", "How", "Clips", "At most", "Model", "To")
_SENT_NAMES = (
    "asked_at", "changed_at", "clip", "clip_id", "backend", "model", "host", "content", "bytes", "state", "in_words",
    "remote", "reviewer", "consent",
)  # fmt: skip
_ALLOWED_NAMES = ("at", "reviewer", "how", "backend", "model", "host", "clips", "bytes_at_most", "consent")
EMPTY = LedgerView(Table(SENT_TITLES, _SENT_NAMES), Table(ALLOWED_TITLES, _ALLOWED_NAMES))


def read_ledger(session: Session, *, cancelled: Callable[[], bool] = lambda: False) -> LedgerView:
    """Read everything, the newest first."""
    names = _Names(session)
    over = left_overs(session)
    remaining = {(each.request_id, each.remote) for each in over.lines}
    sent = []
    for each in reversed(ledger.transmissions(session)):
        if cancelled():
            break
        sent.append(_sent_line(each, name=names.of(each.clip_id), remains=(each.request_id, each.remote) in remaining))
    allowed = tuple(_allowed_line(each) for each in reversed(ledger.consents(session)))
    return LedgerView(
        Table(SENT_TITLES, _SENT_NAMES, tuple(sent)),
        Table(ALLOWED_TITLES, _ALLOWED_NAMES, allowed),
        over.sentence,
        len(over.here),
    )


def narrowed(lines: Sequence[Line], *, text: str = "", state: str = "") -> tuple[Line, ...]:
    """Those that hold every word of `text` and are in `state`."""
    words = text.lower().split()
    return tuple(
        line
        for line in lines
        if (not state or line.state == state) and all(word in " ".join(line.cells).lower() for word in words)
    )


def totals(lines: Sequence[Line]) -> str:
    """What the lines come to: "14 transmissions of 12 clips, 34.2 MB"."""
    if not lines:
        return "Nothing"
    clips = len({line.clip_id for line in lines})
    size = megabytes(sum(line.size_bytes for line in lines))
    return f"{count(len(lines), 'transmission')} of {count(clips, 'clip')}, {size}"


def _sent_line(each: Transmission, *, name: str, remains: bool) -> Line:
    state, words = _state_of(each, remains=remains)
    size = megabytes(each.size_bytes) if each.size_bytes else ""
    content = each.content if each.content != "asked for" else ""
    _, mark, ink = STATES[state]
    return Line(
        (when(each.at), name, receiver(each.backend, each.host), content, size, words),
        (each.at, name, each.host, content, each.size_bytes, words),
        (
            each.at, each.changed_at, name, each.clip_id, each.backend, each.model, each.host, each.content,
            each.size_bytes, each.state, words, each.remote or "", each.reviewer, each.consent_id,
        ),
        mark, ink, state, each.clip_id, each.size_bytes,
    )  # fmt: skip


def _state_of(each: Transmission, *, remains: bool) -> tuple[State, str]:
    if each.state in {"asked", "sending"} and is_in_hand(each):
        return "moving", "waiting, or being sent now"
    if remains:
        return "remains", each.in_words
    if each.state in {"deleted", "gone"}:
        return "deleted", each.in_words
    if each.state == "sent":
        return "sent", each.in_words
    return "unknown", each.in_words


def _allowed_line(each: ledger.Consent) -> Line:
    how = _HOW.get(each.how, each.how.replace("_", " "))
    to = receiver(each.backend, each.host)
    size = megabytes(each.size_bytes)
    model = each.model or "first that the server offers"
    return Line(
        (when(each.at), each.reviewer, how, f"{each.clips:,}", size, model, to),
        (each.at, each.reviewer, how, each.clips, each.size_bytes, model, to),
        (
            each.at, each.reviewer, each.how, each.backend, each.model, each.host, each.clips, each.size_bytes,
            each.id,
        ),
        "check", "muted", "", "", each.size_bytes,
    )  # fmt: skip


class _Names:
    """Names of clips, each looked up once; one that was taken out of the library keeps its id."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, str] = {}

    def of(self, clip_id: str) -> str:
        if clip_id not in self._known:
            try:
                self._known[clip_id] = file_name(Path(self._session.library.clip(clip_id).path))
            except VvlmError:
                self._known[clip_id] = f"{clip_id} (not in the library any more)"
        return self._known[clip_id]

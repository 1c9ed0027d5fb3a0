"""Videos of ours that may still lie at Google because a program was killed before it could delete them.

Known from the ledger alone, so that it can be said without asking anybody. What a running program is sending just now
is not left over, and what is older than Google keeps anything is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vvlm_desktop.backends.cloud_options import upload_name
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import ledger
from vvlm_desktop.workflow.consent import host_of
from vvlm_desktop.workflow.courier import is_in_hand
from vvlm_desktop.workflow.keys import Keys
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.tools import run_tool
from vvlm_desktop.workflow.transmissions import Transmission

BACKEND = "gemini"
#: The tool that deletes them, for `workflow.tools`.
TOOL = "gemini_delete"
HOW = "vvlm cloud clean"


@dataclass(frozen=True, slots=True)
class LeftOvers:
    """What may still lie elsewhere.

    Attributes:
        lines: of the ledger, the oldest first; one file each.
        here: those at the address that Gemini has now; others cannot be deleted from here.
    """

    lines: tuple[Transmission, ...]
    here: tuple[Transmission, ...]

    def __bool__(self) -> bool:
        return bool(self.lines)

    @property
    def until(self) -> datetime | None:
        """When Google has deleted the last of them by itself, UTC."""
        return max((line.until for line in self.lines), default=None)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the files that can be deleted from here."""
        return tuple(name_of(line) for line in self.here)

    @property
    def sentence(self) -> str:
        """For people; empty where there is nothing."""
        if self.until is None:
            return ""
        uploads = "1 upload" if len(self.lines) == 1 else f"{len(self.lines):,} uploads"
        hosts = ", ".join(sorted({line.host for line in self.lines}))
        return f"{uploads} may still lie at {hosts}, until {self.until.astimezone():%d %B, %H:%M} at the latest."

    @property
    def hint(self) -> str:
        """How they are deleted now."""
        return f"To delete them now: {HOW}" if self else ""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of them: how many were deleted, were not there, and could not be deleted now."""

    deleted: int = 0
    absent: int = 0
    left: int = 0

    @property
    def sentence(self) -> str:
        """For people; empty where there was nothing to do."""
        words = (
            (self.deleted, "deleted"),
            (self.absent, "not there any more, or not with this key"),
            (self.left, "could not be deleted now; they are tried again at the next start"),
        )
        parts = [f"{number:,} {what}" for number, what in words if number]
        return f"Uploads left over at Google: {'; '.join(parts)}." if parts else ""


def name_of(line: Transmission) -> str:
    """The file's name at Google; where nothing was heard of it, the one that it would have."""
    return line.remote or upload_name(line.request_id)


def left_overs(session: Session, *, now: datetime | None = None) -> LeftOvers:
    """What may still lie at Google; asks nobody, takes about a millisecond once the ledger was read."""
    now = now or datetime.now(UTC)
    lines = tuple(
        line
        for line in ledger.open_transmissions(session)
        if line.backend == BACKEND and line.until > now and not is_in_hand(line)
    )
    try:
        here = host_of(BACKEND, {})
    except VvlmError:
        return LeftOvers(lines, ())
    return LeftOvers(lines, tuple(line for line in lines if line.host == here))


def may_clean(settings: Settings, keys: Keys) -> bool:
    """Whether left-overs may be deleted unasked: uploads are switched on, and there is a key."""
    return settings.allow_upload and keys.find(BACKEND) is not None


def record(session: Session, found: LeftOvers, answer: Mapping[str, Any]) -> Cleaned:
    """Write down what the tool found; what it could not delete stays a left-over.

    Args:
        answer: of the tool `gemini_delete`, for `found.names`.

    Raises:
        LibraryError: it could not be written; the next start tries again.
    """
    deleted, absent = set(answer.get("deleted", ())), set(answer.get("absent", ()))
    gone = missing = 0
    for line in found.here:
        name = name_of(line)
        if name in deleted:
            ledger.record_deleted(session, line, remote=name)
            gone += 1
        elif name in absent:
            ledger.record_gone(session, line, remote=name)
            missing += 1
    return Cleaned(gone, missing, len(found.here) - gone - missing)


def clean(
    session: Session,
    *,
    secrets: Mapping[str, str],
    on_progress: Callable[[float, str], object] = lambda _fraction, _stage: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Cleaned:
    """Delete what is left over, and wait for it; contacts nobody where there is nothing.

    Raises:
        CloudError: the key or the network is not right.
        WorkerCrashedError: the worker died.
        JobCancelledError: `cancelled` said so.
    """
    found = left_overs(session)
    if not found.here:
        return Cleaned()
    answer = run_tool(TOOL, {"names": list(found.names)}, secrets=secrets, on_progress=on_progress, cancelled=cancelled)
    return record(session, found, answer)


def clean_all(
    *,
    secrets: Mapping[str, str],
    on_progress: Callable[[float, str], object] = lambda _fraction, _stage: None,
) -> Sequence[str]:
    """Delete every upload of this program that the key can see, also those of other libraries; returns their names.

    Raises:
        CloudError: the key or the network is not right.
    """
    answer = run_tool(TOOL, {}, secrets=secrets, on_progress=on_progress)
    return [str(name) for name in answer.get("deleted", ())]

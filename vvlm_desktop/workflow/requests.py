"""One request in a worker's hands, as the program above it sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vvlm_desktop.backends.catalogue import BackendInfo
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.protocol import AnalyseRequest, Progress, Upload
from vvlm_desktop.workflow.courier import Courier
from vvlm_desktop.workflow.session import Session

#: How stages begin in which a worker only has a request: taken and not begun, or read ahead and waiting for the model.
_AT_REST = ("starting", "waiting")


@dataclass(slots=True, eq=False)
class Held:
    """A clip that a worker was asked for.

    Attributes:
        pid: of the child that has it.
        alone: nothing else was asked for beside it.
        at_work: by the last that the worker said, it was working on it.
        settled: its outcome is known; the worker has not said `Done` yet.
        within: 0..1, how far it is.
    """

    clip: Clip
    request_id: str
    pid: int | None
    alone: bool = False
    at_work: bool = False
    settled: bool = False
    within: float = 0.0


def is_at_work(progress: Progress) -> bool:
    """Whether a worker works on a request, or only says that it has it."""
    return bool(progress.stage) and not progress.stage.startswith(_AT_REST)


def _nothing_before(_clip: Clip, _request: AnalyseRequest) -> None:
    return


def _nothing_on_upload(_upload: Upload) -> None:
    return


def _nothing_after(_request_id: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class RequestHooks:
    """What is done around each request, in the owner's thread; for what leaves the computer.

    Attributes:
        before: about to be handed to the worker; an expected error fails the clip and nothing is sent.
        on_upload: what the worker told of something that leaves.
        after: over, however it ended; the worker may have died.
    """

    before: Callable[[Clip, AnalyseRequest], None] = _nothing_before
    on_upload: Callable[[Upload], None] = _nothing_on_upload
    after: Callable[[str], None] = _nothing_after


def hooks_for(session: Session, backend: BackendInfo, options: Mapping[str, Any]) -> RequestHooks:
    """What every batch and every question does where nothing else is asked for.

    What leaves the computer needs a consent and gets its line in the ledger, also where a batch of a killed program
    goes on.
    """
    if not backend.leaves_computer:
        return RequestHooks()
    courier = Courier(session, backend, options)
    return RequestHooks(
        before=lambda _clip, request: courier.before_sending(request),
        on_upload=courier.on_upload,
        after=courier.on_settled,
    )

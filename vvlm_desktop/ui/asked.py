"""What was asked about clips and is not answered yet, as pages see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import SignalInstance

from vvlm_desktop.domain.clip import Clip

if TYPE_CHECKING:
    from vvlm_desktop.workflow.ask import Asking


@dataclass(eq=False, slots=True)
class Pending:
    """A question that has not been answered.

    Attributes:
        by: whom it was asked; empty while that is being found out.
        stage: what goes on, in words.
        problem, hint: why there is no answer and will be none.
    """

    clip: Clip
    question: str
    range_ms: tuple[int, int] | None
    by: str = ""
    stage: str = "Asking"
    problem: str = ""
    hint: str = ""
    asking: Asking | None = None
    given_up: bool = False

    @property
    def failed(self) -> bool:
        """Whether there will be no answer."""
        return bool(self.problem)


class Asked(Protocol):
    """Everything that was asked and is not answered yet; answers are in the library."""

    @property
    def changed(self) -> SignalInstance:
        """Emits the id of a clip about which something was asked, went on, was answered or failed."""

    def of_clip(self, clip_id: str) -> tuple[Pending, ...]:
        """What was asked about a clip and is not answered, the oldest first."""

    def ask(self, clip: Clip, question: str, *, range_ms: tuple[int, int] | None = None) -> Pending:
        """Ask what the settings choose."""

    def ask_again(self, pending: Pending) -> None:
        """The same question once more, after it failed."""

    def forget(self, pending: Pending) -> None:
        """Give a question up, or take one that failed off the list."""

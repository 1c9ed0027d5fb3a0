"""Free questions about clips, on their way to a worker and back; several at once, each by what was chosen then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.asked import Pending
from vvlm_desktop.ui.choice import Choice
from vvlm_desktop.ui.models.sending import Sending
from vvlm_desktop.ui.page import Shell

if TYPE_CHECKING:
    # Imported where they are used: the window is shown before PyAV is loaded.
    from vvlm_desktop.workflow.ask import AskEvent
    from vvlm_desktop.workflow.workers import Workers

#: Called with what to do with the choice, and what to do where there is none.
FindChoice = Callable[[Callable[[Choice], None], Callable[[VvlmError], None]], None]


class Questions(QObject):
    """Everything that was asked and is not answered yet; answers are in the library."""

    changed = Signal(str)  # clip id: asked, further, answered or failed

    def __init__(
        self,
        shell: Shell,
        *,
        workers: Callable[[], Workers],
        find_choice: FindChoice,
        sending: Sending,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shell, self._workers, self._find_choice = shell, workers, find_choice
        self._sending = sending
        self._session = shell.session
        self._pending: list[Pending] = []
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether an answer is being waited for."""
        return any(not pending.failed for pending in self._pending)

    def of_clip(self, clip_id: str) -> tuple[Pending, ...]:
        """What was asked about a clip and is not answered, the oldest first."""
        return tuple(each for each in self._pending if each.clip.id == clip_id)

    def ask(self, clip: Clip, question: str, *, range_ms: tuple[int, int] | None = None) -> Pending:
        """Ask what the settings choose."""
        pending = Pending(clip, question, range_ms)
        self._pending.append(pending)
        self.changed.emit(clip.id)
        self._find_choice(partial(self._on_choice, pending), partial(self._on_error, pending))
        return pending

    def ask_again(self, pending: Pending) -> None:
        """The same question once more, after it failed."""
        self.forget(pending)
        self.ask(pending.clip, pending.question, range_ms=pending.range_ms)

    def forget(self, pending: Pending) -> None:
        """Give a question up, or take one that failed off the list."""
        pending.given_up = True
        if pending.asking is not None and not pending.asking.finished:
            pending.asking.cancel()
        self._drop(pending)

    def handle(self, message: object) -> None:
        """What a worker said; each question takes what is about it."""
        for pending in tuple(self._pending):
            if pending.asking is not None:
                pending.asking.handle(message)  # type: ignore[arg-type]  # the bridge carries any object

    def close(self) -> None:
        """Ask nothing any more."""
        self._closed = True
        self._pending.clear()

    def _on_choice(self, pending: Pending, choice: Choice) -> None:
        if self._closed or pending.given_up:
            return
        if choice.info.leaves_computer:
            pending.stage = "Waiting for your yes"
            self.changed.emit(pending.clip.id)
            refuse = partial(self._on_error, pending)
            go_on = partial(self._send, pending)
            self._sending.ask([pending.clip], choice, go_on=go_on, refuse=refuse, asked=pending.question)
        else:
            self._send(pending, choice, {})

    def _send(self, pending: Pending, choice: Choice, secrets: Mapping[str, str]) -> None:
        from vvlm_desktop.workflow.ask import Asking

        if self._closed or pending.given_up:
            return
        pending.by = choice.title
        try:
            pending.asking = Asking(
                self._session,
                pending.clip,
                pending.question,
                backend=choice.backend,
                workers=self._workers(),
                on_event=partial(self._on_event, pending),
                options=choice.options,
                range_ms=pending.range_ms,
                secrets=secrets,
            )
        except VvlmError as error:
            self._on_error(pending, error)
            return
        pending.asking.start()

    def _on_event(self, pending: Pending, event: AskEvent) -> None:
        if self._closed or pending.given_up:
            return
        if event.kind == "progress":
            pending.stage = event.message or pending.stage
            self.changed.emit(pending.clip.id)
        elif event.kind == "failed":
            pending.problem, pending.hint = event.message, event.hint
            self.changed.emit(pending.clip.id)
        else:
            self._drop(pending)
            if event.kind == "answered":
                self._shell.announce(Change(clip_ids=(pending.clip.id,), what=frozenset({"questions"})))

    def _on_error(self, pending: Pending, error: VvlmError) -> None:
        if not (self._closed or pending.given_up):
            pending.problem, pending.hint = str(error), error.hint
            self.changed.emit(pending.clip.id)

    def _drop(self, pending: Pending) -> None:
        if pending in self._pending:
            self._pending.remove(pending)
        self.changed.emit(pending.clip.id)

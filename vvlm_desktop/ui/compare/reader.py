"""Has the library read for the Compare page, in a thread; what is asked for last is what arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.workflow.agreement import Tally
from vvlm_desktop.workflow.answerers import Answerers, Source, find_answerers, tally_of
from vvlm_desktop.workflow.session import Session


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted: of A and B, and of A and each that stands beside them."""

    tally: Tally
    more: tuple[Tally, ...] = ()


class Reader(QObject):
    """One question at a time; a newer one ends the older."""

    answerers_found = Signal(object)  # Answerers
    tallied = Signal(object)  # Counted
    progressed = Signal(float)  # 0..1 of the counting
    failed = Signal(object)  # VvlmError

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._work: Work[Answerers] | Work[Counted] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being read."""
        return self._work is not None

    def find(self, scope: Scope) -> None:
        """Find who answered about which clips."""
        session = self._session

        def run(_report: Callable[[object], None], cancelled: Callable[[], bool]) -> Answerers:
            return find_answerers(session, wanted=scope.chosen, cancelled=cancelled)

        self._start(Work(run, name="compare-answerers", parent=self))

    def tally(self, sources: tuple[Source, Source], scope: Scope, *, more: Sequence[Source] = ()) -> None:
        """Count how far two of them agree, and the first of them with each of `more`."""
        session = self._session
        pairs = [sources, *((sources[0], source) for source in more)]

        def run(report: Callable[[object], None], cancelled: Callable[[], bool]) -> Counted:
            wanted, tallies = scope.rowids(session), []
            for done, pair in enumerate(pairs):

                def part(fraction: float, done: int = done) -> None:
                    report((done + fraction) / len(pairs))

                tallies.append(tally_of(session, pair, wanted=wanted, report=part, cancelled=cancelled))
            return Counted(tallies[0], tuple(tallies[1:]))

        self._start(Work(run, name="compare-tally", parent=self))

    def _start(self, work: Work[Answerers] | Work[Counted]) -> None:
        if self._work is not None:
            self._work.cancel()
        self._work = work
        work.progressed.connect(self._on_progressed)
        work.succeeded.connect(self._on_succeeded)
        work.failed.connect(self._on_failed)
        work.ended.connect(self._on_ended)
        work.start()

    def close(self) -> None:
        """Stop what is read; nothing arrives any more."""
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
            work.wait(5.0)

    def _on_progressed(self, fraction: object) -> None:
        if self.sender() is self._work and isinstance(fraction, float):
            self.progressed.emit(fraction)

    def _on_succeeded(self, result: object) -> None:
        if self.sender() is not self._work:
            return
        self._work = None
        if isinstance(result, Answerers):
            self.answerers_found.emit(result)
        else:
            self.tallied.emit(result)

    def _on_failed(self, error: VvlmError) -> None:
        if self.sender() is not self._work:
            return
        self._work = None
        if not isinstance(error, JobCancelledError):
            self.failed.emit(error)

    def _on_ended(self) -> None:
        work = self.sender()
        if isinstance(work, Work):
            work.deleteLater()

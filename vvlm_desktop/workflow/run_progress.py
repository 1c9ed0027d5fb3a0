"""Following a run by its folder: what its events add up to, put right by whether its process still lives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vvlm_desktop.backends.run_folder import RunFiles, last_failure
from vvlm_desktop.workflow.run_events import EventTail, last_error, last_words, text
from vvlm_desktop.workflow.run_fold import fold
from vvlm_desktop.workflow.run_launch import Launched, Watch
from vvlm_desktop.workflow.run_state import LIVE, RunProgress, RunState

__all__ = ["LIVE", "RunFollower", "RunProgress", "RunState"]


class RunFollower:
    """Follows a run's folder: `poll` reads what is new, in a few microseconds where nothing is.

    Any number of followers may follow one run, and one may begin at any time: the folder alone is read.
    """

    def __init__(self, folder: Path, *, look_every_s: float = 0.5) -> None:
        """`look_every_s`: how often it is looked up whether the process still lives."""
        self.files = RunFiles(folder)
        self.progress = RunProgress()
        self._told = RunProgress()
        self._tail = EventTail(self.files)
        self._watch = Watch(self.files, every_s=look_every_s)

    def poll(self) -> RunProgress:
        """Read what was told since; a run whose process is gone without a word is `interrupted`."""
        # In this order: what a process that is gone has told is there by now.
        self._watch.look()
        events = self._tail.new_events()
        if self._tail.begun_anew:
            self._told = RunProgress()
        for event in events:
            fold(self._told, event)
        self.progress = self._with_process(self._told)
        return self.progress

    def _with_process(self, told: RunProgress) -> RunProgress:
        """What the events say, put right by whether anybody works there."""
        begun, alive = self._watch.launched, self._watch.alive
        silent = self._tail.position <= begun.events_bytes if begun is not None else not self._tail.position
        if silent and alive:
            state: RunState = "stopping" if self.files.stop_file.exists() else "starting"
            return replace(told, state=state, pid=begun.pid if begun else None, message="", hint="", left_s=None)
        if silent and begun is not None and not self.files.finished:
            return self._never_began(told, begun)
        if not self._tail.position:
            return replace(told, state="stopped", message="", hint="It was not started yet.")
        if not told.live:
            return told
        if not alive and self.files.finished:  # killed between its result and its last word
            return replace(told, state="finished", left_s=0.0)
        if not alive:
            return self._broke_off(told)
        return replace(told, state="stopping") if self.files.stop_file.exists() else told

    def _never_began(self, told: RunProgress, begun: Launched) -> RunProgress:
        failure = last_failure(self.files.log_file, after=begun.log_bytes)
        words = text(failure[0]) if failure is not None else last_words(self.files.log_file, after=begun.log_bytes)
        message = "The training ended before it said anything: it was killed, or the computer went off."
        hint = "Start it again. If that does not help, memory may be short: close other programs."
        if words:
            message, hint = f"The training could not begin: {words}", f"More in {self.files.log_file}."
        if failure is not None and failure[1]:
            hint = text(failure[1])
        return replace(told, state="failed", left_s=None, ended_at=begun.at, message=message, hint=hint)

    def _broke_off(self, told: RunProgress) -> RunProgress:
        where = f"after step {told.step}" if told.step else "before the first step"
        begun = self._watch.launched
        words = last_error(self.files.log_file, after=begun.log_bytes) if begun is not None else ""
        whole = self.files.checkpoints()
        checkpoint = f"checkpoints/{whole[-1].name}" if whole else ""
        failure = last_failure(self.files.log_file, after=begun.log_bytes) if begun is not None else None
        if failure is not None:  # a full disk takes the log's last line sooner than an event
            message, hint = text(failure[0]), text(failure[1])
            return replace(told, state="failed", left_s=None, message=message, hint=hint, checkpoint=checkpoint)
        ending = f" Its log ends with: {words}" if words else ""
        return replace(
            told,
            state="interrupted",
            left_s=None,
            message=f"The training ended without a word {where}: it was killed, memory ran out, or the computer went"
            f" off.{ending}",
            hint=f"Resume goes on from step {whole[-1].name[11:]}." if whole else "Resume begins it anew.",
            checkpoint=checkpoint,
        )

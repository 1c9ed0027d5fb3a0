"""The ask box of the Review page: a free question about the clip or its marked part, answered while one goes on."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Qt, Signal

from vvlm_desktop.backends.catalogue import backend_info
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.ui.asked import Pending
from vvlm_desktop.ui.choice import title_of
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.review.ask_panel import AskPanel
from vvlm_desktop.ui.review.ask_view import entry_of_answer, entry_of_pending, pending_key, range_words
from vvlm_desktop.ui.review.desk import Desk
from vvlm_desktop.ui.review.form.model import frame_of_pts
from vvlm_desktop.ui.review.timeline_model import TimelineModel

_CANNOT = "The built-in measurements answer no questions. Choose a model card first: one that is ready here."
_NO_MODEL = "No local model is chosen. Choose a card that is ready here."


class AskBox(QObject):
    """Connects the panel with the clip that is open; holds what is typed about each clip, and nothing else."""

    closed = Signal()  # the keys belong to the page again

    def __init__(self, shell: Shell, *, desk: Desk, panel: AskPanel, parent: QObject) -> None:
        super().__init__(parent)
        self._shell, self._desk, self.panel = shell, desk, panel
        self._clip: Clip | None = None
        self._typed: dict[str, str] = {}
        self._answers: tuple[Analysis, ...] = ()
        self._shown: str | None = None  # the answer whose frames are on the timeline
        self._own: tuple[TimelineModel, tuple[int, ...]] | None = None  # what was there before
        panel.asked.connect(self._on_asked)
        panel.left.connect(self.leave)
        panel.frames_pressed.connect(self.toggle_frames)
        panel.again_pressed.connect(self._on_again)
        panel.forget_pressed.connect(self._on_forget)
        panel.models_pressed.connect(self._on_models)
        shell.questions.changed.connect(self._on_changed)

    @property
    def open(self) -> bool:
        """Whether the box is there."""
        return not self.panel.isHidden()

    def ask(self) -> None:
        """Show the box with the cursor in its line."""
        if self._clip is None or not self._clip.readable:
            self._desk.toast.say("There is no picture to ask about.")
            return
        self.panel.show()
        self._show_target()
        self._show_entries()
        self.panel.line.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def leave(self) -> None:
        """Hide the box; what was typed stays, and comes back with it."""
        self.closed.emit()  # before the line goes, or Qt gives the focus to the next button
        self._hide_frames()
        self.panel.hide()

    def show_clip(self, clip: Clip | None) -> None:
        """Another clip is open, or the same was looked at anew and shows its own frames again."""
        before = self._clip
        self._shown = self._own = None
        self._clip = clip
        same = before is not None and clip is not None and before.id == clip.id
        if not same:
            if before is not None:
                self._typed[before.id] = self.panel.line.text()
            self.panel.line.setText(self._typed.pop(clip.id, "") if clip is not None else "")
            if clip is None and self.open:
                self.panel.hide()
        if self.open:
            self._show_target()
            self._show_entries()

    # -- showing

    def _show_target(self) -> None:
        settings = self._shell.session.settings
        refusal = ""
        if not backend_info(settings.backend).answers_questions:
            refusal = _CANNOT
        elif settings.backend == "local" and not settings.local_model:
            refusal = _NO_MODEL
        about = range_words(self._range_ms()) or "the whole clip"
        self.panel.show_target(by="" if refusal else title_of(settings), about=about, refusal=refusal)

    def _show_entries(self) -> None:
        if self._clip is None:
            self.panel.show_entries(())
            return
        self._answers = tuple(reversed(self._shell.session.library.questions(self._clip.id)))
        answered = [entry_of_answer(each, frames_shown=each.id == self._shown) for each in self._answers]
        waiting = [entry_of_pending(each) for each in self._shell.questions.of_clip(self._clip.id)]
        self.panel.show_entries((*answered, *waiting))

    def _range_ms(self) -> tuple[int, int] | None:
        """The marked part, its last frame included; None for the whole clip."""
        index, marked = self._desk.index, self._desk.marked_frames()
        if index is None or marked is None:
            return None
        first, last = marked
        end_ms = index.ms(last + 1) if last + 1 < len(index) else round(index.duration_s * 1000)
        return index.ms(first), max(end_ms, index.ms(first) + 1)

    # -- what happens

    def _on_asked(self, question: str) -> None:
        if self._clip is None:
            return
        if self.panel.models.isVisibleTo(self.panel):
            self.panel.models.setFocus(Qt.FocusReason.OtherFocusReason)  # the text stays until somebody can be asked
            return
        self.panel.line.clear()
        self._shell.questions.ask(self._clip, question, range_ms=self._range_ms())

    def _on_changed(self, clip_id: str) -> None:
        if self._clip is None or self._clip.id != clip_id:
            return
        if self.open:
            self._show_entries()
        elif len(self._shell.session.library.questions(clip_id)) > len(self._answers):
            self._answers = tuple(reversed(self._shell.session.library.questions(clip_id)))
            self._desk.toast.say("Your question is answered.")

    def _on_again(self, key: str) -> None:
        for pending in self._pending(key):
            self._shell.questions.ask_again(pending)

    def _on_forget(self, key: str) -> None:
        for pending in self._pending(key):
            self._shell.questions.forget(pending)

    def _pending(self, key: str) -> list[Pending]:
        if self._clip is None:
            return []
        return [each for each in self._shell.questions.of_clip(self._clip.id) if pending_key(each) == key]

    def _on_models(self) -> None:
        self._shell.navigate("models")

    # -- the frames of an answer

    def toggle_frames(self, key: str) -> None:
        """Show the frames that an answer was made from in the lane of the model's frames, or the clip's own again."""
        answer = next((each for each in self._answers if each.id == key), None)
        index = self._desk.index
        if key == self._shown or answer is None or index is None:
            self._hide_frames()
        else:
            self._own = self._own or (self._desk.timeline.model, self._desk.seen_frames)
            self._shown = key
            frames = tuple(frame_of_pts(index, pts) for pts in answer.frames_pts)
            seen_s = tuple(index.seconds(frame) for frame in frames)
            model = replace(self._own[0], seen_s=seen_s, seen_name=f"the question “{answer.question}”", looks=())
            self._desk.show_marks(model, seen=frames, afresh=False)
        self._show_entries()

    def _hide_frames(self) -> None:
        if self._own is not None and self._desk.index is not None:
            model, seen = self._own
            self._desk.show_marks(model, seen=seen, afresh=False)
        self._shown = self._own = None

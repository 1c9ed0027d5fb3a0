"""What keys and buttons ask of the page beyond playing and judging: where to go, what to open, what to show."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.review.acts import ReviewActs
from vvlm_desktop.ui.review.ask import AskBox
from vvlm_desktop.ui.review.desk import Desk
from vvlm_desktop.ui.review.drawer import Arrangement
from vvlm_desktop.ui.review.form.field_card import END, START
from vvlm_desktop.ui.review.form.panel import FormPanel
from vvlm_desktop.ui.review.picture_menu import PictureMenu
from vvlm_desktop.ui.review.queue import QueueDesk
from vvlm_desktop.ui.review.reaction import frame_meant
from vvlm_desktop.ui.review.save_frame import FrameSaver
from vvlm_desktop.ui.review.shuttle import ShuttleKey
from vvlm_desktop.ui.review.side import Side
from vvlm_desktop.workflow.review_state import ReviewState


class Commands(QObject):
    """The page's own actions."""

    clip_wanted = Signal(str)

    def __init__(
        self, shell: Shell, *, desk: Desk, side: Side, acts: ReviewActs, queue: QueueDesk, arrangement: Arrangement
    ) -> None:
        super().__init__(acts)
        self._shell = shell
        self._desk, self._side, self._acts = desk, side, acts
        self._queue, self._arrangement = queue, arrangement
        self._finished: list[str] = []
        desk.cameras.use(lambda: shell.session)
        self.saver = FrameSaver(shell, desk=desk, clip=self._clip, parent=self)
        self.picture_menu = PictureMenu(
            desk.view, page="review", registry=lambda: shell.registry, cameras=desk.cameras.menu
        )
        self.ask_box = AskBox(shell, desk=desk, panel=side.ask, parent=self)

    @property
    def _form(self) -> FormPanel:
        return self._side.form

    @property
    def _state(self) -> ReviewState | None:
        return self._acts.state

    def _clip(self) -> Clip | None:
        return self._state.clip if self._state is not None else None

    def note_finished(self, clip_id: str) -> None:
        """A clip was settled."""
        self._finished.append(clip_id)

    def go_unfinished(self, step: int) -> None:
        """The next or previous clip that nobody has settled."""
        following = self._queue.next_id(self._state.clip.id if self._state is not None else None, step=step)
        if following is None:
            self._desk.toast.say("No other clip is unfinished.")
        else:
            self.clip_wanted.emit(following)

    def go_last_finished(self) -> None:
        """Back to the clip that was finished last, then to the one before."""
        here = self._state.clip.id if self._state is not None else None
        while self._finished and self._finished[-1] == here:
            self._finished.pop()
        if self._finished:
            self.clip_wanted.emit(self._finished.pop())
        else:
            self._desk.toast.say("No clip has been finished since the page was opened.")

    @property
    def long_step_s(self) -> float:
        """How far Ctrl with an arrow goes."""
        return self._shell.session.settings.seek_step_s

    @property
    def frame_step(self) -> int:
        """How many frames Alt with an arrow goes."""
        return self._shell.session.settings.frame_step

    def shuttle(self, key: ShuttleKey) -> None:
        """A shuttle key from the palette: down and up at once."""
        self._desk.shuttle.press(key)
        self._desk.shuttle.release(key)

    def mark(self, end: int) -> None:
        """I and O: on a time field they set it, elsewhere they mark a stretch."""
        view = self._form.open_view
        if view is not None and view.field.kind == "range":
            self._acts.set_edge(view.key, END if end else START)
        else:
            reaction_s = self._shell.session.settings.reaction_time_s
            self._desk.mark(end, here=frame_meant(self._desk, reaction_s))

    def next_doubtful(self) -> None:
        """Open the next doubtful field."""
        if not self._form.next_doubtful():
            self._desk.toast.say("No field is doubtful.")

    def edit_caption(self) -> None:
        """Write the first text field."""
        texts = self._form.model.texts
        if texts:
            self.show_form()
            self._form.edit_text(texts[0].key)

    def edit_note(self) -> None:
        """Write a note."""
        if self._state is not None:
            self.show_form()
            self._form.edit_note()

    def show_form(self) -> None:
        """Bring the form into view, out of full screen where it has to be."""
        self.leave_full_screen()
        self._side.show_form()

    def ask_reason(self, _field_key: str = "") -> None:
        """Give the reason of a correction."""
        self.show_form()
        card = self._form.cards.get(self._form.open_key)
        where = card if card is not None else self._form
        self._acts.ask_reason(where.mapToGlobal(where.rect().center()))

    def ask_dismissal(self) -> None:
        """Dismiss the clip, with a reason."""
        self.show_form()
        self._acts.ask_dismissal(self._form.accept.mapToGlobal(self._form.accept.rect().topLeft()))

    def analyse(self) -> None:
        """Analyse the open clip."""
        if self._state is not None and self._state.clip.readable:
            self._shell.analyse([self._state.clip])

    def analyse_with(self) -> None:
        """Analyse the open clip with something else, for this time."""
        if self._state is not None and self._state.clip.readable:
            self._shell.analyse_with([self._state.clip])

    def ask(self) -> None:
        """Ask something about the open clip or its marked part."""
        self.leave_full_screen()
        self.ask_box.ask()

    def toggle_full_screen(self) -> None:
        """The picture alone on the whole screen, or back."""
        self._arrangement.set_alone(not self._arrangement.alone, window=self._desk.window())
        self._shell.show_surroundings(not self._arrangement.alone)

    def leave_full_screen(self) -> None:
        """Everything around the picture again."""
        if self._arrangement.alone:
            self.toggle_full_screen()

    def go_back(self) -> None:
        """Esc: out of a question, the drawer, full screen, a stretch that was marked."""
        if self._acts.asking:
            self._acts.cancel_question()
        elif self._arrangement.drawer_open:
            self._arrangement.close_drawer()
        elif self._arrangement.alone:
            self.toggle_full_screen()
        else:
            self._desk.unmark()

    def open_field_number(self, number: int) -> None:
        """Open the field with that place in the form."""
        order = self._form.model.order
        if 1 <= number <= len(order):
            self._form.open_field(order[number - 1])

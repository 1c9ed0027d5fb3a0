"""What keys and buttons ask of the page beyond playing and judging: where to go, what to open, what to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from vvlm_desktop.ui.review.form.field_card import END, START
from vvlm_desktop.ui.review.shuttle import ShuttleKey

if TYPE_CHECKING:
    from vvlm_desktop.ui.review.page import ReviewPage


class Commands(QObject):
    """The page's own actions."""

    def __init__(self, page: ReviewPage) -> None:
        super().__init__(page)
        self._page = page

    def go_unfinished(self, step: int) -> None:
        """The next or previous clip that nobody has settled."""
        following = self._page.queue.next_id(
            self._page.state.clip.id if self._page.state is not None else None, step=step
        )
        if following is None:
            self._page.desk.toast.say("No other clip is unfinished.")
        else:
            self._page.open_clip(following)

    def go_last_finished(self) -> None:
        """Back to the clip that was finished last, then to the one before."""
        here = self._page.state.clip.id if self._page.state is not None else None
        while self._page.finished_ids and self._page.finished_ids[-1] == here:
            self._page.finished_ids.pop()
        if self._page.finished_ids:
            self._page.open_clip(self._page.finished_ids.pop())
        else:
            self._page.desk.toast.say("No clip has been finished since the page was opened.")

    @property
    def long_step_s(self) -> float:
        """How far Ctrl with an arrow goes."""
        return self._page.shell.session.settings.seek_step_s

    def shuttle(self, key: ShuttleKey) -> None:
        """A shuttle key from the palette: down and up at once."""
        self._page.desk.shuttle.press(key)
        self._page.desk.shuttle.release(key)

    def mark(self, end: int) -> None:
        """I and O: on a time field they set it, elsewhere they mark a stretch."""
        view = self._page.form.open_view
        if view is not None and view.field.kind == "range":
            self._page.acts.set_edge(view.key, END if end else START)
        else:
            self._page.desk.mark(end)

    def next_doubtful(self) -> None:
        """Open the next doubtful field."""
        if not self._page.form.next_doubtful():
            self._page.desk.toast.say("No field is doubtful.")

    def edit_caption(self) -> None:
        """Write the first text field."""
        texts = self._page.form.model.texts
        if texts:
            self._page.side.show_form()
            self._page.form.edit_text(texts[0].key)

    def edit_note(self) -> None:
        """Write a note."""
        if self._page.state is not None:
            self._page.side.show_form()
            self._page.form.note.edit()

    def ask_reason(self, _field_key: str = "") -> None:
        """Give the reason of a correction."""
        card = self._page.form.cards.get(self._page.form.open_key)
        where = card if card is not None else self._page.form
        self._page.acts.ask_reason(where.mapToGlobal(where.rect().center()))

    def ask_dismissal(self) -> None:
        """Dismiss the clip, with a reason."""
        self._page.acts.ask_dismissal(self._page.form.accept.mapToGlobal(self._page.form.accept.rect().topLeft()))

    def analyse(self) -> None:
        """Analyse the open clip."""
        if self._page.state is not None and self._page.state.clip.readable:
            self._page.shell.analyse([self._page.state.clip])

    def toggle_full_screen(self) -> None:
        """The picture alone on the whole screen, or back."""
        self._page.arrangement.set_alone(not self._page.arrangement.alone, window=self._page.window())

    def go_back(self) -> None:
        """Esc: out of a question, the drawer, full screen, a stretch that was marked."""
        if self._page.acts.asking:
            self._page.acts.cancel_question()
        elif self._page.arrangement.drawer_open:
            self._page.arrangement.close_drawer()
        elif self._page.arrangement.alone:
            self.toggle_full_screen()
        else:
            self._page.desk.clear_marked()

    def open_field_number(self, number: int) -> None:
        """Open the field with that place in the form."""
        order = self._page.form.model.order
        if 1 <= number <= len(order):
            self._page.form.open_field(order[number - 1])

"""What the reviewer can do to a clip, each as one call of a use case; says what came of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu

from vvlm_desktop.domain.review import DISMISS_REASONS, Change, PtsRange
from vvlm_desktop.domain.values import CANNOT_TELL
from vvlm_desktop.errors import UsageError, VvlmError
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.review.desk import Desk
from vvlm_desktop.ui.review.form.field_card import NOTHING, REASON_WORDS, START
from vvlm_desktop.ui.review.form.model import FieldView
from vvlm_desktop.ui.review.form.panel import FormPanel
from vvlm_desktop.ui.widgets.marks import STATUS_MARKS
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.review_state import ReviewState


class ReviewActs(QObject):
    """Everything that writes. Every method is one action, stored when it returns, and one undo."""

    finished = Signal(str)  # clip id: settled, go on
    clip_wanted = Signal(str)  # clip id that an undo or redo was about
    key_used = Signal()  # for the tour's count

    def __init__(self, shell: Shell, *, desk: Desk, form: FormPanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._desk = desk
        self._form = form
        self._last_set: tuple[str, str] | None = None
        self._asked: tuple[str, ...] = ()
        self.state: ReviewState | None = None

    # -- running -------------------------------------------------------------------------------------------------

    def _do(self, run: Callable[[], Change | None]) -> bool:
        try:
            change = run()
        except UsageError as error:
            self._desk.toast.say(f"{error} {error.hint}".strip())
            return False
        except VvlmError as error:
            self._shell.report(error)
            return False
        if change is None:
            return False
        self.key_used.emit()
        self._shell.announce(change)
        return True

    @property
    def _clip_id(self) -> str | None:
        return self.state.clip.id if self.state is not None else None

    def show_state(self, state: ReviewState | None) -> None:
        """Another clip, or the same after a change."""
        if state is None or self.state is None or state.clip.id != self.state.clip.id:
            self._last_set = None
            self.cancel_question()
        elif self._doubts(state) != self._asked:
            self.cancel_question()
        self.state = state

    # -- values --------------------------------------------------------------------------------------------------

    def press_value(self, field_key: str, value_key: str) -> None:
        """A value was clicked, or its digit pressed: chosen, or in a list put in or taken out."""
        clip_id, session = self._clip_id, self._shell.session
        if clip_id is None:
            return
        self.cancel_question()
        field = session.schema.field(field_key)
        if value_key == NOTHING:
            done = self._do(
                lambda: review.set_value(session, clip_id, field_key, None if field.kind == "range" else [])
            )
        elif field.kind == "any_of":
            done = self._do(lambda: review.toggle_value(session, clip_id, field_key, value_key))
        else:
            done = self._do(lambda: review.set_value(session, clip_id, field_key, value_key))
        if done:
            self._last_set = (field_key, value_key)
            self._form.open_field(field_key)

    def press_digit(self, digit: int) -> None:
        """A digit: the value with that number, 0 for none seen or absent."""
        view = self._form.open_view
        if view is None:
            return
        field = view.field
        if digit == 0:
            if field.kind == "any_of" or (field.kind == "range" and field.may_be_absent):
                self.press_value(view.key, NOTHING)
            else:
                self._desk.toast.say(f"{field.label}: 0 means “none seen” and is for lists.")
        elif field.has_values and digit <= len(field.values):
            self.press_value(view.key, field.values[digit - 1].key)
        else:
            self._desk.toast.say(f"{field.label} has no value {digit}.")

    def cannot_tell(self) -> None:
        """The clip does not show it."""
        view = self._form.open_view
        if view is not None and view.field.has_values:
            self.press_value(view.key, CANNOT_TELL)

    def accept_field(self) -> None:
        """The open field is right."""
        self._on_field(lambda clip_id, view: review.accept_field(self._shell.session, clip_id, view.key))

    def reject_field(self) -> None:
        """The open field is wrong, and the right value is not known."""
        self._on_field(lambda clip_id, view: review.reject_field(self._shell.session, clip_id, view.key))

    def _on_field(self, run: Callable[[str, FieldView], Change]) -> None:
        clip_id, view = self._clip_id, self._form.open_view
        if clip_id is not None and view is not None:
            self.cancel_question()
            self._do(lambda: run(clip_id, view))

    def set_edge(self, field_key: str, edge: str) -> None:
        """Take the start or end of a time field from the frame that is shown."""
        clip_id, index, state = self._clip_id, self._desk.index, self.state
        if clip_id is None or index is None or state is None:
            return
        here = index.ms(self._desk.playback.position)
        before = state.labels.get(field_key)
        start, end = (before["start_ms"], before["end_ms"]) if isinstance(before, dict) else (here, here)
        start, end = (here, max(here, end)) if edge == START else (min(start, here), here)
        value = {"start_ms": start, "end_ms": end}
        self._do(lambda: review.set_value(self._shell.session, clip_id, field_key, value))

    def write(self, field_key: str, text: str, go_on: bool) -> None:
        """A text was written."""
        clip_id, session, state = self._clip_id, self._shell.session, self.state
        if clip_id is None or state is None:
            return
        if text and text != state.labels.get(field_key):
            self._do(lambda: review.set_value(session, clip_id, field_key, text))
        elif not text and field_key in state.labels:
            self._do(lambda: review.reject_field(session, clip_id, field_key))
        if go_on:
            self.accept_rest()

    def write_note(self, text: str, go_on: bool) -> None:
        """The note was written."""
        clip_id = self._clip_id
        if clip_id is not None:
            self._do(lambda: review.set_note(self._shell.session, clip_id, text))
            if go_on:
                self.accept_rest()

    # -- evidence and reasons ------------------------------------------------------------------------------------

    def stamp(self) -> None:
        """The frame that is shown, or the marked stretch, proves the value just set."""
        clip_id, view, span = self._clip_id, self._form.open_view, self._desk.evidence_span()
        if clip_id is None or view is None or span is None:
            return
        if not view.answered:
            self._desk.toast.say(f"{view.field.label} has no value yet that this frame could prove.")
            return
        value = self._value_to_prove(view)
        if view.field.kind == "any_of" and value is None:
            self._desk.toast.say("Choose the value first that this frame proves.")
            return
        if self._do(lambda: review.set_evidence(self._shell.session, clip_id, view.key, value, span)):
            self._desk.clear_marked()

    def _value_to_prove(self, view: FieldView) -> str | None:
        """Which value of a list; None for fields with a single one."""
        if view.field.kind != "any_of" or not view.chosen:
            return None
        if self._last_set is not None and self._last_set[0] == view.key and self._last_set[1] in view.chosen:
            return self._last_set[1]
        return view.chosen[-1] if len(view.chosen) == 1 else None

    def remove_evidence(self, field_key: str, value: object, span: object) -> None:
        """One stretch of evidence was removed; what else proves the same value stays."""
        clip_id, session = self._clip_id, self._shell.session
        if clip_id is not None and isinstance(span, PtsRange):
            named = value if isinstance(value, str) else None
            self._do(lambda: review.remove_evidence(session, clip_id, field_key, named, span))

    def ask_reason(self, at: QPoint) -> None:
        """Say why the answer of the open field was wrong."""
        clip_id, view = self._clip_id, self._form.open_view
        if clip_id is None or view is None:
            return
        if view.verdict is None or view.verdict.verdict == "accepted":
            self._desk.toast.say(f"{view.field.label} has not been corrected; there is nothing to give a reason for.")
            return
        self._choose(
            list(REASON_WORDS.items()),
            at,
            lambda reason: self._do(lambda: review.set_reason(self._shell.session, clip_id, view.key, reason)),
        )

    def _choose(self, offers: list[tuple[str, str]], at: QPoint, run: Callable[[str], object]) -> None:
        """A short menu whose entries have digits; it does not stop anything else."""
        menu = QMenu(self._form)
        menu.aboutToHide.connect(menu.deleteLater)
        for number, (key, words) in enumerate(offers, start=1):
            entry = menu.addAction(f"&{number}  {words}")
            entry.triggered.connect(lambda _=False, chosen=key: run(chosen))
        menu.popup(at)

    # -- the clip as a whole -------------------------------------------------------------------------------------

    def accept_rest(self) -> None:
        """Enter: accept what was not touched, settle the clip, go on."""
        state, attention = self.state, self._desk.attention
        if state is None:
            return
        if state.review.settled:
            self.finished.emit(state.clip.id)
            return
        if attention is not None and not attention.ready:
            if self._desk.playback.position != attention.look_at:
                self._desk.toast.say("Look at the event first: Enter works once its frame has been on screen.")
            return
        doubts = self._doubts(state)
        if doubts and doubts != self._asked:
            self._asked = doubts
            self._form.rule_bar.ask(doubts)
            return
        seen = attention.window_seen if attention is not None else False
        clip_id = state.clip.id
        if self._do(lambda: review.accept_rest(self._shell.session, clip_id, window_seen=seen).change):
            self.cancel_question()
            self.finished.emit(clip_id)

    def _doubts(self, state: ReviewState) -> tuple[str, ...]:
        """What is asked before the review is stored: required fields without an answer, and broken rules."""
        empty = [
            f"{field.label} is not answered."
            for field in self._shell.session.schema.fields
            if field.required and field.key not in state.labels and field.key not in state.review.verdicts
        ]
        return (*empty, *state.broken_rules)

    def cancel_question(self) -> None:
        """Go back from the question about a broken rule."""
        self._asked = ()
        self._form.rule_bar.hide()

    @property
    def asking(self) -> bool:
        """Whether a broken rule waits for an answer."""
        return bool(self._asked)

    def set_status(self, status: str) -> None:
        """Move the clip on: coach, praise, second opinion."""
        state = self.state
        if state is None:
            return
        clip_id = state.clip.id
        if self._do(lambda: review.set_status(self._shell.session, clip_id, status)):
            self._desk.toast.say(STATUS_MARKS[status][0])

    def ask_dismissal(self, at: QPoint) -> None:
        """Dismiss the clip; always with a reason."""
        clip_id = self._clip_id
        if clip_id is None:
            return
        session = self._shell.session

        def dismiss(reason: str) -> None:
            if self._do(lambda: review.set_status(session, clip_id, "dismissed", reason=reason)):
                self.finished.emit(clip_id)

        self._choose([(reason, reason.replace("_", " ")) for reason in DISMISS_REASONS], at, dismiss)

    def undo(self) -> None:
        """Take back the last action and go to the clip that it was about."""
        self._take_back(review.undo, "Taken back", "There is nothing to take back.")

    def redo(self) -> None:
        """Do again what was taken back."""
        self._take_back(review.redo, "Done again", "There is nothing to do again.")

    def _take_back(self, run: Callable[..., Change | None], words: str, nothing: str) -> None:
        changed: list[Change] = []

        def remember() -> Change | None:
            change = run(self._shell.session)
            if change is not None:
                changed.append(change)
            return change

        self.cancel_question()
        if self._do(remember):
            for clip_id in changed[0].clip_ids[:1]:
                self.clip_wanted.emit(clip_id)
            self._desk.toast.say(words)
        elif not changed:
            self._desk.toast.say(nothing)

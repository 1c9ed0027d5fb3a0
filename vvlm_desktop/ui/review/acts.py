"""What the reviewer can do to a clip, each as one call of a use case; says what came of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu

from vvlm_desktop.domain.review import DISMISS_REASONS, Change, PtsRange
from vvlm_desktop.domain.values import CANNOT_TELL, LabelValue
from vvlm_desktop.errors import ReviewChangedError, UsageError, VvlmError
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.review.desk import Desk
from vvlm_desktop.ui.review.drafts import Drafts
from vvlm_desktop.ui.review.form.field_card import NOTHING, REASON_WORDS, START
from vvlm_desktop.ui.review.form.model import FieldView
from vvlm_desktop.ui.review.form.panel import FormPanel
from vvlm_desktop.ui.review.lane_telemetry import LaneTelemetry
from vvlm_desktop.ui.review.reaction import frame_meant
from vvlm_desktop.ui.review.timeline_edges import Draft, moved_time
from vvlm_desktop.ui.widgets.marks import STATUS_MARKS
from vvlm_desktop.workflow import review, telemetry
from vvlm_desktop.workflow.review_state import ReviewState
from vvlm_desktop.workflow.seeable import NOTHING_TO_SEE, PUT_ASIDE

_CHANGED = "This clip changed while you looked: look again."


class ReviewActs(QObject):
    """Everything that writes. Every method is one action, stored when it returns, and one undo.

    Each works on what the page shows; where the library holds something else by now, nothing is stored and the page
    is asked to show that first.
    """

    finished = Signal(str)  # clip id: settled, go on
    clip_wanted = Signal(str)  # clip id that an undo or redo was about
    key_used = Signal()  # for the tour's count
    changed_meanwhile = Signal()  # the library holds something else than what is shown
    form_wanted = Signal()  # something in the form waits for the reviewer

    def __init__(self, shell: Shell, *, desk: Desk, form: FormPanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._desk = desk
        self._form = form
        # One for good: Qt still works on a menu while it hides; deleted just then, it takes the program along.
        self._menu = QMenu(form)
        self._last_set: tuple[str, str] | None = None
        self._asked: tuple[str, ...] = ()
        self.state: ReviewState | None = None
        self.worked = False  # something was stored about the open clip since it was opened
        self.drafts = Drafts(shell, form, self, unseen=lambda: self._shows_nothing)
        self.drafts.refused.connect(self._on_refused)
        self.drafts.changed_meanwhile.connect(self.changed_meanwhile)
        self.drafts.stored.connect(self._on_stored)
        desk.timeline.edge_moved.connect(self.move_edge)
        self.drive = LaneTelemetry(shell, desk.drive, self)
        self.drive.clock_chosen.connect(self.set_clock)

    # -- running -------------------------------------------------------------------------------------------------

    def _do(self, run: Callable[[], Change | None]) -> bool:
        try:
            change = run()
        except ReviewChangedError:
            self.changed_meanwhile.emit()
            self._desk.toast.say(_CHANGED)
            return False
        except UsageError as error:
            self._desk.toast.say(f"{error} {error.hint}".strip())
            return False
        except VvlmError as error:
            self._shell.report(error)
            return False
        if change is None:
            return False
        self._on_stored()
        self._shell.announce(change)
        return True

    def _on_stored(self) -> None:
        self.worked = True
        self.key_used.emit()

    def _on_refused(self, reason: str) -> None:
        self.form_wanted.emit()
        self._desk.toast.say(reason)

    def show_state(self, state: ReviewState | None) -> None:
        """Another clip, or the same after a change."""
        if state is None or self.state is None or state.clip.id != self.state.clip.id:
            self._last_set, self.worked = None, False
            self.cancel_question()
        elif self._doubts(state) != self._asked:
            self.cancel_question()
        self.state = state
        self.drive.show_clip(state.clip if state is not None else None)
        self.drafts.show_state(state)

    @property
    def _shows_nothing(self) -> bool:
        """Whether no picture of the open clip can be shown: its file is gone, or holds none."""
        return self._desk.index is None and not self._desk.waiting

    def _refuse_unseen(self) -> bool:
        """Say so where somebody judges what nobody can see."""
        if self._shows_nothing:
            self._desk.toast.say(f"{NOTHING_TO_SEE} {PUT_ASIDE}")
        return self._shows_nothing

    # -- values --------------------------------------------------------------------------------------------------

    def press_value(self, field_key: str, value_key: str) -> None:
        """A value was clicked, or its digit pressed: chosen, or in a list put in or taken out."""
        state, session = self.state, self._shell.session
        if state is None:
            return
        self.cancel_question()
        # That a clip without any picture does not show it is true; one whose file is elsewhere may well.
        if (value_key != CANNOT_TELL or state.clip.readable) and self._refuse_unseen():
            return
        clip_id, field = state.clip.id, session.schema.field(field_key)
        nothing: LabelValue = None if field.kind == "range" else []

        def choose() -> Change:
            if value_key == NOTHING:
                return review.set_value(session, clip_id, field_key, nothing, shown=state)
            if field.kind == "any_of":
                return review.toggle_value(session, clip_id, field_key, value_key, shown=state)
            return review.set_value(session, clip_id, field_key, value_key, shown=state)

        if self._do(choose):
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
        self._on_field(lambda state, key: review.accept_field(self._shell.session, state.clip.id, key, shown=state))

    def reject_field(self) -> None:
        """The open field is wrong, and the right value is not known."""
        self._on_field(lambda state, key: review.reject_field(self._shell.session, state.clip.id, key, shown=state))

    def _on_field(self, run: Callable[[ReviewState, str], Change]) -> None:
        state, view = self.state, self._form.open_view
        if state is not None and view is not None and not self._refuse_unseen():
            self.cancel_question()
            self._do(lambda: run(state, view.key))

    def set_edge(self, field_key: str, edge: str) -> None:
        """Take the start or end of a time field from the frame that is on screen."""
        index, state = self._desk.index, self.state
        if index is None or state is None:
            return
        frame_index = frame_meant(self._desk, self._shell.session.settings.reaction_time_s)
        if frame_index is None:
            return
        here = index.ms(frame_index)
        before = state.labels.get(field_key)
        start, end = (before["start_ms"], before["end_ms"]) if isinstance(before, dict) else (here, here)
        start, end = (here, max(here, end)) if edge == START else (min(start, here), here)
        value = {"start_ms": start, "end_ms": end}
        self._do(lambda: review.set_value(self._shell.session, state.clip.id, field_key, value, shown=state))

    def commit_texts(self, go_on: bool) -> None:
        """Enter in an editor: keep what was typed; with Ctrl also accept the rest and go on."""
        if self.drafts.commit() and go_on:
            self.accept_rest()

    # -- evidence and reasons ------------------------------------------------------------------------------------

    def stamp(self) -> None:
        """The frame that is on screen, or the marked stretch, proves the value just set."""
        state, view = self.state, self._form.open_view
        if state is None or view is None:
            return
        if not view.answered:
            self._desk.toast.say(f"{view.field.label} has no value yet that this frame could prove.")
            return
        value = self._value_to_prove(view)
        if view.field.kind == "any_of" and value is None:
            self._desk.toast.say("Choose the value first that this frame proves.")
            return
        span = self._desk.evidence_span()
        if span is None:
            return
        session, clip_id = self._shell.session, state.clip.id
        if self._do(lambda: review.set_evidence(session, clip_id, view.key, value, span, shown=state)):
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
        state, session = self.state, self._shell.session
        if state is not None and isinstance(span, PtsRange):
            named = value if isinstance(value, str) else None
            self._do(lambda: review.remove_evidence(session, state.clip.id, field_key, named, span, shown=state))

    def move_edge(self, draft: Draft) -> None:
        """An edge of evidence, or of the event's time, was moved on the timeline."""
        state, session, mark, index = self.state, self._shell.session, draft.edge.mark, self._desk.index
        if state is None or index is None:
            return
        time, proof = mark.time, mark.proof
        if time is not None:
            value = moved_time(draft, time, index)
            self._do(lambda: review.set_value(session, state.clip.id, time.field_key, value, shown=state))
        if proof is None:
            return
        moved = PtsRange(index.pts[draft.first], index.pts[draft.last])
        self._do(
            lambda: review.move_evidence(
                session, state.clip.id, proof.field_key, proof.value, proof.span, moved, shown=state
            )
        )

    def set_clock(self, offset_ms: int) -> None:
        """The camera's sensors were so much later than its pictures."""
        state, session = self.state, self._shell.session
        if state is not None:
            self._do(lambda: telemetry.set_clock_offset(session, state.clip, offset_ms))

    def ask_reason(self, at: QPoint) -> None:
        """Say why the answer of the open field was wrong."""
        state, view = self.state, self._form.open_view
        if state is None or view is None:
            return
        if view.verdict is None or view.verdict.verdict == "accepted":
            self._desk.toast.say(f"{view.field.label} has not been corrected; there is nothing to give a reason for.")
            return
        session, clip_id = self._shell.session, state.clip.id
        self._choose(
            list(REASON_WORDS.items()),
            at,
            lambda reason: self._do(lambda: review.set_reason(session, clip_id, view.key, reason, shown=state)),
        )

    def _choose(self, offers: list[tuple[str, str]], at: QPoint, run: Callable[[str], object]) -> None:
        """A short menu whose entries have digits; it does not stop anything else."""
        self._menu.clear()
        for number, (key, words) in enumerate(offers, start=1):
            entry = self._menu.addAction(f"&{number}  {words}")
            entry.triggered.connect(lambda _=False, chosen=key: run(chosen))
        self._menu.popup(at)

    # -- the clip as a whole -------------------------------------------------------------------------------------

    def accept_rest(self) -> None:
        """Enter: accept what was not touched, settle the clip, go on."""
        if self._desk.waiting:
            self._desk.toast.say("The clip is still being read.")
            return
        if not self.drafts.commit():
            return
        state, attention = self.state, self._desk.attention
        if state is None or (not state.review.settled and self._refuse_unseen()):
            return
        ready = attention is None or attention.ready
        if not ready and not state.review.settled:
            if attention is not None and self._desk.playback.position != attention.look_at:
                self._desk.toast.say("Look at the event first: Enter works once its frame has been on screen.")
            return
        doubts = self._doubts(state)
        if doubts and doubts != self._asked:
            self._asked = doubts
            self._form.rule_bar.ask(doubts)
            self.form_wanted.emit()
            return
        self._settle(state, seen=ready and attention is not None and attention.window_seen)

    def _settle(self, state: ReviewState, *, seen: bool) -> None:
        """Store Enter, unless the clip is settled and looking at it has made nothing better, and go on."""
        clip_id, held = state.clip.id, state.review
        status = held.status if held.settled else "reviewed"
        if held.settled and not (seen and any(verdict.how == "bulk_unseen" for verdict in held.verdicts.values())):
            done = True
        else:
            session = self._shell.session
            done = self._do(
                lambda: review.accept_rest(session, clip_id, window_seen=seen, status=status, shown=state).change
            )
        if done:
            self.cancel_question()
            self.finished.emit(clip_id)

    def _doubts(self, state: ReviewState) -> tuple[str, ...]:
        """What is asked before the review is stored: required fields without an answer, and broken rules."""
        if state.review.settled:
            return state.broken_rules
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
        if state is None or (status != "escalated" and not state.review.settled and self._refuse_unseen()):
            return
        if self._do(lambda: review.set_status(self._shell.session, state.clip.id, status, shown=state)):
            self._desk.toast.say(STATUS_MARKS[status][0])

    def ask_dismissal(self, at: QPoint) -> None:
        """Dismiss the clip; always with a reason."""
        if not self.drafts.commit() or self.state is None:
            return
        state, session = self.state, self._shell.session
        clip_id = state.clip.id

        def dismiss(reason: str) -> None:
            if self._do(lambda: review.set_status(session, clip_id, "dismissed", reason=reason, shown=state)):
                self.finished.emit(clip_id)

        self._choose([(reason, reason.replace("_", " ")) for reason in DISMISS_REASONS], at, dismiss)

    def undo(self) -> None:
        """Take back the last action and go to the clip that it was about."""
        self._take_back(review.undo, "Taken back", "There is nothing to take back.")

    def redo(self) -> None:
        """Do again what was taken back."""
        self._take_back(review.redo, "Done again", "There is nothing to do again.")

    def _take_back(self, run: Callable[..., Change | None], words: str, nothing: str) -> None:
        if not self.drafts.commit():
            return
        changed: list[Change | None] = []

        def remember() -> Change | None:
            changed.append(run(self._shell.session))
            return changed[0]

        self.cancel_question()
        if self._do(remember) and changed[0] is not None:
            for clip_id in changed[0].clip_ids[:1]:
                self.clip_wanted.emit(clip_id)
            self._desk.toast.say(words)
        elif changed:
            self._desk.toast.say(nothing)

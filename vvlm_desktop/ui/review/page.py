"""The Review page: puts a clip, its form and the queue together and goes from one clip to the next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget
from typing_extensions import override

from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import ClipUnreadableError, VvlmError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.page import Page, Shell
from vvlm_desktop.ui.review import empty
from vvlm_desktop.ui.review.acts import ReviewActs
from vvlm_desktop.ui.review.calibrations import Calibrations
from vvlm_desktop.ui.review.commands import Commands
from vvlm_desktop.ui.review.desk import Desk
from vvlm_desktop.ui.review.drawer import Arrangement
from vvlm_desktop.ui.review.early_picture import EarlyPicture
from vvlm_desktop.ui.review.form.model import form_model
from vvlm_desktop.ui.review.form.panel import FormPanel
from vvlm_desktop.ui.review.headline import headline_model
from vvlm_desktop.ui.review.keys import RawKeys, review_actions
from vvlm_desktop.ui.review.open_clip import ClipOpener, OpenClip
from vvlm_desktop.ui.review.queue_side import QueueSide
from vvlm_desktop.ui.review.side import Side
from vvlm_desktop.ui.review.timeline_build import first_look, seen_frames, timeline_model
from vvlm_desktop.ui.review.timeline_model import TimelineModel
from vvlm_desktop.ui.review.tour import Tour
from vvlm_desktop.ui.review.tour_cards import TourCards
from vvlm_desktop.workflow.review import ReviewState, open_review

_HISTORY_TAB = 2


class ReviewPage(Page):
    """Where clips are looked at and judged."""

    page_id = "review"

    #: the last card of the tour, and the end of the queue, offer these
    record_requested = Signal(str)  # clip id
    export_requested = Signal()
    folder_requested = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._state: ReviewState | None = None
        self._opened: OpenClip | None = None
        self._stale = False  # something changed while another page was shown
        self._refresh_wanted = False
        self._shown = False
        self._news: frozenset[str] = frozenset()  # clips that were announced at this very moment
        self.opener = ClipOpener(shell.session, self)
        self.calibrations = Calibrations(shell, self)
        self.desk = Desk()
        self.early = EarlyPicture(self.opener, self.desk.view, awaited=lambda: self.awaited_clip_id, parent=self)
        self.queue_side = QueueSide(
            shell.session,
            current=lambda: self.shown_clip_id,
            playing=lambda: self.desk.playback.playing,
            calibration_of=self.calibrations.of,
            parent=self,
        )
        self.queue, self.queue_list = self.queue_side.queue, self.queue_side.list
        self.form = FormPanel()
        self.side = Side(self.form, tasks=shell.tasks)
        self.acts = ReviewActs(shell, desk=self.desk, form=self.form, parent=self)
        self.tour = Tour(lambda: self.shell.session, self)
        offers = (
            ("Show record", lambda: self.record_requested.emit(self.tour.corrected_clip_id)),
            ("Export", self.export_requested.emit),
            ("Open my folder", self.folder_requested.emit),
        )
        self.tour_cards = TourCards(self.tour, self.desk.card, offers=offers, parent=self)
        self._pages = QStackedWidget()
        self._work = QWidget()
        self.arrangement = Arrangement(self._work, queue=self.queue_list, desk=self.desk, side=self.side)
        self.commands = Commands(
            shell, desk=self.desk, side=self.side, acts=self.acts, queue=self.queue, arrangement=self.arrangement
        )
        self.raw_keys = RawKeys(
            shuttle=self.desk.shuttle,
            on_digit=self.acts.press_digit,
            on_field=self.commands.open_field_number,
            parent=self,
        )
        self._pages.addWidget(self._work)
        self._empty: QWidget | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._pages)
        self._connect()

    def _connect(self) -> None:
        form, acts, desk = self.form, self.acts, self.desk
        form.value_pressed.connect(acts.press_value)
        form.edge_pressed.connect(acts.set_edge)
        form.span_pressed.connect(desk.go_to_span)
        form.time_pressed.connect(desk.go_to_ms)
        form.evidence_removed.connect(acts.remove_evidence)
        form.evidence_pressed.connect(acts.stamp)
        form.reason_pressed.connect(self.commands.ask_reason)
        form.commit_pressed.connect(acts.commit_texts)
        form.accept_pressed.connect(acts.accept_rest)
        form.editor_closed.connect(self.setFocus)
        form.field_opened.connect(desk.clear_marked)
        desk.ready_changed.connect(form.accept.setEnabled)
        desk.settled.connect(self._make_next_ready)
        desk.transport.full_screen_pressed.connect(self.commands.toggle_full_screen)
        desk.headline.queue_button.clicked.connect(self.arrangement.toggle_drawer)
        desk.go_to_box.closed.connect(self.setFocus)
        desk.go_to_box.refused.connect(desk.toast.say)
        acts.finished.connect(self._on_finished)
        acts.clip_wanted.connect(self.open_clip)
        acts.changed_meanwhile.connect(self._on_changed_meanwhile)
        acts.form_wanted.connect(self.commands.show_form)
        self.calibrations.changed.connect(self._refresh)
        self.opener.read_ended.connect(self._on_read_ended)
        self.queue_side.caught_up.connect(self._on_caught_up)
        self.commands.clip_wanted.connect(self.open_clip)
        self.commands.ask_box.closed.connect(self.setFocus)
        acts.key_used.connect(self.tour.count_key)
        self.queue_list.chosen.connect(self.open_clip)
        self.side.analyse_pressed.connect(self.commands.analyse)
        self.side.tab_shown.connect(self._on_tab_shown)
        self.export_requested.connect(self.shell.registry.action("clips.export").trigger)
        self.folder_requested.connect(self.shell.registry.action("clips.add_folder").trigger)
        self.record_requested.connect(self._on_record_requested)

    @override
    def actions_here(self) -> Sequence[Action]:
        return review_actions(desk=self.desk, acts=self.acts, form=self.form, commands=self.commands)

    @override
    def activate(self, clip_id: str | None = None) -> None:
        self.raw_keys.listen(self.window())
        if clip_id is not None and self._at_work_when(clip_id):
            self.desk.toast.say("New clips are there; they are in the queue.")
            return
        self._shown = True
        stale, self._stale = self._stale, False
        if stale:
            self.queue_side.refresh()
        if clip_id is not None and clip_id != self.shown_clip_id:
            self.open_clip(clip_id)
        elif self._state is None:
            self._start()
        else:
            self._refresh()

    def _at_work_when(self, clip_id: str) -> bool:
        """Whether the reviewer is busy with a clip, and the other one is shown only because it has just come."""
        busy = self.acts.drafts.open or self.acts.worked or self.desk.taken_over
        return self._shown and self._state is not None and busy and clip_id in self._news

    @override
    def deactivate(self) -> None:
        self.acts.drafts.commit()
        self._shown = False
        self.raw_keys.listen(None)
        self.commands.leave_full_screen()
        self.desk.leave()

    @override
    def on_change(self, change: Change) -> None:
        what = change.what & {"clips", "analyses", "review"}
        if not what:
            return
        self.calibrations.note(change)
        if "clips" in what:
            self._news = frozenset(change.clip_ids)
            QTimer.singleShot(0, self, self._forget_news)
        if not self.isVisible():
            self._stale = True
            return
        here = self.shown_clip_id
        if here is None:
            if not self.queue_side.waiting:
                self.queue_side.refresh()
                self._start()
            self.queue_side.refresh_soon()
        elif here in change.clip_ids:
            self._refresh()
            self.queue_side.refresh_clip(here)
        if here is not None and (here not in change.clip_ids or what != {"review"}):
            self._refresh_wanted |= not change.clip_ids
            self.queue_side.refresh_soon()

    @override
    def on_settings(self, settings: Settings) -> None:
        if (drafts := self.acts.drafts).reviewer not in {None, self.shell.session.reviewer}:
            drafts.commit_at_any_price(announce=True)
        self.opener.share_out()
        self._refresh()

    @override
    def close_page(self) -> None:
        self.acts.drafts.commit_at_any_price(announce=False)
        self.raw_keys.listen(None)
        self.commands.leave_full_screen()
        self.desk.close_desk()
        self.commands.saver.close()
        self.opener.close()
        self.calibrations.close()
        self.queue_side.close()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrangement.fit(self.width(), self.height())

    # -- clips ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Open the first unfinished clip, or say that there is none."""
        self.queue_side.show_rows()
        first = self.queue.next_id(None)
        if first is not None:
            self.open_clip(first)
        else:
            self._show_empty()

    @property
    @override
    def shown_clip_id(self) -> str | None:
        return self._state.clip.id if self._state is not None else None

    @property
    def awaited_clip_id(self) -> str | None:
        """The clip that is on the page and not read yet."""
        return self.shown_clip_id if self.desk.waiting else None

    @property
    def state(self) -> ReviewState | None:
        """The open clip as it stands; None where none is open."""
        return self._state

    def open_clip(self, clip_id: str) -> None:
        """Show a clip; what was being typed about the one before is stored first, or nothing happens."""
        at_work = self._pages.currentWidget() is self._work
        if clip_id == self.shown_clip_id and at_work and (self._opened is not None or self.desk.waiting):
            self._refresh()
            return
        if not self.acts.drafts.commit():
            return
        try:
            state = open_review(self.shell.session, clip_id)
        except VvlmError as error:
            self.shell.report(error)
            return
        # Nothing of the clip before is left, whatever happens on the way to this one.
        self._show_no_clip()
        self._pages.setCurrentWidget(self._work)
        if self.opener.at_hand(state.clip):
            self._open_now(state)
        else:
            self.desk.show_nothing("Reading the clip…", wait=True)
            self._show_state(state)
            self.opener.read(state.clip)
        self.side.show_form()
        if not self.queue_side.model.rowCount():
            self.queue_side.show_rows()
        self.queue_side.select(scroll=True)
        self.arrangement.close_drawer()
        self.setFocus()

    def _show_no_clip(self) -> None:
        self._state = self._opened = None
        self.acts.show_state(None)
        self.commands.ask_box.show_clip(None)
        self.desk.show_nothing()

    def _open_now(self, state: ReviewState) -> None:
        try:
            self._opened = self.opener.open(state.clip)
        except (VvlmError, OSError) as error:
            reason = error.reason if isinstance(error, ClipUnreadableError) else str(error)
            self.desk.show_nothing(reason, error.hint if isinstance(error, VvlmError) else "")
            self._show_state(state)
        else:
            self._show_opened(self._opened, state)

    def _on_read_ended(self, clip_id: str) -> None:
        if self._state is not None and clip_id == self._state.clip.id and self.desk.waiting:
            self._open_now(self._state)
        else:
            self._make_next_ready()

    def _show_opened(self, opened: OpenClip, state: ReviewState) -> None:
        model = self._timeline(opened, state)
        self._show_state(state)
        autoplay = self.shell.session.settings.autoplay == "event"
        self.desk.show_clip(opened, model, seen=seen_frames(opened.index, state), autoplay=autoplay)

    def _timeline(self, opened: OpenClip, state: ReviewState) -> TimelineModel:
        return timeline_model(self.shell.session.schema, state, opened.index, self.opener.curves(state.clip))

    def _show_state(self, state: ReviewState) -> None:
        session, self._state = self.shell.session, state
        self.acts.show_state(state)
        self.commands.ask_box.show_clip(state.clip)
        index = self._opened.index if self._opened is not None else None
        curves = self.calibrations.of(state.analysis)
        self.form.show_model(form_model(session.schema, state, index, calibration=curves))
        chance = self.queue.by_chance(state.clip.id)
        words = headline_model(session.schema, state, by_chance=chance, calibration=curves, settings=session.settings)
        self.desk.headline.show_model(words)
        self.side.show_clip(state.clip.id, answered=state.analysis is not None or not state.clip.readable)
        self.form.accept.setText("Next clip" if state.review.settled else "Accept the rest, next clip")
        self._on_tab_shown(self.side.tabs.currentIndex())
        self.tour.follow(state, session.schema)

    def _refresh(self, *, afresh: bool = False) -> None:
        """Show the open clip as it now stands in the library; `afresh` asks for another look at it."""
        before = self._state
        if before is None:
            return
        self._refresh_wanted = False
        try:
            state = open_review(self.shell.session, before.clip.id)
        except VvlmError as error:
            self.shell.report(error)
            return
        if state.review.status != before.review.status:
            self.queue_side.show_progress()
        afresh |= state.review.reviewer != before.review.reviewer or state.analysis_id != before.analysis_id
        self._show_state(state)
        if self._opened is not None:
            model = self._timeline(self._opened, state)
            self.desk.show_marks(model, seen=seen_frames(self._opened.index, state), afresh=afresh)

    def _make_next_ready(self) -> None:
        if self._state is None:
            return
        following = self.queue.next_id(self._state.clip.id)
        if following is None:
            return
        try:
            state = open_review(self.shell.session, following)
        except VvlmError:
            return  # said when it is opened
        self.opener.make_ready(state.clip, look_at=partial(first_look, self.shell.session.schema, state))

    def _on_finished(self, clip_id: str) -> None:
        self.commands.note_finished(clip_id)
        wanted = self.tour.next_clip_id(clip_id) if self.tour.running else None
        following = wanted or self.queue.next_id(clip_id)
        if following is None and not self.tour.running:
            self.queue_side.refresh()  # more may have come since it was read
            following = self.queue.next_id(clip_id)
        if following is not None:
            self.open_clip(following)
        elif self.tour.running and self._state is not None:
            self.tour.follow(self._state, self.shell.session.schema)
        else:
            self._show_empty()

    # -- empty states --------------------------------------------------------------------------------------------

    def _show_empty(self) -> None:
        self._show_no_clip()
        if self._empty is not None:
            self._pages.removeWidget(self._empty)
            self._empty.deleteLater()
        done, _ = self.queue.progress()
        self._empty = empty.nothing_to_review(self.shell, done=done, export=self.export_requested.emit)
        self._pages.addWidget(self._empty)
        self._pages.setCurrentWidget(self._empty)

    def _on_changed_meanwhile(self) -> None:
        self._refresh(afresh=True)

    def _on_caught_up(self) -> None:
        if self._state is None:
            self._start()
        elif self._refresh_wanted:
            self._refresh()

    def _forget_news(self) -> None:
        self._news = frozenset()

    def _on_tab_shown(self, number: int) -> None:
        if self._state is None:
            return
        if number == 1:
            self.side.raw.show_analyses(self._state.analyses)
        elif number == _HISTORY_TAB:
            session = self.shell.session
            self.side.history.show_events(session.schema, session.library.history(self._state.clip.id))

    def _on_record_requested(self, clip_id: str) -> None:
        if clip_id:
            self.open_clip(clip_id)
            self.side.tabs.setCurrentIndex(_HISTORY_TAB)

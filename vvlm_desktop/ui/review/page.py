"""The Review page: puts a clip, its form and the queue together and goes from one clip to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget
from typing_extensions import override

from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import ClipMissingError, ClipReplacedError, ClipUnreadableError, VvlmError
from vvlm_desktop.settings import Settings
from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.library.thumbnails import Thumbnails
from vvlm_desktop.ui.page import Page, Shell
from vvlm_desktop.ui.review import empty
from vvlm_desktop.ui.review.acts import ReviewActs
from vvlm_desktop.ui.review.commands import Commands
from vvlm_desktop.ui.review.desk import Desk
from vvlm_desktop.ui.review.drawer import Arrangement
from vvlm_desktop.ui.review.form.model import form_model, frame_of_pts
from vvlm_desktop.ui.review.form.panel import FormPanel
from vvlm_desktop.ui.review.headline import headline_model
from vvlm_desktop.ui.review.keys import RawKeys, review_actions
from vvlm_desktop.ui.review.open_clip import ClipOpener, OpenClip
from vvlm_desktop.ui.review.queue import QueueDesk
from vvlm_desktop.ui.review.queue_list import QueueList, QueueModel
from vvlm_desktop.ui.review.side import Side
from vvlm_desktop.ui.review.timeline_build import EVENT_TIME, timeline_model
from vvlm_desktop.ui.review.tour import Card, Tour
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
        self.opener = ClipOpener(shell.session)
        self.queue = QueueDesk(shell.session)
        self.desk = Desk()
        self.form = FormPanel()
        self.side = Side(self.form)
        self.queue_model = QueueModel(self.queue.items, self)
        self.thumbnails = Thumbnails(shell.session, parent=self)
        self.queue_list = QueueList(self.queue_model, picture_of=self.thumbnails.picture)
        self.thumbnails.made.connect(self.queue_list.repaint_pictures)
        self.acts = ReviewActs(shell, desk=self.desk, form=self.form, parent=self)
        self.tour = Tour(lambda: self.shell.session, self)
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
        form.text_committed.connect(acts.write)
        form.note_committed.connect(acts.write_note)
        form.accept_pressed.connect(acts.accept_rest)
        form.editor_closed.connect(self.setFocus)
        form.field_opened.connect(desk.clear_marked)
        desk.ready_changed.connect(form.accept.setEnabled)
        desk.settled.connect(self._make_next_ready)
        desk.transport.full_screen_pressed.connect(self.commands.toggle_full_screen)
        desk.headline.queue_button.clicked.connect(self.arrangement.toggle_drawer)
        desk.card.dismissed.connect(self.tour.stop)
        desk.go_to_box.editingFinished.connect(self.setFocus)
        acts.finished.connect(self._on_finished)
        acts.clip_wanted.connect(self.open_clip)
        self.commands.clip_wanted.connect(self.open_clip)
        acts.key_used.connect(self.tour.count_key)
        self.tour.card_changed.connect(self._on_card)
        self.queue_list.chosen.connect(self._on_queue_chosen)
        self.side.analyse_pressed.connect(self.commands.analyse)
        self.side.tab_shown.connect(self._on_tab_shown)
        self.export_requested.connect(self._on_export_requested)
        self.folder_requested.connect(self._on_folder_requested)
        self.record_requested.connect(self._on_record_requested)

    # -- the page in the window ----------------------------------------------------------------------------------

    @override
    def actions_here(self) -> Sequence[Action]:
        return review_actions(desk=self.desk, acts=self.acts, form=self.form, commands=self.commands)

    @override
    def activate(self, clip_id: str | None = None) -> None:
        self.raw_keys.listen(self.window())
        if clip_id is not None and (self._state is None or clip_id != self._state.clip.id):
            self.open_clip(clip_id)
        elif self._state is None:
            self._start()
        else:
            self._refresh()

    @override
    def deactivate(self) -> None:
        self.raw_keys.listen(None)
        self.desk.leave()

    @override
    def on_change(self, change: Change) -> None:
        if not change.what & {"clips", "analyses", "review"}:
            return
        if change.what & {"clips", "analyses"}:
            self.queue.refresh(current=self._state.clip.id if self._state is not None else None)
            self._reset_queue()
        else:
            self.queue_model.refresh()
        self.queue_list.show_progress(*self.queue.progress())
        if self._state is None:
            if self.isVisible():
                self._start()
        elif not change.clip_ids or self._state.clip.id in change.clip_ids:
            self._refresh()

    @override
    def on_settings(self, settings: Settings) -> None:
        if self._state is not None:
            self._refresh()  # another reviewer has another review

    @override
    def close_page(self) -> None:
        self.raw_keys.listen(None)
        self.desk.close_desk()
        self.opener.close()
        self.thumbnails.close()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        self.close_page()
        super().closeEvent(event)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrangement.fit(self.width(), self.height())

    # -- clips ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Open the first unfinished clip, or say that there is none."""
        self._reset_queue()
        self.queue_list.show_progress(*self.queue.progress())
        first = self.queue.next_id(None)
        if first is not None:
            self.open_clip(first)
        else:
            self._show_empty()

    @property
    def state(self) -> ReviewState | None:
        """The open clip as it stands; None where none is open."""
        return self._state

    def open_clip(self, clip_id: str) -> None:
        """Show a clip."""
        if self._state is not None and self._state.clip.id == clip_id and self._pages.currentWidget() is self._work:
            self._refresh()
            return
        session = self.shell.session
        try:
            state = open_review(session, clip_id)
        except VvlmError as error:
            self.shell.report(error)
            return
        self._show_work()
        if not self.queue_model.rowCount():
            self._reset_queue()
        self._state = state
        try:
            self._opened = self.opener.open(state.clip)
        except (ClipUnreadableError, ClipMissingError, ClipReplacedError) as error:
            self._opened = None
            reason = error.reason if isinstance(error, ClipUnreadableError) else str(error)
            self.desk.show_nothing(reason, error.hint)
            self._show_state(state)
        else:
            self._show_opened(self._opened, state)
        self.side.show_form()
        self.queue_list.show_progress(*self.queue.progress())
        self.queue_list.select(self.queue.row_of(clip_id))
        self.arrangement.close_drawer()
        self.setFocus()

    def _show_opened(self, opened: OpenClip, state: ReviewState) -> None:
        session = self.shell.session
        model = timeline_model(session.schema, state, opened.index, self.opener.curves(state.clip))
        seen = state.analysis.frames_pts if state.analysis is not None else ()
        frames = tuple(frame_of_pts(opened.index, pts) for pts in seen)
        self._show_state(state)
        self.desk.show_clip(opened, model, seen=frames, autoplay=session.settings.autoplay == "event")

    def _show_state(self, state: ReviewState) -> None:
        session = self.shell.session
        self._state = state
        self.acts.show_state(state)
        index = self._opened.index if self._opened is not None else None
        self.form.show_model(form_model(session.schema, state, index))
        chance = self.queue.by_chance(state.clip.id)
        self.desk.headline.show_model(headline_model(session.schema, state, by_chance=chance))
        self.side.banner.setVisible(state.analysis is None and state.clip.readable)
        self.form.accept.setText("Next clip" if state.review.settled else "Accept the rest, next clip")
        self._on_tab_shown(self.side.tabs.currentIndex())
        self.tour.follow(state, session.schema)

    def _refresh(self) -> None:
        """Show the open clip as it now stands in the library."""
        if self._state is None:
            return
        try:
            state = open_review(self.shell.session, self._state.clip.id)
        except VvlmError as error:
            self.shell.report(error)
            return
        self._show_state(state)
        if self._opened is not None:
            curves = self.opener.curves(state.clip)
            self.desk.show_marks(timeline_model(self.shell.session.schema, state, self._opened.index, curves))

    def _make_next_ready(self) -> None:
        if self._state is None:
            return
        following = self.queue.next_id(self._state.clip.id)
        if following is None:
            return
        state = open_review(self.shell.session, following)
        span = state.labels.get(EVENT_TIME)
        candidates = [c for analysis in state.analyses for c in analysis.candidates]
        at_ms = span["end_ms"] if isinstance(span, dict) else 0
        if not isinstance(span, dict) and candidates:
            best = max(candidates, key=lambda c: c.score)
            at_ms = (best.start_ms + best.end_ms) // 2
        self.opener.make_ready(state.clip, at_ms=at_ms)

    def _on_finished(self, clip_id: str) -> None:
        self.commands.note_finished(clip_id)
        wanted = self.tour.next_clip_id(clip_id) if self.tour.running else None
        following = wanted or self.queue.next_id(clip_id)
        if following is not None:
            self.open_clip(following)
        elif self.tour.running and self._state is not None:
            self.tour.follow(self._state, self.shell.session.schema)
        else:
            self._show_empty()

    # -- empty states --------------------------------------------------------------------------------------------

    def _show_empty(self) -> None:
        self._state = self._opened = None
        self.acts.show_state(None)
        self.desk.show_nothing()
        library = self.shell.session.library
        if self._empty is not None:
            self._pages.removeWidget(self._empty)
            self._empty.deleteLater()
        if library.count_clips() == 0:
            self._empty = empty.no_clips(self.shell)
        else:
            done, _ = self.queue.progress()
            unreadable = library.count_clips(ClipFilter(readable=False))
            export = self.export_requested.emit
            self._empty = empty.queue_done(self.shell, done=done, unreadable=unreadable, export=export)
        self._pages.addWidget(self._empty)
        self._pages.setCurrentWidget(self._empty)

    def _show_work(self) -> None:
        self._pages.setCurrentWidget(self._work)

    def _reset_queue(self) -> None:
        self.queue_model.reset(len(self.queue))
        if self._state is not None:
            self.queue_list.select(self.queue.row_of(self._state.clip.id))

    # -- what happens --------------------------------------------------------------------------------------------

    def _on_queue_chosen(self, clip_id: str) -> None:
        self.open_clip(clip_id)

    def _on_tab_shown(self, number: int) -> None:
        if self._state is None:
            return
        if number == 1:
            self.side.raw.show_analyses(self._state.analyses)
        elif number == _HISTORY_TAB:
            session = self.shell.session
            self.side.history.show_events(session.schema, session.library.history(self._state.clip.id))

    def _on_export_requested(self) -> None:
        self.shell.registry.action("clips.export").trigger()

    def _on_folder_requested(self) -> None:
        self.shell.registry.action("clips.add_folder").trigger()

    def _on_record_requested(self, clip_id: str) -> None:
        if clip_id:
            self.open_clip(clip_id)
            self.side.tabs.setCurrentIndex(_HISTORY_TAB)

    def _on_card(self, card: Card | None) -> None:
        if card is None:
            self.desk.card.hide()
            return
        offers: tuple[tuple[str, Callable[[], object]], ...] = ()
        if card.end:
            offers = (
                ("Show record", lambda: self.record_requested.emit(self.tour.corrected_clip_id)),
                ("Export", self.export_requested.emit),
                ("Open my folder", self.folder_requested.emit),
            )
        # After the layout of a clip that was just opened.
        QTimer.singleShot(0, self, lambda: self.desk.card.show_card(card.step, card.words, card.more, offers))

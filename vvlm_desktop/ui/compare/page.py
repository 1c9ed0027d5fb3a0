"""The Compare page: puts two answers, their clips, one player and the agreement together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSplitter, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.compare import empty
from vvlm_desktop.ui.compare.agreement import AgreementPanel
from vvlm_desktop.ui.compare.clip_list import ClipList
from vvlm_desktop.ui.compare.field_list import FieldList
from vvlm_desktop.ui.compare.field_rows import FieldRow, Side, field_rows
from vvlm_desktop.ui.compare.head import CompareHead
from vvlm_desktop.ui.compare.narrowing import Narrowing
from vvlm_desktop.ui.compare.reader import Counted, Reader
from vvlm_desktop.ui.compare.run_both import RunBoth
from vvlm_desktop.ui.compare.sides import LETTERS
from vvlm_desktop.ui.compare.viewer import PairViewer
from vvlm_desktop.ui.page import Page, Shell
from vvlm_desktop.ui.review.calibrations import Calibrations
from vvlm_desktop.ui.scope import SCOPES, Scope
from vvlm_desktop.ui.widgets.empty_state import EmptyState
from vvlm_desktop.ui.widgets.labels import rule
from vvlm_desktop.workflow.agreement import Tally
from vvlm_desktop.workflow.answerers import Answerers, Source, read_pair
from vvlm_desktop.workflow.comparing import Comparison

#: While a batch runs its answers are announced once a second; counting them all again takes longer than that.
_REFRESH_MS = 1_500
#: From this width on: how wide the list and the fields are.
_WIDTHS = ((1240, (220, 340)), (1100, (184, 316)), (0, (160, 262)))
_AGREEMENT_PX = 214


class ComparePage(Page):
    """Where two answers about the same clips are compared. It stores nothing."""

    page_id = "compare"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        session = shell.session
        self._answerers: Answerers | None = None
        self._tally = Tally.empty(session.schema)
        self._narrowing: Narrowing | None = None
        self._beside: tuple[Comparison | None, ...] = ()  # A with each that stands beside A and B
        self._wanted_sources: tuple[Source, Source] | None = None  # shown as soon as both have answered
        self._wanted_clip: str | None = None
        self._stale = True
        self._found_in = SCOPES[0]  # the clips that the offered answerers are counted over
        self.reader = Reader(session, self)
        self.calibrations = Calibrations(shell, self)
        self.run_both = RunBoth(shell, self)
        self.head = CompareHead()
        self.clips = ClipList(session.schema)
        self.viewer = PairViewer(session)
        self.fields = FieldList(self._field_rows)
        self.agreement = AgreementPanel(session.schema)
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(_REFRESH_MS)
        self._refresh.timeout.connect(self.reload)
        self._empty: QWidget | None = None
        self._lay_out()
        self._connect()
        self._show_empty(empty.reading())

    def _lay_out(self) -> None:
        upper = QWidget()
        row = QHBoxLayout(upper)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for widget in (self.clips, rule(vertical=True), self.viewer, rule(vertical=True), self.fields):
            row.addWidget(widget, 1 if widget is self.viewer else 0)
        self._work = QSplitter(Qt.Orientation.Vertical)
        self._work.setChildrenCollapsible(False)
        self._work.addWidget(upper)
        self._work.addWidget(self.agreement)
        self._work.setStretchFactor(0, 1)
        self._work.setStretchFactor(1, 0)
        self.agreement.setMinimumHeight(theme.px(120))
        self._body = QStackedWidget()
        self._body.addWidget(self._work)
        # The widths of list and fields follow that of the page, which therefore must not follow theirs.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(rule())
        column.addWidget(self._body, 1)

    def _connect(self) -> None:
        self.reader.answerers_found.connect(self._on_answerers)
        self.reader.tallied.connect(self._on_tallied)
        self.reader.progressed.connect(self._on_progressed)
        self.reader.failed.connect(self._on_failed)
        self.calibrations.changed.connect(self.fields.refresh)
        self.head.changed.connect(self._on_choice)
        self.head.run_pressed.connect(self.run)
        self.run_both.chosen.connect(self._on_run_chosen)
        self.clips.chosen.connect(self.open_clip)
        self.clips.cleared.connect(self.show_all)
        self.agreement.narrowed.connect(self.narrow)

    # -- what the window asks of a page

    @override
    def actions_here(self) -> Sequence[Action]:
        def here() -> bool:
            return self.viewer.pair is not None

        def action(name: str, text: str, run: Callable[[], object], key: str, *, repeat: bool = False) -> Action:
            return Action(f"compare.{name}", text, run, (key,), "compare", "Compare", auto_repeat=repeat, enabled=here)

        step = self.viewer.playback.step
        return [
            action("next", "Next clip", lambda: self.step_clip(1), "N", repeat=True),
            action("previous", "Previous clip", lambda: self.step_clip(-1), "P", repeat=True),
            action("field_down", "Next field", lambda: self.fields.step(1), "Down", repeat=True),
            action("field_up", "Previous field", lambda: self.fields.step(-1), "Up", repeat=True),
            action("unfold", "Show or hide fields without a difference", self.fields.unfold, "F"),
            action("review", "Open the clip in Review", self._open_in_review, "Return"),
            action("play", "Play or pause", self.viewer.toggle, "Space"),
            action("frame_on", "One frame on", lambda: step(1), "Right", repeat=True),
            action("frame_back", "One frame back", lambda: step(-1), "Left", repeat=True),
            action("frames_a", "Only the frames that A saw", lambda: self.viewer.show_side(0), "1"),
            action("frames_b", "Only the frames that B saw", lambda: self.viewer.show_side(1), "2"),
            action("copy", "Copy the numbers", self.agreement.copy_numbers, "Ctrl+Shift+C"),
            Action("compare.all", "Show all clips", self.show_all, ("Ctrl+L",), "compare", "Compare"),
            Action(
                "compare.run", "Run model and adapter on these clips", self.run, (), "compare", "Compare", "analyse"
            ),
        ]

    @override
    def activate(self, clip_id: str | None = None) -> None:
        self.setFocus()  # or the first box would have the keys
        if clip_id is not None:
            self._wanted_clip = clip_id
        if self._stale:
            self.reload()
        elif clip_id is not None:
            self.open_clip(clip_id)

    @override
    def show_scope(self, scope: Scope) -> None:
        self._narrowing = None
        if scope.sources is not None and len(scope.sources) == len(LETTERS):
            self._wanted_sources = (scope.sources[0], scope.sources[1])
        self.head.choose_scope(scope)
        self._stale = True
        if self.isVisible():
            self.reload()

    def _compare_all(self) -> None:
        self.show_scope(SCOPES[0])

    @override
    def deactivate(self) -> None:
        self.viewer.leave()

    @override
    def on_change(self, change: Change) -> None:
        if not change.what & {"clips", "analyses", "review"}:
            return
        self._stale = True
        self.calibrations.note(change)
        if self.isVisible() and not self._refresh.isActive():
            self._refresh.start()

    @property
    @override
    def shown_clip_id(self) -> str | None:
        return self.viewer.pair.clip.id if self.viewer.pair is not None else None

    @override
    def close_page(self) -> None:
        self._refresh.stop()
        self.run_both.close()
        self.reader.close()
        self.calibrations.close()
        self.viewer.close_viewer()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        list_px, fields_px = next(sides for least, sides in _WIDTHS if self.width() >= theme.px(least))
        self.clips.setFixedWidth(theme.px(list_px))
        self.fields.setFixedWidth(theme.px(fields_px))
        self.viewer.transport.set_compact(self.width() < theme.px(_WIDTHS[0][0]))
        self.viewer.transport.pts.setVisible(self.width() >= theme.px(_WIDTHS[1][0]))
        lower = theme.px(_AGREEMENT_PX) if self.height() > theme.px(760) else theme.px(170)
        self._work.setSizes([max(1, self._work.height() - lower), lower])

    # -- reading

    def reload(self) -> None:
        """Read who answered, and count again."""
        if self.reader.busy:
            self._refresh.start()
            return
        self._stale = False
        self._found_in = self.head.chosen_scope
        self.reader.find(self._found_in)

    def _on_answerers(self, answerers: Answerers) -> None:
        self._answerers = answerers
        self.head.show_answerers(answerers, wanted=self._wanted_sources)
        if self.head.sources == self._wanted_sources:
            self._wanted_sources = None
        if self.head.sources is None:
            self._show_pair(None)
            self._show_empty(self._nothing(answerers))
        else:
            self._count()

    def _count(self) -> None:
        if self.head.sources is not None:
            self.reader.tally(self.head.sources, self.head.chosen_scope, more=self.head.more.sources)

    def _nothing(self, answerers: Answerers) -> EmptyState:
        scope = self.head.chosen_scope
        if scope.chosen is not None:
            return empty.none_in_choice(scope.title, run=self.run, show_all=self._compare_all)
        return empty.nothing_to_compare(self.shell, answerers, run=self.run)

    def _on_choice(self) -> None:
        self._narrowing = None
        if self._found_in.chosen != self.head.chosen_scope.chosen:
            self.reload()
        elif self._answerers is not None:
            self._count()

    def _on_tallied(self, counted: Counted) -> None:
        self._tally = tally = counted.tally
        if not tally.lines:
            self._show_pair(None)
            self._show_empty(empty.none_in_scope(self.head.chosen_scope.title, show_all=self._compare_all))
            return
        self._body.setCurrentWidget(self._work)
        sources = (*(self.head.sources or ()), *self.head.more.sources)
        self.agreement.show_tally(tally, sources=sources, more=counted.more)
        self.clips.show_lines(tally.lines, self._narrowing)
        wanted = self._wanted_clip or self.shown_clip_id
        self._wanted_clip = None
        self.open_clip(
            wanted if wanted is not None and self.clips.row_of(wanted) is not None else tally.lines[0].clip_id
        )

    def _on_progressed(self, fraction: float) -> None:
        """Said only where nothing is shown yet, or where it takes its time."""
        self.agreement.show_reading(fraction)
        if isinstance(self._empty, EmptyState) and self._body.currentWidget() is self._empty:
            self._empty.show_words("One moment", f"Comparing the answers… {fraction:.0%}", enabled=False)

    def _on_failed(self, error: VvlmError) -> None:
        self.shell.report(error)

    # -- clips

    def open_clip(self, clip_id: str) -> None:
        """Show the two answers about a clip."""
        sources = self.head.sources
        if sources is None:
            return
        session = self.shell.session
        try:
            clip = session.library.clip(clip_id)
            pair = read_pair(session, clip, sources)
            beside = tuple(read_pair(session, clip, (sources[0], source)) for source in self.head.more.sources)
        except VvlmError as error:
            self.shell.report(error)
            return
        self._show_pair(pair, beside)
        self.clips.select(clip_id)

    def _show_pair(self, pair: Comparison | None, beside: tuple[Comparison | None, ...] = ()) -> None:
        self._beside = beside if pair is not None else ()
        titles = [source.title for source in (*(self.head.sources or ()), *self.head.more.sources)]
        self.viewer.show_pair(pair, titles, beside=self._beside)
        self.fields.show_truth(pair)
        self.fields.refresh()

    def _field_rows(self, unfolded: bool) -> Sequence[FieldRow]:
        pair = self.viewer.pair
        if pair is None:
            return ()
        sides = [
            Side(0, pair, self.calibrations.of(pair.a)),
            Side(1, pair, self.calibrations.of(pair.b)),
            *(Side(1, each, self.calibrations.of(each.b) if each is not None else None) for each in self._beside),
        ]
        return field_rows(self.shell.session.schema, sides, unfolded=unfolded)

    def step_clip(self, step: int) -> None:
        """The next clip of the list, or the previous one."""
        here = self.shown_clip_id
        following = self.clips.neighbour(here, step) if here is not None else None
        if following is not None:
            self.open_clip(following)

    def narrow(self, narrowing: Narrowing) -> None:
        """List only some of the clips, and open the first of them."""
        self._narrowing = narrowing
        self.clips.show_lines(self._tally.lines, narrowing)
        if self.clips.lines:
            self.open_clip(self.clips.lines[0].clip_id)
            self.fields.mark(narrowing.field_key or narrowing.marked)

    def show_all(self) -> None:
        """List all clips again."""
        self._narrowing = None
        self.clips.show_lines(self._tally.lines, None)
        if self.shown_clip_id is not None:
            self.clips.select(self.shown_clip_id)

    def _open_in_review(self) -> None:
        if self.shown_clip_id is not None:
            self.shell.navigate("review", self.shown_clip_id)

    # -- having both made

    def run(self) -> None:
        """Have the chosen model answer about these clips with and without its adapter."""
        session = self.shell.session
        rows = session.library.clip_rows(self.head.chosen_scope.rowids(session))
        self.run_both.start([row.clip for row in rows if row.clip.readable])

    def _on_run_chosen(self, sources: tuple[Source, Source]) -> None:
        """Whoever has both made wants to see both."""
        self._wanted_sources = sources
        self.reload()

    def _show_empty(self, state: QWidget) -> None:
        if self._empty is not None:
            self._body.removeWidget(self._empty)
            self._empty.deleteLater()
        self._empty = state
        self._body.addWidget(state)
        self._body.setCurrentWidget(state)

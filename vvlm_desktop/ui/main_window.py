"""The one window: rail, pages, problems, status bar; what pages share goes through here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.settings import Settings, save_settings
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import ActionRegistry
from vvlm_desktop.ui.bar_facts import BarFacts
from vvlm_desktop.ui.choice import status_words
from vvlm_desktop.ui.clip_jobs import ClipJobs
from vvlm_desktop.ui.drop_window import DropWindow
from vvlm_desktop.ui.errors_view import Problem, ProblemBar, kept_settings_problem, problem_from
from vvlm_desktop.ui.export.flow import ExportFlow
from vvlm_desktop.ui.file_choosing import choose_files, choose_folder
from vvlm_desktop.ui.finders import find_clips, find_settings
from vvlm_desktop.ui.keys_sheet import KeysSheet
from vvlm_desktop.ui.models.choice_menu import ChoiceMenu
from vvlm_desktop.ui.page import Page
from vvlm_desktop.ui.page_list import PAGES, PageSpec
from vvlm_desktop.ui.palette import Palette, find_actions
from vvlm_desktop.ui.rail import Rail
from vvlm_desktop.ui.sheet import Question, Sheet
from vvlm_desktop.ui.status_bar import StatusBar
from vvlm_desktop.ui.tasks import Tasks
from vvlm_desktop.ui.training.going_on import RunFinder
from vvlm_desktop.ui.widgets.focus_keys import FocusKeys
from vvlm_desktop.ui.window_actions import window_actions
from vvlm_desktop.ui.window_place import WindowPlace
from vvlm_desktop.ui.words import shown
from vvlm_desktop.workflow.keys import Keys

if TYPE_CHECKING:
    from vvlm_desktop.domain.clip import Clip
    from vvlm_desktop.ui.choice import Choice
    from vvlm_desktop.ui.models.questions import Questions
    from vvlm_desktop.ui.scope import Scope
    from vvlm_desktop.workflow.session import Session

#: Settings that take another library or schema: everything is built again.
_REOPENS = ("library_dir", "schema_file")


class MainWindow(DropWindow):
    """The window on a session. It owns the session from now on and closes it when it closes."""

    def __init__(
        self,
        session: Session,
        *,
        look: theme.Theme,
        reopen: Callable[..., Session],
        pages: Sequence[PageSpec] = PAGES,
    ) -> None:
        super().__init__()
        self._session = session
        self._look = look
        self._reopen = reopen
        self._specs = {spec.id: spec for spec in pages}
        self._pages: dict[str, Page] = {}
        self._current: str | None = None
        self._shown_once = False
        self._tasks = Tasks(self)
        self._registry = ActionRegistry(self)
        self._keys_sheet: KeysSheet | None = None
        self._place_on_screen = WindowPlace(self)
        self.keys = Keys()
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._focus_keys = FocusKeys(app, self)
        self._build()
        self._jobs = ClipJobs(self, self)
        self._export = ExportFlow(self, self)
        self._choice_menu = ChoiceMenu(self, self)
        self._facts = BarFacts(self, self.status, self)
        self._run_finder = RunFinder(self, lambda: self._page("training"), self)
        self._registry.add(window_actions(self, pages))
        self._place_on_screen.restore()
        self.navigate(next(iter(self._specs)))

    # -- what pages may ask for (ui.page.Shell)

    @property
    def session(self) -> Session:
        """The open library, schema, settings and reviewer."""
        return self._session

    @property
    def registry(self) -> ActionRegistry:
        """All actions."""
        return self._registry

    @property
    def tasks(self) -> Tasks:
        """What runs."""
        return self._tasks

    @property
    def jobs(self) -> ClipJobs:
        """Adding and analysing."""
        return self._jobs

    @property
    def questions(self) -> Questions:
        """What was asked about clips."""
        return self._jobs.questions

    @property
    def place(self) -> tuple[str, str | None]:
        """The page that is shown, and the clip that is looked at there."""
        page = self._pages.get(self._current or "")
        return self._current or "", page.shown_clip_id if page is not None else None

    def navigate(self, page_id: str, clip_id: str | None = None) -> None:
        """Show a page, on a clip."""
        page = self._page(page_id)
        if self._current != page_id:
            if self._current is not None and self._current in self._pages:
                self._pages[self._current].deactivate()
            self._current = page_id
            self._stack.setCurrentWidget(page)
            self._rail.show_page(page_id)
            self._registry.show_page(page_id)
            if self._keys_sheet is not None:
                self._keys_sheet.close()
        page.activate(clip_id)
        # It may be hidden by now, such as the button of an empty page; then no key would reach anything.
        focused = self.focusWidget()
        if focused is None or not (page.isAncestorOf(focused) and focused.isVisible()):
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def report(self, problem: Problem | VvlmError) -> None:
        """Present a problem over the page; news that nobody has to act on goes to the status bar."""
        said = problem if isinstance(problem, Problem) else problem_from(problem)
        if said.tone == "good" and said.do is None:
            self.status.show_news(said.sentence)
        else:
            self.problems.show_problem(said)

    def ask(self, question: Question) -> None:
        """Ask something over the whole window."""
        self.sheet.ask(question)

    def announce(self, change: Change) -> None:
        """Tell every page what a write changed."""
        self._facts.on_change(change)
        for page in tuple(self._pages.values()):
            page.on_change(change)

    def change_settings(self, settings: Settings) -> bool:
        """Save and apply other settings at once; what prevents it is reported."""
        refused = self.try_settings(settings)
        if refused is not None:
            self.report(refused)
        return refused is None

    def try_settings(self, settings: Settings) -> VvlmError | None:
        """Save and apply other settings at once; the old ones stay in force where that fails."""
        before = self._session.settings
        if settings == before:
            return None
        replacement: Session | None = None
        try:
            if any(getattr(settings, name) != getattr(before, name) for name in _REOPENS):
                replacement = self._reopened(settings)
            kept = save_settings(settings)
        except VvlmError as error:
            if replacement is not None:
                replacement.close()
            return error
        if replacement is not None:
            self._replace_session(replacement)
        else:
            self._session.settings = settings
            if settings.reviewer != before.reviewer:
                from vvlm_desktop.workflow.session import default_reviewer

                self._session.reviewer = settings.reviewer.strip() or default_reviewer()
        if settings.theme != before.theme:
            self._look.choose(settings.theme)
        self.status.show_backend(status_words(settings))
        for page in tuple(self._pages.values()):
            page.on_settings(settings)
        if kept is not None:
            self.report(kept_settings_problem(kept))
        if settings.library_dir != before.library_dir:
            self.report(Problem(f"The library is now {shown(str(self._session.library.folder))}.", tone="good"))
        return None

    def _reopened(self, settings: Settings) -> Session:
        """A session with `settings`, in the same library and for the same reviewer unless they name another.

        The program may have been started for a library and a reviewer that the settings do not name.
        """
        now = self._session
        return self._reopen(
            settings,
            library_dir=now.library.folder if settings.library_dir == now.settings.library_dir else None,
            reviewer=now.reviewer if settings.reviewer == now.settings.reviewer else None,
        )

    def add_paths(self, given: Sequence[Path]) -> None:
        """Add files and folders in the background."""
        if given:
            self._jobs.add(given)

    def add_samples(self) -> None:
        """Make and add the sample clips in the background."""
        self._jobs.add_samples()

    def analyse(self, clips: Sequence[Clip], *, choice: Choice | None = None) -> None:
        """Analyse clips in the background."""
        self._jobs.analyse(clips, choice=choice)

    def analyse_with(self, clips: Sequence[Clip]) -> None:
        """Let the user choose what to analyse clips with, for this time."""
        self._choice_menu.ask(clips)

    def compare(self, scope: Scope) -> None:
        """Compare answers over some of the clips."""
        self._page("compare").show_scope(scope)
        self.navigate("compare")

    def train_on(self, scope: Scope) -> None:
        """Make the next training set of only some of the clips."""
        self.navigate("training")
        self._page("training").show_scope(scope)

    def list_clips(self, scope: Scope) -> None:
        """Show only some of the clips in the library."""
        self._page("library").show_scope(scope)
        self.navigate("library")

    def show_changing(self) -> None:
        """List the clips that would change with another adapter."""
        self.navigate("library")
        self._registry.action("library.would_change").trigger()

    def analyse_new(self) -> None:
        """Analyse every readable clip that has no analysis by what the settings choose."""
        self._jobs.analyse_new()

    def ask_for_files(self) -> None:
        """Let the user choose files to add."""
        self.add_paths(choose_files(self))

    def ask_for_folder(self) -> None:
        """Let the user choose a folder to add."""
        self.add_paths(choose_folder(self))

    def ask_for_export(self) -> None:
        """Let the user choose what to export, and as what."""
        self._export.ask()

    def search_clips(self) -> None:
        """Go to the library's search, from wherever one is."""
        self.navigate("library")
        self._page("library").start_search()

    def show_palette(self) -> None:
        """Open the command palette."""
        self.palette_line.open()

    def switch_theme(self) -> None:
        """Dark becomes light, light dark."""
        other = "light" if theme.tokens().name == "dark" else "dark"
        self.change_settings(self._session.settings.model_copy(update={"theme": other}))

    def show_surroundings(self, visible: bool) -> None:
        """Rail and status bar give way to a picture in full screen."""
        self._rail.setVisible(visible)
        self.status.setVisible(visible)

    def show_keys(self, *, all_pages: bool = False) -> None:
        """Show the keys of the current page, or of all."""
        for page_id in self._specs if all_pages else ():
            self._page(page_id)
        title = None if all_pages or self._current is None else self._specs[self._current].title
        self._keys_sheet = KeysSheet(self._registry, page_title=title, parent=self)
        self._keys_sheet.destroyed.connect(self._on_keys_sheet_gone)
        self._keys_sheet.show()

    # -- building

    def _build(self) -> None:
        self.setWindowTitle("VVLM Desktop")
        self.setMinimumSize(theme.px(960), theme.px(600))
        central = QWidget()
        outer = QVBoxLayout(central)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        self._rail = Rail()
        for number, spec in enumerate((spec for spec in self._specs.values() if spec.in_rail), start=1):
            self._rail.add_page(spec.id, spec.icon, spec.title, key=f"Ctrl+{number}", at_end=spec.at_end)
        self._rail.chosen.connect(self.navigate)
        column = QVBoxLayout()
        column.setSpacing(0)
        self.problems = ProblemBar()
        self._stack = QStackedWidget()
        column.addWidget(self.problems)
        column.addWidget(self._stack, 1)
        row.addWidget(self._rail)
        row.addLayout(column, 1)
        outer.addLayout(row, 1)
        self.status = StatusBar(self._tasks, backend=status_words(self._session.settings))
        outer.addWidget(self.status)
        self.status.ledger_pressed.connect(lambda: self.navigate("ledger"))
        self.status.gpu_pressed.connect(lambda: self.navigate("models"))
        self.setCentralWidget(central)
        finders = [find_actions(self._registry), find_settings(self), find_clips(self)]
        self.palette_line = Palette(finders, parent=central)
        self.sheet = Sheet(central)
        self._take_drops(central)

    def _page(self, page_id: str) -> Page:
        page = self._pages.get(page_id)
        if page is None:
            page = self._specs[page_id].build(self)
            page.setAccessibleName(self._specs[page_id].title)
            self._pages[page_id] = page
            self._stack.addWidget(page)
            self._registry.add(page.actions_here())
        return page

    def _replace_session(self, session: Session) -> None:
        """Another library or schema: pages and jobs of the old one end before the new ones begin."""
        current = self._current or next(iter(self._specs))
        self.sheet.close_all()
        self._jobs.close()
        self._export.close()
        self._drop_pages()
        self._session.close()
        self._session = session
        self._jobs = ClipJobs(self, self)
        self._facts.look_at_ledger()
        self._current = None
        self.navigate(current)
        self._jobs.resume()
        self._run_finder.look()

    def _drop_pages(self) -> None:
        for page_id, page in self._pages.items():
            page.close_page()
            self._registry.remove_page(page_id)
            self._stack.removeWidget(page)
            page.deleteLater()
        self._pages.clear()

    # -- what Qt says

    def _on_keys_sheet_gone(self) -> None:
        self._keys_sheet = None

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._shown_once:
            self._shown_once = True
            # After the first paint: what loads the decoder must not delay the window.
            QTimer.singleShot(300, self._after_first_paint)

    def _after_first_paint(self) -> None:
        if self.isVisible():
            self._facts.start()
            self._jobs.resume()
            self._run_finder.look()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask nothing, lose nothing: every verdict was stored when it was made."""
        self._place_on_screen.keep()
        self.sheet.close_all()
        if self._keys_sheet is not None:
            self._keys_sheet.close()
        # What runs is told to stop and waited for; nobody has to look at the window meanwhile.
        self._export.cancel()
        self.hide()
        self._jobs.close()
        self._export.close()
        self._choice_menu.close()
        self._facts.close()
        self._run_finder.close()
        self._drop_pages()
        self._current = None
        self._session.close()
        super().closeEvent(event)

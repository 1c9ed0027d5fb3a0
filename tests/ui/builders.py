"""Clips, rows and a window's stand-in for tests of single widgets."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

from PySide6.QtWidgets import QWidget

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import CloudError
from vvlm_desktop.store.library import ClipFilter, ClipRow
from vvlm_desktop.ui.actions import ActionRegistry
from vvlm_desktop.ui.page import Page
from vvlm_desktop.ui.tasks import Tasks
from vvlm_desktop.workflow.keys import Key
from vvlm_desktop.workflow.session import Session


class BlankPage(Page):
    """A page with nothing on it that remembers what it was told."""

    page_id = "review"

    def __init__(self, shell) -> None:
        super().__init__(shell)
        self.opened: list[str | None] = []
        self.changes: list = []
        self.closed = False

    def activate(self, clip_id=None) -> None:
        self.opened.append(clip_id)

    def on_change(self, change) -> None:
        self.changes.append(change)

    def close_page(self) -> None:
        self.closed = True


def clip(number: int = 1, **changes) -> Clip:
    """A readable clip whose id and name follow from `number`."""
    sha256 = f"{number:064x}"[::-1]
    base = Clip(
        id=sha256[:16],
        path=f"/clips/van/clip_{number:04}.mp4",
        sha256=sha256,
        stream_index=0,
        size_bytes=1000,
        frames=300,
        duration_s=10.0 + number,
        fps=30.0,
        width=1280,
        height=720,
        codec="h264",
        has_audio=True,
        keyframes=10,
        status="needs_review",
        problem=None,
        recording="r",
        added_at="2026-01-02T03:04:05.000Z",
    )
    return replace(base, **changes)


def broken_clip(number: int = 9, problem: str = "There is no video in this file.") -> Clip:
    return clip(number, frames=0, duration_s=0.0, fps=None, width=0, height=0, codec="", keyframes=0, problem=problem)


def row(number: int = 1, *, labels: Mapping | None = None, of: Clip | None = None, **changes) -> ClipRow:
    base = ClipRow(
        rowid=number,
        clip=of or clip(number),
        labels=labels or {},
        source="analysis" if labels else None,
        confidence=None,
        attention=None,
        analysed=bool(labels),
        backend="signals" if labels else None,
        reviewer=None,
        updated_at="",
    )
    return replace(base, **changes)


def analysis(session: Session, of: Clip, labels: Mapping, **changes) -> Analysis:
    base = Analysis(
        id=f"a-{of.id}",
        clip_id=of.id,
        backend="signals",
        model="signals-1",
        adapter=None,
        created_at="2026-01-02T03:05:00.000Z",
        schema_key=session.schema.key,
        schema_labels_sha=session.schema.labels_sha,
        schema_wording_sha=session.schema.wording_sha,
        prompt_sha=None,
        provenance="measurement",
        labels=labels,
        confidence={},
        confidence_kind=None,
        frames_pts=(0, 100),
        raw_text="",
    )
    return replace(base, **changes)


class FakeLists:
    """Row ids and pages without a database; counts what is read."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pages_read: list[int] = []
        self.asked: list[tuple[str, bool]] = []

    def clip_rowids(self, filter: ClipFilter | None = None, *, sort="added", descending=False) -> array:  # noqa: A002
        self.asked.append((sort, descending))
        numbers = range(self.count, 0, -1) if descending else range(1, self.count + 1)
        return array("q", numbers)

    def clip_rows(self, rowids) -> list[ClipRow]:
        self.pages_read.append(rowids[0])
        return [row(rowid) for rowid in rowids]


class NoPictures:
    """A source of thumbnails that has none."""

    def picture(self, row):
        return None


class FakeKeys:
    """Keys without environment or keychain; `keychain` None is a computer that has none."""

    def __init__(self) -> None:
        self.session: dict[str, str] = {}
        self.keychain: dict[str, str] | None = {}

    def find(self, name):
        if name in self.session:
            return Key(self.session[name], "session", "typed in, for this session only")
        if name in (self.keychain or {}):
            return Key(self.keychain[name], "keychain", "the system's keychain")
        return None

    def use_for_this_session(self, name, value) -> None:
        self.session[name] = value

    def store(self, name, value) -> None:
        if self.keychain is None:
            raise CloudError("The key could not be kept in the system's keychain.", hint="Use it for this session.")
        self.keychain[name] = value

    def forget(self, name) -> None:
        self.session.pop(name, None)
        (self.keychain or {}).pop(name, None)


class FakeShell:
    """What a page may ask of the window, noted down."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self.session = session
        self.registry = ActionRegistry(window)
        self.tasks = Tasks(window)
        self.place: tuple[str, str | None] = ("library", None)
        self.navigated: list[tuple[str, str | None]] = []
        self.problems: list = []
        self.questions_asked: list = []
        self.keys = FakeKeys()
        self.announced: list = []
        self.analysed: list = []
        self.analysed_with: list = []
        self.added: list = []
        self.settings_tried: list = []
        self.refusal = None
        self.calls = SimpleNamespace(samples=0, keys=0)

    def navigate(self, page_id, clip_id=None) -> None:
        self.navigated.append((page_id, clip_id))

    def report(self, problem) -> None:
        self.problems.append(problem)

    def ask(self, question) -> None:
        self.questions_asked.append(question)

    def announce(self, change) -> None:
        self.announced.append(change)

    def try_settings(self, settings):
        self.settings_tried.append(settings)
        if self.refusal is None:
            self.session.settings = settings
        return self.refusal

    def change_settings(self, settings) -> bool:
        return self.try_settings(settings) is None

    def add_paths(self, paths) -> None:
        self.added.append(list(paths))

    def add_samples(self) -> None:
        self.calls.samples += 1

    def analyse(self, clips, *, choice=None) -> None:
        self.analysed.append(list(clips))
        self.analysed_with.append(choice)

    def analyse_with(self, clips) -> None:
        self.asked_with = list(clips)

    def compare(self, scope) -> None:
        self.compared = scope

    def train_on(self, scope) -> None:
        self.trained_on = scope

    def list_clips(self, scope) -> None:
        self.listed = scope

    def show_surroundings(self, visible) -> None:
        self.surroundings = visible

    def show_keys(self, *, all_pages=False) -> None:
        self.calls.keys += 1

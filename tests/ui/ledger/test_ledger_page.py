"""The ledger page and the line in the status bar: what left, found, narrowed, exported and cleaned up."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from tests.clips import make_clip
from tests.ui.builders import FakeShell
from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import UsageError
from vvlm_desktop.protocol import Upload
from vvlm_desktop.ui.bar_facts import BarFacts
from vvlm_desktop.ui.ledger.csv_file import write_csv
from vvlm_desktop.ui.ledger.lines import read_ledger
from vvlm_desktop.ui.ledger.page import LedgerPage
from vvlm_desktop.ui.ledger.sent_words import NOTHING_SENT, sent_view
from vvlm_desktop.ui.models.gpu_line import GpuView
from vvlm_desktop.ui.status_bar import StatusBar
from vvlm_desktop.workflow import consent, ledger
from vvlm_desktop.workflow.add import add_paths

GOOGLE = "generativelanguage.googleapis.com"


@pytest.fixture
def clips(session, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate(("van", "=bus")):
        make_clip(folder / f"{name}.mp4", frames=10 + number, fps=10)
    return [item.clip for item in add_paths(session, [folder]).items]


def send(session, clip, request: str, *states: str, remote: str | None = None, host: str = GOOGLE) -> None:
    """A transmission as a batch writes it down."""
    now = datetime.now(UTC).isoformat()
    backend = "gemini" if host == GOOGLE else "server"
    asked = ledger.Transmission(
        request, now, now, "Ada", clip.id, backend, "m", host, "asked for", 0, "asked", consent_id="c"
    )
    ledger.record_asked(session, asked)
    for state in states:
        ledger.record_upload(session, Upload(request, state, host, "video without sound", 2_000_000, remote))


@pytest.fixture
def make_page(qtbot, look, session, monkeypatch):
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL", raising=False)
    made = []

    def make() -> LedgerPage:
        window = QMainWindow()
        qtbot.addWidget(window)
        page = LedgerPage(FakeShell(session, window))
        made.append(page)
        window.setCentralWidget(page)
        window.resize(1280, 720)
        window.show()
        page.activate()
        qtbot.waitUntil(lambda: not page._line.busy)
        return page

    yield make
    for page in made:
        page.close_page()


def cells(page) -> list[tuple[str, ...]]:
    return [line.cells[1:] for line in page.sent.lines.lines]


def test_empty_ledger_says_what_would_stand_there(make_page):
    page = make_page()
    assert page.stack.currentWidget() is page.nothing
    assert page.nothing.title.text() == "Nothing has left this computer"
    assert not page.export.isEnabled()
    assert not page.delete.isVisibleTo(page)


def test_each_transmission_has_clip_receiver_content_size_and_fate(make_page, session, clips):
    send(session, clips[0], "r1", "sending", "sent", "deleted", remote="files/a")
    send(session, clips[1], "r2", "sending", "sent", host="10.0.0.7:8000")
    page = make_page()
    first, second = sorted(cells(page), key=lambda row: row[1])
    name = "van.mp4" if clips[1].path.endswith("van.mp4") else "=bus.mp4"
    assert first == (name, "10.0.0.7:8000", "video without sound", "2.0 MB", "sent")
    assert second[1:] == (f"Google ({GOOGLE})", "video without sound", "2.0 MB", "sent, deleted there")
    assert page.sums.text() == "2 transmissions of 2 clips, 4.0 MB"


def test_search_and_state_narrow_and_the_sum_follows(make_page, session, clips, qtbot):
    send(session, clips[0], "r1", "sending", "sent", "deleted", remote="files/a")
    send(session, clips[1], "r2", "sending", "sent", host="10.0.0.7:8000")
    page = make_page()
    page.search.setText("google")
    assert len(cells(page)) == 1
    assert page.sums.text().startswith("1 transmission of 1 clip")
    page.search.clear()
    page.state.setCurrentIndex(page.state.findData("sent"))
    assert [row[1] for row in cells(page)] == ["10.0.0.7:8000"]
    page.search.setText("nowhere")
    assert page.nothing.title.text() == "No hits"


def test_consents_have_a_table_of_their_own(make_page, session, clips):
    plan = consent.plan_upload(clips, backend="gemini", options={"model": "gemini-flash-latest"})
    consent.allow(session, plan, how="asked")
    page = make_page()
    page.tabs.setCurrentIndex(1)
    (line,) = page.allowed.lines.lines
    assert line.cells[1:4] == ("Ada", "asked in the window", "2")
    assert page.sums.text() == "1 consent"
    assert not page.state.isVisibleTo(page)


def test_consent_to_a_server_without_a_model_says_which_it_was(make_page, session, clips):
    plan = consent.plan_upload(clips, backend="server", options={"base_url": "http://10.0.0.7:8000/v1"})
    consent.allow(session, plan, how="asked")
    page = make_page()
    (line,) = page.view.allowed.lines
    assert line.cells[5:] == ("first that the server offers", "10.0.0.7:8000")
    assert line.raw[4] == ""


def test_what_may_still_lie_there_is_said_and_can_be_deleted(make_page, session, clips, monkeypatch):
    send(session, clips[0], "r1", "sending", "sent", remote="files/a")
    monkeypatch.setattr("vvlm_desktop.workflow.left_overs.is_in_hand", lambda _line: False)
    page = make_page()
    assert "1 upload may still lie" in page.left_over.text()
    assert page.delete.isEnabled()
    assert page.sent.lines.lines[0].state == "remains"


def test_deleting_asks_the_worker_with_the_key_and_writes_it_down(make_page, session, clips, monkeypatch, qtbot):
    send(session, clips[0], "r1", "sending", "sent", remote="files/a")
    monkeypatch.setattr("vvlm_desktop.workflow.left_overs.is_in_hand", lambda _line: False)
    calls = []

    def run_tool(tool, arguments, *, secrets, **_named):
        calls.append((tool, dict(arguments), dict(secrets)))
        return {"deleted": ["files/a"]}

    monkeypatch.setattr("vvlm_desktop.workflow.left_overs.run_tool", run_tool)
    page = make_page()
    busy_at_the_end = []
    page.cleaner.ended.connect(lambda: busy_at_the_end.append(page.cleaner.busy))
    page.delete.click()
    qtbot.waitUntil(lambda: bool(busy_at_the_end))
    assert busy_at_the_end == [False], "whoever hears that it is over can ask again"
    assert page.shell.problems
    assert calls == []  # switched off: nobody is contacted
    session.settings = session.settings.model_copy(update={"allow_upload": True})
    page.shell.keys.use_for_this_session("gemini", "k")
    page.delete.click()
    qtbot.waitUntil(lambda: not page.delete.isVisibleTo(page))
    assert calls == [("gemini_delete", {"names": ["files/a"]}, {"gemini": "k"})]
    assert cells(page)[0][-1] == "sent, deleted there"


def test_new_lines_appear_while_the_page_is_shown(make_page, session, clips, qtbot):
    page = make_page()
    send(session, clips[0], "r1", "sending", "sent")
    page.on_change(Change(what=frozenset({"sent"})))
    qtbot.waitUntil(lambda: len(cells(page)) == 1)


def test_line_opens_its_clip(make_page, session, clips, qtbot):
    send(session, clips[0], "r1", "sending", "sent")
    page = make_page()
    page.sent.setCurrentIndex(page.sent.lines.index(0, 1))
    qtbot.keyClick(page.sent, Qt.Key.Key_Return)
    assert page.shell.navigated == [("review", clips[0].id)]


def test_export_holds_what_is_shown_and_no_name_becomes_a_formula(make_page, session, clips, tmp_path, qtbot):
    for number, clip in enumerate(clips):
        send(session, clip, f"r{number}", "sending", "sent")
    page = make_page()
    file = tmp_path / "ledger.csv"
    page.write(file)
    qtbot.waitUntil(lambda: bool(page.shell.problems))
    with file.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["clip"] for row in rows} == {"van.mp4", "'=bus.mp4"}
    assert {row["host"] for row in rows} == {GOOGLE}
    assert all(row["bytes"] == "2000000" and row["consent"] == "c" for row in rows)


def test_failed_export_leaves_nothing_and_says_why(session, clips, tmp_path):
    send(session, clips[0], "r1", "sending", "sent")
    view = read_ledger(session)
    (tmp_path / "ledger.csv").mkdir()
    with pytest.raises(UsageError, match=r"ledger\.csv could not be written"):
        write_csv(view.sent, view.sent.lines, tmp_path / "ledger.csv")
    assert list(tmp_path.glob("*.part")) == []


# -- the status bar


def test_bar_never_says_nothing_when_something_may_have_left(session, clips):
    assert sent_view(ledger.transmissions(session)).words == NOTHING_SENT
    send(session, clips[0], "r1")  # asked for, and nothing heard of it
    view = sent_view(ledger.transmissions(session))
    assert view.words == "1 clip sent today"
    assert view.ink == "doubtful"


def test_bar_counts_clips_not_requests_and_today_apart(session, clips):
    for number in range(3):
        send(session, clips[0], f"r{number}", "sending", "sent")
    send(session, clips[1], "r9", "sending", "sent")
    lines = ledger.transmissions(session)
    assert sent_view(lines).words == "2 clips sent today"
    later = datetime(2099, 1, 1, tzinfo=UTC)
    assert sent_view(lines, now=later).words == "2 clips sent"
    assert GOOGLE in sent_view(lines).tip


def test_refused_request_has_not_left(session, clips):
    send(session, clips[0], "r1")
    ledger.record_refused(session, "r1")
    assert sent_view(ledger.transmissions(session)).words == NOTHING_SENT


@pytest.fixture
def bar(qtbot, look, session):
    window = QMainWindow()
    qtbot.addWidget(window)
    shell = FakeShell(session, window)
    status = StatusBar(shell.tasks, backend="x", parent=window)
    status.resize(1400, 28)
    window.show()
    return shell, status


def test_bar_follows_ledger_and_gpu(bar, session, clips, qtbot):
    shell, status = bar
    gpu = GpuView("NVIDIA RTX 4090", 24 * 1024**3, 6 * 1024**3)
    facts = BarFacts(shell, status, status, look_at_gpu=lambda: gpu)
    facts.start()
    qtbot.waitUntil(lambda: status.sent.text() == NOTHING_SENT and status.gpu.text() != "")
    assert status.gpu.text() == "GPU 6.0 of 24.0 GB free"
    assert not status.gpu.isHidden()
    send(session, clips[0], "r1", "sending", "sent")
    facts.on_change(Change(what=frozenset({"sent"})))
    qtbot.waitUntil(lambda: status.sent.text() == "1 clip sent today")
    with qtbot.waitSignal(status.ledger_pressed):
        status.sent.click()
    facts.close()


def test_computer_without_gpu_is_asked_once(bar, qtbot):
    shell, status = bar
    looks = []
    facts = BarFacts(shell, status, status, look_at_gpu=lambda: looks.append(1) or GpuView())
    facts.start()
    qtbot.waitUntil(lambda: bool(looks) and not facts._line.busy)
    assert status.gpu.isHidden()
    assert not facts._timer.isActive()
    facts.close()

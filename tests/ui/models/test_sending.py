"""Nothing leaves unasked: switched on, a key, and a yes to each batch, all of it recorded; no key in what is kept."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget

from tests.clips import make_clip
from tests.ui.builders import FakeShell
from vvlm_desktop.protocol import Result
from vvlm_desktop.ui.analysis_line import AnalysisLine, _Line
from vvlm_desktop.ui.choice import Choice
from vvlm_desktop.ui.models.batch_words import Spent, Stages, batch_title
from vvlm_desktop.ui.models.consent import receiver
from vvlm_desktop.ui.models.idle_worker import IdleWorker
from vvlm_desktop.ui.sheet import Answer
from vvlm_desktop.workflow import consent, ledger
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.batch_events import BatchEvent

GEMINI = Choice("gemini", "gemini-flash-latest", {"model": "gemini-flash-latest"})
SERVER = Choice("server", "VLM server", {"base_url": "http://10.0.0.7:8000/v1", "sampling": {"frames": 8}})
KEY = "AIza-not-a-real-key"


@pytest.fixture
def shell(qtbot, session, monkeypatch):
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL", raising=False)
    holder = QWidget()
    qtbot.addWidget(holder)
    made = FakeShell(session, holder)
    made.holder = holder
    made.session.settings = made.session.settings.model_copy(update={"allow_upload": True})
    return made


@pytest.fixture
def line(shell):
    made = AnalysisLine(shell, shell.holder, find_choice=lambda _settings: GEMINI)
    yield made
    made.close()


@pytest.fixture
def opened(monkeypatch):
    """Every batch that would be begun, instead of beginning it."""
    batches: list = []
    monkeypatch.setattr(AnalysisLine, "_open", lambda self, each: batches.append(each))
    return batches


@pytest.fixture
def clips(session, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(2):
        make_clip(folder / f"{number}.mp4", frames=10 + number, fps=10)
    return [item.clip for item in add_paths(session, [folder]).items]


def asked(qtbot, shell, number: int = 1):
    qtbot.waitUntil(lambda: len(shell.questions_asked) >= number)
    return shell.questions_asked[number - 1]


def test_nothing_is_asked_or_sent_while_it_is_switched_off(shell, line, opened, clips):
    shell.session.settings = shell.session.settings.model_copy(update={"allow_upload": False})
    line.analyse(clips, choice=GEMINI)
    assert opened == []
    assert shell.questions_asked == []
    assert "may not leave" in shell.problems[0].sentence
    shell.problems[0].do()
    assert shell.navigated == [("models", "gemini")]


def test_each_batch_says_how_much_goes_to_whom_and_waits_for_a_yes(shell, line, opened, qtbot, clips, session):
    shell.keys.use_for_this_session("gemini", KEY)
    line.analyse(clips, choice=GEMINI)
    question = asked(qtbot, shell)
    said = " ".join(value for _name, value in question.facts)
    assert "2 clips" in question.headline
    assert "Google (generativelanguage.googleapis.com)" in said
    assert "of each of 2 clips" in said
    assert "gemini-flash-latest" in said
    assert question.must_tick
    assert opened == []
    assert ledger.consents(session) == []
    question.on_yes(Answer(ticked=True))
    (batch,) = opened
    (given,) = ledger.consents(session)
    assert (given.clips, given.how, given.reviewer) == (2, "asked", "Ada")
    assert batch.choice.options[consent.ALLOWED] == given.id
    assert KEY not in repr(batch.choice)
    assert KEY not in repr(vars(batch.batch)["_options"])
    assert batch.batch._secrets == {"gemini": KEY}


def test_no_records_nothing_and_sends_nothing(shell, line, opened, qtbot, clips, session):
    line.analyse(clips, choice=SERVER)  # which asks for no key
    question = asked(qtbot, shell)
    assert "10.0.0.7:8000" in question.headline
    question.on_no()
    assert opened == []
    assert ledger.consents(session) == []
    assert shell.problems[-1].sentence == "Nothing was sent."


def test_missing_key_is_asked_for_once(shell, line, opened, qtbot, clips):
    line.analyse(clips, choice=GEMINI)
    first = asked(qtbot, shell)
    assert first.secret == "Key for Gemini"
    first.on_yes(Answer(secret=KEY))
    asked(qtbot, shell, 2).on_yes(Answer(ticked=True))
    assert shell.keys.session == {"gemini": KEY}
    assert shell.keys.keychain == {}
    line.analyse(clips, choice=Choice("gemini", "other", {"model": "other"}))
    assert "Send 2 clips" in asked(qtbot, shell, 3).headline  # no second question for the key
    assert len(opened) == 1


@pytest.mark.parametrize("keychain", [{}, None])
def test_key_is_kept_in_the_keychain_where_there_is_one(shell, line, opened, qtbot, clips, keychain):
    shell.keys.keychain = keychain
    line.analyse(clips, choice=GEMINI)
    asked(qtbot, shell).on_yes(Answer(ticked=True, secret=KEY))
    asked(qtbot, shell, 2)
    told = shell.problems[-1]
    assert KEY not in told.as_text()
    if keychain is None:
        assert told.tone == "doubtful"
        assert "until the window closes" in told.hint
        assert shell.keys.find("gemini").value == KEY
    else:
        assert keychain == {"gemini": KEY}


def test_switching_off_while_the_question_stands_there_holds(shell, line, opened, qtbot, clips, session):
    line.analyse(clips, choice=SERVER)
    question = asked(qtbot, shell)
    shell.session.settings = shell.session.settings.model_copy(update={"allow_upload": False})
    question.on_yes(Answer(ticked=True))
    assert opened == []
    assert ledger.consents(session) == []


def test_address_that_is_none_is_told_instead_of_asked(shell, line, opened, clips):
    line.analyse(clips, choice=Choice("server", "VLM server", {"base_url": "not an address"}))
    assert shell.questions_asked == []
    assert "address" in shell.problems[-1].sentence


def test_each_question_is_asked_about_too(shell, line, qtbot, clips, session, monkeypatch):
    started: list = []

    class FakeAsking:
        finished = False

        def __init__(self, *_arguments, **named) -> None:
            started.append(named)

        def start(self) -> None: ...

        def cancel(self) -> None: ...

    monkeypatch.setattr("vvlm_desktop.workflow.ask.Asking", FakeAsking)
    shell.keys.use_for_this_session("gemini", KEY)
    shell.session.settings = shell.session.settings.model_copy(update={"backend": "gemini"})
    refused = line.questions.ask(clips[0], "Who?")
    asked(qtbot, shell).on_no()
    assert refused.problem == "Nothing was sent."
    line.questions.ask(clips[0], "Who?")
    question = asked(qtbot, shell, 2)
    assert "1 clip" in question.headline
    assert any("“Who?”" in value for _name, value in question.facts)
    assert started == []
    question.on_yes(Answer(ticked=True))
    assert started[0]["secrets"] == {"gemini": KEY}
    assert started[0]["options"][consent.ALLOWED] == ledger.consents(session)[-1].id


def test_interrupted_batch_is_not_sent_because_the_program_started(shell, line, opened, qtbot, clips, session):
    plan = consent.plan_upload(clips, backend="server", options=SERVER.options)
    options = {**SERVER.options, consent.ALLOWED: consent.allow(session, plan, how="asked")}
    from vvlm_desktop.workflow.interrupted import options_to_keep

    kept = options_to_keep(options, schema=session.schema, owner={"pid": 0})
    session.library.open_batch("server", [clip.id for clip in clips], options=kept)
    line.resume()
    qtbot.waitUntil(lambda: bool(shell.problems))
    assert opened == []
    assert "2 clips" in shell.problems[0].sentence
    shell.problems[0].do()
    asked(qtbot, shell).on_yes(Answer(ticked=True))
    assert opened[0].batch.total == 2
    assert len(ledger.consents(session)) == 2


def test_who_gets_it_is_named():
    assert receiver("gemini", "generativelanguage.googleapis.com").startswith("Google")
    assert receiver("gemini", "proxy.example") == "proxy.example"


def progress(clip, stage: str) -> BatchEvent:
    return BatchEvent("progress", 0, 0, 3, 0.1, clip=clip, message=stage)


def test_stages_of_several_clips_are_counted_and_listed(clips):
    stages = Stages()
    first, second = clips
    stages.take(progress(first, "uploading 40 %"))
    assert stages.summary == "uploading 40 %"
    stages.take(progress(second, "uploading 7 %"))
    assert stages.summary == "2 uploading"
    assert stages.lines.splitlines() == ["0.mp4: uploading 40 %", "1.mp4: uploading 7 %"]
    stages.take(progress(second, "waiting until Google has read the video"))
    assert stages.summary == "1 uploading, 1 waiting until Google has read the video"
    title = batch_title(progress(first, "x"), title="gemini", stages=stages.summary)
    assert title == "Analysing 1 of 3 · gemini · 1 uploading, 1 waiting until Google has read the video"
    stages.take(BatchEvent("analysed", 1, 0, 3, 0.4, clip=first))
    assert "0.mp4" not in stages.lines


def test_tokens_and_cost_are_told_and_an_unknown_price_is_not_free():
    spent = Spent()
    assert spent.in_words == ""
    spent.take({"settings": {"tokens_in": 40_000, "tokens_out": 1_200, "cost_usd": None}})
    assert spent.in_words == "41,200 tokens, price of this model not known"
    spent.take({"settings": {"tokens_in": 1_000, "tokens_out": 0, "cost_usd": 0.25}})
    assert "42,200 tokens, about 0.25 US$" in spent.in_words
    assert "known price" in spent.in_words


def test_answers_of_questions_are_not_counted_into_a_batch(shell, line, clips):
    batch = type(
        "B", (), {"handle": lambda self, message: None, "backend": GEMINI.info, "release": lambda self: None}
    )()

    line._now = _Line(batch, GEMINI)
    usage = {"tokens_in": 5, "tokens_out": 5}
    line._on_delivered(Result("a", {"kind": "question", "settings": usage}))
    line._on_delivered(Result("b", {"kind": "labels", "settings": usage}))
    assert line._now.spent.answers == 1


def test_idle_worker_of_the_local_model_is_ended_but_never_a_busy_one(qtbot, shell):
    forgotten: list[str] = []
    workers = type("W", (), {"forget": lambda self, kind: forgotten.append(kind)})()
    busy = [True]
    idle = IdleWorker(shell.tasks, busy=lambda: busy[0], parent=shell.holder)
    idle.used(workers)
    assert idle.timer.isActive()
    assert idle.timer.interval() == 3 * 60_000
    idle.timer.stop()
    idle.end()
    assert idle.timer.isActive()  # it works: asked again later
    busy[0] = False
    idle.end()
    qtbot.waitUntil(lambda: forgotten == ["local"])
    idle.close()

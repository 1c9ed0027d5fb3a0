"""Having a model answer with and without its adapter."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget

from tests.ui.builders import FakeShell
from vvlm_desktop.domain.prompt import build_prompt, prompt_sha
from vvlm_desktop.errors import UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.compare.run_both import RunBoth, options_of_settings
from vvlm_desktop.workflow.answerers import Source

AS_ASKED = {"rounds": 1, "sampling": {"kind": "uniform", "frames": 3}}
OPTIONS = {
    "sampling": AS_ASKED["sampling"],
    "model": "M",
    "model_dir": "/m",
    "adapter": "fleet",
    "adapter_dir": "/a",
    "rounds": 1,
}


class Shell(FakeShell):
    def analyse(self, clips, *, choice=None):
        self.analysed.append((list(clips), choice))


@pytest.fixture
def run(qtbot, session):
    made = []

    def make(options=OPTIONS):
        window = QWidget()
        qtbot.addWidget(window)

        def find(_settings):
            if isinstance(options, Exception):
                raise options
            return dict(options)

        both = RunBoth(Shell(session, window), window, find_options=find)
        made.append(both)
        return both

    yield make
    for both in made:
        both.close()


def test_base_and_tuned_run_one_after_the_other_with_the_same_options(run, put_clip, qtbot):
    both, clips = run(), [put_clip("a.mp4"), put_clip("b.mp4")]
    pairs = []
    both.chosen.connect(pairs.append)
    both.start(clips)
    qtbot.waitUntil(lambda: len(both._shell.analysed) == 2)
    (first, base), (second, tuned) = both._shell.analysed
    assert first == second == clips
    assert tuned.options == OPTIONS
    assert base.options == {**OPTIONS, "adapter": None, "adapter_dir": None}
    assert (base.backend, base.title, tuned.title) == ("local", "M", "M + fleet")
    assert pairs == [(Source("local", "M"), Source("local", "M", "fleet"))]


def test_clips_that_have_both_answers_as_asked_are_left_out(run, put_clip, answer, session, qtbot):
    done, unequal, half, other = (put_clip(f"{name}.mp4") for name in ("done", "unequal", "half", "other"))
    asked = {"prompt_sha": prompt_sha(build_prompt(session.schema)), "settings": AS_ASKED}
    for clip in (done, unequal):
        answer(clip, **asked)
    answer(done, adapter="fleet", **asked)
    answer(unequal, adapter="fleet", frames_pts=(0,), **asked)
    answer(half, adapter="fleet", **asked)
    for adapter in (None, "fleet"):  # equal to each other, but not what is asked for now
        answer(other, adapter=adapter, **{**asked, "settings": {**AS_ASKED, "rounds": 2}})
    both = run()
    both.start([done, unequal, half, other])
    qtbot.waitUntil(lambda: len(both._shell.analysed) == 2)
    assert [clips for clips, _ in both._shell.analysed] == [[unequal, half, other]] * 2


def test_nothing_left_to_do_is_said(run, put_clip, answer, session, qtbot):
    clip = put_clip("a.mp4")
    asked = {"prompt_sha": prompt_sha(build_prompt(session.schema)), "settings": AS_ASKED}
    answer(clip, **asked)
    answer(clip, adapter="fleet", **asked)
    both = run()
    both.start([clip])
    qtbot.waitUntil(lambda: bool(both._shell.problems))
    assert both._shell.analysed == []
    assert both._shell.problems[0].tone == "good"


def test_refusal_offers_the_models(run, put_clip, qtbot):
    both = run(UsageError("No adapter is chosen.", hint="Choose one."))
    both.start([put_clip("a.mp4")])
    qtbot.waitUntil(lambda: bool(both._shell.problems))
    problem = both._shell.problems[0]
    assert (problem.sentence, problem.hint, problem.offer) == (
        "No adapter is chosen.",
        "Choose one.",
        "Show the models",
    )
    problem.do()
    assert both._shell.navigated == [("models", None)]


def test_model_and_adapter_have_to_be_chosen_first():
    with pytest.raises(UsageError, match="No local model"):
        options_of_settings(Settings())
    with pytest.raises(UsageError, match="No adapter"):
        options_of_settings(Settings(local_model="M"))

"""Who gave the answer that a review starts from, and what was corrected of another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.review.form.field_card import reason_words
from vvlm_desktop.ui.review.headline import who_answered

CHOSEN = {"backend": "local", "local_model": "InternVL3-2B"}


@pytest.fixture
def answer_again(session):
    """A newer answer about a clip, of a local model."""

    def put(clip, **changes):
        (first, *_) = session.library.analyses(clip.id)
        labels = {**first.labels, **changes.pop("labels", {})}
        made = {"backend": "local", "model": "InternVL3-2B", "created_at": "2026-11-22T12:00:00.000Z", **changes}
        newer = replace(first, id="newer", labels=labels, **made)
        session.library.add_analysis(newer)
        return newer

    return put


@pytest.mark.parametrize(
    ("chosen", "adapter", "words"),
    [
        ({**CHOSEN, "local_adapter": "fleet-001"}, "fleet-001", "InternVL3-2B + fleet-001"),
        (CHOSEN, None, "InternVL3-2B"),
        (CHOSEN, "fleet-001", "InternVL3-2B + fleet-001, not the default"),
        ({**CHOSEN, "local_adapter": "fleet-002"}, "fleet-001", "InternVL3-2B + fleet-001, not the default"),
        ({"backend": "gemini"}, None, "InternVL3-2B, not the default"),
        ({}, None, "InternVL3-2B"),
    ],
)
def test_headline_names_who_answered_and_whether_it_is_the_default(add_clip, answer_again, chosen, adapter, words):
    analysis = answer_again(add_clip(), adapter=adapter)
    said, tip = who_answered(analysis, Settings(**chosen))
    assert said == words
    assert ("Analyse uses" in tip) is words.endswith("not the default")


def test_name_stands_in_the_headline(add_clip, answer_again, stage):
    clip = add_clip()
    answer_again(clip, adapter="fleet-001")
    here = stage()
    here.open(clip.id)
    headline = here.page.desk.headline
    assert headline.who.text() == "InternVL3-2B + fleet-001"
    assert headline.who.tip.startswith("The newest answer about this clip")


def test_measured_values_are_of_no_model(add_clip, answer_again):
    assert who_answered(answer_again(add_clip(), provenance="measurement"), Settings()) == ("", "")


def test_correction_of_an_earlier_answer_is_not_said_of_this_one(add_clip, answer_again, stage):
    clip = add_clip()
    here = stage()
    here.open(clip.id)
    here.page.form.open_field("weather")
    before = here.page.form.model.view("weather").said_text
    here.press("3")
    view = here.page.form.model.view("weather")
    assert (view.verdict.verdict, view.verdict.reason) == ("corrected", "wrong_value")
    assert reason_words(view) == "wrong value"
    answer_again(clip, labels={"weather": view.value})
    here.open(clip.id)
    here.page._refresh(afresh=True)
    assert reason_words(here.page.form.model.view("weather")) == f"corrected from “{before}” (an earlier answer)"


def test_long_names_in_the_raw_tab_are_shortened_in_the_middle(add_clip, answer_again, stage):
    clip = add_clip()
    answer_again(clip, model="internvl-2026-with-a-very-long-name-indeed-2b", adapter="fleet-001")
    here = stage()
    here.open(clip.id)
    here.page.side.tabs.setCurrentIndex(1)
    choice = here.page.side.raw.choice
    choice.setFixedWidth(200)
    assert choice.currentText().startswith("internvl-2026-with-a-very-long-name-indeed-2b + fleet-001 · ")
    assert "internvl-2026-with-a-very-long-name-indeed-2b + fleet-001" in choice.toolTip()
    start, end = choice.shown_text().split("…")
    assert choice.currentText().startswith(start)
    assert choice.currentText().endswith(end)
    assert end

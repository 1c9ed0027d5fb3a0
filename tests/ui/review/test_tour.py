"""The first minute on the samples, as somebody does it who has never seen the program."""

from __future__ import annotations

import json

import pytest

from tests import clips
from vvlm_desktop.settings import Settings

NEAR = {"event_type": "near_miss", "event_time": {"start_ms": 800, "end_ms": 1200}, "conflict_with": "car"}


@pytest.fixture
def settings() -> Settings:
    return Settings(autoplay="paused", reviewer="Ann", frame_cache_mb=64)


@pytest.fixture
def samples(add_clip, tmp_path):
    """Two samples: the script of the first says collision, nobody touched; that of the second is right."""

    def make(name: str, source: str, said: str, truth: str):
        path = tmp_path / name
        path.write_bytes(clips.clip(source).read_bytes())
        path.with_suffix(".truth.json").write_text(json.dumps({"labels": {"event_type": truth}}), encoding="utf-8")
        return add_clip(path=path, labels={**NEAR, "event_type": said}, provenance="demo_script", is_sample=True)

    return (
        make("1 cut in.mp4", "h264_bframes.mp4", "collision", "near_miss"),
        make("2 collision.mp4", "h264_gop250.mp4", "collision", "collision"),
    )


def card(here) -> str:
    here.qtbot.waitUntil(lambda: not here.page.desk.card.isHidden())
    here.qtbot.wait(1)
    return here.page.desk.card.words.text()


def test_two_clips_four_keys(samples, stage, qtbot):
    wrong, right = samples
    here = stage()
    here.open(wrong.id)
    assert card(here) == "The answer says collision. Nobody touched. Press 2."
    here.press("2")
    qtbot.waitUntil(lambda: card(here) == "E: this frame proves it.")
    here.press("E")
    qtbot.waitUntil(lambda: card(here) == "Enter.")
    here.press("Return")
    assert here.state.clip.id == right.id
    qtbot.waitUntil(lambda: card(here) == "This answer is right. Enter.")
    here.wait_ready()
    here.press("Return")
    qtbot.waitUntil(lambda: card(here).startswith("2 clips, 4 keys. Your correction is saved"))
    review = here.shell.session.library.review(wrong.id, reviewer="Ann", schema_key=here.shell.session.schema.key)
    assert review.verdicts["event_type"].value == "near_miss"
    assert review.evidence["event_type"]


def test_last_card_offers_record_export_and_folder(samples, stage, qtbot):
    wrong, _ = samples
    here = stage()
    here.open(wrong.id)
    here.press("2 E Return")
    here.wait_ready()
    here.press("Return")
    qtbot.waitUntil(lambda: card(here).startswith("2 clips"))
    box = here.page.desk.card._buttons
    buttons = {box.itemAt(i).widget().text(): box.itemAt(i).widget() for i in range(3)}
    with qtbot.waitSignal(here.page.record_requested) as record:
        buttons["Show record"].click()
    assert record.args == [wrong.id]
    with qtbot.waitSignal(here.page.export_requested):
        buttons["Export"].click()
    with qtbot.waitSignal(here.page.folder_requested):
        buttons["Open my folder"].click()
    assert here.shell.triggered == ["clips.export", "clips.add_folder"]


def test_another_clip_in_between_does_not_move_the_tour_on(samples, add_clip, stage, qtbot):
    wrong, _ = samples
    other = add_clip("h264_vfr.mp4")
    here = stage()
    here.open(wrong.id)
    here.page.open_clip(other.id)
    here.wait_ready()
    here.press("Return")
    here.page.open_clip(wrong.id)
    qtbot.waitUntil(lambda: card(here) == "The answer says collision. Nobody touched. Press 2.")


def test_last_card_does_not_praise_a_correction_that_was_not_made(samples, stage, qtbot):
    wrong, _ = samples
    here = stage()
    here.open(wrong.id)
    here.press("Return")
    here.wait_ready()
    here.press("Return")
    qtbot.waitUntil(lambda: card(here) == "2 clips, 2 keys. Your review is saved and audited.")


def test_tour_can_be_ended_and_stays_away(samples, stage):
    wrong, right = samples
    here = stage()
    here.open(wrong.id)
    card(here)
    here.page.desk.card.close_button.click()
    assert here.page.desk.card.isHidden()
    here.page.open_clip(right.id)
    here.page.open_clip(wrong.id)
    assert not here.page.tour.running


def test_no_tour_on_a_clip_of_ones_own(add_clip, stage):
    add_clip(labels={**NEAR, "event_type": "collision"})
    here = stage()
    here.open()
    assert not here.page.tour.running


def test_no_tour_on_a_sample_that_was_already_reviewed(samples, stage):
    wrong, _ = samples
    from vvlm_desktop.workflow.review import set_value

    here = stage()
    set_value(here.shell.session, wrong.id, "event_type", "near_miss")
    here.open(wrong.id)
    assert not here.page.tour.running


def test_last_card_goes_with_the_next_clip_and_the_tour_does_not_come_again(samples, stage, add_clip, qtbot):
    wrong, _ = samples
    here = stage()
    here.open(wrong.id)
    here.press("2 E Return")
    here.wait_ready()
    here.press("Return")
    qtbot.waitUntil(lambda: card(here).startswith("2 clips"))
    here.open(add_clip("h264_vfr.mp4").id)
    qtbot.waitUntil(here.page.desk.card.isHidden)
    again = stage()
    assert not again.page.tour.running
    assert again.page.tour._done_with


def test_card_goes_when_a_model_answers_in_place_of_the_script(samples, stage, qtbot):
    from dataclasses import replace

    wrong, _right = samples
    here = stage()
    here.open(wrong.id)
    assert card(here).startswith("The answer says collision.")
    session = here.shell.session
    (script,) = session.library.analyses(wrong.id)
    labels = {**script.labels, "event_type": "no_incident"}
    answer = replace(script, id="model", backend="local", model="m", provenance="model", labels=labels)
    here.page.on_change(session.library.add_analysis(answer))
    qtbot.waitUntil(here.page.desk.card.isHidden)
    assert not here.page.tour.running
    assert here.state.said("event_type") == (True, "no_incident")

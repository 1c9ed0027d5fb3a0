"""What is read from the texts of models that nobody forced into a form."""

import json

import pytest

from tests.unit.backends.cloud.jobs import SCHEMA
from tests.unit.backends.gemini.answers import GOOD
from vvlm_desktop.backends.cloud_answers import SYSTEM, find_json, read_answer

TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    "text", [TEXT, f"```json\n{TEXT}\n```", f"Here {{as asked}}: {TEXT} Bye {{}}.", f"\ufeff {TEXT}"]
)
def test_the_object_is_found_in_what_stands_around_it(text):
    reading = read_answer(SCHEMA, text)
    assert reading.valid
    assert dict(reading.labels) == GOOD


@pytest.mark.parametrize(
    "text", ["", "no", "[1]", '{"a": ', '{"event_time": {"start_ms": 1, "end_ms": 2}, "act', "{" * 9]
)
def test_no_whole_object_is_no_answer(text):
    assert find_json(text) is None
    assert not read_answer(SCHEMA, text).valid


def test_bare_control_characters_in_a_text_are_taken_out_and_told():
    reading = read_answer(SCHEMA, TEXT.replace("A car", "A\x04 car\x0b"))
    assert reading.labels["caption"] == "A car is hit."
    assert any("control characters" in flag for flag in reading.flags)


def test_times_are_moved_and_cut_at_the_schema_s_limit():
    reading = read_answer(SCHEMA, json.dumps({**GOOD, "event_time": {"start_ms": 10, "end_ms": 900}}), offset_ms=59_500)
    assert reading.labels["event_time"] == {"start_ms": 59_510, "end_ms": 60_000}
    assert any("beyond the schema's limit" in flag for flag in reading.flags)


def test_the_first_words_are_those_of_local_models():
    base = pytest.importorskip("vvlm_desktop.backends.local.families.base")
    assert base.SYSTEM == SYSTEM

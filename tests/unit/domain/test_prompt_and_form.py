"""The prompt and the form say everything that the schema says."""

import hashlib
import json

from tests.unit.domain.schemas import dashcam, small
from vvlm_desktop.domain.form import form_document
from vvlm_desktop.domain.prompt import build_prompt, prompt_sha


def test_prompt_defines_every_field_and_value_in_order():
    prompt = build_prompt(dashcam())
    at = 0
    for each in dashcam().model_fields:
        at = prompt.index(f"\n{each.key} (", at)
        for value in each.values:
            at = prompt.index(f"- {value.key}: {value.means}", at)


def test_prompt_asks_nothing_that_is_for_people_or_derived():
    prompt = build_prompt(dashcam())
    assert "preventab" not in prompt
    assert "severity" not in prompt


def test_prompt_gives_rules_but_not_questions_for_people():
    prompt = build_prompt(dashcam())
    for rule in dashcam().rules:
        assert (f"- {rule.message}" in prompt) is not rule.asks


def test_prompt_explains_the_form_of_the_answer():
    prompt = build_prompt(dashcam())
    for words in ("cannot_tell", "milliseconds from the first frame", "in this order", "null if there is none", "[]"):
        assert words in prompt
    keys = [part.split('":')[0].strip(',{"') for part in prompt.split("Answer form: ")[1].split(',"')]
    assert [key for key in keys if key != "end_ms"] == [each.key for each in dashcam().model_fields]


def test_prompt_is_short_enough_for_small_models_and_always_the_same():
    prompt = build_prompt(dashcam())
    assert len(prompt.split()) < 1800
    assert prompt == build_prompt(dashcam())
    assert prompt_sha(prompt) == hashlib.sha256(prompt.encode()).hexdigest()


def test_form_is_json_and_complete():
    form = json.loads(json.dumps(form_document(dashcam())))
    assert [group["key"] for group in form["groups"]] == ["core", "event", "context", "text"]
    assert [group["open"] for group in form["groups"]] == [True, False, False, True]
    fields = {field["key"]: field for group in form["groups"] for field in group["fields"]}
    assert set(fields) == {each.key for each in dashcam().fields}
    event = fields["event_type"]
    assert [(value["label"], value["shortcut"]) for value in event["values"]] == [
        ("Collision", "1"),
        ("Near miss", "2"),
        ("No incident", "3"),
    ]
    assert event["cannot_tell"]["shortcut"] == "U"
    assert all(value["means"] for value in event["values"])
    assert fields["cause_of_risk"]["none_seen"]["shortcut"] == "0"
    assert "none_seen" not in event
    assert fields["caption"]["max_length"] == 240
    assert fields["event_time"]["may_be_absent"] is True
    assert fields["severity"]["derived"] is True


def test_form_writes_rules_as_the_file_does():
    form = form_document(small())
    assert form["rules"] == [
        {
            "when": {"event_type": ["no_incident"]},
            "then": {"event_time": "absent"},
            "message": "No incident, no time.",
            "asks": False,
        }
    ]
    rules = form_document(dashcam())["rules"]
    assert {"intended_driving_action": {"only": ["parked"]}} in [rule["then"] for rule in rules]
    assert form_document(dashcam())["hidden"][0]["when"] == {"event_type": ["no_incident"]}


def test_groups_without_fields_are_left_out():
    assert [group["key"] for group in form_document(small())["groups"]] == ["context", "text"]

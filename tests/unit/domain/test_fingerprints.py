"""The labels' fingerprint changes with what can be said, the wording's with how it is said."""

import pytest

from tests.unit.domain.schemas import SMALL, small
from vvlm_desktop.domain import schema_parse
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.schema_parse import parse_schema

NEW_VALUE = (
    '{ key = "parked", label = "Parked", means = "Stands." },\n  { key = "off", label = "Off", means = "Is off." },'
)


def changed(before: str, after: str) -> tuple[bool, bool]:
    assert SMALL.count(before) == 1
    schema = parse_schema(SMALL.replace(before, after), source="x")
    return schema.labels_sha != small().labels_sha, schema.wording_sha != small().wording_sha


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('label = "Event"\n', 'label = "What happened"\n'),
        ('label = "Collision"', 'label = "Crash!"'),
        ('means = "Contact."', 'means = "Any contact."'),
        ('key = "actions"', 'key = "actions"\nhelp = "What ego does."'),
        ('title = "Small"', 'title = "Little"\nprompt = { intro = "Look." }'),
        ('message = "No incident, no time."', 'message = "Nothing happened, so no time."'),
    ],
)
def test_wording_alone(before, after):
    assert changed(before, after) == (False, True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{ key = "parked", label = "Parked", means = "Stands." },', NEW_VALUE),
        ('key = "parked"', 'key = "park"'),
        ('key = "actions"', 'key = "doing"'),
        ('kind = "any_of"', 'kind = "one_of"'),
        ("max_length = 40", "max_length = 41"),
        ("max_sentences = 2", "max_sentences = 1"),
        ("max_ms = 60_000", "max_ms = 70_000"),
    ],
)
def test_what_can_be_said(before, after):
    assert changed(before, after)[0]


def test_order_of_values_and_of_fields_counts():
    go, parked = (f'  {{ key = "{key}", label = "{key.title()}"' for key in ("go", "parked"))
    swapped = SMALL.replace(go, "@").replace(parked, go).replace("@", parked)
    assert parse_schema(swapped, source="x").labels_sha != small().labels_sha
    head, *fields = SMALL.split("[[field]]")
    last, rule = fields[-1].split("[[rule]]")
    moved = "[[field]]".join([head, last, *fields[:-1]]) + "[[rule]]" + rule
    assert parse_schema(moved, source="x").labels_sha != small().labels_sha


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('aliases = ["crash"]', 'aliases = ["crash", "bump"]'),
        ('key = "actions"', 'group = "core"\nkey = "actions"'),
        ('key = "actions"', 'required = true\nkey = "actions"'),
        ('name = "small"', 'name = "other"  # a comment'),
        ("version = 3", "version = 4"),
    ],
)
def test_neither(before, after):
    assert changed(before, after) == (False, False)


def test_the_wording_of_the_prompt_itself_counts(monkeypatch):
    before = parse_schema(SMALL, source="x")
    monkeypatch.setattr(schema_parse, "build_prompt", lambda schema: build_prompt(schema) + "Be brief.")
    after = parse_schema(SMALL, source="x")
    assert after.wording_sha != before.wording_sha
    assert after.labels_sha == before.labels_sha


def test_fingerprints_are_hex_sha256_and_stable():
    again = parse_schema(SMALL, source="elsewhere.toml")
    assert (again.labels_sha, again.wording_sha) == (small().labels_sha, small().wording_sha)
    assert len(again.labels_sha) == len(again.wording_sha) == 64
    assert again == small()
    assert hash(again) == hash(small())

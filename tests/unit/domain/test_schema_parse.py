"""A broken label schema is refused with the line and the reason."""

import re

import pytest

from tests.unit.domain.schemas import SMALL, dashcam_text, line_of, small
from vvlm_desktop.domain.schema import Condition
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.errors import SchemaError


def refusal(text: str) -> SchemaError:
    with pytest.raises(SchemaError) as caught:
        parse_schema(text, source="mine.toml")
    return caught.value


def test_a_good_file_is_read_as_written():
    schema = small()
    assert [each.key for each in schema.fields] == ["event_type", "event_time", "actions", "caption"]
    assert schema.rules[0].then == {"event_time": Condition("absent")}
    assert schema.document == SMALL
    assert (schema.version, schema.title) == (3, "Small")


#: what is replaced, by what, the reason, and the line that must be named: the one with a part (the
#: nth such, where a number is given), None for the first line of the replacement.
BROKEN = {
    "syntax": ('title = "Small"', 'title = "Small', "not valid TOML", None),
    "duplicate toml key": ('label = "Event"\n', 'label = "Event"\nlabel = "E"\n', "not valid TOML", 'label = "E"\n'),
    "unknown top key": ('title = "Small"', 'title = "Small"\ncolour = "red"', "unknown key “colour”", "colour"),
    "unknown field key": ('key = "actions"', 'key = "actions"\ncolour = 1', "unknown key “colour”", "colour"),
    "unknown value key": ('means = "Goes."', 'means = "Goes.", meens = ""', "unknown key “meens”", "meens"),
    "no means": (', means = "Goes."', "", "the value “go” has no `means`", 'key = "go"'),
    "empty means": ('means = "Goes."', 'means = " "', "`means` of the value “go” is empty", None),
    "no name": ('name = "small"\n', "", "has no `name`", "version"),
    "name is a number": ('name = "small"', "name = 5", "`name` of the file is a number", None),
    "name with capitals": ('name = "small"', 'name = "Small"', "is no key", None),
    "no version": ("version = 3\n", "", "has no `version`", 'name = "small"'),
    "version is a text": ("version = 3", 'version = "3"', "a whole number is needed", None),
    "version is true": ("version = 3", "version = true", "a whole number is needed", None),
    "version zero": ("version = 3", "version = 0", "not between", None),
    "field twice": ('key = "actions"', 'key = "event_time"', "is there twice", None),
    "value twice": ('key = "parked"', 'key = "go"', "the value “go” is there twice", None),
    "label twice": ('label = "Parked"', 'label = "go"', "label “go” also stands for “go”", None),
    "key with a blank": ('key = "actions"', 'key = "my actions"', "is no key", None),
    "key with a trailing blank": ('key = "actions"', 'key = "actions "', "is no key", None),
    "key not ascii": ('key = "actions"', 'key = "aktionär"', "is no key", None),
    "cannot_tell listed": ('key = "parked"', 'key = "cannot_tell"', "always allowed", None),
    "unknown kind": ('kind = "any_of"', 'kind = "many"', "not a kind", None),
    "unknown group": ('kind = "any_of"', 'kind = "any_of"\ngroup = "misc"', "not a group", 'group = "misc"'),
    "text without limit": ("max_length = 40\n", "", "has no `max_length`", ("[[field]]", 4)),
    "range without limit": ("max_ms = 60_000\n", "", "has no `max_ms`", ("[[field]]", 2)),
    "range beyond a day": ("max_ms = 60_000", "max_ms = 99_999_999", "not between", None),
    "limit of another kind": ("max_ms = 60_000", "max_ms = 60_000\nmax_length = 5", "belongs to", "max_length = 5"),
    "text with values": ("max_length = 40", "max_length = 40\nvalues = []", "has no values", "values = []"),
    "no values": ('aliases = ["doings"]\nvalues = [', 'aliases = ["doings"]\nunused = [', "unknown key", "unused"),
    "alias is a field": ('aliases = ["doings"]', 'aliases = ["event time"]', "is the key of another field", None),
    "alias is a value": (
        'aliases = ["crash"]',
        'aliases = ["No incident"]',
        "also stands for “collision”",
        'key = "no_',
    ),
    "alias not a text": ('aliases = ["doings"]', "aliases = [5]", "holds a number", None),
    "values not tables": ('{ key = "go", label = "Go", means = "Goes." }', '"go"', "is not a table", None),
    "field not tables": (SMALL[SMALL.index("[[field]]") :], "field = 5", "a list is needed", None),
    "rule on unknown field": ("{ event_time =", "{ evnt_time =", "unknown field “evnt_time”", None),
    "rule on unknown value": ('["no_incident"]', '["no_event"]', "“no_event” is not a value of “event_type”", None),
    "rule with unknown operator": ('"absent" }', '"missing" }', "“missing” is not an operator", None),
    "operator does not fit": ('event_time = "absent"', 'event_type = "empty"', "does not fit", None),
    "absent where never": ("may_be_absent = true\n", "", "can never be absent", "then = {"),
    "only for a choice": ('event_time = "absent"', 'event_type = { only = ["collision"] }', "`only` is for", None),
    "unknown table operator": ('event_time = "absent"', 'actions = { but = ["go"] }', "a table can only say", None),
    "rule without message": ('message = "No incident, no time."\n', "", "has no `message`", ("[[rule]]", 1)),
    "rule without when": ('when = { event_type = ["no_incident"] }\n', "", "has no `when`", ("[[rule]]", 1)),
    "rule with an empty when": ('when = { event_type = ["no_incident"] }', "when = {}", "has no `when`", None),
    "rule with an empty list": ('["no_incident"]', "[]", "a list of values is needed", None),
    "control character": ('message = "No', 'message = "\\u0007No', "control characters", None),
    "required is a text": ('key = "caption"', 'key = "caption"\nrequired = "yes"', "true or false", "required"),
}


def expected_line(text: str, marker: str | tuple[str, int]) -> int:
    if isinstance(marker, str):
        return line_of(text, marker)
    part, nth = marker
    return [number for number, line in enumerate(text.split("\n"), start=1) if part in line][nth - 1]


@pytest.mark.parametrize("name", BROKEN)
def test_refusal_names_line_and_reason(name):
    before, after, reason, marker = BROKEN[name]
    assert SMALL.count(before) == 1, before
    text = SMALL.replace(before, after)
    error = refusal(text)
    assert reason in error.reason
    start = text[: SMALL.index(before)].count("\n") + 1
    assert error.line == (start if marker is None else expected_line(text, marker))
    assert f"mine.toml, line {error.line}" in str(error)
    assert error.hint


def many_values(count: int) -> str:
    return "\n".join(f'  {{ key = "v{n}", label = "V{n}", means = "M." }},' for n in range(count))


def test_nine_values_are_the_most_and_the_tenth_is_named():
    go = '  { key = "go", label = "Go", means = "Goes." },'
    assert parse_schema(SMALL.replace(go, many_values(8)), source="x")
    error = refusal(SMALL.replace(go, many_values(10)))
    assert "has 11 values; at most 9" in error.reason
    assert error.line == line_of(SMALL, 'key = "go"') + 9


def test_missing_field_key_names_the_field_header():
    text = SMALL.replace('key = "caption"\n', "")
    assert refusal(text).line == line_of(text, 'label = "Description"') - 1


def test_values_as_arrays_of_tables_have_lines_too():
    text = (
        'name = "a"\nversion = 1\ntitle = "A"\n[[field]]\nkey = "b"\nlabel = "B"\nkind = "one_of"\n'
        '[[field.values]]\nkey = "c"\nlabel = "C"\nmeans = "D"\n[[field.values]]\nkey = "e"\nlabel = "E"\n'
    )
    error = refusal(text)
    assert "the value “e” has no `means`" in error.reason
    assert error.line == 12
    assert parse_schema(text + 'means = "F"\n', source="x").field("b").value_keys == ("c", "e", "cannot_tell")


def test_lines_are_right_after_long_strings_and_comments():
    long = '''title = """Small \\
      [[field]] # "not one"
"""   # { [ "
"label" = 1'''
    error = refusal(SMALL.replace('title = "Small"', long))
    assert "unknown key “label”" in error.reason
    assert error.line == 6


def test_windows_line_ends_do_not_move_lines():
    text = SMALL.replace(', means = "Goes."', "")
    assert refusal(text.replace("\n", "\r\n")).line == refusal(text).line


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_empty_file(text):
    assert "the file is empty" in refusal(text).reason


def test_huge_file_is_refused_before_it_is_read():
    assert "larger than" in refusal(SMALL + "#\n" * 600_000).reason
    assert "larger than" in refusal(SMALL + "# ü\n" * 220_000).reason


def test_a_file_without_fields_is_refused():
    assert "at least one [[field]]" in refusal('name = "a"\nversion = 1\ntitle = "A"\n').reason


HOSTILE = {
    "nested": "a = " + "[" * 3000,
    "nested over lines": "a = [" + "[\n" * 50_000,
    "long number": "a = " + "9" * 3990,
    "long line": "a = '" + "b" * 200_000 + "'",
    "long key": "a" + ".a" * 1900,
    "long keys": "".join(f"[a{number}{'.a' * 99}]\n" for number in range(500)),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_depth_and_length_are_refused(name):
    assert refusal(HOSTILE[name]).reason


def test_a_lone_surrogate_is_refused_with_its_line():
    assert refusal(SMALL.replace('"Goes."', '"Go\ud800es."')).line == line_of(SMALL, "Goes.")


def test_too_many_fields():
    field = '[[field]]\nkey = "f{0}"\nlabel = "F{0}"\nkind = "text"\nmax_length = 5\n'
    head = 'name = "a"\nversion = 1\ntitle = "A"\n'
    assert parse_schema(head + "".join(field.format(n) for n in range(60)), source="x")
    assert "at most 60" in refusal(head + "".join(field.format(n) for n in range(61))).reason


def test_switching_a_field_on_and_off():
    on = dashcam_text().replace("enabled = false", "enabled = true")
    schema = parse_schema(on, source="x")
    assert schema.fields[-1].key == "preventability"
    assert "preventability" not in [each.key for each in schema.model_fields]
    off = SMALL.replace("max_ms = 60_000", "max_ms = 60_000\nenabled = false")
    assert "“event_time”, which is switched off" in refusal(off).reason


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('field = "severity"\nvalue = "critical"', 'field = "severity"\nvalue = "bad"', "“bad” is not a value"),
        ('field = "severity"\nvalue = "critical"', 'field = "weather"\nvalue = "rain"', "does not say `derived"),
        ('fields = ["event_time", "ego', 'fields = ["event_type", "ego', "on which it depends"),
        ('fields = ["event_time", "ego', 'fields = ["eventtime", "ego', "unknown field"),
    ],
)
def test_derivations_and_hidden_fields_are_checked(before, after, reason):
    text = dashcam_text()
    assert text.count(before) == 1
    assert reason in refusal(text.replace(before, after)).reason


def test_a_derived_field_needs_a_case():
    text = re.sub(r"\[\[derive\]\].*?\n\n", "", dashcam_text(), flags=re.DOTALL)
    error = refusal(text)
    assert "no [[derive]] gives it a value" in error.reason
    assert error.line == line_of(text, "derived = true")

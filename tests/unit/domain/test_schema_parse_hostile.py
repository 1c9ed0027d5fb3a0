"""Whatever the text, the only error is `SchemaError`."""

import tomllib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.domain.schemas import SMALL, dashcam_text
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.domain.toml_lines import key_lines
from vvlm_desktop.errors import SchemaError

PIECES = st.sampled_from(
    [
        '"',
        "'",
        '"""',
        "[[field]]",
        "[[rule]]",
        "[",
        "]",
        "{",
        "}",
        "=",
        "\n",
        ",",
        "#",
        ".",
        "\\",
        "true",
        "1e9",
        "-1",
        "\r",
        "\x00",
        "�",
        "ü",
        "null",
        "2020-01-01",
        'key = "a"',
        "values = []",
        "when = {}",
        "max_ms = 1",
        "a.b = 1",
    ]
)


def read(text: str) -> LabelSchema | None:
    try:
        return parse_schema(text, source="x")
    except SchemaError as error:
        line = error.line
    assert line is None or 1 <= line <= text.count("\n") + 1
    return None


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=80) | st.lists(PIECES, max_size=20).map("".join))
@example("a = " + "9" * 3900)
@example("a = 0001-13-01")
def test_random_text(text):
    assert read(text) is None


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_mutated_file(data):
    base = data.draw(st.sampled_from([SMALL, dashcam_text()]))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(base)))
        end = start + data.draw(st.sampled_from([0, 1, 2, 5, 20, 200]))
        base = base[:start] + data.draw(PIECES | st.text(max_size=5)) + base[end:]
    schema = read(base)
    assert schema is None or schema.wording_sha


scalars = st.integers(-5, 5) | st.booleans() | st.text(max_size=5) | st.sampled_from(["one_of", "any_of", "absent"])
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "label", "kind", "values", "means", "when", "then", "only", "f", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["field", "rule", "derive", "hidden", "prompt", "title"]), trees, max_size=4))
def test_valid_toml_of_the_wrong_shape(tree):
    head = 'name = "a"\nversion = 1\n'
    assert read(head + "".join(f"{key} = {to_toml(value)}\n" for key, value in tree.items())) is None


def to_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {to_toml(inner)}" for key, inner in value.items()) + "}"
    return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in str(value)) + '"'


def paths(value: object, path: tuple = ()) -> set[tuple]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path}.union(*(paths(child, (*path, key)) for key, child in children))


def test_every_key_of_the_file_has_a_line_on_which_it_stands():
    text = dashcam_text()
    lines = key_lines(text)
    assert paths(tomllib.loads(text)) - {()} == set(lines)
    written = text.split("\n")
    for path, line in lines.items():
        if isinstance(path[-1], str):
            assert path[-1] in written[line - 1], path


def test_quoted_dotted_and_nested_keys_have_lines():
    text = (
        'a."b c".d = 1\n'
        "'e' = [\n"
        " 1, # one\n"
        " {f = \"\"\"\n]\"\"\", g.h = '''}'''}, ]\n"
        '[x."y]"]\n'
        "z=2020-01-01 00:00:00 # z\n"
    )
    assert set(key_lines(text)) == paths(tomllib.loads(text)) - {()}
    lines = key_lines(text)
    assert lines["a", "b c", "d"] == 1
    assert lines["e", 1, "f"] == 4
    assert lines["e", 1, "g", "h"] == 5
    assert lines["x", "y]", "z"] == 7

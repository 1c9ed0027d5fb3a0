"""The JSON schemas bound everything, keep the order, and mean what the label schema says."""

import json
from collections.abc import Iterator

import pytest

from tests.unit.domain.schemas import dashcam, small
from vvlm_desktop.domain.labels import normalise
from vvlm_desktop.domain.schema_json import GEMINI_KEYWORDS, gemini_schema, json_schema, max_json_chars

ANSWER = {
    "event_type": "collision",
    "event_time": {"start_ms": 100, "end_ms": 59_000},
    "actions": ["go"],
    "caption": "Ego “hits” a \\ wall é.",
}


def nodes(schema: dict) -> Iterator[dict]:
    """Every schema within a schema; names of properties are not keywords."""
    yield schema
    for child in [*schema.get("properties", {}).values(), *schema.get("anyOf", []), schema.get("items")]:
        if child is not None:
            yield from nodes(child)


def test_every_model_field_is_required_and_in_order():
    schema = json_schema(dashcam())
    keys = [each.key for each in dashcam().model_fields]
    assert list(schema["properties"]) == schema["required"] == keys
    assert "severity" not in keys
    assert len(keys) == 21


def test_everything_is_bounded_and_nothing_is_optional():
    for node in nodes(json_schema(dashcam())):
        kind = node.get("type")
        if kind == "string":
            assert "enum" in node or node["maxLength"] > 0
        elif kind == "array":
            assert node["maxItems"] >= 1
        elif kind == "integer":
            assert node["minimum"] == 0
            assert node["maximum"] > 0
        elif kind == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        else:
            assert kind == "null" or "anyOf" in node


def test_no_keyword_that_decoders_ignore():
    used = {keyword for node in nodes(json_schema(dashcam())) for keyword in node}
    assert not used & {"if", "then", "uniqueItems", "pattern", "format", "oneOf", "$ref"}
    assert "number" not in {node.get("type") for node in nodes(json_schema(dashcam()))}


def test_gemini_gets_portable_keywords_only():
    used = {keyword for node in nodes(gemini_schema(dashcam())) for keyword in node}
    assert used == GEMINI_KEYWORDS


def test_gemini_writes_the_order_of_keys_out():
    for node in nodes(gemini_schema(dashcam())):
        if node.get("type") == "object":
            assert node["propertyOrdering"] == node["required"] == list(node["properties"])


def test_gemini_sdk_accepts_the_schema():
    types = pytest.importorskip("google.genai.types")
    schema = types.Schema.model_validate(gemini_schema(small()))
    assert schema.property_ordering == ["event_type", "event_time", "actions", "caption"]
    assert schema.properties["actions"].items.enum == ["go", "parked", "cannot_tell"]
    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=gemini_schema(dashcam())
    )
    assert config.response_json_schema["propertyOrdering"][0] == "event_type"


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Grammar:
    """The schema as the decoder enforces it, over single bytes."""

    def __init__(self, schema: dict) -> None:
        llguidance = pytest.importorskip("llguidance")
        self.matcher_of = llguidance.LLMatcher
        self.grammar = llguidance.LLMatcher.grammar_from_json_schema(schema, defaults={"whitespace_flexible": False})
        assert not llguidance.LLMatcher.validate_grammar(self.grammar)
        self.tokenizer = llguidance.LLTokenizer("byte")

    def accepts(self, text: str) -> bool:
        matcher = self.matcher_of(self.tokenizer, self.grammar, log_level=0)
        assert not matcher.is_error(), matcher.get_error()
        tokens = list(text.encode("utf-8"))
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


def test_the_decoder_compiles_the_whole_schema():
    labels = {each.key: example(each) for each in dashcam().model_fields}
    assert normalise(dashcam(), labels) == (labels, ())
    assert Grammar(json_schema(dashcam())).accepts(compact(labels))


def example(field) -> object:
    if field.has_values:
        return [field.value_keys[0]] if field.kind == "any_of" else field.value_keys[-1]
    return None if field.kind == "range" else "A car cuts in. Ego brakes."


def test_the_decoder_accepts_exactly_our_compact_form():
    grammar = Grammar(json_schema(small()))
    assert grammar.accepts(compact(ANSWER))
    assert grammar.accepts(compact({**ANSWER, "event_time": None, "actions": [], "event_type": "cannot_tell"}))
    reordered = dict(reversed(ANSWER.items()))
    for wrong in (
        json.dumps(ANSWER),
        compact(reordered),
        compact({**ANSWER, "event_type": "crash"}),
        compact({**ANSWER, "extra": 1}),
        compact({**ANSWER, "caption": "x" * 41}),
        compact({**ANSWER, "actions": ["go", "go", "go"]}),
        compact({**ANSWER, "event_time": {"start_ms": 0, "end_ms": 60_001}}),
        compact({**ANSWER, "event_time": {"start_ms": -1, "end_ms": 5}}),
        compact({key: value for key, value in ANSWER.items() if key != "actions"}),
    ):
        assert not grammar.accepts(wrong), wrong


def test_no_answer_is_longer_than_the_stated_maximum():
    longest = {
        "event_type": "no_incident",
        "event_time": {"start_ms": 60_000, "end_ms": 60_000},
        "actions": ["cannot_tell", "cannot_tell"],
        "caption": "\x01" * 40,
    }
    text = compact(longest)
    assert Grammar(json_schema(small())).accepts(text)
    assert len(text) == max_json_chars(small())

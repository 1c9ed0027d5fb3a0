"""Confidence from a server's token probabilities, against a computation by hand."""

import json
import math

import pytest

from tests.unit.backends.cloud.jobs import SCHEMA
from vvlm_desktop.backends.cloud_confidence import Token, field_confidence

LABELS = {
    "event_type": "collision",
    "event_time": {"start_ms": 4, "end_ms": 9},
    "actions": ["go", "parked"],
    "caption": "Größe.",
}
TEXT = json.dumps(LABELS, ensure_ascii=False)


def tokens(text, *, size=3):
    """Pieces of so many bytes, which cut through characters and values; each with a probability of its own."""
    data = text.encode()
    return [Token(data[i : i + size], math.log(0.5 + (i % 7) / 20)) for i in range(0, len(data), size)]


def by_hand(text, pieces, value):
    first = len(text[: text.index(value)].encode())
    last = first + len(value.encode())
    at, total = 0, 1.0
    for piece in pieces:
        if at < last and at + len(piece.data) > first:
            total *= math.exp(piece.log_p)
        at += len(piece.data)
    return total


@pytest.mark.parametrize("size", [1, 2, 3, 5, 50])
@pytest.mark.parametrize("before", ["", "```json\n", "Sure — here: "])
def test_it_is_the_product_over_the_tokens_that_touch_the_value(size, before):
    text = before + TEXT
    pieces = tokens(text, size=size)
    confidence, values = field_confidence(SCHEMA, text, pieces, LABELS, json_start=len(before))
    assert confidence["event_type"] == pytest.approx(by_hand(text, pieces, '"collision"'), abs=1e-5)
    assert confidence["event_time"] == pytest.approx(by_hand(text, pieces, '{"start_ms": 4, "end_ms": 9}'), abs=1e-5)
    assert confidence["actions"] == pytest.approx(by_hand(text, pieces, '["go", "parked"]'), abs=1e-5)
    assert confidence["caption"] is None
    assert values["actions"]["parked"] == pytest.approx(by_hand(text, pieces, '"parked"'), abs=1e-5)


def test_a_value_that_was_repaired_has_none():
    text = '{"event_type": "crash", "actions": []}'
    labels = {"event_type": "collision", "actions": []}
    confidence, values = field_confidence(SCHEMA, text, tokens(text), labels, json_start=0)
    assert confidence["event_type"] is None
    assert confidence["actions"] is not None
    assert values == {"actions": {}}


@pytest.mark.parametrize("pieces", [[], tokens(TEXT)[:-1], tokens(TEXT.upper())])
def test_tokens_that_do_not_make_up_the_text_give_none(pieces):
    assert field_confidence(SCHEMA, TEXT, pieces, LABELS, json_start=0) is None


def test_without_json_there_is_none():
    assert field_confidence(SCHEMA, "no", tokens("no"), {}, json_start=None) is None

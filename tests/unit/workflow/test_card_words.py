"""What a card says is words; nothing of it is printed as the program holds it."""

from __future__ import annotations

from typing import Any

import pytest

from vvlm_desktop.workflow.card_words import data_words, metrics_words

OURS: dict[str, Any] = {
    "training_set": {
        "name": "fleet-001",
        "clips": {"train": 70, "val": 16, "test": 17},
        "content_sha256": {"train": []},
    },
    "metrics": {
        "train_loss": 0.1234,
        "val_loss": 0.2,
        "validation": {
            "clips": 16,
            "valid_json": {"value": 1.0},
            "fields": {
                "event_type": {"kind": "one_of", "score": 0.82, "confusion": [{"truth": "a"}]},
                "weather": {"score": 0.5},
            },
        },
    },
}


def test_a_run_s_card_says_set_clips_and_what_was_reached() -> None:
    assert data_words(OURS) == "fleet-001, 70 clips, 16 more for validation"
    assert metrics_words(OURS) == "validation: event type 82%, weather 50%, 16 clips"


def test_many_fields_are_their_mean() -> None:
    fields = {f"field_{n}": {"score": n / 10} for n in range(5)}
    told = {"metrics": {"validation": {"clips": 1, "fields": fields}}}
    assert metrics_words(told) == "validation: field 0 0%, field 1 10%, field 2 20%, mean of 5 fields 20%, 1 clip"


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"train_loss": 0.1234, "val_loss": 0.25, "validation": None}, "validation loss 0.25"),
        ({"train_loss": 0.1234, "val_loss": None, "validation": {"fields": "?"}}, "training loss 0.123"),
        ({"train_loss": None}, ""),
        ({"event_type_accuracy": 0.9131, "nested": {"a": {"b": 1}}, "list": [1]}, "event type accuracy 0.913"),
        ("good  enough", "good enough"),
        ([{"a": 1}], ""),
        (None, ""),
    ],
)
def test_other_cards_say_what_can_be_said(metrics: Any, words: str) -> None:
    assert metrics_words({"metrics": metrics}) == words


def test_data_that_somebody_wrote_down_stands_before_the_set() -> None:
    assert data_words({**OURS, "data": "412 reviewed clips"}) == "412 reviewed clips"
    assert data_words({}) == ""

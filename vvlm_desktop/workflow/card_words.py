"""What an adapter's card says, in words: what it was trained on, and what it reached. The card may be anybody's."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from vvlm_desktop.workflow.run_events import number, table, text, whole

_CHARACTERS = 300
_FIELDS_SHOWN = 3
_NAMES_SHOWN = 8


def data_words(card: Mapping[str, Any]) -> str:
    """What it was trained on; empty where the card does not say."""
    told = table(card.get("training_set"))
    if card.get("data") is not None or not told:
        return _in_words(card.get("data"))
    clips = table(told.get("clips"))
    trained, checked = whole(clips.get("train")), whole(clips.get("val"))
    parts = [text(told.get("name"))[:_CHARACTERS]]
    parts += [f"{trained:,} {'clip' if trained == 1 else 'clips'}"] if trained else []
    parts += [f"{checked:,} more for validation"] if checked else []
    return ", ".join(part for part in parts if part)


def metrics_words(card: Mapping[str, Any]) -> str:
    """What it reached: on validation clips as training writes it, else whatever the card names."""
    told = card.get("metrics")
    if not isinstance(told, Mapping) or not {"train_loss", "val_loss", "validation"} & told.keys():
        return _in_words(told)
    scores = table(told.get("validation"))
    shares = {
        key: share
        for key, each in table(scores.get("fields")).items()
        if (share := number(table(each).get("score"))) is not None
    }
    if not shares:
        return _loss(told)
    first = [f"{key.replace('_', ' ')} {share:.0%}" for key, share in list(shares.items())[:_FIELDS_SHOWN]]
    if len(shares) > _FIELDS_SHOWN:
        first.append(f"mean of {len(shares)} fields {statistics.fmean(shares.values()):.0%}")
    clips = whole(scores.get("clips"))
    return f"validation: {', '.join(first)}, {clips:,} {'clip' if clips == 1 else 'clips'}"


def _loss(told: Mapping[str, Any]) -> str:
    for key, words in (("val_loss", "validation loss"), ("train_loss", "training loss")):
        loss = number(told.get(key))
        if loss is not None:
            return f"{words} {loss:.3g}"
    return ""


def _in_words(value: Any) -> str:
    """A line of a card: text as it is, numbers by their name; tables inside tables are left out."""
    if isinstance(value, str):
        return " ".join(value.split())[:_CHARACTERS]
    if isinstance(value, Mapping):
        plain = [(key, each) for key, each in value.items() if isinstance(each, str | int | float)]
        return ", ".join(f"{str(key).replace('_', ' ')} {_number(each)}" for key, each in plain[:_NAMES_SHOWN])
    return _number(value) if isinstance(value, int | float) else ""


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)[:60]

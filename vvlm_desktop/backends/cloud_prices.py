"""What an answer cost, as an estimate: tokens times the price of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: US dollars per million tokens, (in, out), as published by Google for the paid tier; an estimate, prices change.
#: Aliases like `gemini-flash-latest` are not here: the answer names the model that they stand for.
GEMINI_PRICES: dict[str, tuple[float, float]] = {
    "gemini-2.5-pro": (1.25, 10.0),
    "gemini-2.5-flash-lite": (0.10, 0.40),
    "gemini-2.5-flash": (0.30, 2.50),
    "gemini-2.0-flash-lite": (0.075, 0.30),
    "gemini-2.0-flash": (0.10, 0.40),
}
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one clip, summed over every request that it took; thinking counts as going out."""

    tokens_in: int = 0
    tokens_out: int = 0
    requests: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out, self.requests + other.requests
        )

    def to_json(self) -> dict[str, Any]:
        """For `Answer.settings`."""
        return {"tokens_in": self.tokens_in, "tokens_out": self.tokens_out, "requests": self.requests}


def cost_usd(usage: Usage, model: str, *, own_prices: Mapping[str, tuple[float, float]]) -> float | None:
    """Estimated cost; None, which is never free, where the model's price or the tokens are not known.

    Args:
        own_prices: what the user entered; looked at first. The longest beginning of the name wins.
    """
    if not usage.tokens_in:
        return None  # the service did not say how many there were
    name = model.removeprefix("models/")
    for prices in (own_prices, GEMINI_PRICES):
        matching = [start for start in prices if name.startswith(start)]
        if matching:
            price_in, price_out = prices[max(matching, key=len)]
            return round((usage.tokens_in * price_in + usage.tokens_out * price_out) / _MILLION, 6)
    return None

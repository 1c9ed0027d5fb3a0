"""The two sides of a comparison: a letter and a colour each, the same everywhere on the page."""

from __future__ import annotations

LETTERS = ("A", "B")
#: Beside the letter, never instead of it.
INKS = ("model", "accent")

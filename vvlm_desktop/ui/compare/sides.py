"""The sides of a comparison: a letter and a colour each, the same everywhere on the page."""

from __future__ import annotations

#: The two that are compared.
LETTERS = ("A", "B")
#: Those and the ones that can stand beside them.
ALL_LETTERS = ("A", "B", "C", "D")
#: Beside the letter, never instead of it.
INKS = ("model", "accent", "text", "muted")

"""What answers from elsewhere took: tokens, and money where a price is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vvlm_desktop.cli.choosing import Chosen
    from vvlm_desktop.domain.clip import Clip
    from vvlm_desktop.workflow.session import Session

_NAMES = ("tokens_in", "tokens_out", "requests", "cost_usd")


def spent_on(session: Session, clip: Clip, chosen: Chosen) -> dict[str, Any]:
    """What the latest answer about `clip` took; nothing for what runs on this computer."""
    from vvlm_desktop.backends.catalogue import backend_info

    if not backend_info(chosen.backend).leaves_computer:
        return {}
    answers = [each for each in session.library.analyses(clip.id) if each.backend == chosen.backend]
    settings: Mapping[str, Any] = max(answers, key=lambda each: each.created_at).settings if answers else {}
    return {name: settings.get(name) for name in _NAMES if name in settings}


def spent_in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """The sum over `rows`; an unknown price is never the same as free."""
    known = [row for row in rows if row.get("tokens_in") is not None]
    tokens_in, tokens_out = (sum(int(row.get(name) or 0) for row in known) for name in ("tokens_in", "tokens_out"))
    words = f"{tokens_in:,} tokens in, {tokens_out:,} out"
    costs = [row["cost_usd"] for row in known if row.get("cost_usd") is not None]
    if not costs:
        return words
    rest = "" if len(costs) == len(known) else f", and {len(known) - len(costs)} clips of unknown price"
    return f"{words}, about ${sum(costs):.4f}{rest}"

"""How far two answers agree over many clips, and which of the two is right more often."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vvlm_desktop.workflow.comparing import Comparison, FieldComparison
from vvlm_desktop.workflow.session import Session


@dataclass(slots=True)
class FieldAgreement:
    """One field over all compared clips.

    Attributes:
        n: clips in which both answered it; `agree` those in which they said the same.
        judged: of `n`, those whose truth a person has settled; `a_right` and `b_right` are counted among them.
        only_a, only_b: judged clips in which one was right and the other not, McNemar's discordant counts.
    """

    key: str
    label: str
    n: int = 0
    agree: int = 0
    judged: int = 0
    a_right: int = 0
    b_right: int = 0
    only_a: int = 0
    only_b: int = 0

    @property
    def p_value(self) -> float | None:
        """McNemar's exact test: how easily chance alone gives so uneven discordant counts; None without any."""
        n, fewer = self.only_a + self.only_b, min(self.only_a, self.only_b)
        if not n:
            return None
        return min(1.0, sum(math.comb(n, k) for k in range(fewer + 1)) / (1 << (n - 1)))

    def add(self, pair: FieldComparison) -> None:
        """Count one clip."""
        if pair.answered != (True, True):
            return
        self.n += 1
        self.agree += pair.standing == "same"
        a, b = pair.right
        if a is None or b is None:
            return
        self.judged += 1
        self.a_right += a
        self.b_right += b
        self.only_a += a and not b
        self.only_b += b and not a


def agreement(session: Session, pairs: Iterable[Comparison]) -> list[FieldAgreement]:
    """Counts for each field but texts, in schema order.

    What nobody looked at (`bulk_unseen`), a demo's script and a rejected value never count as truth.
    """
    found = {
        field.key: FieldAgreement(field.key, field.label) for field in session.schema.fields if field.kind != "text"
    }
    for pair in pairs:
        for each in pair.fields:
            if each.field.key in found:
                found[each.field.key].add(each)
    return list(found.values())

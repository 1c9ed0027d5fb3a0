"""Which adapter is the default: only one that was shown to be better on clips that never trained, and back again.

Promotions and rollbacks are events of the library's log: who, when, which weights, by which rule, with which numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.runs import Evaluation
from vvlm_desktop.workflow.session import Session

Test: TypeAlias = Literal["mcnemar", "bootstrap"]


@dataclass(frozen=True, slots=True)
class PromotionRule:
    """When an adapter may become the default; kept in the settings, shown and edited on the Training page.

    Attributes:
        test: `mcnemar` on `field` alone; `bootstrap`: the interval of the gain in the mean over all choice fields.
        field: that must get better, by McNemar; "event_type" as long as the schema has it.
        level: how often chance alone may pass, for example 0.05.
        least_clips: of the test part with a known answer, below which nothing is decided.
        no_worse: also refuse where any other field is worse at that level, or valid answers are fewer.
    """

    test: Test = "bootstrap"
    field: str = "event_type"
    level: float = 0.05
    least_clips: int = 20
    no_worse: bool = True

    def sentence(self, schema: LabelSchema) -> str:
        """The rule for people."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of the rule: what was asked for, what was seen, and whether it holds."""

    title: str
    seen: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an evaluation lets an adapter become the default.

    Attributes:
        candidate, against: names as in the evaluation; `against` is "base", or the adapter that is the default now.
        gain: of the mean over the choice fields, with its interval (value, low, high).
        looks: how often this test part has been used for a judgement, this one included; each look spends some of it.
    """

    candidate: str
    against: str
    rule: PromotionRule
    checks: tuple[Check, ...]
    gain: tuple[float, float, float]
    clips: int
    looks: int

    @property
    def allowed(self) -> bool:
        """Whether every condition holds."""
        return all(check.holds for check in self.checks)

    @property
    def sentence(self) -> str:
        """The outcome for people."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of the default.

    Attributes:
        kind: `promoted`, `rolled_back`.
        model, adapter: the default from then on; adapter "" is the model alone.
        before: backend, model and adapter that were in use.
        numbers: of the judgement; empty for a rollback.
    """

    at: str
    reviewer: str
    kind: Literal["promoted", "rolled_back"]
    model: str
    adapter: str
    before: tuple[str, str, str]
    numbers: dict[str, Any]


def rule_of(settings: Settings) -> PromotionRule:
    """The rule in force."""
    raise NotImplementedError


def judge(session: Session, evaluation: Evaluation, *, rule: PromotionRule | None = None) -> Judgement:
    """Apply the rule to an evaluation of the test part.

    Raises:
        UsageError: it is of another part, of another schema, or its files were changed since.
    """
    raise NotImplementedError


def promote(session: Session, evaluation: Evaluation) -> Promotion:
    """Make the run's adapter the default of this library and of Analyse, and write that down.

    Raises:
        PromotionRefusedError: the rule does not hold; it says which condition.
    """
    raise NotImplementedError


def rollback(session: Session) -> Promotion:
    """Back to what was the default before the last promotion that is in force.

    Raises:
        UsageError: nothing was promoted, or what was before is no longer on this computer.
    """
    raise NotImplementedError


def promotions(session: Session) -> list[Promotion]:
    """All changes of the default in this library, the newest first."""
    raise NotImplementedError

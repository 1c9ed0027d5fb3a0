"""Which clips would change their answer with another adapter: those whose newest answers of both differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.workflow.answerers import Source
from vvlm_desktop.workflow.session import Session


@dataclass(frozen=True, slots=True)
class Changing:
    """What the candidate says differently.

    Attributes:
        now, then: who answers now, and who would.
        compared: clips that both have answered on the same footing.
        changed: row ids of those whose answers differ in a field, the most important field first.
        by_field: how many clips change in each field.
        settled_wrong: of `changed`, row ids of clips in which a person has said what is right, and the change is away
            from it; `settled_right` towards it.
        missing: readable clips that one of the two has not answered yet.
    """

    now: Source
    then: Source
    compared: int
    changed: tuple[int, ...]
    by_field: dict[str, int]
    settled_right: tuple[int, ...]
    settled_wrong: tuple[int, ...]
    missing: tuple[Clip, ...]


def changing(
    session: Session,
    *,
    model: str,
    adapter: str,
    now: str = "",
    cancelled: Callable[[], bool] = lambda: False,
) -> Changing:
    """Compare the newest answers of `model` with `adapter` with those of the adapter `now` ("" the model alone).

    Raises:
        JobCancelledError: `cancelled` said so.
    """
    raise NotImplementedError

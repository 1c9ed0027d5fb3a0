"""What the question needs to know: whose answers, which are missing, and how long those would take; without Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.changes import Changes, read_changes
from vvlm_desktop.ui.choice import Choice, choice_of_batch
from vvlm_desktop.workflow.answerers import Source
from vvlm_desktop.workflow.changing import changing
from vvlm_desktop.workflow.session import Session

if TYPE_CHECKING:
    from vvlm_desktop.workflow.runs import Run

#: Answers that the pace is read from, and a pause after which another batch began.
_LOOKED_BACK, _PAUSE_S, _LEAST = 64, 60.0, 4


@dataclass(frozen=True, slots=True)
class Missing:
    """Clips that one of the two has not answered, and what would answer them."""

    choice: Choice
    clips: tuple[Clip, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """What changes, and what is missing of each of the two."""

    changes: Changes
    missing: tuple[Missing, ...]

    @property
    def seconds(self) -> float | None:
        """How long it takes to have all of it made; None where nothing tells."""
        known = [part.seconds for part in self.missing]
        return None if None in known else sum(seconds for seconds in known if seconds is not None)


def sources_of_run(settings: Settings, run: Run) -> tuple[Source, Source]:
    """Who answers now, and who would: the default's adapter of the same model, else the model alone.

    Raises:
        UsageError: the run's model or adapter is not on this computer.
    """
    from vvlm_desktop.workflow.adapters import find_adapter
    from vvlm_desktop.workflow.model_shelf import find_model

    model = find_model(settings, run.config.model_dir)
    adapter = find_adapter(settings, run.name, base=model)
    is_default = settings.backend == "local" and settings.local_model in {model.name, str(model.path)}
    default = settings.local_adapter if is_default else ""
    now = find_adapter(settings, default, base=model).name if default.strip() else None
    # Where it is the default already, what it changed is the question.
    return Source("local", model.name, None if now == adapter.name else now), Source("local", model.name, adapter.name)


def newest_run(session: Session) -> Run:
    """The newest run whose adapter is on this computer.

    Raises:
        UsageError: there is none.
    """
    from vvlm_desktop.workflow.adapters import adapter_named
    from vvlm_desktop.workflow.runs import list_runs

    for run in list_runs(session):
        if adapter_named(session.settings, run.name) is not None:
            return run
    raise UsageError(
        "No fine-tune has made an adapter yet, so no answer would change.", hint="Train one on the Training page."
    )


def look(
    session: Session,
    sources: tuple[Source, Source],
    *,
    report: Callable[[float], None] = lambda _fraction: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Found:
    """Go through the library.

    Raises:
        JobCancelledError: `cancelled` said so.
        VvlmError: what would answer the missing clips cannot be used.
    """
    now, then = sources
    found = changing(session, model=then.model, adapter=then.adapter or "", now=now.adapter or "", cancelled=cancelled)
    changes = read_changes(session, found, report=report, cancelled=cancelled)
    parts = [_missing(session, source, changes.missing) for source in sources] if changes.missing else []
    return Found(changes, tuple(part for part in parts if part is not None))


def _missing(session: Session, source: Source, among: frozenset[str]) -> Missing | None:
    from vvlm_desktop.workflow.models import local_options

    without = session.library.clips_without(
        source.backend,
        model=source.model,
        adapter=source.adapter or "",
        schema_labels_sha=session.schema.labels_sha,
        drafts=False,
    )
    clips = tuple(clip for clip in without if clip.id in among)
    if not clips:
        return None
    options = local_options(session.settings, model=source.model, adapter=source.adapter or "").to_json()
    pace = seconds_per_answer(session, source)
    return Missing(choice_of_batch(source.backend, options), clips, None if pace is None else pace * len(clips))


def seconds_per_answer(session: Session, source: Source) -> float | None:
    """How far apart this model's answers came lately, with whatever adapter; None where there were too few."""
    heads = session.library.answer_heads(schema_key=session.schema.key)
    rows = sorted(head.analysis_row for head in heads if (head.backend, head.model) == (source.backend, source.model))
    lately = session.library.analyses_by_row(rows[-_LOOKED_BACK:]).values()
    return pace_of([each.created_at for each in lately])


def pace_of(times: Sequence[str]) -> float | None:
    """Seconds from one to the next, without the pauses between batches."""
    moments = sorted(datetime.fromisoformat(each) for each in times)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    if not gaps:
        return None
    working = [gap for gap in gaps if gap <= max(_PAUSE_S, 5 * median(gaps))]
    return sum(working) / len(working) if len(working) >= _LEAST and sum(working) > 0 else None

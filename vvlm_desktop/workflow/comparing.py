"""Two answers side by side: a model with and without its adapter, on the same frames, with the same prompt.

Both come from one loaded model, so what differs is the adapter. Where something else differs too, it is said.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Review
from vvlm_desktop.domain.schema import Field, LabelSchema
from vvlm_desktop.domain.values import LabelValue
from vvlm_desktop.errors import BackendError, UsageError
from vvlm_desktop.jobs.child import Delivered
from vvlm_desktop.workflow.analyse import AnalyseBatch, run_batch
from vvlm_desktop.workflow.batch_events import BatchEvent
from vvlm_desktop.workflow.judging import counts_as_truth, is_right, same_answer
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.workers import Workers

Standing: TypeAlias = Literal["differs", "one_sided", "same", "unanswered"]

#: The order in which fields are shown.
_ORDER: Mapping[Standing, int] = {"differs": 0, "one_sided": 1, "same": 2, "unanswered": 3}
#: Settings that change what a model sees or says; not folders, batch sizes, versions.
_TELLING: Mapping[str, str] = {
    "revision": "another revision of the weights",
    "family": "another family of models",
    "precision": "another precision",
    "sampling": "other frames asked for",
    "frames": "another number of frames",
    "size_px": "another size of the pictures",
    "range_ms": "another part of the clip",
    "rounds": "another number of looks",
    "temperature": "another temperature",
    "fps": "another number of frames a second",
    "media_resolution": "another resolution",
}
#: Of these, what two models differ in by being two.
_OF_A_MODEL = frozenset({"revision", "family", "size_px"})


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """One field of two answers, the first always `a`'s.

    Attributes:
        said: meaningful only where `answered`.
        confidence: as the backend gave it, None where it has none.
        truth_known: a person has said what is true of this field of this clip, having looked.
        right: whether each said the truth; None where that is not known, or it did not answer. A rejected value is
            wrong although the truth is not known.
    """

    field: Field
    standing: Standing
    answered: tuple[bool, bool]
    said: tuple[LabelValue, LabelValue]
    confidence: tuple[float | None, float | None]
    truth_known: bool
    truth: LabelValue
    right: tuple[bool | None, bool | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two answers about one clip; fields that differ come first.

    Attributes:
        truth_by: who settled the review that `truth` is from, None where nobody has.
        same_frames, same_prompt, same_settings: what makes the comparison a fair one.
        notes: a sentence for each of them that is not so.
    """

    clip: Clip
    a: Analysis
    b: Analysis
    fields: tuple[FieldComparison, ...]
    truth_by: str | None
    same_frames: bool
    same_prompt: bool
    same_settings: bool
    notes: tuple[str, ...]

    @property
    def differing(self) -> int:
        """How many fields both answered, and differently."""
        return sum(field.standing == "differs" for field in self.fields)

    @property
    def counts(self) -> bool:
        """Whether it belongs into totals: same frames, prompt and settings.

        A measurement has neither frames nor a prompt to have in common; it is compared as what it is.
        """
        fair = self.same_frames and self.same_prompt and self.same_settings
        return fair or "measurement" in {self.a.provenance, self.b.provenance}


def compare_clips(
    session: Session,
    clips: Sequence[Clip],
    *,
    backend: str,
    options: Mapping[str, Any],
    on_event: Callable[[BatchEvent], None] = lambda _event: None,
    skip: Mapping[str, frozenset[str]] | None = None,
) -> tuple[AnalyseBatch, AnalyseBatch]:
    """Analyse `clips` without and then with the adapter of `options`, in one worker with one loaded model.

    Args:
        options: of the backend, with an adapter.
        skip: ids of clips that are left as they are, by "base" and "tuned".

    Raises:
        UsageError: there is no adapter to compare.
        BackendError: something that concerns every clip stopped it.
    """
    require_adapter(options)
    left_out = skip or {}
    inbox: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
    workers = Workers(inbox.put)

    def told(event: BatchEvent) -> None:
        on_event(event)
        if event.kind == "stopped":
            raise BackendError(event.message, hint=event.hint)

    def run(side: str, chosen: Mapping[str, Any]) -> AnalyseBatch:
        wanted = [clip for clip in clips if clip.id not in left_out.get(side, frozenset())]
        batch = AnalyseBatch(session, wanted, backend=backend, workers=workers, on_event=told, options=dict(chosen))
        run_batch(batch, inbox)
        return batch

    try:
        return run("base", base_of(options)), run("tuned", options)
    finally:
        workers.close()


def require_adapter(options: Mapping[str, Any]) -> None:
    """Refuse where there is nothing to compare a model with.

    Raises:
        UsageError: there is no adapter.
    """
    if not options.get("adapter"):
        raise UsageError("There is no adapter to compare the model with.", hint="Name one with --adapter.")


def base_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same options for the model alone; nothing else changes."""
    return {**options, "adapter": None, "adapter_dir": None}


def latest_of(
    session: Session, clip_id: str, *, backend: str, model: str, adapter: str | None = None
) -> Analysis | None:
    """The newest answer of a model, with this adapter or without any, under the session's labels."""
    for analysis in session.library.analyses(clip_id):
        same = (analysis.backend, analysis.model, analysis.adapter or None) == (backend, model, adapter or None)
        if same and analysis.schema_labels_sha == session.schema.labels_sha:
            return analysis
    return None


def comparison(session: Session, clip_id: str, a: Analysis, b: Analysis) -> Comparison:
    """Two answers about a clip field by field, with the truth where a person has settled it."""
    library, schema = session.library, session.schema
    truth = library.truth(clip_id, schema_key=schema.key)
    return compare_answers(schema, library.clip(clip_id), (a, b), truth=truth, analyses=library.analyses(clip_id))


def compare_answers(
    schema: LabelSchema,
    clip: Clip,
    answers: tuple[Analysis, Analysis],
    *,
    truth: Review | None,
    analyses: Iterable[Analysis],
) -> Comparison:
    """The same for records that are at hand.

    Args:
        analyses: all of the clip, to tell which verdicts were about a demo's script.
    """
    a, b = answers
    truth = truth if truth is not None and truth.settled else None
    scripts = frozenset(each.id for each in analyses if each.provenance == "demo_script")
    fields = [_compared(field, a, b, truth=truth, scripts=scripts) for field in schema.fields]
    same_frames, same_prompt = a.frames_pts == b.frames_pts, a.prompt_sha == b.prompt_sha
    apart = _settings_apart(a, b)
    return Comparison(
        clip=clip,
        a=a,
        b=b,
        fields=tuple(sorted(fields, key=lambda each: _ORDER[each.standing])),
        truth_by=truth.reviewer if truth is not None else None,
        same_frames=same_frames,
        same_prompt=same_prompt,
        same_settings=not apart,
        notes=_notes(a, b, apart),
    )


def _compared(
    field: Field, a: Analysis, b: Analysis, *, truth: Review | None, scripts: frozenset[str]
) -> FieldComparison:
    answered = (field.key in a.labels, field.key in b.labels)
    said = (a.labels.get(field.key), b.labels.get(field.key))
    verdict = truth.verdicts.get(field.key) if truth is not None else None
    known, value = False, None
    right: tuple[bool | None, bool | None] = (None, None)
    if verdict is not None:  # few clips have one, and hundred thousands are counted
        known = counts_as_truth(verdict, scripts=scripts)
        value = verdict.value if known else None
        a_right, b_right = (
            is_right(field, said[side], verdict, scripts=scripts) if answered[side] else None for side in (0, 1)
        )
        right = (a_right, b_right)
    return FieldComparison(
        field=field,
        standing=_standing(field, answered, said),
        answered=answered,
        said=said,
        confidence=(a.confidence.get(field.key), b.confidence.get(field.key)),
        truth_known=known,
        truth=value,
        right=right,
    )


def _standing(field: Field, answered: tuple[bool, bool], said: tuple[LabelValue, LabelValue]) -> Standing:
    if answered == (False, False):
        return "unanswered"
    if answered != (True, True):
        return "one_sided"
    return "same" if field.kind == "text" or same_answer(field, *said) else "differs"


def _settings_apart(a: Analysis, b: Analysis) -> list[str]:
    one, other = a.settings, b.settings
    same_model = (a.backend, a.model) == (b.backend, b.model)
    names = [name for name in _TELLING if same_model or name not in _OF_A_MODEL]
    return [name for name in names if name in one and name in other and one[name] != other[name]]


def _notes(a: Analysis, b: Analysis, apart: Iterable[str]) -> tuple[str, ...]:
    if "measurement" in {a.provenance, b.provenance}:
        return ("One of the two was measured, not asked: it saw every frame and was given no prompt.",)
    notes = []
    if a.frames_pts != b.frames_pts:
        how_many = len(a.frames_pts), len(b.frames_pts)
        notes.append(
            f"They did not see the same frames: {how_many[0]} and {how_many[1]}."
            if how_many[0] != how_many[1]
            else "They saw as many frames, at other times."
        )
    if a.prompt_sha != b.prompt_sha:
        notes.append("They were asked in other words.")
    if a.schema_labels_sha != b.schema_labels_sha:
        notes.append("They could choose among other labels.")
    notes += [f"They ran with {_TELLING[name]}." for name in apart if name != "frames"]
    return tuple(notes)

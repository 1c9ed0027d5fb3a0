"""Looking around a clip's event: where it is, is known of each clip by itself, when its turn comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.clip_times import lies_within
from vvlm_desktop.domain.labels import implied_values
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import Labels
from vvlm_desktop.errors import BackendError
from vvlm_desktop.workflow.session import Session

#: Key of a batch's options: frames are taken around each clip's event.
AROUND = "around"
_EVENT_TIME = "event_time"
_BY_HAND = "name its time yourself (vvlm review CLIP --set event_time=3.0..4.5), or look at all of the clip"


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """When a clip's event was, and who says so."""

    start_ms: int
    end_ms: int
    whose: str

    @property
    def sentence(self) -> str:
        """For people: `around 4.2 s (your review)`."""
        return f"around {self.start_ms / 1000:.1f} s ({self.whose})"


def part_of(options: Mapping[str, Any]) -> tuple[int, int] | None:
    """The part of each clip, in ms, that a batch is about; None is all of it."""
    part = options.get("range_ms")
    return (int(part[0]), int(part[1])) if part else None


def options_for(session: Session, clip: Clip, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options of a batch as they are for one clip.

    Raises:
        BackendError: frames are to be taken around the event, and nobody knows of one.
    """
    if not options.get(AROUND):
        return options
    event = event_of(session, clip)
    if "sampling" not in options:  # a backend that is sent the video and told where to look
        return {**{key: value for key, value in options.items() if key != AROUND}, "event_ms": event.start_ms}
    sampling = Sampling(**{**options.get("sampling", {}), "kind": "around", "fps": None, "at_ms": event.start_ms})
    plain = {key: value for key, value in options.items() if key != AROUND}
    return {
        **plain,
        "sampling": {
            "kind": sampling.kind,
            "frames": sampling.frames,
            "fps": None,
            "at_ms": event.start_ms,
            "before_ms": sampling.before_ms,
            "after_ms": sampling.after_ms + event.end_ms - event.start_ms,
        },
    }


def event_of(session: Session, clip: Clip) -> KnownEvent:
    """The clip's event: a person's, else a model's, else the moment that stands out most.

    A time that the clip does not have is nobody's event, and neither is one beside “no incident”.

    Raises:
        BackendError: nobody knows of one, or a person has said that there was none.
    """
    schema = session.schema
    truth = session.library.truth(clip.id, schema_key=schema.key)
    analyses = [each for each in session.library.analyses(clip.id) if each.schema_key == schema.key]
    if truth is not None:
        labels = truth.labels()
        whose = "your review" if truth.reviewer == session.reviewer else f"the review of {truth.reviewer}"
        if found := _named(schema, labels, clip, whose=whose):
            return found
        if _none_by_rule(schema, labels) or (_EVENT_TIME in labels and labels[_EVENT_TIME] is None):
            raise BackendError(
                f"There is nothing to look around: {whose} says that there was no event.",
                hint="Look at all of the clip, or correct the review first.",
            )
    for each in analyses:
        if found := _named(schema, each.labels, clip, whose=f"the answer of {_who(each)}"):
            return found
    return _standing_out(analyses, clip)


def _named(schema: LabelSchema, labels: Labels, clip: Clip, *, whose: str) -> KnownEvent | None:
    time = labels.get(_EVENT_TIME)
    if not isinstance(time, dict) or not lies_within(time, clip.duration_s) or _none_by_rule(schema, labels):
        return None
    return KnownEvent(int(time["start_ms"]), int(time["end_ms"]), whose)


def _none_by_rule(schema: LabelSchema, labels: Labels) -> bool:
    """Whether what else was said leaves no event that could have a time."""
    implied = implied_values(schema, {key: value for key, value in labels.items() if key != _EVENT_TIME})
    return _EVENT_TIME in implied and implied[_EVENT_TIME] is None


def _who(analysis: Analysis) -> str:
    name = analysis.model or analysis.backend
    return f"{name} + {analysis.adapter}" if analysis.adapter else name


def _standing_out(analyses: Sequence[Analysis], clip: Clip) -> KnownEvent:
    moments = [
        moment
        for each in analyses
        for moment in each.candidates
        if lies_within({"start_ms": moment.start_ms, "end_ms": moment.end_ms}, clip.duration_s)
    ]
    if moments:
        best = max(moments, key=lambda moment: moment.score)
        return KnownEvent(best.start_ms, best.end_ms, f"what stands out most: {best.reason}")
    if any(each.provenance == "measurement" for each in analyses):
        raise BackendError(
            "No event is known in this clip: the measurements found no moment that stands out.",
            hint=f"{_BY_HAND[0].upper()}{_BY_HAND[1:]}.",
        )
    raise BackendError(
        "No event is known in this clip, so there is nothing to look around.",
        hint=f"Measure it first (vvlm analyse CLIP --backend signals), {_BY_HAND}.",
    )

"""Looking around a clip's event: where it is, is known of each clip by itself, when its turn comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import BackendError
from vvlm_desktop.workflow.session import Session

#: Key of a batch's options: frames are taken around each clip's event.
AROUND = "around"


def options_for(session: Session, clip: Clip, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options of a batch as they are for one clip.

    Raises:
        BackendError: frames are to be taken around the event, and nobody knows of one.
    """
    if not options.get(AROUND):
        return options
    start_ms, end_ms = _event_ms(session, clip)
    if "sampling" not in options:  # a backend that is sent the video and told where to look
        return {**{key: value for key, value in options.items() if key != AROUND}, "event_ms": start_ms}
    sampling = Sampling(**{**options.get("sampling", {}), "kind": "around", "fps": None, "at_ms": start_ms})
    plain = {key: value for key, value in options.items() if key != AROUND}
    return {
        **plain,
        "sampling": {
            "kind": sampling.kind,
            "frames": sampling.frames,
            "fps": None,
            "at_ms": start_ms,
            "before_ms": sampling.before_ms,
            "after_ms": sampling.after_ms + end_ms - start_ms,
        },
    }


def _event_ms(session: Session, clip: Clip) -> tuple[int, int]:
    """Start and end of the event: a person's, else a model's, else the moment that stands out most."""
    schema_key = session.schema.key
    truth = session.library.truth(clip.id, schema_key=schema_key)
    analyses = [each for each in session.library.analyses(clip.id) if each.schema_key == schema_key]
    for labels in (*((truth.labels(),) if truth else ()), *(each.labels for each in analyses)):
        time = labels.get("event_time")
        if isinstance(time, dict):
            return int(time["start_ms"]), int(time["end_ms"])
    moments = [moment for each in analyses for moment in each.candidates]
    if not moments:
        raise BackendError(
            "No event is known in this clip, so there is nothing to look around.",
            hint="Analyse it with the built-in measurements first, or look at all of it.",
        )
    best = max(moments, key=lambda moment: moment.score)
    return best.start_ms, best.end_ms

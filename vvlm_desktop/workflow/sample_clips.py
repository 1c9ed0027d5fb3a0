"""The sample clips in the library, each with the scripted answer that shows what reviewing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vvlm_desktop import paths
from vvlm_desktop.backends.base import Answer, analysis_from
from vvlm_desktop.domain.analysis import EventCandidate
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.samples import SAMPLES, Sample, make_samples
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.sampling import uniform
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.session import Session, load_schema

#: Backend name under which scripted answers are stored; it is in no catalogue and can never be run.
DEMO_BACKEND = "demo"
DEMO_MODEL = "Demo script, not a model"
_FRAMES_SHOWN = 16


def add_samples(
    session: Session,
    *,
    folder: Path | None = None,
    progress: Callable[[float, str], None] | None = None,
    first_ready: Callable[[Clip], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Clip]:
    """Make the sample clips (once), add them, and give each its scripted answer (once).

    Args:
        folder: where the files go; beside the program's data by default.
        progress: called with 0..1 and a few words.
        first_ready: called with the first sample as soon as it can be opened; the others are still being drawn then.
        cancelled: looked at all the time; what is finished by then stays.

    Raises:
        StorageFullError: the folder or the library cannot be written to.
        JobCancelledError: `cancelled` said so.
    """
    # The scripts speak the schema that comes with the program; a fleet's own may lack their fields.
    schema = session.schema if session.schema.name == "dashcam" else load_schema()
    session.library.remember_schema(schema)
    clips: dict[str, Clip] = {}

    def on_progress(done: int, total: int, name: str) -> None:
        if progress is not None:
            progress(done / max(1, total), f"{name} ({done} of {total})")

    def on_made(sample: Sample) -> None:
        clip = add_paths(session, [sample.path], is_sample=True).items[0].clip
        if clip is None:
            return
        clips[sample.slug] = clip
        if sample.script is not None and not _has_script(session, clip):
            answer = _scripted_answer(sample.script, index_of(session, clip))
            session.library.add_analysis(analysis_from(answer, clip_id=clip.id, backend=DEMO_BACKEND, schema=schema))
        if sample.slug == SAMPLES[0].slug and first_ready is not None:
            first_ready(clip)

    samples = make_samples(folder or paths.samples_dir(), progress=on_progress, made=on_made, cancelled=cancelled)
    return [clips[sample.slug] for sample in samples if sample.slug in clips]


def _has_script(session: Session, clip: Clip) -> bool:
    return any(analysis.provenance == "demo_script" for analysis in session.library.analyses(clip.id))


def _scripted_answer(script: Mapping[str, Any], index: FrameIndex) -> Answer:
    return Answer(
        labels=script["labels"],
        confidence=script["confidence"],
        confidence_kind="scripted",
        frames_pts=tuple(index.pts[number] for number in uniform(index, _FRAMES_SHOWN)),
        raw_text=script["raw_text"],
        model=DEMO_MODEL,
        provenance="demo_script",
        candidates=tuple(_candidate(item, index) for item in script.get("candidates", ())),
        attention=script.get("attention"),
    )


def _candidate(item: Mapping[str, Any], index: FrameIndex) -> EventCandidate:
    start, end = (index.at_time(item[key] / 1000) for key in ("start_ms", "end_ms"))
    return EventCandidate(
        kind=item["kind"],
        start_pts=index.pts[start],
        end_pts=index.pts[end],
        start_ms=index.ms(start),
        end_ms=index.ms(end),
        score=item["score"],
        reason=item["reason"],
    )

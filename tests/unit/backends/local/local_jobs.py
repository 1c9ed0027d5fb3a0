"""Jobs for the local backend through its production path, with tiny models on the processor."""

import itertools
import json
from functools import cache

from tests.clips import clip
from tests.tiny_models import tiny_model
from vvlm_desktop.backends.base import Job
from vvlm_desktop.backends.local_options import LocalOptions, Sampling
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.protocol import AnalyseRequest
from vvlm_desktop.video.index import read_index

SMALL_TOML = """
name = "small"
version = 1
title = "Small"

[prompt]
intro = "Label the clip."

[[field]]
key = "event_type"
label = "Event"
kind = "one_of"
values = [
  { key = "collision", label = "Collision", means = "contact" },
  { key = "near_miss", label = "Near miss", means = "close" },
  { key = "no_incident", label = "No incident", means = "nothing" },
]

[[field]]
key = "event_time"
label = "Event time"
kind = "range"
may_be_absent = true
max_ms = 60_000

[[field]]
key = "caption"
label = "Caption"
kind = "text"
max_length = 12
"""
SMALL = parse_schema(SMALL_TOML, source="small.toml")
CLIP = "h264_bframes.mp4"
_numbers = itertools.count(1)


def options(family="internvl", **changes):
    """Options as they travel; 8 frames of a tiny model on the processor."""
    values = {"model": f"tiny {family}", "model_dir": str(tiny_model(family)), "device": "cpu"}
    frames = changes.pop("frames", 8)
    return LocalOptions(**{**values, "sampling": Sampling(frames=frames), **changes}).to_json()


class JobNotes:
    """A job with everything that was told about it."""

    def __init__(self, path=None, *, schema=SMALL, cancel_at=None, **changes):
        self.stages = []
        self.looked = 0
        self._cancel_at = cancel_at
        given = changes.pop("options", None)
        request = AnalyseRequest(
            id=str(next(_numbers)),
            backend="local",
            clip_id="c",
            path=str(path or clip(CLIP)),
            stream_index=0,
            schema_toml=schema.document,
            options=json.loads(json.dumps(given if given is not None else options())),
            **changes,
        )
        self.job = Job(request, schema, self._progress, self._cancelled, lambda _message: None)

    def _progress(self, done, stage):
        assert 0.0 <= done <= 1.0
        self.stages.append((done, stage))

    def _cancelled(self):
        self.looked += 1
        return self._cancel_at is not None and any(self._cancel_at in stage for _, stage in self.stages)


class Feed:
    """Gives the jobs in order; what comes later can be added."""

    def __init__(self, notes):
        self.left = [each.job for each in notes]
        self.most_taken = 0

    def take(self, limit):
        taken, self.left = self.left[:limit], self.left[limit:]
        self.most_taken = max(self.most_taken, len(taken))
        return taken


def run(backend, *notes):
    """Every job's outcome, in the order of `notes`; each exactly once."""
    found = {}
    for job, outcome in backend.analyse_many(Feed(notes)):
        assert job.request.id not in found, "told twice"
        found[job.request.id] = outcome
    assert set(found) == {each.job.request.id for each in notes}
    return [found[each.job.request.id] for each in notes]


def run_one(backend, path=None, **changes):
    """The outcome of one job; an error is raised."""
    (outcome,) = run(backend, JobNotes(path, **changes))
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@cache
def index_of(name=CLIP):
    """Frame index of a clip of `tests.clips`."""
    return read_index(clip(name))

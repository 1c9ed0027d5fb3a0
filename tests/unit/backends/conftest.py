import pytest

from vvlm_desktop import paths
from vvlm_desktop.backends.base import Job
from vvlm_desktop.backends.signals import SignalsBackend
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.protocol import AnalyseRequest

DOCUMENT = paths.bundled_schema("dashcam").read_text(encoding="utf-8")
SCHEMA = parse_schema(DOCUMENT, source="dashcam")
_SIGNALS = SignalsBackend()


@pytest.fixture(scope="session")
def analyse():
    def run(
        path, *, backend=_SIGNALS, schema=SCHEMA, curves=None, progress=lambda *_: None, cancelled=lambda: False, **kw
    ):
        request = AnalyseRequest(
            id="1",
            backend=backend.name,
            clip_id="c",
            path=str(path),
            stream_index=kw.pop("stream_index", 0),
            schema_toml=schema.document,
            curves_path=str(curves) if curves else None,
            **kw,
        )
        if hasattr(backend, "analyse_many"):
            return _of_many(backend, Job(request, schema, progress, cancelled, lambda _message: None))
        return backend.analyse(request, schema=schema, progress=progress, cancelled=cancelled)

    return run


def _of_many(backend, job):
    """What a backend for several requests makes of one; its error is raised, as the others do it."""
    ((answered, outcome),) = backend.analyse_many(_OneJob(job))
    assert answered is job
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


class _OneJob:
    def __init__(self, job):
        self._left = [job]

    def take(self, limit):
        taken, self._left = self._left[:limit], self._left[limit:]
        return taken

import pytest

from vvlm_desktop import paths
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
        return backend.analyse(request, schema=schema, progress=progress, cancelled=cancelled)

    return run

import pytest

from tests.clips import clip
from tests.standins.gemini import GeminiStandin
from tests.standins.http_server import serving
from tests.unit.backends.cloud.jobs import Clock, Jobs
from vvlm_desktop.backends.gemini.backend import GeminiBackend


@pytest.fixture
def gemini(monkeypatch):
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(GeminiStandin()) as standin:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", standin.address)
        yield standin


@pytest.fixture
def jobs():
    return Jobs()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(clock):
    """Sends small clips in the request; waits take no time."""
    return GeminiBackend(pace=clock.pace())


@pytest.fixture
def uploading(clock):
    """Uploads everything."""
    return GeminiBackend(pace=clock.pace(), inline_bytes=0)


@pytest.fixture(scope="session")
def short():
    return clip("h264_bframes.mp4")

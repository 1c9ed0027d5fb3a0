import pytest

from tests.clips import clip
from tests.standins.http_server import serving
from tests.standins.openai import OpenAIStandin
from tests.unit.backends.cloud.jobs import Clock, Jobs
from vvlm_desktop.backends.server.backend import ServerBackend


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch):
    for name in ("VVLM_SERVER_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with serving(OpenAIStandin()) as standin:
        yield standin


@pytest.fixture
def jobs():
    return Jobs()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(clock):
    return ServerBackend(pace=clock.pace())


@pytest.fixture(scope="session")
def short():
    return clip("h264_bframes.mp4")

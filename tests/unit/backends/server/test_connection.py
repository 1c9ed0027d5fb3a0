"""The card's test of the connection to a server."""

import pytest

from tests.standins.openai import MODEL
from tests.unit.backends.cloud.jobs import KEY
from vvlm_desktop.backends.server import connection
from vvlm_desktop.errors import CloudError


def call(arguments):
    return connection.test_connection(
        arguments, secrets={"server": KEY}, progress=lambda *_: None, cancelled=lambda: False
    )


def test_it_says_what_is_there_and_what_it_can(server):
    found = call({"base_url": server.base_url})
    assert (found["models"], found["model"], found["schema"], found["logprobs"]) == ([MODEL], MODEL, "strict", True)
    assert found["warnings"] == []
    assert server.asked == []


@pytest.mark.parametrize(("enforces", "logprobs"), [(False, True), (True, False)])
def test_it_says_what_a_server_cannot(server, enforces, logprobs):
    server.enforces, server.logprobs = enforces, logprobs
    found = call({"base_url": server.base_url})
    assert (found["schema"], found["logprobs"]) == ("strict" if enforces else "none", logprobs)


def test_a_wrong_model_is_told_with_those_that_are_there(server):
    with pytest.raises(CloudError, match="has no model gpt-9") as caught:
        call({"base_url": server.base_url, "model": "gpt-9"})
    assert MODEL in caught.value.hint


def test_an_address_without_the_version_is_told(server):
    server.models = []
    with pytest.raises(CloudError, match="no model"):
        call({"base_url": server.base_url})


def test_nobody_there_is_told():
    with pytest.raises(CloudError, match="cannot be reached"):
        call({"base_url": "http://127.0.0.1:9/v1"})

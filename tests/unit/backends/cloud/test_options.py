"""Options and keys: plain, checked, without anything secret."""

import json

import pytest

from vvlm_desktop.backends.cloud_keys import gemini_key, host_of, server_key, without_keys
from vvlm_desktop.backends.cloud_options import GeminiOptions, ServerOptions
from vvlm_desktop.backends.cloud_prices import Usage, cost_usd
from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.errors import BackendError, CloudError


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "VVLM_SERVER_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "options",
    [
        GeminiOptions(),
        GeminiOptions(fps=24, votes=5, event_ms=4000, width_px=640, prices={"x": (1.0, 2.0)}, allow_upload="id"),
        ServerOptions("http://h/v1"),
        ServerOptions("http://h/v1", sampling=Sampling("around", at_ms=3), mode="video", teacher=True),
    ],
)
def test_options_survive_the_way_to_the_worker(options):
    travelled = json.loads(json.dumps(options.to_json()))
    assert type(options).from_json({**travelled, "of_others": 1}) == options


@pytest.mark.parametrize(
    "wrong",
    [
        {"fps": 0},
        {"fps": 25},
        {"event_fps": 99},
        {"votes": 0},
        {"votes": 10},
        {"width_px": 3},
        {"concurrency": 0},
        {"per_minute": -1},
        {"fps": "many"},
        {"prices": 3},
    ],
)
def test_impossible_options_for_gemini_are_told(wrong):
    with pytest.raises(BackendError):
        GeminiOptions.from_json(wrong)


@pytest.mark.parametrize(
    "wrong", [{"mode": "sound"}, {"longest_side_px": 1}, {"sampling": {"kind": "x"}}, {"sampling": 3}]
)
def test_impossible_options_for_a_server_are_told(wrong):
    with pytest.raises(BackendError):
        ServerOptions.from_json({"base_url": "http://h/v1", **wrong})


def test_the_request_s_key_comes_before_the_environment_s(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "third")
    assert gemini_key({}) == "third"
    monkeypatch.setenv("GEMINI_API_KEY", " second\n")
    assert gemini_key({}) == "second"
    assert gemini_key({"gemini": "first", "server": "x"}) == "first"


def test_no_key_is_told():
    with pytest.raises(CloudError, match="no key"):
        gemini_key({"gemini": " "})
    assert server_key({}, base_url="http://h/v1") is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://api.openai.com/v1", "sk-openai"),
        ("https://eu.api.openai.com/v1", "sk-openai"),
        ("https://openai.com.example/v1", None),
        ("https://notopenai.com/v1", None),
        ("http://10.0.0.7:8000/v1", None),
    ],
)
def test_a_key_for_openai_goes_to_openai_only(monkeypatch, address, expected):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    assert server_key({}, base_url=address) == expected


def test_keys_are_hidden_in_texts():
    assert without_keys("wrong key abc-123456, abc-123456!", "abc-123456", None) == "wrong key [key], [key]!"


@pytest.mark.parametrize(
    ("address", "host"),
    [("http://10.0.0.7:8000/v1?x=1", "10.0.0.7:8000"), ("https://Server.Example/v1", "server.example")],
)
def test_the_host_is_all_that_is_said_of_an_address(address, host):
    assert host_of(address) == host


@pytest.mark.parametrize("address", ["", "server", "file:///etc", "http://u:p@h/v1", "http://h:99999/v1"])
def test_what_is_no_address(address):
    with pytest.raises(CloudError):
        host_of(address)


def test_an_unknown_price_is_unknown_and_not_free():
    assert cost_usd(Usage(10, 10, 1), "gemini-9-ultra", own_prices={}) is None


def test_the_longest_name_wins():
    usage = Usage(1_000_000, 0, 1)
    assert cost_usd(usage, "models/gemini-2.5-flash-lite-001", own_prices={}) == 0.10
    assert cost_usd(usage, "gemini-2.5-flash", own_prices={"gemini-2.5-flash": (7.0, 0.0)}) == 7.0

"""A backend whose packages are missing or broken says so, with what mends it."""

from types import SimpleNamespace

import pytest

from vvlm_desktop.backends import catalogue
from vvlm_desktop.errors import BackendUnavailableError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError("No module named 'torch'", name="torch"), "torch is not installed"),
        (ImportError("libcudart.so.13: cannot open shared object file"), "libcudart.so.13"),
        (OSError("[WinError 126] Error loading c10.dll"), "c10.dll"),
    ],
)
def test_packages_for_local_models_that_are_missing_or_broken_name_the_button_and_the_command(
    monkeypatch, error, words
):
    def refuse(_module):
        raise error

    monkeypatch.setattr(catalogue, "importlib", SimpleNamespace(import_module=refuse))
    with pytest.raises(BackendUnavailableError, match="local models") as caught:
        catalogue.resolve("local")
    assert words in str(caught.value)
    assert "Models page" in caught.value.hint
    assert "bootstrap.py run --local-model" in caught.value.hint


def test_other_backends_point_to_the_doctor(monkeypatch):
    def refuse(_module):
        raise ImportError("No module named 'openai'")

    monkeypatch.setattr(catalogue, "importlib", SimpleNamespace(import_module=refuse))
    with pytest.raises(BackendUnavailableError, match="openai") as caught:
        catalogue.resolve("server")
    assert "vvlm doctor" in caught.value.hint

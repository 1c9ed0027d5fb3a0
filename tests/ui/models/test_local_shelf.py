"""The real shelf over a models folder on disk: words of the program below become cards."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vvlm_desktop.backends.gpu_slot import Holder
from vvlm_desktop.errors import BackendUnavailableError, JobCancelledError, ModelFolderError, UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.models import local_shelf, model_tasks
from vvlm_desktop.ui.models.local_shelf import LocalShelf, gpu_view
from vvlm_desktop.workflow import downloads
from vvlm_desktop.workflow.gpu import Gpu, Hardware

GIB = 1024**3
BARE = Hardware((), "", "", "No NVIDIA GPU or driver was found.", "", 16 * GIB, 32 * GIB, 8)
ONE_GPU = replace(BARE, gpus=(Gpu(0, "RTX 4090", 24 * GIB, 20 * GIB),), problem="")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(models_dir=str(tmp_path / "models"))


@pytest.fixture
def shelf(monkeypatch) -> LocalShelf:
    monkeypatch.setattr(local_shelf, "hardware", lambda: ONE_GPU)
    monkeypatch.setattr(local_shelf, "missing_packages", lambda: ())
    return LocalShelf()


def card(shelf: LocalShelf, settings: Settings, key: str):
    return next(each for each in shelf.look(settings).cards if each.key == key)


def test_built_in_card_comes_first_and_the_catalogue_follows(shelf, settings):
    stock = shelf.look(settings)
    assert stock.cards[0].state == "built_in"
    assert stock.cards[0].chosen
    absent = card(shelf, settings, "OpenGVLab/InternVL3-8B-hf")
    assert absent.state == "absent"
    assert absent.about
    assert absent.fit.tone == "good"
    names = [name for name, _ in absent.details]
    assert {"Full precision (bf16)", "Compressed (NF4)", "Parameters", "Page"} <= set(names)
    assert stock.gpu.memory == "20.0 of 24.0 GB free"


def test_what_does_not_fit_says_so(shelf, settings, monkeypatch):
    small = replace(ONE_GPU, gpus=(Gpu(0, "GT 1030", 2 * GIB, 1 * GIB),))
    monkeypatch.setattr(local_shelf, "hardware", lambda: small)
    fit = card(shelf, settings, "OpenGVLab/InternVL3-8B-hf").fit
    assert fit.tone == "bad"
    assert fit.mark == "cross"


def test_broken_folder_is_a_card_with_its_reason(shelf, settings):
    folder = settings.models_folder() / "ours"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "internvl"}))
    broken = card(shelf, settings, "ours")
    assert broken.state == "broken"
    assert broken.reason
    assert broken.where == str(folder)
    shelf.remove(settings, "ours")
    assert not folder.exists()


def test_ready_model_cannot_be_used_without_its_packages(settings):
    ready = local_shelf.models.ModelCard("m", "M", "InternVL", "MIT", "", 1, 5, False, "You.", "ready")
    view = local_shelf.card_view(ready, settings=settings, packages_missing=True)
    assert "use" not in view.offers
    assert "top of this page" in view.reason
    assert "use" in local_shelf.card_view(ready, settings=settings, packages_missing=False).offers


def test_card_is_in_use_only_while_local_models_are(settings):
    ready = local_shelf.models.ModelCard("m", "M", "", "", "", 1, 5, False, "You.", "ready", chosen=True)
    assert not local_shelf.card_view(ready, settings=settings, packages_missing=False).chosen
    local = settings.model_copy(update={"backend": "local"})
    assert local_shelf.card_view(ready, settings=local, packages_missing=False).chosen


def test_holder_of_the_gpu_and_its_absence_are_said():
    held = replace(ONE_GPU, holder=Holder(7, "2026-01-02T03:04:05.000Z", "fine-tune run 7"))
    assert "fine-tune run 7" in gpu_view(held).use
    assert gpu_view(BARE).reason == "No NVIDIA GPU or driver was found."


def test_what_is_chosen_but_not_here_is_refused_in_words(shelf, settings, monkeypatch):
    assert shelf.chosen(settings).backend == "signals"
    local = settings.model_copy(update={"backend": "local"})
    with pytest.raises(UsageError, match="No local model"):
        shelf.chosen(local)
    with pytest.raises(UsageError, match="InternVL3-8B"):
        shelf.chosen(local.model_copy(update={"local_model": "OpenGVLab/InternVL3-8B-hf"}))
    monkeypatch.setattr(local_shelf, "missing_packages", lambda: ("torch",))
    with pytest.raises(BackendUnavailableError, match="torch"):
        shelf.chosen(local.model_copy(update={"local_model": "x"}))
    assert shelf.choices(local) == (local_shelf.BUILT_IN,)


def test_folder_that_is_no_model_is_refused(shelf, settings, tmp_path: Path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(ModelFolderError):
        shelf.take_in(settings, tmp_path / "photos", report=lambda _t: None, cancelled=lambda: False)


def test_download_reports_bytes_and_is_told_to_stop(shelf, settings, monkeypatch):
    def fake(_settings, model_id, *, report, cancelled):
        assert model_id == "OpenGVLab/InternVL3-8B-hf"
        report(downloads.Transfer(3, 10, 7.0, "words"))
        if cancelled():
            raise JobCancelledError("stopped")

    monkeypatch.setattr(downloads, "download", fake)
    told: list = []
    key = "OpenGVLab/InternVL3-8B-hf"
    shelf.download(settings, key, report=told.append, cancelled=lambda: False)
    assert (told[0].done_bytes, told[0].total_bytes, told[0].seconds_left) == (3, 10, 7.0)
    with pytest.raises(JobCancelledError):
        shelf.download(settings, key, report=told.append, cancelled=lambda: True)


def test_mirror_is_named_as_the_host(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert model_tasks.hub_host() == "huggingface.co"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.fleet.example/hf")
    assert model_tasks.hub_host() == "mirror.fleet.example"


def test_files_are_listed_with_what_they_were_checked_against(tmp_path: Path):
    (tmp_path / "model.safetensors").write_bytes(b"x" * 2_500_000)
    assert model_tasks.file_lines(tmp_path) == [("model.safetensors", "2 MB, not checked against a source")]
    record = {"id": "a/b", "origin": "download", "files": {"model.safetensors": {"checksum": "sha256:" + "ab" * 32}}}
    (tmp_path / "vvlm-model.json").write_text(json.dumps(record))
    ((_, said),) = model_tasks.file_lines(tmp_path)
    assert said.startswith("2 MB, sha256 abababab")


def test_page_and_shelf_load_no_model_packages():
    code = (
        "import sys; import vvlm_desktop.ui.models.page, vvlm_desktop.ui.models.local_shelf; "
        "heavy = ('torch', 'transformers', 'huggingface_hub', 'safetensors', 'openai', 'google'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"

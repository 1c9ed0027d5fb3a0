"""`vvlm models` as it is typed, and the download behind it."""

import json
import threading

import pytest
from typer.testing import CliRunner

from tests.model_folders import model_files, write_adapter, write_model
from tests.standins.hub import COMMIT, TOKEN, hub
from vvlm_desktop import paths
from vvlm_desktop.backends.model_record import partial_folder_of
from vvlm_desktop.cli.commands import app
from vvlm_desktop.errors import DownloadError, JobCancelledError, UsageError, WorkerCrashedError
from vvlm_desktop.protocol import Failure
from vvlm_desktop.settings import Settings, load_settings
from vvlm_desktop.workflow.downloads import download, download_id, error_of

ONE = "OpenGVLab/InternVL3-1B-hf"
FIRST = "model-00001-of-00002.safetensors"


def vvlm(*arguments, **options):
    done = CliRunner().invoke(app, ["models", *arguments], catch_exceptions=False, **options)
    return done.exit_code, done.stdout, done.stderr


def test_the_list_is_what_comes_without_a_command():
    code, text, _ = vvlm()
    assert code == 0
    assert "InternVL3 8B" in text
    assert "not here" in text
    assert "Models folder" in text
    plain, listed = (json.loads(vvlm(*arguments)[1]) for arguments in (("--json",), ("list", "--json")))
    assert [card["name"] for card in plain] == [card["name"] for card in listed]
    assert len(plain) == 18
    assert plain[0]["fit"]["sentence"]


def test_info_shows_memory_by_precision_and_frames():
    code, text, _ = vvlm("info", "InternVL3-8B-hf")
    assert code == 0
    assert "bf16" in text
    assert "16 frames" in text
    memory = json.loads(vvlm("info", "InternVL3-8B-hf", "--json")[1])["memory"]
    assert [row["precision"] for row in memory] == ["bf16", "int8", "nf4"]
    assert memory[0]["bytes"]["16"] > memory[2]["bytes"]["64"]


def test_what_is_typed_wrongly_is_told_with_the_way_out():
    for arguments, said in (
        (("info", "nonsense"), "lists them all"),
        (("use", ONE), f"vvlm models download {ONE}"),
        (("remove", "nonsense", "--yes"), "There are: none"),
        (("import", "/nowhere"), "Choose a model"),
        (("download", "OpenGVLab/InternVL3-8B"), "OpenGVLab/InternVL3-8B-hf"),
        (("download", "InternVL3"), "OpenGVLab/InternVL3-2B-hf"),
    ):
        code, _, errors = vvlm(*arguments)
        assert code in (1, 2)
        assert said in " ".join(errors.split())


def test_a_folder_is_imported_used_and_removed(tmp_path):
    folder = write_model(tmp_path / "fleet-model")
    write_adapter(tmp_path / "night", base="fleet-model", card={"data": "80 reviews"})
    assert vvlm("import", str(folder))[0] == 0
    assert vvlm("import", str(tmp_path / "night"), "--copy")[0] == 0
    code, _, errors = vvlm("use", "fleet", "--adapter", "night")
    assert code == 2
    assert "never measured here" in errors
    assert load_settings().local_adapter == ""
    code, text, _ = vvlm("use", "fleet", "--adapter", "night", "--unmeasured")
    assert (code, text) == (0, "Analyse now uses fleet-model with the adapter night.\n")
    assert load_settings().local_adapter == "night"
    assert "80 reviews" in vvlm("adapters")[1]
    (told,) = json.loads(vvlm("adapters", "--json")[1])
    assert (told["chosen"], told["standing"]) == (True, "exception")
    assert "With the adapter night. Not measured here;" in vvlm("list")[1]
    assert "It is in use: the adapter that analyses answer with by default" in vvlm("remove", "night")[2]
    code, text, _ = vvlm("remove", "night", "--yes")
    assert (code, "Analyses use the model alone now" in text) == (0, True)
    assert (load_settings().local_model, load_settings().local_adapter) == ("fleet-model", "")
    assert vvlm("import", str(tmp_path / "night"), "--copy")[0] == 0, "what bears its name next is not the default"
    code, _, errors = vvlm("remove", "fleet-model")
    assert code == 2
    assert "--yes" in errors
    assert vvlm("remove", "fleet-model", "--yes")[0] == 0
    assert folder.exists()
    assert json.loads(vvlm("list", "--json")[1])[0]["state"] == "not_here"


def test_a_model_is_downloaded_and_removed_by_command(monkeypatch):
    with hub(models={ONE: model_files()}, gated={ONE}) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # the user's, for everything that nobody asked for
        code, text, errors = vvlm("download", "InternVL3-1B")
    assert code == 0, errors
    assert "about 1.9 GB" in text
    assert "Licence" in text
    assert "complete and checked" in text
    assert TOKEN not in text + errors
    card = json.loads(vvlm("list", "--json")[1])[0]
    assert (card["name"], card["state"], card["revision"]) == (ONE, "ready", COMMIT)
    assert vvlm("remove", ONE, "--yes")[0] == 0
    assert list(paths.default_models_dir().glob("models--*")) == []


def test_progress_is_in_bytes_and_stopping_leaves_the_part(monkeypatch, tmp_path):
    settings, seen = Settings(models_dir=str(tmp_path / "models")), []
    total = sum(map(len, model_files().values()))
    with hub(models={ONE: model_files()}, stall_after={FIRST: 50_000}) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        with pytest.raises(JobCancelledError):
            download(settings, ONE, report=seen.append, cancelled=served.stalled.is_set)
        served.stall_after.clear()
        assert partial_folder_of(settings.models_folder(), ONE).is_dir()
        found = download(settings, ONE, report=seen.append)
    assert found.state == "ready"
    assert (seen[-1].done_bytes, seen[-1].total_bytes) == (total, total)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker-")]


def test_a_failed_download_comes_back_as_its_own_error(monkeypatch, tmp_path):
    with hub() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        with pytest.raises(DownloadError, match="no model"):
            download(Settings(models_dir=str(tmp_path / "models")), ONE, report=lambda _: None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("DownloadError", DownloadError), ("WorkerCrashedError", WorkerCrashedError), ("SystemExit", None), ("", None)],
)
def test_only_our_own_errors_are_made_from_a_name(name, kind):
    made = error_of(Failure("1", "said", hint="do", error=name))
    assert type(made).__name__ == (kind.__name__ if kind else "BackendError")
    assert (str(made), made.hint) == ("said", "do")


def test_any_id_of_the_hub_can_be_downloaded():
    assert download_id("somebody/else") == "somebody/else"
    assert download_id("smolvlm2-256m") == "HuggingFaceTB/SmolVLM2-256M-Video-Instruct"
    with pytest.raises(UsageError):
        download_id("nothing-like-it")


def test_info_tells_of_a_folder_and_of_an_adapter_that_were_never_imported(tmp_path):
    folder = write_model(tmp_path / "fleet-model")
    code, text, _ = vvlm("info", str(folder))
    assert code == 0
    assert str(folder) in text
    assert "ready" in text
    adapter = write_adapter(tmp_path / "run-7", base="fleet-model", card={"data": "80 reviews"})
    code, text, _ = vvlm("info", str(adapter))
    assert code == 0
    assert "adapter of rank 8 for fleet-model" in text
    assert "80 reviews" in text
    _, _, errors = vvlm("info", "nothing")
    assert len(errors) < 120

import errno
import hashlib
import json
from pathlib import Path

import pytest

from tests.model_folders import CONFIG, model_files, write_adapter, write_model
from vvlm_desktop.backends.model_catalogue import catalogue
from vvlm_desktop.backends.model_record import ModelRecord, partial_folder_of, read_record, write_record
from vvlm_desktop.errors import JobCancelledError, ModelFolderError, StorageFullError, UsageError
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import model_import
from vvlm_desktop.workflow.gpu import Hardware
from vvlm_desktop.workflow.model_check import check_model
from vvlm_desktop.workflow.model_import import Removal, import_folder, left_over_copies, plan_removal, remove
from vvlm_desktop.workflow.models import find_card, find_model, installed_adapters, installed_models, local_options

NO_GPU = Hardware(
    gpus=(), driver="", cuda="", problem="None.", mend="", memory_free_bytes=9, memory_total_bytes=9, cores=2
)


@pytest.fixture
def settings(tmp_path):
    return Settings(models_dir=str(tmp_path / "models"))


@pytest.fixture
def theirs(tmp_path):
    """Somebody's folder with a model, and other things in it."""
    folder = write_model(tmp_path / "disk" / "fleet-model")
    (folder / "notes.docx").write_bytes(b"private")
    (folder / "run.py").write_text("raise SystemExit")
    (folder / "optimizer.pt").write_bytes(b"pickle")
    return folder


def everything_in(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_taken_in_where_it_is_and_removing_it_leaves_it_there(settings, theirs):
    before = everything_in(theirs)
    found = import_folder(settings, theirs)
    assert (found.kind, found.name, found.path) == ("model", "fleet-model", theirs)
    model = find_model(settings, "fleet-model")
    assert (model.path, model.linked) == (theirs, True)
    removal = plan_removal(settings, "fleet")
    assert (removal.frees_bytes, removal.keeps) == (0, theirs)
    assert str(theirs) in removal.question
    remove(settings, removal)
    assert installed_models(settings) == []
    assert everything_in(theirs) == before


def test_a_copy_takes_only_what_a_model_consists_of(settings, theirs):
    seen = []
    found = import_folder(
        settings, theirs, copy=True, name="mine", report=lambda done, total: seen.append((done, total))
    )
    assert {path.name for path in found.path.iterdir()} == {*model_files(), "vvlm-model.json"}
    assert seen[-1][0] == seen[-1][1] == sum(map(len, model_files().values()))
    assert read_record(found.path).origin == "copy"
    assert not find_model(settings, "mine").linked
    removal = plan_removal(settings, "mine")
    assert removal.keeps is None
    assert removal.frees_bytes == seen[-1][1]
    remove(settings, removal)
    assert not found.path.exists()
    assert theirs.exists()


def test_hostile_folders_are_refused_and_nothing_is_left_behind(settings, tmp_path, theirs):
    (theirs / "config.json").write_text(json.dumps({**CONFIG, "auto_map": {"AutoModel": "x.Y"}}))
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_text(json.dumps(CONFIG))
    (pickled / "pytorch_model.bin").write_bytes(b"x")
    for folder, said in ((theirs, "never run"), (pickled, "pickled"), (tmp_path / "absent", "no folder")):
        for copy in (True, False):
            with pytest.raises(ModelFolderError, match=said):
                import_folder(settings, folder, copy=copy)
    assert not settings.models_folder().exists()


def test_the_same_name_twice_is_refused_until_it_gets_another(settings, theirs):
    import_folder(settings, theirs)
    with pytest.raises(ModelFolderError, match="already") as caught:
        import_folder(settings, theirs, copy=True)
    assert "--name" in caught.value.hint
    import_folder(settings, theirs, name="second")
    assert [model.name for model in installed_models(settings)] == ["fleet-model", "second"]


def test_what_lies_in_the_models_folder_is_not_imported_into_it(settings, theirs):
    copy = import_folder(settings, theirs, copy=True).path
    with pytest.raises(ModelFolderError, match="already"):
        import_folder(settings, copy, name="again")


def test_a_copy_that_is_stopped_or_has_no_room_leaves_nothing(settings, theirs, monkeypatch):
    calls = iter([False, False, True])
    with pytest.raises(JobCancelledError):
        import_folder(settings, theirs, copy=True, cancelled=lambda: next(calls, True))
    assert list(settings.models_folder().iterdir()) == []

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")
        yield

    monkeypatch.setattr(model_import, "_copy_file", full)
    with pytest.raises(StorageFullError, match="disk is full"):
        import_folder(settings, theirs, copy=True)
    assert list(settings.models_folder().iterdir()) == []


def test_room_for_a_copy_is_asked_for_before(settings, theirs, monkeypatch):
    monkeypatch.setattr(model_import, "_SPARE_BYTES", 1 << 60)
    with pytest.raises(StorageFullError, match="no room") as caught:
        import_folder(settings, theirs, copy=True)
    assert "without copying" in caught.value.hint


def test_an_adapter_is_taken_in_among_adapters(settings, theirs, tmp_path):
    import_folder(settings, theirs)
    folder = write_adapter(tmp_path / "run-7", base="fleet-model", card={"name": "night shift", "data": "80 reviews"})
    found = import_folder(settings, folder, copy=True)
    assert found.kind == "adapter"
    (adapter,) = installed_adapters(settings)
    assert (adapter.name, adapter.base_model, adapter.data) == (found.name, "fleet-model", "80 reviews")
    assert [model.name for model in installed_models(settings)] == ["fleet-model"]
    remove(settings, plan_removal(settings, found.name))
    assert installed_adapters(settings) == []
    assert folder.exists()


def test_an_unfinished_download_can_be_removed(settings):
    from tests.unit.workflow.test_models import begun

    folder = begun(settings, "A/b")
    remove(settings, plan_removal(settings, "A/b"))
    assert not folder.exists()


def test_nothing_outside_the_models_folder_is_ever_deleted(settings, theirs, tmp_path):
    settings.models_folder().mkdir()
    for entry in (theirs, settings.models_folder(), tmp_path, Path("/"), settings.models_folder() / ".." / "disk"):
        with pytest.raises(UsageError, match="not deleted"):
            remove(settings, Removal("model", "x", entry, 0, None))
    assert theirs.exists()


def test_a_link_in_the_models_folder_goes_and_what_it_points_to_stays(settings, theirs):
    settings.models_folder().mkdir()
    link = settings.models_folder() / "linked"
    link.symlink_to(theirs, target_is_directory=True)
    before = everything_in(theirs)
    remove(settings, plan_removal(settings, "linked"))
    assert not link.is_symlink()
    assert everything_in(theirs) == before


def test_a_record_cannot_make_removal_reach_elsewhere(settings, theirs):
    """A record is a file that somebody else may have written."""
    entry = write_model(settings.models_folder() / "trap")
    write_record(entry, ModelRecord("trap", "link", linked_to=str(theirs)))
    removal = plan_removal(settings, "trap")
    assert removal.entry == entry
    with pytest.raises(StorageFullError):
        remove(settings, removal)  # only the note goes; a folder that is not empty is left alone
    assert theirs.exists()
    assert (entry / "config.json").exists()


def test_imported_weights_that_went_away_are_a_broken_model(settings, theirs):
    import_folder(settings, theirs)
    theirs.rename(theirs.with_name("moved"))
    (model,) = installed_models(settings)
    assert model.state == "broken"
    assert str(theirs) in model.reason
    remove(settings, plan_removal(settings, "fleet-model"))
    assert installed_models(settings) == []


def test_names_from_elsewhere_never_lead_out_of_the_folder(settings, theirs):
    root = settings.models_folder()
    for name in ("../../evil", "..", "/etc/passwd", "a\\..\\b", ".hidden", "C:evil", "adapters"):
        found = import_folder(settings, theirs, name=name)
        (entry,) = [model.entry for model in installed_models(settings) if model.name == found.name]
        assert entry.parent == root
        remove(settings, plan_removal(settings, found.name))
    assert partial_folder_of(root, "../../x").parent == root / ".partial"


@pytest.mark.parametrize(
    "name",
    ["OpenGVLab/InternVL3-8B-hf", "internvl3-8b-HF", "InternVL3 8B", "signals", "Local", "gemini", "server", " "],
)
def test_a_folder_cannot_take_a_name_that_means_something_else(settings, theirs, name):
    with pytest.raises(UsageError) as caught:
        import_folder(settings, theirs, name=name)
    assert "--name" in caught.value.hint
    assert installed_models(settings) == []


def test_an_adapter_cannot_be_called_as_a_model_of_the_catalogue(settings, tmp_path):
    folder = write_adapter(tmp_path / "run", base="x", card={"name": "InternVL3-8B-hf"})
    with pytest.raises(UsageError, match="another model"):
        import_folder(settings, folder)


def test_a_folder_that_may_be_the_catalogues_model_keeps_its_name_but_not_the_hubs_licence(
    settings, theirs, monkeypatch
):
    entry = next(each for each in catalogue() if each.id == "OpenGVLab/InternVL3-1B-hf")
    small = {"hidden": 64, "layers": 2, "heads": 4, "kv_heads": 2, "mlp": 128, "vocab": 781}
    fitting = entry.model_copy(update={"text": entry.text.model_copy(update=small)})
    wider = fitting.model_copy(update={"text": fitting.text.model_copy(update={"vocab": 782})})
    monkeypatch.setattr(model_import, "catalogue", lambda: (wider,))
    with pytest.raises(UsageError, match="another model"):
        import_folder(settings, theirs, name=entry.id)
    monkeypatch.setattr(model_import, "catalogue", lambda: (fitting,))
    found = import_folder(settings, theirs, name=entry.id)
    card = find_card(settings, found.name, on=NO_GPU)
    assert (card.page, card.for_whom, card.state) == ("", "Imported by you.", "ready")
    assert card.licence == "See where it came from" != entry.licence


def test_a_copy_that_a_crash_cut_short_is_found_and_can_be_removed(settings):
    left = settings.models_folder() / ".fleet.copying"
    write_model(left)
    assert left_over_copies(settings) == [left]
    assert installed_models(settings) == []
    remove(settings, plan_removal(settings, left.name))
    assert left_over_copies(settings) == []


def test_the_room_that_a_small_copy_lacks_is_not_said_as_nothing(settings, theirs, monkeypatch):
    monkeypatch.setattr(model_import, "_SPARE_BYTES", 1 << 60)
    with pytest.raises(StorageFullError, match=r"a copy of 0\.2 MB at"):
        import_folder(settings, theirs, copy=True)


@pytest.mark.parametrize("chosen", ["fleet", "InternVL3", "OpenGVLab/InternVL3-1B-hf"])
def test_a_chosen_model_that_was_removed_is_said_to_be_and_no_other_is_taken(settings, theirs, chosen):
    import_folder(settings, theirs)
    with pytest.raises(UsageError, match=rf"The chosen model {chosen} was removed"):
        local_options(settings.model_copy(update={"local_model": chosen}))
    kept = settings.model_copy(update={"local_model": "fleet-model"})
    assert local_options(kept).model == "fleet-model"


def test_a_downloaded_models_files_are_compared_with_what_was_recorded(settings):
    folder = write_model(settings.models_folder() / "models--A--b")
    files = {}
    for name, content in model_files().items():
        git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        kind = f"git:{git}" if name.endswith(".json") else f"sha256:{hashlib.sha256(content).hexdigest()}"
        files[name] = {"size": len(content), "checksum": kind}
    write_record(folder, ModelRecord("A/b", "download", revision="1" * 40, files=files))
    path, found = check_model(settings, "A/b")
    assert (path, {each.name: each.state for each in found}) == (folder, dict.fromkeys(files, "same"))
    weights = folder / "model-00002-of-00002.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    (folder / "tokenizer.json").unlink()
    changed = {each.name: each.state for each in check_model(settings, "A/b")[1] if each.state != "same"}
    assert changed == {weights.name: "changed", "tokenizer.json": "missing"}


def test_an_imported_model_cannot_be_checked(settings, theirs):
    import_folder(settings, theirs)
    with pytest.raises(UsageError, match="nothing is recorded"):
        check_model(settings, "fleet-model")

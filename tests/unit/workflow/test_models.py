import errno
import json
import sys
from pathlib import Path

import pytest

from tests.model_folders import CONFIG, PROCESSOR, safetensors, write_adapter, write_model
from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.backends.model_memory import GIB
from vvlm_desktop.backends.model_record import (
    DownloadPlan,
    ModelRecord,
    folder_name,
    model_folder_of,
    partial_folder_of,
    write_plan,
    write_record,
)
from vvlm_desktop.errors import BackendError, ModelFolderError, UsageError
from vvlm_desktop.paths import gpu_slot_file
from vvlm_desktop.settings import Settings, load_settings
from vvlm_desktop.workflow.gpu import Gpu, Hardware, fits_now, hardware
from vvlm_desktop.workflow.models import (
    choose,
    find_adapter,
    find_card,
    find_model,
    installed_adapters,
    local_options,
    model_cards,
)

ONE, TWO = "OpenGVLab/InternVL3-1B-hf", "OpenGVLab/InternVL3-2B-hf"


def computer(*, gpu_gib=None, memory_gib=16.0):
    gpus = (Gpu(0, "RTX 4090", 24 * GIB, int(gpu_gib * GIB)),) if gpu_gib else ()
    return Hardware(
        gpus=gpus,
        driver="580.1" if gpus else "",
        cuda="13.0" if gpus else "",
        problem="" if gpus else "No NVIDIA GPU or driver was found.",
        mend="",
        memory_free_bytes=int(memory_gib * GIB),
        memory_total_bytes=32 * GIB,
        cores=8,
    )


@pytest.fixture
def settings(tmp_path):
    return Settings(models_dir=str(tmp_path / "models"))


def downloaded(settings, model_id):
    folder = write_model(model_folder_of(settings.models_folder(), model_id))
    write_record(folder, ModelRecord(model_id, "download", revision="c" * 40))
    return folder


def begun(settings, model_id, *, have=700, total=1000):
    folder = partial_folder_of(settings.models_folder(), model_id)
    folder.mkdir(parents=True)
    (folder / "model.safetensors.part").write_bytes(b"x" * have)
    write_plan(folder, DownloadPlan(model_id, "c" * 40, total))
    return folder


def test_without_a_models_folder_everything_is_offered(settings):
    cards = model_cards(settings, on=computer())
    assert {card.state for card in cards} == {"not_here"}
    assert all(card.offered and card.size_is_estimate and card.licence and card.page for card in cards)


def test_cards_say_what_is_here_and_in_what_state(settings):
    path = downloaded(settings, ONE)
    begun(settings, TWO)
    broken = write_model(settings.models_folder() / "mine")
    (broken / "config.json").write_text(json.dumps({**CONFIG, "auto_map": {"AutoModel": "x.Y"}}))
    cards = model_cards(settings.model_copy(update={"local_model": ONE}), on=computer(gpu_gib=20))
    assert [(card.name, card.state) for card in cards[:3]] == [(ONE, "ready"), ("mine", "broken"), (TWO, "partly")]
    ready, bad, partly = cards[:3]
    assert (ready.chosen, ready.path, ready.revision) == (True, path, "c" * 40)
    assert ready.title == "InternVL3 1B"
    assert ready.fit.badge == "fits"
    assert "never run" in bad.reason
    assert bad.hint
    assert (partly.have_bytes, partly.size_bytes) == (700, 1000)
    assert len([card for card in cards if card.name == ONE]) == 1
    assert sum(card.chosen for card in cards) == 1


def test_a_download_of_what_the_catalogue_does_not_know_is_a_card_too(settings):
    begun(settings, "Somebody/else")
    (card,) = [card for card in model_cards(settings, on=computer()) if card.name == "Somebody/else"]
    assert (card.state, card.offered, card.fit) == ("partly", False, None)


def test_a_model_is_found_by_name_folder_and_unique_part(settings, tmp_path):
    path = downloaded(settings, ONE)
    elsewhere = write_model(tmp_path / "elsewhere" / "fleet-model")
    for text in (ONE, ONE.lower(), folder_name(ONE), "InternVL3-1B", str(path)):
        assert find_model(settings, text).name == ONE
    named = find_model(settings, str(elsewhere))
    assert (named.name, named.path, named.entry, named.revision) == ("fleet-model", elsewhere, None, None)


def test_a_model_that_is_not_found_says_what_there_is(settings):
    downloaded(settings, ONE)
    downloaded(settings, "OpenGVLab/InternVL3_5-1B-HF")
    begun(settings, TWO)
    for text, said, hint in (
        ("1B", "fits several", "InternVL3_5-1B-HF"),
        ("InternVL3-8B-hf", "not on this computer yet", "vvlm models download OpenGVLab/InternVL3-8B-hf"),
        (TWO, "only partly here", "vvlm models download"),
        ("OpenGVLab/InternVL3-8B", "needs code", "InternVL3-8B-hf"),
        ("nonsense", "no model 'nonsense'", ONE),
        ("  ", "No local model is chosen", "Models page"),
    ):
        with pytest.raises(UsageError, match=said) as caught:
            find_model(settings, text)
        assert hint in caught.value.hint


def test_half_a_model_never_loads_also_not_by_its_folder(settings):
    folder = begun(settings, TWO)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelFolderError):
        find_model(settings, str(folder))


@pytest.mark.parametrize(
    "record", ["[]", "{", '{"id": 7, "origin": "link"}', '{"id": "x", "origin": "stolen"}', "null"]
)
def test_a_record_that_makes_no_sense_is_no_record(settings, record):
    folder = write_model(settings.models_folder() / "mine")
    (folder / "vvlm-model.json").write_text(record)
    assert find_model(settings, "mine").revision is None


def test_options_take_the_settings_where_nothing_is_given(settings):
    path = downloaded(settings, ONE)
    settings = settings.model_copy(update={"local_model": ONE, "frames": 12, "rounds": 2, "precision": "int8"})
    found = local_options(settings)
    assert (found.model, found.model_dir, found.revision) == (ONE, str(path), "c" * 40)
    assert (found.sampling.frames, found.rounds, found.precision, found.adapter) == (12, 2, "int8", None)
    assert found.gpu_slot == str(gpu_slot_file())
    given = local_options(settings, frames=3, rounds=1, precision="NF4", teacher=True)
    assert (given.sampling.frames, given.rounds, given.precision, given.teacher) == (3, 1, "nf4", True)


@pytest.mark.parametrize(
    "wrong", [{"precision": "int2"}, {"frames": 0}, {"rounds": 99}, {"model": "x"}, {"adapter": "x"}]
)
def test_options_that_are_not_possible_are_refused(settings, wrong):
    downloaded(settings, ONE)
    with pytest.raises((UsageError, BackendError)) as caught:
        local_options(settings, **{"model": ONE, **wrong})
    assert caught.value.hint


def adapter(settings, name="fleet-3", **options):
    card = {"data": "412 reviewed clips", "metrics": {"event_type_accuracy": 0.9134}}
    return write_adapter(settings.models_folder() / "adapters" / name, **{"base": ONE, "card": card, **options})


def test_the_settings_adapter_goes_only_with_the_settings_model(settings):
    downloaded(settings, ONE)
    downloaded(settings, TWO)
    path = adapter(settings)
    settings = settings.model_copy(update={"local_model": ONE, "local_adapter": "fleet-3"})
    assert local_options(settings).adapter == "fleet-3"
    assert local_options(settings).adapter_dir == str(path)
    assert local_options(settings, adapter="").adapter is None
    assert local_options(settings, model=TWO).adapter is None
    assert local_options(settings, model=ONE).adapter == "fleet-3"


def test_a_default_adapter_that_is_gone_is_said_and_no_other_is_taken(settings, tmp_path):
    downloaded(settings, ONE)
    adapter(settings, name="fleet-3-2")
    kept = write_adapter(tmp_path / "library" / "runs" / "fleet-3" / "adapter", base=ONE, card={"name": "fleet-3"})
    changes = {"local_model": ONE, "local_adapter": "fleet-3", "library_dir": str(tmp_path / "library")}
    with pytest.raises(UsageError, match="chosen as the default, was removed") as caught:
        local_options(settings.model_copy(update=changes))
    assert "vvlm rollback" in caught.value.hint
    assert f"vvlm models import {kept}" in caught.value.hint


def test_an_adapter_shows_its_base_its_data_and_its_metrics(settings):
    base = downloaded(settings, ONE)
    adapter(settings)
    adapter(settings, "alien", width=32, base="somebody/else")
    found = find_adapter(settings, "fleet", base=find_model(settings, str(base)))
    assert (found.base_model, found.data, found.rank) == (ONE, "412 reviewed clips", 8)
    assert found.metrics == "event type accuracy 0.913"
    with pytest.raises(ModelFolderError, match="made for another model"):
        find_adapter(settings, "alien", base=find_model(settings, ONE))
    with pytest.raises(UsageError) as caught:
        find_adapter(settings, "nobody", base=find_model(settings, ONE))
    assert "fleet-3" in caught.value.hint


def test_choosing_is_stored_and_checked(settings):
    downloaded(settings, ONE)
    chosen = choose(settings.model_copy(update={"local_adapter": "of-another"}), "InternVL3-1B")
    assert load_settings() == chosen
    assert (chosen.backend, chosen.local_model, chosen.local_adapter) == ("local", ONE, "")
    with pytest.raises(UsageError):
        choose(settings, TWO)
    assert load_settings() == chosen


def test_a_folder_that_was_only_named_is_chosen_by_its_path(settings, tmp_path):
    elsewhere = write_model(tmp_path / "fleet-model")
    chosen = choose(settings, str(elsewhere))
    assert find_model(chosen, chosen.local_model).path == elsewhere
    assert local_options(chosen).model == "fleet-model"


@pytest.mark.parametrize(
    ("gib", "badge", "precision"),
    [(22, "fits", "bf16"), (12, "tight", "int8"), (9, "tight", "nf4"), (3, "too_big", None)],
)
def test_what_fits_now_depends_on_what_is_free(settings, gib, badge, precision):
    shape = find_card(settings, "InternVL3-8B-hf", on=computer()).shape
    found = fits_now(shape, on=computer(gpu_gib=gib), frames=16)
    assert (found.badge, found.precision) == (badge, precision)
    assert "RTX 4090" in found.sentence


def test_without_a_gpu_the_processor_is_offered_with_how_long_it_takes(settings):
    small = find_card(settings, "SmolVLM2-256M", on=computer()).shape
    big = find_card(settings, "InternVL3-8B-hf", on=computer()).shape
    found = fits_now(small, on=computer(), frames=16)
    assert (found.badge, found.precision) == ("processor", "fp32")
    assert 5 < found.seconds_per_clip < 300
    assert "roughly" in found.sentence
    assert fits_now(big, on=computer(memory_gib=20), frames=16).precision == "bf16"
    too_big = fits_now(big, on=computer(memory_gib=8), frames=16)
    assert too_big.badge == "too_big"
    assert "without a GPU" in too_big.sentence


def test_a_chosen_precision_decides_the_badge(settings):
    shape = find_card(settings, "InternVL3-8B-hf", on=computer()).shape
    assert fits_now(shape, on=computer(gpu_gib=12), frames=16, precision="bf16").badge == "too_big"
    assert fits_now(shape, on=computer(gpu_gib=12), frames=16, precision="nf4").badge == "fits"


def test_who_holds_the_gpu_is_told():
    with GpuSlot(gpu_slot_file()) as slot:
        assert slot.acquire("fine-tune run 7")
        assert hardware().holder.purpose == "fine-tune run 7"
    assert hardware().holder is None


def test_looking_at_models_loads_none(settings):
    downloaded(settings, ONE)
    before = set(sys.modules)
    model_cards(settings)
    assert not {"torch", "transformers", "huggingface_hub"} & (set(sys.modules) - before)


def test_a_model_with_numbers_left_out_still_has_a_card(settings):
    folder = write_model(settings.models_folder() / "mine")
    (folder / "config.json").write_text(json.dumps({**CONFIG, "text_config": {}}))
    (card,) = [card for card in model_cards(settings, on=computer()) if card.name == "mine"]
    assert card.fit is None


def test_weights_that_were_cut_off_are_a_broken_card(settings):
    folder = downloaded(settings, ONE)
    file = folder / "model-00001-of-00002.safetensors"
    file.write_bytes(safetensors({"x": (64, 64)})[:-100])
    (card,) = [card for card in model_cards(settings, on=computer()) if card.name == ONE]
    assert card.state == "broken"
    assert card.reason


def test_a_folder_that_may_not_be_read_is_a_broken_card_and_the_others_stay(settings, monkeypatch):
    closed, real = downloaded(settings, ONE), Path.is_file
    downloaded(settings, TWO)

    def is_file(path):
        if path.parent == closed:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "is_file", is_file)
    states = {card.name: (card.state, card.reason) for card in model_cards(settings, on=computer())}
    assert states[TWO][0] == "ready"
    (broken,) = [reason for state, reason in states.values() if state == "broken"]
    assert "Permission denied" in broken


def test_compressed_weights_are_counted_as_they_are(settings):
    folder = downloaded(settings, ONE)
    stored = {"quant_method": "bitsandbytes", "load_in_8bit": True, "load_in_4bit": False}
    (folder / "config.json").write_text(json.dumps({**CONFIG, "quantization_config": stored}))
    scales = safetensors({"x.weight": (64, 64), "x.SCB": (64,)})
    (folder / "model-00001-of-00002.safetensors").write_bytes(scales)
    (card,) = [card for card in model_cards(settings, on=computer(gpu_gib=20)) if card.name == ONE]
    assert (card.state, card.fit.precision) == ("ready", "int8")


def test_an_adapter_of_a_sister_model_is_noted(settings):
    downloaded(settings, ONE)
    adapter(settings, "sister", base="somebody/InternVL3-1B-other")
    adapter(settings, "own")
    own, sister = installed_adapters(settings)
    assert (own.base_model, own.note) == (ONE, "")
    assert sister.base_model == ONE
    assert "InternVL3-1B-other" in sister.note

"""Learning by preference: the very loss of the paper, from corrections of a model alone, exact after a stop."""

import json
import math
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from tests.tiny_models import tiny_model
from tests.unit.training.sets import (
    LIGHT,
    answered,
    config,
    corrected_set,
    export,
    light_items,
    light_set,
    losses,
    told,
    truth,
    verdicts,
)
from training.adapter import _seen_before
from training.batches import Collator, Pair, Sample
from training.clip_rows import ClipRows
from training.objectives import answer_loss, log_p_of_answers, preference_loss
from training.pairs import pair_targets
from training.preflight import make_targets
from training.run_folder import RunFolder
from training.train import check, train
from training.training_set import only_corrected, read_training_set
from vvlm_desktop.backends.local import loading
from vvlm_desktop.backends.local.loading import load_model
from vvlm_desktop.backends.model_folder import examine_adapter
from vvlm_desktop.errors import FormatError, ModelFolderError, SettingsError, UsageError

STEPS = 6
GIVEN = {"objective": "preference", "steps": STEPS, "batch": 2, "learning_rate": 2e-3, "save_every": 2}


@pytest.fixture(scope="module")
def train_set(tmp_path_factory):
    return corrected_set(tmp_path_factory.mktemp("preferences"), train=4, val=2)


@pytest.fixture(scope="module")
def trained(train_set, tmp_path_factory):
    run = tmp_path_factory.mktemp("preferred") / "run"
    assert train(config(train_set, run, **GIVEN, eval_every=STEPS))
    return run


class Bench:
    """A model and the pairs of a set, without a run."""

    def __init__(self, folder):
        self.set = read_training_set(folder)
        self.loaded = load_model(tiny_model("internvl"), precision="fp32", device="cpu")
        self.pairs = pair_targets(self.set.split("train"), LIGHT, self.loaded.tokenizer)
        self.targets = make_targets(self.set, self.loaded.tokenizer, limit=1024, pairs=self.pairs)
        settings = config(folder, folder.parent / "run")
        self.rows = ClipRows(self.loaded, settings, self.set.prompt, "base", None)
        self.collate = Collator(self.loaded)

    def pair(self, example, reference=(0.0, 0.0)):
        both = self.pairs[example.clip_id]
        target = self.targets[example.clip_id]
        return Pair(example.name, self.rows.row(example), target, both.chosen, both.rejected, reference)

    def log_p(self, example):
        """Log-probabilities of both answers as the model is now."""
        with torch.no_grad():
            return log_p_of_answers(self.loaded.model, self.loaded.model, self.collate([self.pair(example)])).tolist()


@pytest.fixture(scope="module")
def bench(train_set):
    return Bench(train_set)


# --- what is compared -----------------------------------------------------------------------------------------------


def text_of(bench, target):
    return "".join(bench.loaded.tokenizer.decode([token]) for token in target.labels.tolist() if token != -100)


def test_only_judged_values_carry_loss_and_the_rest_is_the_same(bench):
    dark = next(each for each in bench.set.examples if each.known["light"] == "dark")
    both = bench.pairs[dark.clip_id]
    assert "dark" in text_of(bench, both.chosen)
    assert "null" in text_of(bench, both.chosen)
    assert "bright" in text_of(bench, both.rejected)
    for target in (both.chosen, both.rejected):
        assert "event_time" not in text_of(bench, target)
        assert target.labels[-1] == -100
    decode = bench.loaded.tokenizer.decode
    assert decode(both.rejected.ids) == (
        '{"light":"bright","event_time":{"start_ms":500,"end_ms":900},"seen":["sun"]}<|im_end|>'
    )


def test_fields_that_the_model_left_open_are_the_same_in_both_and_not_compared(tmp_path):
    (made,) = light_items(tmp_path / "clips", train=1, val=0)
    bench = Bench(export(tmp_path / "set", [answered(made, {"light": "bright"})]))
    (both,) = bench.pairs.values()
    assert text_of(bench, both.chosen).strip('",') == "dark"
    assert text_of(bench, both.rejected).strip('",') == "bright"
    assert bench.loaded.tokenizer.decode(both.rejected.ids).endswith('"event_time":null,"seen":["night"]}<|im_end|>')


@pytest.mark.parametrize(
    ("said", "provenance", "pairs"),
    [
        (truth(bright=True), "model", 1),
        (truth(bright=True), "measurement", 0),
        (truth(bright=True), "demo_script", 0),
        (truth(bright=True), "teacher_draft", 0),
        (truth(bright=False), "model", 0),
        ({}, "model", 0),
        ({"seen": ["sun", "night"]}, "model", 1),
    ],
)
def test_only_corrections_of_a_model_make_pairs(tmp_path, said, provenance, pairs):
    first, other = light_items(tmp_path / "clips", train=2, val=0)
    made = export(
        tmp_path / "set", [answered(first, said, provenance=provenance), answered(other, truth(bright=False))]
    )
    examples = {each.name: each for each in only_corrected(read_training_set(made)).examples}
    assert bool(examples.pop("train-0.mp4", None)) == bool(pairs)
    assert list(examples) == ["train-1.mp4"]


def test_lists_in_another_order_are_no_correction(tmp_path):
    (made,) = light_items(tmp_path / "clips", train=1, val=0)
    said = verdicts({**truth(bright=False), "seen": ["night", "sun"]})
    review = replace(made.reviews[0], verdicts=said)
    made = replace(made, reviews=(review,), truth=review)
    folder = export(tmp_path / "set", [answered(made, {**truth(bright=False), "seen": ["sun", "night"]})])
    with pytest.raises(FormatError, match="nothing to prefer"):
        only_corrected(read_training_set(folder))


def test_set_without_corrections_is_refused_in_plain_words(tmp_path):
    wanted = config(light_set(tmp_path, train=2, val=0), tmp_path / "run", **GIVEN)
    with pytest.raises(FormatError, match="no clip for training in which a person corrected") as caught:
        train(wanted)
    assert "objective=supervised" in caught.value.hint


# --- the loss -------------------------------------------------------------------------------------------------------


def by_hand(bench, pair, *, beta, reference):
    """Equation 7, token by token over the whole sequence, one answer at a time."""
    found = []
    for target in (pair.chosen, pair.rejected):
        ids = torch.cat([pair.row.text["input_ids"], target.ids[None]], 1)
        with torch.no_grad():
            logits = bench.loaded.model(
                input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pair.row.pictures["pixel_values"]
            ).logits[0]
        prompt = pair.row.text["input_ids"].shape[1]
        total = 0.0
        for place, label in enumerate(target.labels.tolist()):
            if label != -100:
                total += float(torch.log_softmax(logits[prompt + place - 1].double(), -1)[label])
        found.append(total)
    margin = (found[0] - found[1]) - (reference[0] - reference[1])
    return math.log(1 + math.exp(-beta * margin)), margin


def test_loss_is_the_one_of_the_paper_computed_by_hand(bench):
    reference = (-3.0, -1.5)
    pairs = [bench.pair(each, reference) for each in bench.set.split("train")]
    wanted = [by_hand(bench, pair, beta=0.3, reference=reference) for pair in pairs]
    model = bench.loaded.model
    found = preference_loss(model, model, bench.collate(pairs), beta=0.3, supervised_weight=0.0)
    assert found.margins.tolist() == pytest.approx([margin for _, margin in wanted], abs=1e-3)
    assert float(found.total.detach()) == pytest.approx(sum(loss for loss, _ in wanted), abs=1e-3)
    assert int(found.count) == len(pairs)


def test_weight_of_the_answer_adds_its_mean_loss(bench):
    example = bench.set.split("train")[0]
    batch, model = bench.collate([bench.pair(example)]), bench.loaded.model
    with torch.no_grad():
        plain = preference_loss(model, model, batch, beta=0.1, supervised_weight=0.0)
        both = preference_loss(model, model, batch, beta=0.1, supervised_weight=0.5)
        supervised = bench.collate([Sample(bench.rows.row(example), bench.targets[example.clip_id])])
        total, count = answer_loss(model, model, supervised)
    assert float(both.total - plain.total) == pytest.approx(0.5 * float(total / count), abs=1e-4)


# --- the training ---------------------------------------------------------------------------------------------------


def test_first_loss_is_that_of_a_coin_and_the_margin_grows(trained):
    steps = told(trained, "step")
    assert steps[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert steps[0]["margin"] == pytest.approx(0.0, abs=1e-3)
    assert steps[-1]["margin"] > steps[2]["margin"] > 1
    assert steps[-1]["preferred"] == 1.0
    assert steps[-1]["loss"] < 0.5
    assert told(trained, "preflight")[0]["pairs"] == 4
    assert told(trained, "first_step")[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)


def test_right_answer_becomes_likelier_than_the_models_own(trained, train_set, bench):
    fresh = Bench(train_set)
    example = fresh.set.split("train")[0]
    right, wrong = fresh.log_p(example)
    fresh.loaded.use_adapter("preferred", trained / "adapter")
    right_now, wrong_now = fresh.log_p(example)
    assert (right_now - wrong_now) - (right - wrong) > 1


def test_validation_tells_the_loss_of_right_answers(trained):
    (event,) = told(trained, "eval")
    assert event["loss"] > 1  # of tokens, not ln 2 of pairs


def test_stopped_and_gone_on_it_is_exactly_the_same(trained, train_set, tmp_path, monkeypatch):
    wanted = config(train_set, tmp_path / "run", **GIVEN, cache_dir=str(trained.parent / "features"), eval_every=STEPS)
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "stop_requested", property(lambda self: len(losses(self.path)) == 3))
        assert train(wanted) is False
    monkeypatch.setattr("training.pairs._log_p", None)  # what the starting policy thinks is kept
    assert train(wanted)
    assert losses(tmp_path / "run") == losses(trained)
    name = "adapter/adapter_model.safetensors"
    assert (tmp_path / "run" / name).read_bytes() == (trained / name).read_bytes()


def test_check_shows_both_answers(train_set, tmp_path):
    assert check(config(train_set, tmp_path / "run", **GIVEN))
    first = json.loads((tmp_path / "run/check/batch.json").read_text(encoding="utf-8"))["clips"][0]
    assert "".join(piece["text"] for piece in first["answer"]).startswith('{"light":"dark"')
    assert "".join(piece["text"] for piece in first["rejected"]).startswith('{"light":"bright"')
    assert first["rejected"][0]["learnt"] is False


def test_other_objective_does_not_go_on_from_a_checkpoint(trained, train_set, tmp_path):
    shutil.copytree(trained / "checkpoints", tmp_path / "run/checkpoints")
    with pytest.raises(UsageError, match=r"beta was 0\.1, is 0\.2"):
        train(config(train_set, tmp_path / "run", **GIVEN, beta=0.2))


# --- going on from an adapter ---------------------------------------------------------------------------------------


def test_going_on_from_an_adapter_begins_where_that_ended(trained, train_set, tmp_path):
    wanted = config(train_set, tmp_path / "run", **GIVEN, start_from=str(trained / "adapter"))
    assert train(wanted.model_copy(update={"steps": 1, "learning_rate": 1e-12}))
    assert told(tmp_path / "run", "step")[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    before, after = (load_file(run / "adapter/adapter_model.safetensors") for run in (trained, tmp_path / "run"))
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-9) for name in before)
    card = json.loads((tmp_path / "run/adapter/card.json").read_text(encoding="utf-8"))
    assert card["started_from"]["name"] == "run"
    assert len(card["started_from"]["sha256"]) == 64
    assert card["started_from"]["clips_known"] is True
    assert "start_from" not in card["config"]


def test_clips_that_the_adapter_before_had_seen_count_as_seen(trained, tmp_path):
    other = light_set(tmp_path, train=1, val=0)
    given = {"steps": 1, "batch": 1, "start_from": str(trained / "adapter")}
    assert train(config(other, tmp_path / "run", **given))
    card = json.loads((tmp_path / "run/adapter/card.json").read_text(encoding="utf-8"))
    before = json.loads((trained / "adapter/card.json").read_text(encoding="utf-8"))["training_set"]["content_sha256"]
    seen = set(card["training_set"]["content_sha256"]["train"])
    assert seen >= set(before["train"])
    assert {each.sha256 for each in read_training_set(other).examples} <= seen


def test_what_an_adapter_had_seen_is_known_by_its_card_or_by_a_checkpoints_run(trained, train_set, tmp_path):
    training_set = read_training_set(train_set)

    def before(folder):
        return _seen_before(examine_adapter(folder), training_set)

    contents = json.loads((trained / "adapter/card.json").read_text(encoding="utf-8"))["training_set"]["content_sha256"]
    assert before(trained / "adapter") == {split: set(seen) for split, seen in contents.items()}
    checkpoint = next((trained / "checkpoints").glob("checkpoint-*"))
    assert before(checkpoint) == {}
    assert _seen_before(examine_adapter(checkpoint), replace(training_set, fingerprint="another")) is None
    copy = shutil.copytree(trained / "adapter", tmp_path / "theirs")
    for card in ({"training_set": "march"}, {"training_set": {"content_sha256": {"train": 3}}}, {}):
        (copy / "card.json").write_text(json.dumps(card), encoding="utf-8")
        assert before(copy) is None
    known = {"training_set": {"content_sha256": {"train": [], "val": []}}, "started_from": {"clips_known": False}}
    (copy / "card.json").write_text(json.dumps(known), encoding="utf-8")
    assert before(copy) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rank": 4}, "with rank=8, and rank is 4"),
        ({"alpha": 8}, "with alpha=16, and alpha is 8"),
        ({"targets": r".*language_model.*\.q_proj"}, "and targets is "),
        ({"projector": True}, "with projector=false, and projector is true"),
    ],
)
def test_adapter_of_another_size_is_refused_before_the_model_is_loaded(
    trained, train_set, tmp_path, monkeypatch, changes, words
):
    monkeypatch.setattr(loading, "load_model", lambda *_given, **_named: pytest.fail("it was loaded"))
    with pytest.raises(SettingsError, match=words):
        train(config(train_set, tmp_path / "run", **GIVEN, **{"start_from": str(trained / "adapter"), **changes}))


def test_adapter_of_another_base_is_refused(trained, train_set, tmp_path):
    wanted = config(train_set, tmp_path / "run", **GIVEN, start_from=str(trained / "adapter"))
    with pytest.raises(ModelFolderError, match="another model"):
        train(wanted.model_copy(update={"model_dir": str(tiny_model("internvl", seed=7))}))

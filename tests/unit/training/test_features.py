"""Features of the frozen vision tower: kept, shared, recomputed when damaged, and the same losses as without."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.unit.training.sets import config, light_set
from training.batches import Collator, Sample
from training.clip_rows import ClipRows
from training.features import FeatureStore, choose_cut
from training.objectives import answer_loss
from training.preflight import make_targets, prepare
from training.training_set import read_training_set
from training.tuning import put_adapter_on
from vvlm_desktop.backends.local.loading import load_model
from vvlm_desktop.errors import ClipUnreadableError, StorageFullError


@pytest.fixture(scope="module")
def train_set(tmp_path_factory):
    return light_set(tmp_path_factory.mktemp("features"), train=3, val=0)


class Bench:
    """A model, a set, and rows with or without kept features."""

    def __init__(self, train_set, tmp_path, **changes):
        self.config = config(train_set, tmp_path / "run", **changes)
        self.set = read_training_set(train_set)
        self.loaded = load_model(Path(self.config.model_dir), precision="fp32", device="cpu")
        self.targets = make_targets(self.set, self.loaded.tokenizer, limit=1024)
        self.store = FeatureStore(tmp_path / "features")

    def rows(self, *, kept=True):
        store = self.store if kept else None
        return ClipRows(self.loaded, self.config, self.set.prompt, "base", store)

    def losses(self, rows, *, batch):
        collate = Collator(self.loaded)
        samples = [Sample(rows.row(each), self.targets[each.clip_id]) for each in self.set.examples]
        found = []
        for start in range(0, len(samples), batch):
            total, count = answer_loss(self.loaded.model, self.loaded.model, collate(samples[start : start + batch]))
            found.append(float(total.detach() / count))
        return found


@pytest.mark.parametrize(
    ("family", "projector", "cut"),
    [
        ("internvl", False, "projected"),
        ("internvl", True, "tower"),
        ("qwen2_5_vl", False, "projected"),
        ("qwen2_5_vl", True, "pixels"),
        pytest.param("qwen3_vl", False, "projected", marks=pytest.mark.slow),
        pytest.param("smolvlm", False, "projected", marks=pytest.mark.slow),
    ],
)
def test_losses_are_those_of_the_uncached_path(train_set, tmp_path, family, projector, cut):
    bench = Bench(train_set, tmp_path, family=family, projector=projector)
    assert choose_cut(bench.loaded.family, projector=projector) == cut
    put_adapter_on(bench.loaded, bench.config)
    uncached = bench.losses(bench.rows(kept=False), batch=1)
    assert bench.losses(bench.rows(), batch=1) == uncached
    from_disk = bench.rows()
    assert bench.losses(from_disk, batch=1) == uncached
    assert (from_disk.made, from_disk.found) == (0, 3)
    together = bench.losses(bench.rows(), batch=3)[0]
    assert together == pytest.approx(bench.losses(bench.rows(kept=False), batch=3)[0], abs=1e-5)


def test_projector_that_is_trained_gets_gradients_through_kept_features(train_set, tmp_path):
    bench = Bench(train_set, tmp_path, projector=True)
    put_adapter_on(bench.loaded, bench.config)
    rows = bench.rows()
    batch = Collator(bench.loaded)([Sample(rows.row(each), bench.targets[each.clip_id]) for each in bench.set.examples])
    total, _ = answer_loss(bench.loaded.model, bench.loaded.model, batch)
    total.backward()
    trained = {name: each.grad for name, each in bench.loaded.model.named_parameters() if each.requires_grad}
    assert any("multi_modal_projector" in name for name in trained)
    assert all(grad is not None for grad in trained.values())
    assert not any("vision_tower" in name for name in trained)


def test_later_looks_neither_decode_nor_run_the_tower(train_set, tmp_path, monkeypatch):
    bench = Bench(train_set, tmp_path)
    bench.losses(bench.rows(), batch=1)
    later = bench.rows()
    monkeypatch.setattr("vvlm_desktop.backends.local.inputs.read_frames", None)
    monkeypatch.setattr(bench.loaded.model.model.vision_tower, "forward", None)
    assert len(bench.losses(later, batch=1)) == 3


@pytest.mark.parametrize("damage", ["flipped", "cut"])
def test_damaged_entry_is_made_anew(train_set, tmp_path, damage):
    bench = Bench(train_set, tmp_path)
    right = bench.losses(bench.rows(), batch=1)
    files = sorted(bench.store.folder.rglob("*.safetensors"), key=lambda file: file.stat().st_size)
    raw = bytearray(files[-1].read_bytes())
    raw[-7] ^= 0x10
    files[-1].write_bytes(raw if damage == "flipped" else raw[: len(raw) // 2])
    again = bench.rows()
    assert bench.losses(again, batch=1) == right
    assert (again.made, again.found) == (1, 2)
    whole = bench.rows()
    bench.losses(whole, batch=1)
    assert whole.found == 3


def test_features_are_found_by_what_they_were_made_from(train_set, tmp_path):
    bench = Bench(train_set, tmp_path)
    bench.losses(bench.rows(), batch=1)
    for changed in (
        replace(bench.rows(), base_fingerprint="another base"),
        replace(bench.rows(), config=bench.config.model_copy(update={"frames": 3})),
        replace(bench.rows(), config=bench.config.model_copy(update={"projector": True})),
    ):
        changed.row(bench.set.examples[0])
        assert changed.made == 1


def test_what_was_not_used_for_longest_is_deleted_first(tmp_path):
    store = FeatureStore(tmp_path)
    for age, key in enumerate(("aa", "bb", "cc")):
        store.put(key, {"numbers": torch.zeros(1000)})
        os.utime(store.file(key), (age, age))
    assert store.get("aa") is not None
    size = store.file("aa").stat().st_size
    assert store.shrink(2 * size) == 1
    assert [key for key in ("aa", "bb", "cc") if store.get(key)] == ["aa", "cc"]


def test_two_trainings_that_delete_at_once_do_not_stop_each_other(tmp_path, monkeypatch):
    store = FeatureStore(tmp_path)
    for number in range(3):
        store.put(f"{number:064}", {"a": torch.zeros(2)})
    found = sorted(tmp_path.rglob("*.safetensors"))
    monkeypatch.setattr(Path, "rglob", lambda _folder, _pattern: iter(found))
    found[0].unlink()
    assert store.shrink(0) == 2
    assert not any(file.exists() for file in found)


def test_features_that_will_not_fit_are_told_after_the_first_clip(train_set, tmp_path, monkeypatch):
    bench = Bench(train_set, tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 100})())
    rows = bench.rows()
    with pytest.raises(StorageFullError, match="features of 3 clips need"):
        prepare(bench.set, rows, bench.targets, progress=lambda *_: None)
    assert rows.made == 1


def test_another_prompt_shares_the_features(train_set, tmp_path):
    bench = Bench(train_set, tmp_path)
    rows = bench.rows()
    rows.row(bench.set.examples[0])
    files = len(list(bench.store.folder.rglob("*.safetensors")))
    row = replace(bench.rows(), prompt="Something else?").row(bench.set.examples[0])
    assert len(list(bench.store.folder.rglob("*.safetensors"))) == files + 1
    assert torch.equal(row.pictures["image"], rows.row(bench.set.examples[0]).pictures["image"])


def test_file_that_is_not_the_reviewed_one_is_refused(train_set, tmp_path):
    bench = Bench(train_set, tmp_path)
    with pytest.raises(ClipUnreadableError, match="another file"):
        bench.rows().row(replace(bench.set.examples[0], sha256="0" * 64))


def test_stored_frames_are_those_that_the_analysis_saw(train_set, tmp_path):
    bench = Bench(train_set, tmp_path, sampling="stored")
    example = bench.set.examples[0]
    every = bench.rows().shown(example).index.pts
    seen = replace(example, stored_pts=(every[1], every[6]))
    assert replace(bench.rows(), _chosen={}).shown(seen).pts == (every[1], every[6])
    with pytest.raises(ClipUnreadableError, match="names a frame that it does not have"):
        bench.rows().shown(replace(example, stored_pts=(every[1] + 1,)))

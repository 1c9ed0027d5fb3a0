"""What Analyse uses from now on was promoted here, or is from elsewhere and somebody said so; there is no way round."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.model_folders import write_adapter
from tests.unit.workflow.evaluations import BASE_ID, Bench, coin, right, wrong
from vvlm_desktop.errors import PromotionRefusedError
from vvlm_desktop.settings import load_settings
from vvlm_desktop.workflow.adapter_gate import Standing, look_up, use_adapter
from vvlm_desktop.workflow.models import local_options
from vvlm_desktop.workflow.promotion import promote, promotions, rollback
from vvlm_desktop.workflow.promotion_log import Promotion, default_in_use
from vvlm_desktop.workflow.session import Session


@pytest.fixture
def bench(session: Session, tmp_path: Path) -> Bench:
    return Bench(session, tmp_path, test=20)


def home(session: Session) -> Path:
    return session.settings.models_folder() / "adapters"


def test_an_adapter_trained_here_has_to_be_promoted_and_may_be_tried(bench: Bench, session: Session) -> None:
    run = bench.run()
    for unmeasured in (False, True):
        with pytest.raises(PromotionRefusedError, match="trained here and has not been promoted") as caught:
            use_adapter(session, BASE_ID, "march-001", unmeasured=unmeasured)
    assert "vvlm promote march-001" in caught.value.hint
    assert local_options(session.settings, model=BASE_ID, adapter="march-001").adapter == "march-001"
    promote(session, bench.measure(run, {"base": wrong, "march-001": right}))
    known, _ = look_up(session, BASE_ID, "march-001")
    assert (known.admission, known.in_use) == ("promoted", True)
    assert "promoted by Ada" in known.sentence


def test_what_was_promoted_may_be_chosen_again_until_it_is_rolled_back(bench: Bench, session: Session) -> None:
    promote(session, bench.measure(bench.run(), {"base": wrong, "march-001": right}))
    session.settings = session.settings.model_copy(update={"local_adapter": ""})
    use_adapter(session, BASE_ID, "march-001")
    assert len(promotions(session)) == 1
    rollback(session)
    with pytest.raises(PromotionRefusedError):
        use_adapter(session, BASE_ID, "march-001")
    assert default_in_use(session.settings) == ("signals", "", "")


@pytest.mark.parametrize("disguise", ["renamed", "no card", "run deleted", "set deleted"])
def test_neither_another_name_nor_a_missing_card_nor_a_deleted_run_gets_around_it(
    bench: Bench, session: Session, disguise: str
) -> None:
    run = bench.run()
    other = home(session) / "bought"
    shutil.copytree(home(session) / "march-001", other)
    if disguise == "no card":
        (other / "card.json").unlink()
    elif disguise == "run deleted":
        shutil.rmtree(run.folder)
    elif disguise == "set deleted":
        shutil.rmtree(bench.set)
    with pytest.raises(PromotionRefusedError, match="trained here"):
        use_adapter(session, BASE_ID, "bought", unmeasured=True)


def test_a_checkpoint_of_a_run_is_not_from_elsewhere(bench: Bench, session: Session) -> None:
    run = bench.run()
    checkpoint = write_adapter(run.folder / "checkpoints" / "checkpoint-2", base=BASE_ID)
    weights = checkpoint / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"c")
    shutil.copytree(checkpoint, home(session) / "bought")
    for typed in ("bought", str(checkpoint)):
        with pytest.raises(PromotionRefusedError, match="trained here"):
            use_adapter(session, BASE_ID, typed, unmeasured=True)


def test_what_was_judged_and_refused_stays_refused_without_its_run_card_and_set(bench: Bench, session: Session) -> None:
    run = bench.run()
    with pytest.raises(PromotionRefusedError):
        promote(session, bench.measure(run, {"base": coin("a"), "march-001": coin("b")}))
    shutil.rmtree(run.folder)
    shutil.rmtree(bench.set)
    (home(session) / "march-001" / "card.json").unlink()
    with pytest.raises(PromotionRefusedError, match="trained here"):
        use_adapter(session, BASE_ID, "march-001", unmeasured=True)


def test_other_weights_under_a_promoted_name_are_not_promoted(bench: Bench, session: Session) -> None:
    promote(session, bench.measure(bench.run(), {"base": wrong, "march-001": right}))
    weights = home(session) / "march-001" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    known, _ = look_up(session, BASE_ID, "march-001")
    assert (known.admission, known.in_use) == ("unproven", True)
    assert "no promotion here says so" in known.sentence


def test_the_same_weights_applied_otherwise_are_not_what_was_promoted(bench: Bench, session: Session) -> None:
    promote(session, bench.measure(bench.run(), {"base": wrong, "march-001": right}))
    assert look_up(session, BASE_ID, "march-001")[0].admission == "promoted"
    file = home(session) / "march-001" / "adapter_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**config, "base_model_name_or_path": "renamed"}), encoding="utf-8")
    assert look_up(session, BASE_ID, "march-001")[0].admission == "promoted", "what the base is called changes nothing"
    file.write_text(json.dumps({**config, "lora_alpha": 999}), encoding="utf-8")
    assert look_up(session, BASE_ID, "march-001")[0].admission == "unproven"


def test_an_adapter_from_elsewhere_is_a_written_exception(bench: Bench, session: Session) -> None:
    card = {"data": "their clips", "training_set": {"fingerprint": "f" * 64, "content_sha256": {}}}
    write_adapter(home(session) / "bought", base=BASE_ID, card=card)
    with pytest.raises(PromotionRefusedError, match="never measured here") as caught:
        use_adapter(session, BASE_ID, "bought")
    assert f"vvlm models use {BASE_ID} --adapter bought --unmeasured" in caught.value.hint
    assert promotions(session) == []
    use_adapter(session, BASE_ID, "bought", unmeasured=True)
    (done,) = promotions(session)
    assert (done.proven, done.adapter, done.before) == (False, "bought", ("signals", "", ""))
    assert load_settings().local_adapter == "bought"
    known, _ = look_up(session, BASE_ID, "bought")
    assert known.sentence.startswith("Not measured here; Ada allowed it on ")
    assert rollback(session).after == ("signals", "", "")


def test_the_log_holds_the_exception_before_the_settings_do(
    bench: Bench, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vvlm_desktop.workflow import adapter_gate

    def die(_settings: object) -> None:
        raise KeyboardInterrupt

    write_adapter(home(session) / "bought", base=BASE_ID)
    with monkeypatch.context() as patch:
        patch.setattr(adapter_gate, "save_settings", die)
        with pytest.raises(KeyboardInterrupt):
            use_adapter(session, BASE_ID, "bought", unmeasured=True)
    assert session.settings.local_adapter == ""
    assert json.dumps(promotions(session)[0].numbers) == "{}"
    use_adapter(session, BASE_ID, "bought")
    assert rollback(session).after == ("signals", "", "")


def test_the_day_of_a_promotion_is_this_computer_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        of = Promotion("2026-11-21T23:30:00.000Z", "Ada", "promoted", "M", "march", ("signals", "", ""), {})
        assert Standing("promoted", in_use=False, promotion=of).sentence == "Promoted on 2026-11-22 by Ada."
    finally:
        monkeypatch.undo()
        time.tzset()

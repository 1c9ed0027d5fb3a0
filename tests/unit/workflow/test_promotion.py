"""An adapter becomes the default only where its own answers, read again, show that it is better; and back again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.workflow.evaluations import BASE_ID, EVEN, ODD, Bench, coin, edit_answers, right, wrong
from vvlm_desktop.domain.labels import normalise
from vvlm_desktop.errors import PromotionRefusedError, UsageError
from vvlm_desktop.settings import Settings, load_settings
from vvlm_desktop.workflow import promotion as promotion_room
from vvlm_desktop.workflow import runs
from vvlm_desktop.workflow.promotion import (
    Judgement,
    PromotionRule,
    judge,
    outside,
    promote,
    promotions,
    rollback,
    rule_of,
)
from vvlm_desktop.workflow.promotion_log import default_in_use
from vvlm_desktop.workflow.session import Session, open_session

MODEL_ALONE = ("local", BASE_ID, "")


@pytest.fixture
def bench(session: Session, tmp_path: Path) -> Bench:
    return Bench(session, tmp_path)


def failing(judgement: Judgement) -> list[str]:
    return [check.title for check in judgement.failing]


def choose(session: Session, adapter: str) -> None:
    session.settings = session.settings.model_copy(
        update={"backend": "local", "local_model": BASE_ID, "local_adapter": adapter}
    )


# --- the rule ---


def test_the_rule_is_what_the_settings_say_and_reads_as_a_sentence(session: Session) -> None:
    settings = Settings(promotion_test="mcnemar", promotion_level=0.01, promotion_least_clips=7)
    rule = rule_of(settings)
    assert rule == PromotionRule("mcnemar", "event_type", 0.01, 7, True)
    told = rule.sentence(session.schema)
    for word in ("Event is right", "McNemar", "at least 7", "1.0%", "No other field"):
        assert word in told
    assert "No other field" not in PromotionRule(no_worse=False).sentence(session.schema)
    assert "tell clips apart" in told
    assert "tell clips apart" not in PromotionRule(looked=False).sentence(session.schema)
    assert PromotionRule(field="no_such").field_in(session.schema) == ""


def test_a_clear_gain_is_promoted_and_written_down(bench: Bench, session: Session) -> None:
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right}, in_full=True)
    judgement = judge(session, evaluation)
    assert judgement.allowed, failing(judgement)
    assert (judgement.candidate, judgement.against, judgement.clips, judgement.looks) == ("march-001", "base", 24, 1)
    assert judgement.gain == (1.0, 1.0, 1.0)
    assert "+100.0 points against the model alone on 24 test clips" in judgement.sentence
    done = promote(session, evaluation)
    assert default_in_use(session.settings) == ("local", BASE_ID, "march-001") == done.after
    assert default_in_use(load_settings()) == done.after
    assert promotions(session) == [done]
    assert (done.kind, done.reviewer, done.before, done.proven) == ("promoted", "Ada", ("signals", "", ""), True)
    assert len(done.weights_sha256) == 64
    assert done.rule["level"] == 0.05
    assert done.numbers["fields"]["event_type"]["only_candidate"] == 24
    assert session.library.verify().ok


@pytest.mark.parametrize("test", ["bootstrap", "mcnemar"])
def test_without_a_gain_nothing_changes(bench: Bench, session: Session, test: str) -> None:
    session.settings = session.settings.model_copy(update={"promotion_test": test})
    evaluation = bench.measure(bench.run(), {"base": coin("a"), "march-001": coin("b")})
    judgement = judge(session, evaluation)
    assert failing(judgement)[0].startswith("Better")
    with pytest.raises(PromotionRefusedError, match="may not become the default") as caught:
        promote(session, evaluation)
    assert caught.value.hint
    assert (promotions(session), default_in_use(session.settings)) == ([], ("signals", "", ""))


def test_worse_is_no_gain_however_sure_it_is(bench: Bench, session: Session) -> None:
    evaluation = bench.measure(bench.run(), {"base": right, "march-001": wrong})
    for rule in (PromotionRule(), PromotionRule("mcnemar")):
        assert not judge(session, evaluation, rule=rule).allowed
    assert judge(session, evaluation).gain == (-1.0, -1.0, -1.0)


def test_a_gain_on_average_does_not_excuse_a_field_that_is_clearly_worse(bench: Bench, session: Session) -> None:
    def base(_number: int, truth: dict[str, Any]) -> dict[str, Any]:
        return {**wrong(0, truth), "traffic_density": truth["traffic_density"]}

    def tuned(number: int, truth: dict[str, Any]) -> dict[str, Any]:
        return {**truth, "traffic_density": (wrong(0, truth) if number < 12 else truth)["traffic_density"]}

    evaluation = bench.measure(bench.run(), {"base": base, "march-001": tuned})
    judgement = judge(session, evaluation)
    assert judgement.gain[0] == pytest.approx((1 + 1 - 0.5) / 3)
    assert failing(judgement) == ["No field worse"]
    assert "Traffic: right only now in 12" in judgement.sentence
    assert judge(session, evaluation, rule=PromotionRule(no_worse=False)).allowed


def test_fewer_answers_that_can_be_read_are_refused(bench: Bench, session: Session) -> None:
    def mostly(number: int, truth: dict[str, Any]) -> dict[str, Any] | None:
        return None if number == 3 else truth

    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": mostly})
    judgement = judge(session, evaluation)
    assert failing(judgement) == ["Answers that can be read"]
    assert judgement.gain[0] == pytest.approx(23 / 24)


def test_too_few_clips_decide_nothing(session: Session, tmp_path: Path) -> None:
    bench = Bench(session, tmp_path, test=7)
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    judgement = judge(session, evaluation)
    assert failing(judgement) == ["Enough test clips"]
    assert "7 with a known answer, of 7 recordings; the rule asks for 20" in judgement.sentence
    assert judge(session, evaluation, rule=PromotionRule(least_clips=7)).allowed


def test_many_clips_of_few_recordings_prove_nothing_however_large_the_gain(session: Session, tmp_path: Path) -> None:
    bench = Bench(session, tmp_path, test=24)
    for number, clip in enumerate(bench.clips["test"]):
        session.library.set_recording(clip.id, f"drive-{number % 4}")
    bench.clips["test"] = [session.library.clip(clip.id) for clip in bench.clips["test"]]
    bench.set = bench._export(bench.set.with_name("fleet-002-0123456789ab"))
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    judgement = judge(session, evaluation)
    assert failing(judgement) == ["Better on average", "Tells clips apart"]
    assert "differ in 4 of 4 recordings" in judgement.sentence
    by_field = judge(session, evaluation, rule=PromotionRule("mcnemar"))
    assert failing(by_field)[0] == "Better in Event"


def test_naming_common_values_is_no_reason_however_much_better_than_never_naming_them(
    bench: Bench, session: Session
) -> None:
    def always(_number: int, _truth: dict[str, Any]) -> dict[str, Any]:
        return dict(EVEN)

    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": always})
    judgement = judge(session, evaluation)
    assert judgement.gain[1] > 0.2, "clearly better than a base that is always wrong"
    assert failing(judgement) == ["Tells clips apart"]
    assert "+0.0 points over one answer for every clip" in judgement.sentence
    assert judge(session, evaluation, rule=PromotionRule(looked=False)).allowed


# --- with whom it is compared ---


def test_an_adapter_in_use_is_what_has_to_be_beaten(bench: Bench, session: Session) -> None:
    bench.run("feb-001", fill=2)
    run = bench.run()
    choose(session, "feb-001")
    alone = bench.measure(run, {"base": wrong, "march-001": right})
    judgement = judge(session, alone)
    assert failing(judgement) == ["Compared with what is in use"]
    assert "feb-001 is in use and did not answer" in judgement.sentence
    with pytest.raises(PromotionRefusedError) as caught:
        promote(session, alone)
    assert "Measure the run again" in caught.value.hint
    both = bench.measure(run, {"base": wrong, "march-001": right, "feb-001": right}, name="evaluation-test-2")
    judgement = judge(session, both)
    assert (judgement.against, judgement.gain[0]) == ("feb-001", 0.0)
    assert failing(judgement) == ["Better on average"]


def test_an_adapter_in_use_that_was_changed_since_it_answered_is_stale(bench: Bench, session: Session) -> None:
    bench.run("feb-001", fill=2)
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right, "feb-001": wrong})
    choose(session, "feb-001")
    assert judge(session, evaluation).allowed
    weights = session.settings.models_folder() / "adapters" / "feb-001" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert failing(judge(session, evaluation)) == ["Compared with what is in use"]


def test_what_is_in_use_and_was_not_measured_is_no_comparison(bench: Bench, session: Session) -> None:
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    before = session.settings
    for backend, model, adapter, holds in (
        ("signals", "", "", True),
        ("local", BASE_ID, "", True),
        ("gemini", "", "", False),
        ("local", "another/model", "", False),
        ("local", BASE_ID, "gone", False),
        ("local", BASE_ID, "march-001", False),
    ):
        values = {"backend": backend, "local_model": model, "local_adapter": adapter}
        session.settings = before.model_copy(update=values)
        assert judge(session, evaluation).checks[0].holds is holds, values


# --- numbers that cannot be believed ---


def _flip(row: dict[str, Any]) -> None:
    if row["answerer"] == "march-001":
        row["labels"] = dict(EVEN)


def _flip_text_too(row: dict[str, Any]) -> None:
    _flip(row)
    row["raw_text"] = json.dumps(row["labels"])


def _other_truth(row: dict[str, Any]) -> None:
    row["known"] = dict(ODD)


def _other_clip(row: dict[str, Any]) -> None:
    row["clip_id"] = row["clip_id"][::-1]


def _twice(row: dict[str, Any]) -> None:
    row["answerer"] = "base"


def test_answers_that_were_changed_decide_nothing(bench: Bench, session: Session) -> None:
    evaluation = bench.measure(bench.run(), {"base": coin("a"), "march-001": coin("b")})
    judge(session, evaluation)
    file = evaluation.folder / "answers.jsonl"
    was = file.read_text()
    for change in (_flip, _flip_text_too, _other_truth, _other_clip, _twice):
        edit_answers(evaluation, change)
        with pytest.raises(UsageError, match="changed since") as caught:
            promote(session, evaluation)
        assert "Measure the run again" in caught.value.hint
        file.write_text(was)
    assert promotions(session) == []
    assert not judge(session, evaluation).allowed


def test_a_summary_that_was_changed_decides_nothing(bench: Bench, session: Session) -> None:
    evaluation = bench.measure(bench.run(), {"base": coin("a"), "march-001": coin("b")})
    metrics = json.loads((evaluation.folder / "metrics.json").read_text())
    metrics["scores"]["march-001"]["fields"]["event_type"]["accuracy"]["right"] = 24
    (evaluation.folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(UsageError, match="changed since"):
        judge(session, evaluation)


def test_damaged_files_are_said_plainly(bench: Bench, session: Session) -> None:
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    for text in ("", "{", "[]", '{"split": "test"}', "null", "[" * 100_000):
        (evaluation.folder / "metrics.json").write_text(text)
        with pytest.raises(UsageError, match="changed since"):
            judge(session, evaluation)


def test_clips_left_out_of_the_answers_are_missed(bench: Bench, session: Session) -> None:
    every = bench.clips["test"]
    bench.clips["test"] = every[:20]
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    bench.clips["test"] = every
    assert failing(judge(session, evaluation)) == ["The whole test part"]


@pytest.mark.parametrize("told", [True, False])
def test_a_test_clip_that_cannot_be_read_makes_the_test_no_smaller(bench: Bench, session: Session, told: bool) -> None:
    *rest, gone = every = bench.clips["test"]
    (bench.set / "clips" / gone.path.rpartition("/")[2]).unlink(missing_ok=True)
    Path(gone.path).unlink(missing_ok=True)
    bench.clips["test"] = rest
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    bench.clips["test"] = every
    if told:
        file = evaluation.folder / "metrics.json"
        metrics = {**json.loads(file.read_text()), "unreadable": {"test-23.mp4": "its file is gone"}}
        file.write_text(json.dumps(metrics))
    judgement = judge(session, evaluation)
    assert failing(judgement) == ["The whole test part"]
    assert "23 of 24 clips were answered; not: test-23.mp4" in judgement.sentence
    with pytest.raises(PromotionRefusedError) as caught:
        promote(session, evaluation)
    assert "Put the files back" in caught.value.hint
    bench.take_back(gone)
    assert judge(session, evaluation).allowed


def test_only_the_test_part_and_this_schema_decide(bench: Bench, session: Session) -> None:
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    file = evaluation.folder / "metrics.json"
    metrics = json.loads(file.read_text())
    file.write_text(json.dumps({**metrics, "split": "val"}))
    with pytest.raises(UsageError, match="part “val”"):
        judge(session, evaluation)
    file.write_text(json.dumps({**metrics, "schema": {"key": "other-1", "labels_sha": "x"}}))
    with pytest.raises(UsageError, match="other-1"):
        judge(session, evaluation)
    file.unlink()
    with pytest.raises(UsageError, match="not ended"):
        judge(session, evaluation)


@pytest.mark.parametrize("hashes", [True, False])
def test_weights_that_were_changed_after_they_answered_are_not_promoted(
    bench: Bench, session: Session, hashes: bool
) -> None:
    run = bench.run()
    evaluation = bench.measure(run, {"base": wrong, "march-001": right}, hashes=hashes)
    assert judge(session, evaluation).allowed
    weights = run.folder / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert failing(judge(session, evaluation)) == ["The weights that were measured"]


@pytest.mark.parametrize("at", ["yesterday", "2026-02-01T00:00:00"])
def test_a_time_that_is_none_vouches_for_no_weights(bench: Bench, session: Session, at: str) -> None:
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right}, hashes=False)
    metrics = json.loads((evaluation.folder / "metrics.json").read_text())
    (evaluation.folder / "metrics.json").write_text(json.dumps({**metrics, "created_at": at}))
    assert failing(judge(session, evaluation)) == ["The weights that were measured"]


def test_another_adapter_of_its_name_among_the_models_is_not_promoted(bench: Bench, session: Session) -> None:
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    weights = session.settings.models_folder() / "adapters" / "march-001" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(PromotionRefusedError, match="not the one that was measured"):
        promote(session, evaluation)
    assert promotions(session) == []


def test_a_runs_adapter_that_was_removed_from_the_models_is_taken_again(bench: Bench, session: Session) -> None:
    run = bench.run()
    runs.adopt_finished(session)
    evaluation = bench.measure(run, {"base": wrong, "march-001": right})
    shutil.rmtree(session.settings.models_folder() / "adapters" / "march-001")
    assert runs.adopt_finished(session) == [], "what was deleted does not come back by itself"
    assert promote(session, evaluation).adapter == "march-001"


def test_clips_that_it_learnt_from_prove_nothing(bench: Bench, session: Session) -> None:
    seen = {"train": [bench.clips["test"][0].sha256], "val": []}
    evaluation = bench.measure(bench.run(seen=seen), {"base": wrong, "march-001": right})
    judgement = judge(session, evaluation)
    assert failing(judgement) == ["Clips it never saw"]
    assert "test-0" in judgement.sentence


def test_an_adapter_that_went_on_from_one_of_unknown_clips_proves_nothing(bench: Bench, session: Session) -> None:
    run = bench.run()
    evaluation = bench.measure(run, {"base": wrong, "march-001": right})
    file = run.folder / "adapter" / "card.json"
    card = json.loads(file.read_text())
    for known, failed in ((True, []), (False, ["Clips it never saw"])):
        start = {"name": "theirs", "sha256": "0" * 64, "clips_known": known}
        file.write_text(json.dumps({**card, "started_from": start}))
        assert failing(judge(session, evaluation)) == failed
    assert "went on from theirs" in judge(session, evaluation).sentence
    file.write_text(json.dumps({**card, "training_set": {**card["training_set"], "content_sha256": {"train": 5}}}))
    assert failing(judge(session, evaluation)) == ["Clips it never saw"]


def test_a_set_that_was_changed_since_decides_nothing(bench: Bench, session: Session) -> None:
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    records = bench.set / "corrections.jsonl"
    records.write_text(records.read_text().replace("near_miss", "collision"))
    with pytest.raises(UsageError, match="cannot be read any more"):
        judge(session, evaluation)


def test_reviews_that_were_taken_back_leave_the_numbers_and_changed_ones_are_told(
    bench: Bench, session: Session
) -> None:
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    bench.take_back(bench.clips["test"][0])
    bench.settle(bench.clips["test"][1], EVEN)
    bench.take_back(bench.clips["train"][0])
    judgement = judge(session, evaluation)
    assert judgement.clips == 23
    notes = " ".join(judgement.notes)
    for words in ("1 test clips whose review was taken back", "Of 1 test clips", "learnt from 1 clips"):
        assert words in notes


def test_two_libraries_do_not_decide_for_each_other(bench: Bench, session: Session, tmp_path: Path) -> None:
    evaluation = bench.measure(bench.run(), {"base": wrong, "march-001": right})
    with open_session(Settings(reviewer="Eve"), library_dir=tmp_path / "other") as other:
        with pytest.raises(UsageError, match="another library"):
            promote(other, evaluation)
        promote(session, evaluation)
        assert promotions(other) == []
        with pytest.raises(UsageError, match="Nothing was promoted in this library"):
            rollback(other)


# --- looks ---


def test_each_adapter_that_the_test_part_has_judged_makes_it_harder(bench: Bench, session: Session) -> None:
    session.settings = session.settings.model_copy(update={"promotion_looked": False})

    def some(number: int, truth: dict[str, Any]) -> dict[str, Any]:
        return truth if number < 7 else wrong(number, truth)

    def measured(name: str, fill: int) -> Judgement:
        evaluation = bench.measure(bench.run(name, fill=fill), {"base": wrong, name: some})
        return judge(session, evaluation)

    first = measured("march-001", 1)
    assert (first.looks, first.allowed) == (1, True)
    found = [measured(f"april-00{number}", number + 2) for number in range(1, 5)]
    assert [each.looks for each in found] == [2, 3, 4, 5]
    assert [each.allowed for each in found] == [True, True, False, False]
    assert "has judged 5 adapters" in found[-1].notes[0]
    assert "1.00% instead of 5.0%" in found[-1].notes[0]


def test_a_refusal_counts_although_its_run_was_deleted_and_only_once(bench: Bench, session: Session) -> None:
    run = bench.run("march-001")
    refused = bench.measure(run, {"base": coin("a"), "march-001": coin("b")})
    for _ in range(2):
        with pytest.raises(PromotionRefusedError):
            promote(session, refused)
    assert len(session.library.events_of_kind("promotion")) == 1
    shutil.rmtree(run.folder)
    evaluation = bench.measure(bench.run("april-001", fill=2), {"base": wrong, "april-001": right})
    assert judge(session, evaluation).looks == 2


def test_a_look_counts_although_nobody_pressed_anything_and_its_run_was_removed(bench: Bench, session: Session) -> None:
    run = bench.run("march-001")
    bench.measure(run, {"base": coin("a"), "march-001": coin("b")})
    runs.remove_run(session, run)
    assert not run.folder.exists()
    evaluation = bench.measure(bench.run("april-001", fill=2), {"base": wrong, "april-001": right})
    assert judge(session, evaluation).looks == 2
    assert promotions(session) == []
    assert session.library.verify().ok


# --- back again ---


def better(bench: Bench, name: str, fill: int, *against: str) -> Any:
    says = {"base": wrong, **dict.fromkeys(against, wrong), name: right}
    return bench.measure(bench.run(name, fill=fill), says)


def test_rollback_goes_one_step_each_time_down_to_what_was_there_first(bench: Bench, session: Session) -> None:
    choose(session, "")
    promote(session, better(bench, "feb-001", 2))
    promote(session, better(bench, "march-001", 1, "feb-001"))
    assert rollback(session).after == ("local", BASE_ID, "feb-001")
    assert default_in_use(load_settings()) == ("local", BASE_ID, "feb-001")
    assert rollback(session).after == MODEL_ALONE == default_in_use(session.settings)
    with pytest.raises(UsageError, match="No step is left: every promotion in this library was taken back"):
        rollback(session)
    assert [each.kind for each in promotions(session)] == ["rolled_back", "rolled_back", "promoted", "promoted"]
    assert session.library.verify().ok


def test_what_another_library_promoted_is_not_called_nothing(bench: Bench, session: Session, tmp_path: Path) -> None:
    promote(session, better(bench, "march-001", 1))
    assert outside(session) == ""
    with open_session(session.settings, library_dir=tmp_path / "other") as other:
        told = outside(other)
        assert "march-001. No promotion in this library made it the default: another library did" in told
        with pytest.raises(UsageError, match="Nothing was promoted in this library") as caught:
            rollback(other)
        assert "If another library promoted it, go back there: vvlm rollback --library FOLDER" in str(caught.value.hint)
    choose(session, "")
    assert outside(session) == ""


def test_rollback_also_leads_to_another_backend(bench: Bench, session: Session) -> None:
    promote(session, better(bench, "march-001", 1))
    assert rollback(session).after == ("signals", "", "")
    assert (session.settings.backend, session.settings.local_adapter) == ("signals", "")


def test_rollback_after_something_was_chosen_by_hand_says_so(bench: Bench, session: Session) -> None:
    promote(session, better(bench, "march-001", 1))
    choose(session, "")
    with pytest.raises(UsageError, match="which no promotion in this library made the default"):
        rollback(session)


def test_rollback_refuses_what_is_gone_or_was_changed(bench: Bench, session: Session) -> None:
    promote(session, better(bench, "feb-001", 2))
    promote(session, better(bench, "march-001", 1, "feb-001"))
    folder = session.settings.models_folder() / "adapters" / "feb-001"
    weights = folder / "adapter_model.safetensors"
    was = weights.read_bytes()
    weights.write_bytes(was[:-1] + b"?")
    with pytest.raises(UsageError, match="its weights are others"):
        rollback(session)
    folder.rename(folder.with_name("feb-0010"))
    with pytest.raises(UsageError, match="not here any more"):
        rollback(session)
    assert default_in_use(session.settings) == ("local", BASE_ID, "march-001")
    folder.with_name("feb-0010").rename(folder)
    weights.write_bytes(was)
    assert rollback(session).adapter == "feb-001"


class KilledError(BaseException):
    """The program ended here."""


def die(_settings: Settings) -> None:
    raise KilledError


def test_a_crash_between_log_and_settings_leaves_no_default_that_is_not_written_down(
    bench: Bench, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = better(bench, "march-001", 1)
    with monkeypatch.context() as patch:
        patch.setattr(promotion_room, "save_settings", die)
        with pytest.raises(KilledError):
            promote(session, evaluation)
    assert default_in_use(session.settings) == ("signals", "", "")
    assert len(promotions(session)) == 1
    with pytest.raises(UsageError, match="which no promotion in this library made the default"):
        rollback(session)
    promote(session, evaluation)
    assert rollback(session).after == ("signals", "", "")
    with pytest.raises(UsageError, match="No step is left: every promotion in this library was taken back"):
        rollback(session)


def test_a_rollback_that_was_cut_short_is_finished_by_the_next(
    bench: Bench, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(session, better(bench, "feb-001", 2))
    promote(session, better(bench, "march-001", 1, "feb-001"))

    with monkeypatch.context() as patch:
        patch.setattr(promotion_room, "save_settings", die)
        with pytest.raises(KilledError):
            rollback(session)
    assert default_in_use(session.settings) == ("local", BASE_ID, "march-001")
    assert rollback(session).after == ("local", BASE_ID, "feb-001")
    assert len(promotions(session)) == 3
    assert rollback(session).after == ("signals", "", "")


def test_answers_of_the_bench_read_as_themselves(session: Session) -> None:
    assert normalise(session.schema, EVEN)[0] == EVEN

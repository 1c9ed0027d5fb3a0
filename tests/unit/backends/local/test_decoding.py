import json
import math

import pytest

from tests.tiny_models import FAMILIES
from tests.unit.backends.local.decode_models import PROMPTS, SMALL, broken_bounds, decode_simply, model_of
from vvlm_desktop import paths
from vvlm_desktop.backends.local.decoding import decode
from vvlm_desktop.backends.local.grammar import token_budget
from vvlm_desktop.domain.schema_parse import parse_schema

families = pytest.mark.parametrize("family", FAMILIES)


def say(tiny, inputs, *, grammar=True, **changes):
    arguments = {"max_new_tokens": token_budget(SMALL), **changes}
    chosen = tiny.grammar() if grammar is True else grammar
    return decode(tiny.model, inputs, tokenizer=tiny.tokenizer, grammar=chosen, **arguments)


@families
def test_ten_random_generations_are_valid_and_end_by_the_grammar(family):
    tiny = model_of(family)
    try:
        for seed in range(5):
            tiny.set_head(seed)
            for said in say(tiny, tiny.inputs(seed=seed, prompts=PROMPTS[:2])):
                assert said.stop == "end"
                assert broken_bounds(SMALL, said.text) == []
                assert not set(said.token_ids) & set(tiny.tokenizer.all_special_ids)
    finally:
        tiny.set_head(None)


@families
def test_same_tokens_and_probabilities_as_a_full_pass_for_every_token(family):
    tiny = model_of(family)
    inputs = tiny.inputs(seed=3)
    ids, log_ps, masses = decode_simply(tiny, inputs, tiny.grammar())
    (said,) = say(tiny, inputs)
    assert said.token_ids == ids
    assert said.log_p == pytest.approx(log_ps, abs=1e-4)
    # After the last choice nothing is fed, so what was forced there has no mass.
    asked = [index for index, mass in enumerate(said.mass) if not math.isnan(mass)]
    assert len(ids) - len(asked) == _forced_at_the_end(said)
    assert [said.mass[index] for index in asked] == pytest.approx([masses[index] for index in asked], abs=1e-4)


def _forced_at_the_end(said):
    return len(said.forced) - 1 - max(index for index, forced in enumerate(said.forced) if not forced)


@families
def test_fast_forward_changes_nothing_but_the_passes(family):
    tiny = model_of(family)
    inputs = tiny.inputs(seed=1)
    (fast,) = say(tiny, inputs, distributions=("event_type",))
    (slow,) = say(tiny, inputs, fast_forward=False, distributions=("event_type",))
    assert fast.token_ids == slow.token_ids
    assert fast.forced == slow.forced
    assert fast.log_p == pytest.approx(slow.log_p, abs=1e-4)
    assert fast.distributions["event_type"] == pytest.approx(slow.distributions["event_type"], abs=1e-4)
    measuring = 1
    assert slow.forward_passes == len(slow.token_ids) + measuring
    assert fast.forward_passes == fast.forced.count(False) + measuring


@families
def test_rows_of_a_batch_say_what_they_say_alone(family):
    tiny = model_of(family)
    together = say(tiny, tiny.inputs(seed=5, prompts=PROMPTS), distributions=("event_type",))
    assert len({len(said.token_ids) for said in together}) > 1, "rows of one length prove little"
    for said, inputs in zip(together, tiny.rows(seed=5, prompts=PROMPTS), strict=True):
        (alone,) = say(tiny, inputs, distributions=("event_type",))
        assert said.token_ids == alone.token_ids
        assert said.log_p == pytest.approx(alone.log_p, abs=1e-4)
        assert said.mass == pytest.approx(alone.mass, abs=1e-4, nan_ok=True)
        assert said.distributions["event_type"] == pytest.approx(alone.distributions["event_type"], abs=1e-4)
        assert said.forward_passes == alone.forward_passes


@families
def test_free_text_is_what_generate_says(family):
    tiny = model_of(family)
    inputs = tiny.inputs(seed=2, prompts=PROMPTS)
    expected = tiny.model.generate(**inputs, max_new_tokens=20, do_sample=False)[:, inputs["input_ids"].shape[1] :]
    said = say(tiny, inputs, grammar=None, max_new_tokens=20)
    for row, each in zip(expected.tolist(), said, strict=True):
        assert row[: len(each.token_ids)] == each.token_ids
        assert each.text == tiny.tokenizer.decode(each.token_ids, skip_special_tokens=True)
        assert len(each.token_ids) == 20 or row[len(each.token_ids)] == tiny.tokenizer.eos_token_id
        assert set(each.mass) <= {1.0}


def test_free_text_ends_with_the_end_token():
    tiny = model_of("internvl")
    inputs = tiny.inputs()
    (unbounded,) = say(tiny, inputs, grammar=None, max_new_tokens=6)
    third = unbounded.token_ids[2]
    given = tiny.model.generation_config.eos_token_id
    tiny.model.generation_config.eos_token_id = [given, third]
    try:
        (said,) = say(tiny, inputs, grammar=None, max_new_tokens=6)
    finally:
        tiny.model.generation_config.eos_token_id = given
    assert said.stop == "end"
    assert said.token_ids == unbounded.token_ids[: unbounded.token_ids.index(third)]


@pytest.mark.parametrize("budget", [1, 9, 30])
def test_the_budget_is_kept_and_told(budget):
    tiny = model_of("internvl")
    inputs = tiny.inputs()
    (whole,) = say(tiny, inputs)
    (said,) = say(tiny, inputs, max_new_tokens=budget)
    assert said.stop == "budget"
    assert said.token_ids == whole.token_ids[:budget]
    assert {len(said.log_p), len(said.mass), len(said.forced), len(said.legal), len(said.token_bytes)} == {budget}


def test_an_answer_of_exactly_the_budget_has_ended():
    tiny = model_of("internvl")
    inputs = tiny.inputs()
    (whole,) = say(tiny, inputs)
    (said,) = say(tiny, inputs, max_new_tokens=len(whole.token_ids))
    assert (said.stop, said.text) == ("end", whole.text)


def test_no_budget_is_a_mistake():
    tiny = model_of("internvl")
    with pytest.raises(ValueError, match="max_new_tokens"):
        say(tiny, tiny.inputs(), max_new_tokens=0)


def test_cancelled_before_the_first_pass_asks_the_model_nothing():
    tiny = model_of("internvl")
    (said,) = say(tiny, tiny.inputs(), cancelled=lambda: True)
    assert (said.stop, said.forward_passes) == ("cancelled", 0)


def test_cancelled_between_passes_stops_there():
    tiny = model_of("internvl")
    (whole,) = say(tiny, tiny.inputs())
    seen = []
    (said,) = say(tiny, tiny.inputs(), cancelled=lambda: len(seen) >= 3, on_token=lambda row, count: seen.append(count))
    assert (said.stop, said.forward_passes) == ("cancelled", 3)
    assert said.token_ids == whole.token_ids[: seen[-1]]


def test_one_cancelled_row_leaves_and_the_others_say_the_same():
    tiny = model_of("qwen2_5_vl")
    inputs = tiny.inputs(seed=5, prompts=PROMPTS)
    undisturbed = say(tiny, inputs)
    seen = []
    watch = [lambda: False, lambda: len(seen) > 3, lambda: False]
    said = say(tiny, inputs, cancelled=watch, on_token=lambda row, count: seen.append(row))
    assert [each.stop for each in said] == ["end", "cancelled", "end"]
    assert [said[row].token_ids for row in (0, 2)] == [undisturbed[row].token_ids for row in (0, 2)]
    assert [said[row].log_p for row in (0, 2)] == [pytest.approx(undisturbed[row].log_p, abs=1e-4) for row in (0, 2)]
    assert undisturbed[1].text.startswith(said[1].text)


def test_progress_counts_the_tokens_of_each_row():
    tiny = model_of("internvl")
    seen = []
    said = say(tiny, tiny.inputs(prompts=PROMPTS[:2]), on_token=lambda row, count: seen.append((row, count)))
    for row, each in enumerate(said):
        counts = [count for index, count in seen if index == row]
        assert counts == sorted(counts)
        assert counts[-1] == len(each.token_ids)
        assert len(counts) == each.forward_passes


def test_without_forced_mass_the_rest_is_the_same():
    tiny = model_of("internvl")
    (with_mass,) = say(tiny, tiny.inputs())
    (without,) = say(tiny, tiny.inputs(), forced_mass=False)
    assert without.token_ids == with_mass.token_ids
    assert without.log_p == pytest.approx(with_mass.log_p, abs=1e-4)
    for forced, mass, other in zip(without.forced, without.mass, with_mass.mass, strict=True):
        assert math.isnan(mass) if forced else mass == pytest.approx(other, abs=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@families
def test_a_hundred_generations_of_the_full_schema_are_valid(family):
    schema = parse_schema(paths.bundled_schema("dashcam").read_text(encoding="utf-8"), source="dashcam.toml")
    tiny = model_of(family)
    budget, tokens, passes = token_budget(schema), 0, 0
    try:
        for seed in range(25):
            tiny.set_head(seed)
            inputs = tiny.inputs(seed=seed, prompts=(*PROMPTS, "And this one?"))
            for said in say(tiny, inputs, grammar=tiny.grammar(schema), max_new_tokens=budget):
                assert said.stop == "end"
                assert broken_bounds(schema, said.text) == []
                assert not set(said.token_ids) & set(tiny.tokenizer.all_special_ids)
                assert len(json.loads(said.text)) == len(schema.model_fields)
                tokens += len(said.token_ids)
                passes += said.forward_passes
    finally:
        tiny.set_head(None)
    print(f"\n{family}: 100 of 100 valid, {tokens / 100:.0f} tokens and {passes / 100:.0f} passes each")

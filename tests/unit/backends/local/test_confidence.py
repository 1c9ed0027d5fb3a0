import itertools
import json
import math

import numpy as np
import pytest

from tests.tiny_models import FAMILIES
from tests.unit.backends.local.decode_models import PROMPTS, SMALL, decode_simply, model_of
from vvlm_desktop.backends.local.confidence import CONFIDENCE_KIND, field_confidences
from vvlm_desktop.backends.local.decoding import Decoded, decode
from vvlm_desktop.backends.local.grammar import token_budget

families = pytest.mark.parametrize("family", FAMILIES)


def written(*tokens):
    """An answer from (text, probability, mass, other legal tokens) for choices and plain texts for forced tokens."""
    said = Decoded()
    for token in tokens:
        text, probability, mass, *others = (token, None, math.nan) if isinstance(token, str) else token
        said.token_bytes.append(text.encode())
        said.forced.append(probability is None)
        said.log_p.append(math.log(probability or 1.0))
        said.mass.append(mass)
        legal = {text: probability, **(others[0] if others else {})}
        said.legal.append(
            {each.encode(): math.log(share) for each, share in legal.items()} if others and probability else None
        )
    said.text = b"".join(said.token_bytes).decode()
    return said


WHOLE = (
    *('{"weather":[', ('"', 0.8, 0.9, {"]": 0.2}), ("ra", 0.5, 0.7, {"clear": 0.5}), "in"),
    *(('",', 0.3, 0.6, {'"': 0.2, "_": 0.5}), '"', ("clear", 0.4, 0.95, {"ra": 0.6}), ('"]', 0.6, 0.5, {'"': 0.4})),
    *(',"event_type":"', ("no", 0.9, 0.4), '_incident","event_time":', ("null", 0.25, 0.3), ',"caption":"'),
    *(("a", 0.1, 0.01), ('"', 0.1, 0.01), "}"),
)


def test_a_choice_is_the_product_of_its_tokens():
    found = field_confidences(written(*WHOLE), SMALL)
    assert found.confidence["event_type"] == pytest.approx(0.9)
    assert found.confidence["event_time"] == pytest.approx(0.25)


def test_a_list_value_is_not_weighed_down_by_what_follows_it():
    found = field_confidences(written(*WHOLE), SMALL)
    # `",` and `"` both end the first value: whether another follows is not a doubt about it.
    assert found.value_confidence["weather"] == {
        "rain": pytest.approx(0.8 * 0.5 * (0.3 + 0.2)),
        "clear": pytest.approx(0.4 * (0.6 + 0.4)),
    }
    assert found.confidence["weather"] == pytest.approx(0.8 * 0.5 * 0.3 * 0.4 * 0.6)


def test_a_text_has_no_confidence_and_no_mass():
    found = field_confidences(written(*WHOLE), SMALL)
    assert found.confidence["caption"] is None
    assert "caption" not in found.legal_mass


def test_the_mass_is_the_smallest_where_there_was_a_choice():
    said = written(*WHOLE)
    said.mass = [0.001 if forced else mass for mass, forced in zip(said.mass, said.forced, strict=True)]
    found = field_confidences(said, SMALL)
    assert found.legal_mass == {"weather": 0.5, "event_type": 0.4, "event_time": 0.3}


def test_a_value_that_was_forced_has_the_mass_of_its_tokens():
    said = written('{"weather":[],"event_type":', '"collision"', ',"event_time":null', ("}", 1.0, 1.0))
    said.mass = [0.5, 0.125, 0.25, 1.0]
    found = field_confidences(said, SMALL)
    assert found.confidence["event_type"] == 1.0
    assert found.legal_mass["event_type"] == 0.125


def test_where_only_the_cut_was_open_nothing_is_in_doubt():
    said = written(
        '{"weather":[],"event_type', ('":"', 0.6, 0.9, {'":': 0.4}), ("ne", 0.5, 0.8, {"col": 0.5}), 'ar_miss",'
    )
    assert field_confidences(said, SMALL).confidence["event_type"] == pytest.approx(0.5)


def test_of_a_value_said_twice_the_first_counts():
    said = written('{"weather":["', ("rain", 0.5, 1.0), '","', ("rain", 0.9, 1.0), '"]')
    assert field_confidences(said, SMALL).value_confidence["weather"] == {"rain": pytest.approx(0.5)}


@pytest.mark.parametrize("kept", range(len(WHOLE)))
def test_an_answer_that_broke_off_has_the_fields_it_completed(kept):
    found = field_confidences(written(*WHOLE[:kept]), SMALL)
    whole = field_confidences(written(*WHOLE), SMALL)
    text = "".join(token if isinstance(token, str) else token[0] for token in WHOLE[:kept])
    assert [key in found.confidence for key in ("weather", "event_type", "event_time")] == [
        "]" in text,
        'incident"' in text,
        "null," in text,
    ]
    for key, value in found.confidence.items():
        assert value == pytest.approx(whole.confidence[key])


def test_text_that_looks_like_json_does_not_confuse_the_places():
    said = written(
        '{"weather":[],"event_type":"near_miss","event_time":',
        ('{"start_ms":1', 0.5, 1.0),
        ('2,"end_ms":34}', 0.5, 1.0),
        ',"caption":"',
        ('],\\"event_type\\":\\"x\\", {[\\\\', 0.5, 0.5),
        '"}',
    )
    json.loads(said.text)
    found = field_confidences(said, SMALL)
    assert found.confidence == {
        "weather": 1.0,
        "event_type": 1.0,
        "event_time": pytest.approx(0.25),
        "caption": None,
    }


def test_the_kind_of_these_numbers():
    assert CONFIDENCE_KIND == "token_probability"


def say(tiny, inputs, **changes):
    return decode(
        tiny.model,
        inputs,
        tokenizer=tiny.tokenizer,
        grammar=tiny.grammar(),
        max_new_tokens=token_budget(SMALL),
        **changes,
    )


@families
def test_the_fields_of_an_answer_by_full_passes(family):
    tiny = model_of(family)
    inputs = tiny.inputs(seed=4)
    (said,) = say(tiny, inputs)
    found = field_confidences(said, SMALL)
    ids, log_ps, masses = decode_simply(tiny, inputs, tiny.grammar())
    ends = list(itertools.accumulate(len(tiny.grammar().token_bytes(token)) for token in ids))
    text = said.text.encode()
    for key, after in (("event_type", b',"event_time"'), ("event_time", b',"caption"')):
        begin, end = text.index(f'"{key}":'.encode()) + len(key) + 3, text.index(after)
        inside = [i for i, stop in enumerate(ends) if stop > begin and (ends[i - 1] if i else 0) < end]
        assert found.confidence[key] == pytest.approx(math.exp(sum(log_ps[i] for i in inside)), abs=1e-4)
        chosen = [i for i in inside if not said.forced[i]]
        assert found.legal_mass[key] == pytest.approx(min(masses[i] for i in chosen), abs=1e-4)


def every_way(tiny, inputs, state, said, options):
    """Probability of each option by trying every legal token with a full pass."""
    total = dict.fromkeys(options, 0.0)

    def go(state, tokens, text, probability):
        done = [option for option in options if text.startswith(json.dumps(option))]
        if done:
            total[done[0]] += probability
            return
        legal = np.flatnonzero(state.legal().mask(tiny.vocab_size)).tolist()
        shares = [1.0]
        if len(legal) > 1:
            shares = tiny.next_logits(inputs, tokens)[legal].softmax(0).tolist()
        for token, share in zip(legal, shares, strict=True):
            further = state.copy()
            further.take(token)
            go(further, [*tokens, token], text + grammar.token_bytes(token).decode(), probability * share)

    grammar = tiny.grammar()
    go(state, said, "", 1.0)
    return total


@families
def test_a_distribution_is_what_every_way_of_writing_adds_up_to(family):
    tiny = model_of(family)
    rows = tiny.rows(seed=6, prompts=PROMPTS)
    together = say(tiny, tiny.inputs(seed=6, prompts=PROMPTS), distributions=("event_type",))
    for inputs, said in zip(rows, together, strict=True):
        begin = said.text.encode().index(b'"event_type":') + len('"event_type":')
        state, before, length = tiny.grammar().state(), [], 0
        for token, token_bytes in zip(said.token_ids, said.token_bytes, strict=True):
            length += len(token_bytes)
            if length > begin:
                break
            state.take(token)
            before.append(token)
        options = SMALL.field("event_type").value_keys
        expected = every_way(tiny, inputs, state, before, options)
        measured = said.distributions["event_type"]
        assert sum(measured.values()) == pytest.approx(1.0, abs=1e-6)
        assert measured == pytest.approx(expected, abs=1e-5)


@families
def test_measuring_a_distribution_changes_nothing_else(family):
    tiny = model_of(family)
    inputs = tiny.inputs(seed=6, prompts=PROMPTS)
    for plain, measured in zip(say(tiny, inputs), say(tiny, inputs, distributions=("event_type",)), strict=True):
        assert measured.token_ids == plain.token_ids
        assert measured.log_p == pytest.approx(plain.log_p, abs=1e-5)
        assert measured.forward_passes == plain.forward_passes + 1


@families
def test_a_measured_choice_is_as_sure_as_its_distribution_says(family):
    tiny = model_of(family)
    (said,) = say(tiny, tiny.inputs(seed=7), distributions=("event_type", "caption", "weather", "nothing"))
    assert set(said.distributions) == {"event_type"}
    found = field_confidences(said, SMALL)
    value = json.loads(said.text)["event_type"]
    assert found.confidence["event_type"] == said.distributions["event_type"][value]
    assert found.value_confidence["event_type"] == said.distributions["event_type"]
    said.distributions.clear()
    # One way to write it is never more probable than all ways together.
    assert field_confidences(said, SMALL).confidence["event_type"] <= found.confidence["event_type"] + 1e-6

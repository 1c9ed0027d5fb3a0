import json
import random

import numpy as np
import pytest

from tests.unit.backends.local.decode_models import SMALL, broken_bounds, model_of
from vvlm_desktop import paths
from vvlm_desktop.backends.local.grammar import FEW_TOKENS, Legal, compile_grammar, token_budget
from vvlm_desktop.domain.schema_json import json_schema
from vvlm_desktop.domain.schema_parse import parse_schema

DASHCAM = parse_schema(paths.bundled_schema("dashcam").read_text(encoding="utf-8"), source="dashcam.toml")


@pytest.fixture(scope="module")
def tiny():
    return model_of("internvl")


def spelled(grammar, tokens):
    return b"".join(grammar.token_bytes(token) for token in tokens)


@pytest.mark.parametrize("count", [1, 3, FEW_TOKENS, FEW_TOKENS + 1, 1500])
def test_legal_tokens_are_the_set_bits(count):
    chosen = np.sort(np.random.default_rng(count).choice(2_000, count, replace=False))
    mask = np.zeros(2_016, np.bool_)
    mask[chosen] = True
    legal = Legal.from_bits(np.packbits(mask, bitorder="little").tobytes())
    assert legal.mask(2_000).tolist() == mask[:2_000].tolist()
    if count <= FEW_TOKENS:
        assert legal.ids is not None
        assert legal.ids.tolist() == chosen.tolist()
    else:
        assert legal.ids is None


def test_the_beginning_up_to_the_first_choice_is_forced(tiny):
    grammar = tiny.grammar()
    forced, legal = grammar.state().follow()
    assert spelled(grammar, forced) == b'{"weather":['
    assert {spelled(grammar, [token])[:1] for token in legal.ids.tolist()} == {b'"', b"]"}


def test_a_value_that_is_certain_is_followed_to_the_next_choice(tiny):
    grammar = tiny.grammar()
    state = grammar.state()
    state.follow()
    for token in tiny.tokenizer('],"event_type":"no', add_special_tokens=False)["input_ids"]:
        state.take(token)
    forced, legal = state.follow()
    assert spelled(grammar, forced).startswith(b'_incident","event_time":')
    assert legal is not None


def test_the_end_of_the_answer_is_known_without_asking(tiny):
    grammar = tiny.grammar()
    state = grammar.state()
    text = '{"weather":[],"event_type":"cannot_tell","event_time":null,"caption":"a"'
    for token in tiny.tokenizer(text, add_special_tokens=False)["input_ids"]:
        state.take(token)
    forced, legal = state.follow()
    assert (spelled(grammar, forced), legal) == (b"}", None)
    assert state.ended


def test_a_copy_goes_its_own_way(tiny):
    state = tiny.grammar().state()
    other = state.copy()
    other.follow()
    assert state.legal().ids.tolist() != other.legal().ids.tolist()


def test_what_is_not_legal_is_refused(tiny):
    with pytest.raises(ValueError, match="not legal"):
        tiny.grammar().state().take(tiny.tokenizer.eos_token_id)


def test_a_schema_is_compiled_once(tiny):
    assert tiny.grammar() is tiny.grammar()
    assert tiny.grammar() is not tiny.grammar(DASHCAM)
    assert tiny.grammar().tokenizer is tiny.grammar(DASHCAM).tokenizer


def test_a_keyword_that_cannot_be_enforced_is_refused(tiny):
    schema = {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "maxItems": 3}
    with pytest.raises(ValueError, match="cannot be enforced"):
        compile_grammar(tiny.tokenizer, vocab_size=tiny.vocab_size, schema_json=schema)


def _in_caption(tiny):
    state = tiny.grammar().state()
    text = '{"weather":[],"event_type":"cannot_tell","event_time":null,"caption":"'
    for token in tiny.tokenizer(text, add_special_tokens=False)["input_ids"]:
        state.take(token)
    return state


def test_special_and_padding_tokens_are_never_legal_in_a_text(tiny):
    padded = compile_grammar(tiny.tokenizer, vocab_size=tiny.vocab_size + 100, schema_json=json_schema(SMALL))
    for grammar in (tiny.grammar(), padded):
        state = grammar.state()
        text = '{"weather":[],"event_type":"cannot_tell","event_time":null,"caption":"'
        for token in tiny.tokenizer(text, add_special_tokens=False)["input_ids"]:
            state.take(token)
        mask = state.legal().mask(grammar.vocab_size)
        assert mask.sum() > 1_000
        assert not mask[tiny.tokenizer.all_special_ids].any()
        assert not mask[len(tiny.tokenizer) :].any()


@pytest.mark.parametrize("escape", ["\\n", "\\u0000", "\\u00e9", "\\ud800", "\\/", "\\t"])
def test_of_escapes_a_text_has_only_quotes_and_backslashes(tiny, escape):
    grammar = tiny.grammar()
    for text, fine in (('\\"', True), ("\\\\", True), (escape, False)):
        state = _in_caption(tiny)
        taken = 0
        for token in grammar.tokenizer.tokenize_bytes(text.encode()):
            try:
                state.take(token)
            except ValueError:
                break
            taken += 1
        assert (taken == len(grammar.tokenizer.tokenize_bytes(text.encode()))) is fine


@pytest.mark.parametrize("schema", [SMALL, DASHCAM], ids=["small", "dashcam"])
@pytest.mark.parametrize("taste", ["shortest", "quotes last", "random"])
def test_no_answer_needs_more_tokens_than_the_budget(tiny, schema, taste):
    grammar = tiny.grammar(schema)
    chance = random.Random(taste)
    state, tokens = grammar.state(), []
    while not state.ended:
        legal = np.flatnonzero(state.legal().mask(grammar.vocab_size)).tolist()
        spellings = {token: grammar.token_bytes(token) for token in legal}
        if taste != "random":
            # One byte a token, and a text or list is ended only where nothing else is left.
            legal.sort(key=lambda token: (len(spellings[token]), spellings[token][:1] in b'"],'))
        if taste == "quotes last":
            legal.sort(key=lambda token: (b'"' in spellings[token] or b"]" in spellings[token], -spellings[token][0]))
        tokens.append(chance.choice(legal) if taste == "random" else legal[0])
        state.take(tokens[-1])
    assert broken_bounds(schema, spelled(grammar, tokens).decode()) == []
    assert len(tokens) < token_budget(schema)
    assert json.loads(spelled(grammar, tokens))

"""The taught answer: full form, as the grammar asks, and no loss where nobody knows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny_models import tiny_model
from tests.unit.training.sets import LIGHT, truth
from training.answers import IGNORED, target_text, tokenize_target
from vvlm_desktop.backends.local.families import family_for
from vvlm_desktop.backends.local.grammar import compile_grammar
from vvlm_desktop.backends.local.loading import load_processor
from vvlm_desktop.backends.model_folder import examine_model
from vvlm_desktop.domain.schema_json import json_schema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.formats.target import target_json
from vvlm_desktop.paths import bundled_schema

DASHCAM = parse_schema(bundled_schema("dashcam").read_text(encoding="utf-8"), source="dashcam.toml")
CAPTION = 'A van says "now", Zoë 🚗 brakes.'


@pytest.fixture(scope="module")
def tokenizer():
    folder = examine_model(tiny_model("internvl"))
    return load_processor(folder.path, family_for(folder.config)).tokenizer


def learnt(tokenizer, target):
    """The text whose tokens carry loss; a gap is `…`."""
    parts, run = [], []
    for token, label in zip(target.ids.tolist(), target.labels.tolist(), strict=True):
        if label == IGNORED:
            if run:
                parts.append(tokenizer.decode(run))
            run = []
            continue
        assert label == token
        run.append(token)
    return "…".join([*parts, tokenizer.decode(run)])


def test_full_review_is_the_exports_own_target():
    assert target_text(LIGHT, truth(bright=True)).text == target_json(LIGHT, truth(bright=True))
    assert target_text(LIGHT, truth(bright=True)).unknown == ()


def test_every_token_of_a_full_review_is_learnt_with_its_end(tokenizer):
    target = tokenize_target(tokenizer, target_text(LIGHT, truth(bright=False)))
    assert target.labels.tolist() == target.ids.tolist()
    assert learnt(tokenizer, target).endswith('["night"]}<|im_end|>')


def test_what_nobody_knows_has_its_place_and_no_loss(tokenizer):
    target = target_text(LIGHT, {"event_time": None})
    assert target.text == '{"light":"cannot_tell","event_time":null,"seen":["cannot_tell"]}'
    said = learnt(tokenizer, tokenize_target(tokenizer, target))
    assert "cannot_tell" not in said
    assert '"event_time":null' in said
    assert said.endswith("<|im_end|>")


@given(st.sets(st.sampled_from([field.key for field in DASHCAM.model_fields])))
def test_values_that_are_known_are_learnt_whole_and_others_not_at_all(tokenizer, keys):
    values = {}
    for field in DASHCAM.model_fields:
        first = field.values[0].key if field.values else None
        values[field.key] = {
            "one_of": first,
            "any_of": [first],
            "text": CAPTION,
            "range": {"start_ms": 7, "end_ms": 9},
        }[field.kind]
    target = target_text(DASHCAM, {key: values[key] for key in keys})
    assert list(json.loads(target.text)) == [field.key for field in DASHCAM.model_fields]
    assert len(target.unknown) == len(DASHCAM.model_fields) - len(keys)
    encoded = tokenizer(target.text, add_special_tokens=False, return_offsets_mapping=True)
    labels = tokenize_target(tokenizer, target).labels.tolist()[:-1]
    with_loss = [span for span, label in zip(encoded["offset_mapping"], labels, strict=True) if label != IGNORED]
    for key in keys:
        member = target_json(DASHCAM, {key: values[key]})[1:-1]
        end = target.text.index(member) + len(member)
        start = end - len(member) + len(f'"{key}":') + 1  # the token before the value may be cut with a stand-in's
        assert all(any(a <= place < b for a, b in with_loss) for place in range(start, end))
    for start, end in target.unknown:
        assert not any(a < end and b > start for a, b in with_loss)


@pytest.mark.parametrize("known", [{}, truth(bright=True), {"seen": []}])
def test_grammar_of_inference_takes_every_taught_answer(tokenizer, known):
    target = tokenize_target(tokenizer, target_text(LIGHT, known))
    state = compile_grammar(tokenizer, vocab_size=len(tokenizer), schema_json=json_schema(LIGHT)).state()
    for token in target.ids.tolist()[:-1]:
        state.take(token)
    assert state.ended or tokenizer.eos_token_id in state.legal().ids.tolist()


def test_grammar_takes_texts_with_quotes_and_other_letters(tokenizer):
    target = tokenize_target(tokenizer, target_text(DASHCAM, {"caption": CAPTION}))
    state = compile_grammar(tokenizer, vocab_size=len(tokenizer), schema_json=json_schema(DASHCAM)).state()
    for token in target.ids.tolist()[:-1]:
        state.take(token)

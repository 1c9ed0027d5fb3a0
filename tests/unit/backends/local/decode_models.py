"""Tiny models with inputs for the decoding tests, and the slow and simple way to decode to compare with."""

import json
import math
from functools import cache

import numpy as np
import torch
import transformers

from tests.tiny_models import tiny_model
from vvlm_desktop.backends.local.families import family_for
from vvlm_desktop.backends.local.families.base import FrameBatch, ModelInput
from vvlm_desktop.backends.local.grammar import compile_grammar
from vvlm_desktop.domain.schema_json import json_schema
from vvlm_desktop.domain.schema_parse import parse_schema

# A progress bar starts a thread that outlives the test.
transformers.utils.logging.disable_progress_bar()

SMALL_TOML = """
name = "small"
version = 1
title = "Small"

[prompt]
intro = "Label the clip."

[[field]]
key = "weather"
label = "Weather"
kind = "any_of"
values = [
  { key = "rain", label = "Rain", means = "drops" },
  { key = "rain_heavy", label = "Heavy rain", means = "many drops" },
  { key = "clear", label = "Clear", means = "sun" },
]

[[field]]
key = "event_type"
label = "Event"
kind = "one_of"
values = [
  { key = "collision", label = "Collision", means = "contact" },
  { key = "near_miss", label = "Near miss", means = "close" },
  { key = "no_incident", label = "No incident", means = "nothing" },
]

[[field]]
key = "event_time"
label = "Time"
kind = "range"
may_be_absent = true
max_ms = 60_000

[[field]]
key = "caption"
label = "Caption"
kind = "text"
max_length = 24
"""
SMALL = parse_schema(SMALL_TOML, source="small.toml")
PROMPTS = ("Classify the clip.", "What is to be seen here, and how sure is that? Answer in JSON.", "Look. Answer.")


class TinyModel:
    """One tiny model, with its family."""

    def __init__(self, name):
        folder = tiny_model(name)
        self.model = transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
        self.family = family_for(json.loads((folder / "config.json").read_text(encoding="utf-8")), source=name)
        self.family.before_loading()
        self.processor = transformers.AutoProcessor.from_pretrained(folder)
        self.tokenizer = self.processor.tokenizer
        self.vocab_size = self.model.config.get_text_config().vocab_size
        self._head = self.model.lm_head.weight.detach().clone()

    def inputs(self, *, seed=0, prompts=PROMPTS[:1]):
        """Random pictures, another prompt in every row; padded on the left."""
        return self.family.encode(self.processor, self._clips(seed, prompts))

    def rows(self, *, seed, prompts):
        """The rows of `inputs`, each alone."""
        return [self.family.encode(self.processor, [clip]) for clip in self._clips(seed, prompts)]

    def _clips(self, seed, prompts, frames=2):
        random = np.random.default_rng(seed)
        width, height = self.family.decode_size(160, 90, frames=frames)
        return [
            ModelInput(
                FrameBatch(
                    rgb=random.integers(0, 255, (frames, height, width, 3), dtype=np.uint8),
                    times_s=tuple(range(frames)),
                    pts=tuple(range(frames)),
                    clip_duration_s=float(frames),
                ),
                prompt,
            )
            for prompt in prompts
        ]

    def grammar(self, schema=SMALL):
        return compile_grammar(self.tokenizer, vocab_size=self.vocab_size, schema_json=json_schema(schema))

    def set_head(self, seed):
        """Another random head, so that the same model says something else; None for its own."""
        with torch.no_grad():
            if seed is None:
                self.model.lm_head.weight.copy_(self._head)
            else:
                random = torch.Generator().manual_seed(seed)
                self.model.lm_head.weight.copy_(torch.randn(self._head.shape, generator=random) * 0.16)

    def next_logits(self, inputs, said):
        """Logits after the prompt and `said`, by one pass over everything, without a cache."""
        tail = torch.tensor([said], dtype=torch.long)
        full = dict(inputs, input_ids=torch.cat([inputs["input_ids"], tail], 1))
        full["attention_mask"] = torch.ones_like(full["input_ids"])
        if "mm_token_type_ids" in inputs:
            full["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(tail)], 1)
        with torch.inference_mode():
            return self.model(**full, logits_to_keep=1).logits[0, -1].double()


@cache
def model_of(name):
    return TinyModel(name)


def decode_simply(tiny, inputs, grammar):
    """Token by token with a full pass each: ids, log p among the legal tokens, mass of the legal tokens."""
    state, ids, log_ps, masses = grammar.state(), [], [], []
    while not state.ended:
        log_p = tiny.next_logits(inputs, ids).log_softmax(-1)
        legal = torch.from_numpy(state.legal().mask(tiny.vocab_size))
        total = log_p[legal].logsumexp(0)
        token = int(log_p.masked_fill(~legal, -math.inf).argmax())
        ids.append(token)
        log_ps.append(float(log_p[token] - total))
        masses.append(float(total.exp()))
        state.take(token)
    return ids, log_ps, masses


def broken_bounds(schema, text):
    """What in a JSON text is not as the schema says, field by field; empty if all is."""
    said = json.loads(text)
    broken = [] if list(said) == [field.key for field in schema.model_fields] else ["keys"]
    for field in schema.model_fields:
        value = said.get(field.key)
        if field.kind == "one_of":
            fine = value in field.value_keys
        elif field.kind == "any_of":
            fine = isinstance(value, list) and len(value) <= len(field.values) and set(value) <= set(field.value_keys)
        elif field.kind == "text":
            fine = isinstance(value, str) and len(value) <= field.max_length and "\n" not in value
        elif value is None:
            fine = field.may_be_absent
        else:
            fine = list(value) == ["start_ms", "end_ms"] and all(0 <= ms <= field.max_ms for ms in value.values())
        if not fine:
            broken.append(field.key)
    return broken

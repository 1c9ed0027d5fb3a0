"""What own decoding saves against `generate`: pytest -m bench -s tests/bench/local_vlm.py

Naive is what most programs do: clip after clip, frames decoded, encoded, and given to `model.generate` with the grammar
as a logits processor. It gets the same frames from the same reader. Ours is the production backend: batches, the next
clips read and encoded meanwhile, forced tokens fed together. Both say the same JSON, which is asserted. Clips are
encoded on the spot (1280x720, 10 s).

The models are tiny and random. Their vocabulary has the size of Qwen2.5's, because the forced runs depend on it:
151,936 entries, of which 16,384 were trained on the label schema and Python's library; the rest is padding. A random
model repeats list values and fills its description, so passes are also counted for the right answers to the program's
own sample clips, written with the same tokenizer.

What a GPU changes: here a pass is mostly the output layer's product with one row, and each token whose logits are kept
costs a row more. There a pass mostly reads all weights once, for one token as for twenty, so a saved pass is saved
whole; reading a prompt of thousands of tokens stays as it is, and a batch is worth more.
"""

import itertools
import json
import os
import statistics
import time

import numpy as np
import pytest
import torch

from tests.clips import make_clip
from tests.tiny_models import REAL_VOCABULARY, tiny_model
from tests.unit.backends.local.local_jobs import JobNotes, run
from vvlm_desktop import paths
from vvlm_desktop.backends.local.backend import LocalBackend
from vvlm_desktop.backends.local.decoding import decode
from vvlm_desktop.backends.local.grammar import compile_grammar, token_budget
from vvlm_desktop.backends.local.inputs import FrameBatch, ModelInput, build_inputs, read_frames
from vvlm_desktop.backends.local.loading import load_model
from vvlm_desktop.backends.local_options import DEFAULT_FRAMES, LocalOptions
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.schema_json import json_schema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.samples.make import make_samples
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.sampling import uniform

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

SCHEMA = parse_schema(paths.bundled_schema("dashcam").read_text(encoding="utf-8"), source="dashcam.toml")
PROMPT = build_prompt(SCHEMA)
BUDGET = token_budget(SCHEMA)
CLIPS, BATCH = 20, 4


@pytest.fixture(scope="module", params=["internvl", "qwen2_5_vl"])
def loaded(request):
    return load_model(tiny_model(request.param, vocabulary=REAL_VOCABULARY), precision="fp32", device="cpu")


@pytest.fixture(scope="module")
def grammar(loaded):
    return compile_grammar(loaded.tokenizer, vocab_size=REAL_VOCABULARY, schema_json=json_schema(SCHEMA))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    return [
        make_clip(
            folder / f"{number}.mp4",
            frames=300,
            fps=30,
            size=(1280, 720),
            numbers=range(number * 300, number * 300 + 300),
            options={"preset": "ultrafast", "g": "30"},
        )
        for number in range(CLIPS)
    ]


def random_clip(loaded, seed):
    width, height = loaded.family.decode_size(1280, 720, frames=DEFAULT_FRAMES)
    rgb = np.random.default_rng(seed).integers(0, 255, (DEFAULT_FRAMES, height, width, 3), dtype=np.uint8)
    times_s = tuple((place + 0.5) * 10 / DEFAULT_FRAMES for place in range(DEFAULT_FRAMES))
    return ModelInput(FrameBatch(rgb, times_s, tuple(range(DEFAULT_FRAMES)), 10.0), PROMPT)


def table(title, rows):
    print(f"\n{title}  ({os.cpu_count()} cores, one thread, load {os.getloadavg()[0]:.1f})")
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)))


class Constraint:
    """The grammar as a logits processor, as it is usually done."""

    def __init__(self, grammar):
        self._grammar, self._state, self._prompt = grammar, grammar.state(), None

    def __call__(self, ids, scores):
        if self._prompt is None:
            self._prompt = ids.shape[1]
        elif not self._state.ended:
            self._state.take(int(ids[0, -1]))
        legal = torch.from_numpy(self._state.legal().mask(REAL_VOCABULARY))
        return scores.masked_fill(~legal[None], -torch.inf)


def generate(loaded, inputs, *, constraint=None, tokens=BUDGET):
    """Ids that `generate` adds."""
    with torch.inference_mode():
        ids = loaded.model.generate(
            **inputs,
            max_new_tokens=tokens,
            min_new_tokens=None if constraint is not None else tokens,
            do_sample=False,
            logits_processor=None if constraint is None else [constraint],
        )
    return ids[0, inputs["input_ids"].shape[1] :].tolist()


def say(loaded, inputs, grammar, **changes):
    arguments = {"max_new_tokens": BUDGET, **changes}
    return decode(loaded.model, inputs, tokenizer=loaded.tokenizer, grammar=grammar, **arguments)


def test_forward_passes_per_json(loaded, grammar, tmp_path):
    said = say(loaded, build_inputs(loaded, [random_clip(loaded, seed) for seed in range(4)]), grammar)
    samples = make_samples(tmp_path, size=(64, 36), fps=10)
    counts = {
        "random model": [(len(each.token_ids), each.forward_passes) for each in said],
        "right answers": [_tokens_and_choices(grammar, sample.truth.labels) for sample in samples],
    }
    rows = [("", "unforced", "forced", "ratio")]
    for name, pairs in counts.items():
        tokens, passes = (statistics.mean(pair[place] for pair in pairs) for place in (0, 1))
        rows.append((name, f"{tokens:.0f}", f"{passes:.0f}", f"{tokens / passes:.2f}"))
    table(f"{loaded.family.name}: passes per JSON of {len(SCHEMA.model_fields)} fields", rows)
    assert all(float(row[-1]) >= 2.0 for row in rows[1:])


def _tokens_and_choices(grammar, labels):
    """Of an answer as a trained model would write it: with the longest token that fits."""
    answer = {field.key: labels[field.key] for field in SCHEMA.model_fields}
    text = json.dumps(answer, separators=(",", ":")).encode()
    state, written, tokens, choices = grammar.state(), b"", 0, 0
    while not state.ended:
        forced, legal = state.follow()
        written += b"".join(grammar.token_bytes(token) for token in forced)
        tokens += len(forced)
        if legal is None:
            break
        possible = {token: grammar.token_bytes(token) for token in np.flatnonzero(legal.mask(REAL_VOCABULARY)).tolist()}
        fitting = [token for token, spelled in possible.items() if text[len(written) :].startswith(spelled)]
        longest = max(fitting, key=lambda token: len(possible[token]))
        state.take(longest)
        written += possible[longest]
        tokens, choices = tokens + 1, choices + 1
    assert written == text
    return tokens, choices


def test_constraint_costs_little_per_token(loaded, grammar):
    inputs = build_inputs(loaded, [random_clip(loaded, 0)])
    tokens = len(say(loaded, inputs, grammar, fast_forward=False)[0].token_ids)

    def ms_per_token(chosen):
        # Without the prompt, and in time of this process: other programs on the machine don't count.
        times = []
        say(
            loaded,
            inputs,
            chosen,
            max_new_tokens=tokens,
            fast_forward=False,
            on_token=lambda row, count: times.append(time.process_time()),
        )
        return statistics.median(after - before for before, after in itertools.pairwise(times)) * 1000

    pairs = [(ms_per_token(None), ms_per_token(grammar)) for _ in range(5)]
    free, constrained = (min(each[place] for each in pairs) for place in (0, 1))
    table(
        f"{loaded.family.name}: one token at a time, {tokens} tokens",
        [("", "ms/token"), ("free", f"{free:.2f}"), ("constrained", f"{constrained:.2f}, x{constrained / free:.3f}")],
    )
    assert constrained / free <= 1.10


def test_time_to_the_first_token(loaded, grammar):
    item = random_clip(loaded, 1)

    def ours():
        first = []
        began = time.perf_counter()
        inputs = build_inputs(loaded, [item])
        say(
            loaded,
            inputs,
            grammar,
            on_token=lambda row, count: first.append(time.perf_counter() - began),
            cancelled=lambda: bool(first),
        )
        return first[0]

    def naive():
        began = time.perf_counter()
        generate(loaded, build_inputs(loaded, [item]), constraint=Constraint(grammar), tokens=1)
        return time.perf_counter() - began

    pairs = [(naive(), ours()) for _ in range(5)]
    theirs, mine = (min(each[place] for each in pairs) * 1000 for place in (0, 1))
    table(
        f"{loaded.family.name}: frames in memory to first token",
        [("", "ms"), ("naive, one token", f"{theirs:.0f}"), ("ours, up to the first choice", f"{mine:.0f}")],
    )
    # Ours knows the first value by then, naive an opening brace.
    assert mine <= theirs * 1.25


def test_clips_per_minute(loaded, grammar, clips):
    def naive(path, *, constrained, tokens=BUDGET):
        index = read_index(path)
        chosen = uniform(index, DEFAULT_FRAMES)
        size = loaded.family.decode_size(index.width, index.height, frames=len(chosen))
        inputs = build_inputs(loaded, [ModelInput(read_frames(path, index, chosen, size=size), PROMPT)])
        ids = generate(loaded, inputs, constraint=Constraint(grammar) if constrained else None, tokens=tokens)
        return b"".join(grammar.token_bytes(token) for token in ids if token not in grammar.tokenizer.eos_tokens)

    def timed(work):
        began = time.perf_counter()
        result = work()
        return result, CLIPS * 60 / (time.perf_counter() - began)

    options = LocalOptions(
        model="tiny", model_dir=str(loaded.folder.path), device="cpu", precision="fp32", batch=BATCH, distributions=()
    ).to_json()
    backend = LocalBackend()
    run(backend, JobNotes(clips[0], schema=SCHEMA, options=options))
    answers, ours = timed(lambda: run(backend, *(JobNotes(path, schema=SCHEMA, options=options) for path in clips)))
    backend.close()
    texts, constrained = timed(lambda: [naive(path, constrained=True) for path in clips])
    tokens = round(statistics.mean(answer.timings["tokens"] for answer in answers))
    _, free = timed(lambda: [naive(path, constrained=False, tokens=tokens) for path in clips])
    # The same arithmetic in another order may choose otherwise where two tokens are as good as equal.
    same = sum(answer.raw_text.encode() == text for answer, text in zip(answers, texts, strict=True))
    table(
        f"{loaded.family.name}: {CLIPS} clips, {DEFAULT_FRAMES} frames each, {tokens} tokens an answer",
        [
            ("", "clips/min", "ratio to ours"),
            ("generate, unconstrained, as many tokens", f"{free:.1f}", f"{ours / free:.2f}"),
            ("generate, constrained", f"{constrained:.1f}", f"{ours / constrained:.2f}"),
            (f"ours, batch {BATCH}", f"{ours:.1f}", ""),
            ("same JSON", f"{same} of {CLIPS}", ""),
        ],
    )
    assert same >= CLIPS - 1
    assert ours / constrained >= 1.5

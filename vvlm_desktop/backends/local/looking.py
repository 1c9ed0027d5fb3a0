"""One pass over a batch: the frames and the question go in, decoded answers come out, seconds are counted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from torch import Tensor

from vvlm_desktop.backends.local.decoding import Decoded, decode
from vvlm_desktop.backends.local.families.base import ModelInput
from vvlm_desktop.backends.local.grammar import Grammar, compile_grammar, token_budget
from vvlm_desktop.backends.local.inputs import encode_clip, join_clips
from vvlm_desktop.backends.local.loading import LoadedModel
from vvlm_desktop.backends.local.prompts import clue_prompt, labels_question, question_prompt
from vvlm_desktop.backends.local.tasks import Task
from vvlm_desktop.domain.prompt import build_prompt
from vvlm_desktop.domain.schema_json import json_schema

QUESTION_TOKENS = 300
#: Thinking aloud takes its room; what is longer is going round in circles.
CLUE_TOKENS = 768
#: What an answer usually has, to show progress by; its limit is several times that.
_USUAL_TOKENS = 500
#: Where a look is, as 0..1, when its frames were read and when the model has seen them.
_READ, _SEEN = 0.1, 0.3


def prompt_of(task: Task) -> str:
    """What is asked in a task's next look."""
    if task.look.asks == "clue":
        return clue_prompt(task.question or labels_question(task.job.schema))
    if task.question is None:
        return build_prompt(task.job.schema)
    range_ms = task.job.request.range_ms
    return question_prompt(task.question, range_s=(range_ms[0] / 1000, range_ms[1] / 1000) if range_ms else None)


def look_at(loaded: LoadedModel, tasks: Sequence[Task]) -> list[Decoded]:
    """Let the model look at the frames of tasks of the same `batch_key`, with their adapter or without one.

    Returns:
        One for each task; those that were cancelled stopped where they were.
    """
    options, asks, schema = tasks[0].options, tasks[0].look.asks, tasks[0].job.schema
    loaded.use_adapter(options.adapter if options.adapter_dir else None, options.adapter_dir)
    began_s = time.monotonic()
    for task in tasks:
        task.progress(_READ, f"looking at {len(_pts(task))} frames")
    inputs = join_clips(loaded, [task.encoded or encoded_look(loaded, task) for task in tasks])
    grammar = _grammar(loaded, tasks[0]) if asks == "labels" else None
    limit = token_budget(schema) if asks == "labels" else CLUE_TOKENS if asks == "clue" else QUESTION_TOKENS
    watch = _Watch(tasks, usual=min(limit, _USUAL_TOKENS))
    prepared_s = time.monotonic()
    said = decode(
        loaded.model,
        inputs,
        tokenizer=loaded.tokenizer,
        grammar=grammar,
        max_new_tokens=limit,
        cancelled=[task.job.cancelled for task in tasks],
        on_token=watch,
        distributions=_measured_fields(tasks[0]) if asks == "labels" else (),
    )
    ended_s = time.monotonic()
    seen_s = watch.first_s or ended_s
    for task, each in zip(tasks, said, strict=True):
        task.spend("prepare_s", prepared_s - began_s)
        task.spend("prefill_s", seen_s - prepared_s)
        task.spend("decode_s", ended_s - seen_s)
        task.count("forward_passes", each.forward_passes)
        task.count("tokens", len(each.token_ids))
    return said


class _Watch:
    """Passes on how far each answer is, and notes when the first token came: the frames were seen then."""

    def __init__(self, tasks: Sequence[Task], *, usual: int) -> None:
        self.first_s: float | None = None
        self._tasks = tasks
        self._usual = usual

    def __call__(self, row: int, tokens: int) -> None:
        self.first_s = self.first_s or time.monotonic()
        done = _SEEN + (0.98 - _SEEN) * min(1.0, tokens / self._usual)
        self._tasks[row].progress(done, f"answering ({tokens} tokens)")


def encoded_look(loaded: LoadedModel, task: Task) -> Mapping[str, Tensor]:
    """Frames and prompt of a task's look as the model takes them, on the processor; may be called by any one thread."""
    if task.frames is None:
        raise ValueError("the frames of this look were not read")
    return encode_clip(loaded, ModelInput(task.frames, prompt_of(task)))


def _pts(task: Task) -> tuple[int, ...]:
    return task.frames.pts if task.frames is not None else ()


def _grammar(loaded: LoadedModel, task: Task) -> Grammar:
    vocab_size = int(loaded.model.config.get_text_config().vocab_size)
    return compile_grammar(loaded.tokenizer, vocab_size=vocab_size, schema_json=json_schema(task.job.schema))


def _measured_fields(task: Task) -> tuple[str, ...]:
    """Of the fields whose distribution is wanted, those that the schema asks the model for and that are a choice."""
    choices = {field.key for field in task.job.schema.model_fields if field.kind == "one_of"}
    return tuple(key for key in task.options.distributions if key in choices)

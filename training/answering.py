"""Answers of a model under the grammar, by the very decoder of analyses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from training.clip_rows import ClipRow
from training.features import is_picture, model_arguments
from training.scores import Said
from training.training_set import Example
from vvlm_desktop.backends.local.confidence import field_confidences
from vvlm_desktop.backends.local.decoding import Decoded, decode
from vvlm_desktop.backends.local.grammar import compile_grammar, token_budget
from vvlm_desktop.backends.local.loading import LoadedModel
from vvlm_desktop.domain.labels import normalise
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_json import json_schema
from vvlm_desktop.domain.values import LabelValue


def answer(loaded: LoadedModel, schema: LabelSchema, example: Example, row: ClipRow) -> Said:
    """What the model, with whichever adapter is in use, says about a clip."""
    model = loaded.model
    was_training = model.training
    model.eval()
    try:
        decoded = _decoded(loaded, schema, row)
    finally:
        model.train(was_training)
    return _said(schema, example, decoded)


def _decoded(loaded: LoadedModel, schema: LabelSchema, row: ClipRow) -> Decoded:
    text = {name: value.to(loaded.device) for name, value in row.text.items()}
    pictures = {name: value.to(loaded.device) for name, value in row.pictures.items()}
    grammar = compile_grammar(
        loaded.tokenizer,
        vocab_size=loaded.model.config.get_text_config().vocab_size,
        schema_json=json_schema(schema),
    )
    distributions = tuple(field.key for field in schema.model_fields[:1] if field.kind == "one_of")
    given: dict[str, Any] = {
        "tokenizer": loaded.tokenizer,
        "grammar": grammar,
        "max_new_tokens": token_budget(schema),
        "distributions": distributions,
    }
    if any(is_picture(name) for name in pictures):
        return decode(loaded.model, {**text, **pictures}, **given)[0]
    with _Pictures(loaded.model, pictures):
        return decode(loaded.model, text, **given)[0]


class _Pictures:
    """Hands features to the first pass of a decoding; the cache holds them for the later ones."""

    def __init__(self, model: Any, pictures: Mapping[str, Tensor]) -> None:
        self._model = model
        self._pictures: Mapping[str, Tensor] | None = pictures
        self._hook: Any = None

    def __enter__(self) -> None:
        self._hook = self._model.register_forward_pre_hook(self._hand_over, with_kwargs=True)

    def __exit__(self, *_: object) -> None:
        self._hook.remove()

    def _hand_over(self, _model: Any, given: Sequence[Any], named: dict[str, Any]) -> Any:
        if self._pictures is None:
            return None
        pictures, self._pictures = self._pictures, None
        return given, {**named, **model_arguments(self._model, dict(pictures))}


def _said(schema: LabelSchema, example: Example, decoded: Decoded) -> Said:
    labels: dict[str, LabelValue] = {}
    valid = decoded.stop == "end"
    if valid:
        try:
            labels, _ = normalise(schema, json.loads(decoded.text))
        except ValueError:
            valid = False
    confidence = field_confidences(decoded, schema).confidence
    return Said(
        clip_id=example.clip_id,
        name=example.name,
        known=example.known,
        labels=labels,
        confidence={key: confidence.get(key) for key in labels},
        valid=valid,
        raw_text=decoded.text,
    )

"""The rows of one batch inside a model: what they have seen is kept, runs of different length go in together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache


class KeptCache:
    """Feeds tokens to the rows of a batch, each row at its own position.

    A pass takes a run of tokens for every row. Shorter runs are padded on the left: the holes stay in the cache, are
    masked for good, and don't count as positions.
    """

    def __init__(self, model: Any, inputs: Mapping[str, Tensor]) -> None:
        """Nothing is computed before `prefill`.

        Args:
            model: any image-text-to-text model of transformers, also inside a peft wrapper.
            inputs: as its processor makes them, padded on the left.
        """
        self._model = model
        self._inputs = dict(inputs)
        self._device = inputs["input_ids"].device
        self._cache = DynamicCache(config=model.config.get_text_config())
        seen = inputs.get("attention_mask")
        self._seen = torch.ones_like(inputs["input_ids"]) if seen is None else seen.long()
        self._next_position = self._seen.sum(1).cpu().numpy()
        self._has_holes = bool((self._seen == 0).any())

    @property
    def row_count(self) -> int:
        """Rows that are still fed."""
        return len(self._next_position)

    @property
    def device(self) -> torch.device:
        """Where the model's inputs lie."""
        return self._device

    def prefill(self, forced: Sequence[int], *, keep: int = 1) -> Tensor:
        """Read the prompt, and `forced` after it, in one pass.

        Returns:
            Logits of the last `keep` positions, shape [rows, keep, vocabulary].
        """
        inputs = self._extended(forced)
        if not any(name.endswith("grid_thw") for name in inputs):
            # Qwen's own three-dimensional positions are left to the model; everything else counts its real tokens.
            inputs["position_ids"] = (self._seen.cumsum(1) - 1).clamp(min=0)
        rotary = _rotary_owner(self._model)
        if rotary is not None:
            rotary.rope_deltas = None
        logits = self._run(**inputs, logits_to_keep=keep)
        self._next_position = self._next_position + len(forced)
        deltas = None if rotary is None else rotary.rope_deltas
        if deltas is not None:
            # Vision positions overlap, so the text after them starts at another number than the count of tokens.
            self._next_position = self._next_position + deltas.reshape(-1).cpu().numpy()
        return logits

    def _extended(self, forced: Sequence[int]) -> dict[str, Tensor]:
        shape = self._inputs["input_ids"].shape
        tail = torch.tensor(forced, dtype=torch.long, device=self._device).expand(shape[0], len(forced))
        # Whatever has one entry a token (`mm_token_type_ids`) says "text" for the tokens that are added.
        inputs = {
            name: torch.cat([value, torch.zeros_like(tail, dtype=value.dtype)], 1) if value.shape == shape else value
            for name, value in self._inputs.items()
            if isinstance(value, Tensor)
        }
        self._seen = torch.cat([self._seen, torch.ones_like(tail)], 1)
        inputs["input_ids"] = torch.cat([self._inputs["input_ids"], tail], 1)
        inputs["attention_mask"] = self._seen
        return inputs

    def feed(self, runs: Sequence[Sequence[int]], *, keep: int | None = None) -> Tensor:
        """Add one run of tokens to each row, in one pass.

        Returns:
            Logits of the last `keep` columns (all where None), shape [rows, keep, vocabulary]; runs end in the last
            column.
        """
        width = max(len(run) for run in runs)
        # Ids, whether real, position: one upload.
        step = np.zeros((3, len(runs), width), np.int64)
        for row, run in enumerate(runs):
            real = slice(width - len(run), width)
            step[0, row, real] = run
            step[1, row, real] = 1
            step[2, row, real] = self._next_position[row] + np.arange(len(run))
            self._next_position[row] += len(run)
        ids, real_tokens, positions = torch.from_numpy(step).to(self._device)
        self._seen = torch.cat([self._seen, real_tokens], 1)
        self._has_holes |= any(len(run) < width for run in runs)
        return self._run(
            input_ids=ids,
            # Without holes no mask is needed, and none is made.
            attention_mask=self._seen if self._has_holes else None,
            position_ids=positions,
            logits_to_keep=width if keep is None else keep,
        )

    def look_ahead(self, tokens: Sequence[int], parents: Sequence[int], *, at: Sequence[int]) -> Tensor:
        """What would follow the branches of a tree of tokens, for every row, in one pass; the cache stays as it was.

        Args:
            tokens: every token of the tree, parents before children.
            parents: index of the token before it, −1 for what comes next in the row.
            at: indices of the tokens whose next token is asked for.

        Returns:
            Logits, shape [rows, len(at), vocabulary].
        """
        visible = np.eye(len(tokens), dtype=np.bool_)
        depth = np.zeros(len(tokens), np.int64)
        for index, parent in enumerate(parents):
            if parent >= 0:
                visible[index] |= visible[parent]
                depth[index] = depth[parent] + 1
        rows = self.row_count
        positions = self._next_position[:, None] + depth[None]
        ids = torch.tensor(tokens, device=self._device).expand(rows, len(tokens))
        logits = self._run(
            input_ids=ids,
            attention_mask=self._tree_mask(torch.from_numpy(visible).to(self._device)),
            position_ids=torch.from_numpy(positions).to(self._device),
            logits_to_keep=torch.tensor(at, device=self._device),
        )
        self._cache.crop(-len(tokens))
        return logits

    def _tree_mask(self, visible: Tensor) -> Tensor:
        """Additive mask, shape [rows, 1, tokens, seen + tokens]."""
        rows, count = self.row_count, visible.shape[0]
        before = self._seen.bool()[:, None, None, :].expand(rows, 1, count, -1)
        allowed = torch.cat([before, visible.expand(rows, 1, count, count)], -1)
        dtype = self._model.get_input_embeddings().weight.dtype
        blank = torch.zeros(allowed.shape, dtype=dtype, device=self._device)
        return blank.masked_fill(~allowed, torch.finfo(dtype).min)

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Go on with `rows` only, renumbered in this order; what the others had seen is freed."""
        chosen = torch.tensor(rows, dtype=torch.long, device=self._device)
        self._cache.batch_select_indices(chosen)
        self._seen = self._seen[chosen]
        self._next_position = self._next_position[list(rows)]

    def _run(self, **inputs: Any) -> Tensor:
        output = self._model(**inputs, past_key_values=self._cache, use_cache=True)
        logits: Tensor = output.logits
        return logits


def _rotary_owner(model: Any) -> Any | None:
    """The part of the model that remembers how far its vision positions shifted the text, for Qwen's families."""
    return next((module for module in model.modules() if hasattr(module, "rope_deltas")), None)

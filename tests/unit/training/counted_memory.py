"""Counts what a training step takes at its peak without having that memory: tensors with shapes and no numbers."""

from __future__ import annotations

import weakref

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from training.tuning import known_warnings
from vvlm_desktop.backends.local.loading import transformers_package
from vvlm_desktop.backends.model_shape import TextShape

TARGETS = r".*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


class Counting(TorchDispatchMode):
    """Bytes of all tensors that are alive, and the most that they ever were."""

    def __init__(self, *, without):
        """`without`: a model whose own weights do not count."""
        super().__init__()
        self.live = self.peak = 0
        self._known = {each.untyped_storage()._cdata: None for each in (*without.parameters(), *without.buffers())}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for each in tree_leaves(out):
            if isinstance(each, torch.Tensor):
                self._count(each.untyped_storage())
        return out

    def _count(self, storage):
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return

        def gone(_):
            self.live -= size
            del self._known[key]

        self._known[key] = weakref.ref(storage, gone)
        self.live += size
        self.peak = max(self.peak, self.live)


def step_peak_bytes(
    text: TextShape, *, tokens: int, answer_tokens: int, rank: int, dropout: float, checkpointing: bool, rows: int = 1
) -> int:
    """Peak of forward and backward beside weights, of a language model of this shape in bf16 with a LoRA in fp32."""
    model = _without_numbers(text, rank=rank, dropout=dropout, checkpointing=checkpointing)
    with FakeTensorMode(allow_non_fake_inputs=True):
        _fill_in(model)
        model.train()
        seen = torch.empty(rows, tokens, text.hidden, dtype=torch.bfloat16)
        places = torch.arange(tokens)[None].expand(rows, tokens)
        wanted = torch.zeros(rows * answer_tokens, dtype=torch.long)
        with Counting(without=model) as counting:
            output = model(inputs_embeds=seen, position_ids=places, logits_to_keep=answer_tokens + 1, use_cache=False)
            logits = output.logits[:, :-1].float().reshape(-1, text.vocab)
            loss = torch.nn.functional.cross_entropy(logits, wanted, reduction="sum")
            del output, logits
            loss.backward()
    return counting.peak


def _without_numbers(text, *, rank, dropout, checkpointing):
    from peft import LoraConfig, get_peft_model

    transformers = transformers_package()
    config = transformers.Qwen2Config(
        hidden_size=text.hidden,
        intermediate_size=text.mlp,
        num_hidden_layers=text.layers,
        num_attention_heads=text.heads,
        num_key_value_heads=text.kv_heads,
        vocab_size=text.vocab,
        tie_word_embeddings=False,
    )
    config._attn_implementation = "sdpa"
    lora = LoraConfig(r=rank, lora_alpha=32, lora_dropout=dropout, target_modules=TARGETS, task_type="CAUSAL_LM")
    with torch.device("meta"), known_warnings():
        model = get_peft_model(transformers.Qwen2ForCausalLM(config), lora)
    if checkpointing:
        model.base_model.model.activation_checkpointing_enable({"use_reentrant": False})
    return model


def _fill_in(model):
    """Tensors on a device, in the precision of training."""
    for module in model.modules():
        for name, value in list(module._parameters.items()):
            if value is not None:
                dtype = torch.float32 if value.requires_grad else torch.bfloat16
                made = torch.empty(value.shape, dtype=dtype)
                module._parameters[name] = torch.nn.Parameter(made, requires_grad=value.requires_grad)
        for name, value in list(module._buffers.items()):
            if value is not None:
                module._buffers[name] = torch.empty(value.shape, dtype=value.dtype)

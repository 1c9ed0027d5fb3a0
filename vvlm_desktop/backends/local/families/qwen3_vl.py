"""Qwen3-VL: as Qwen2.5-VL, but each pair of frames is announced with its time."""

from __future__ import annotations

from vvlm_desktop.backends.local.families.qwen2_5_vl import QwenVL


class Qwen3VL(QwenVL):
    """The processor writes `<1.5 seconds>` before every grid, from the real times that it is given."""

    name = "qwen3_vl"
    title = "Qwen3-VL"
    model_types = ("qwen3_vl",)
    projector_modules = ("model.visual.merger", "model.visual.deepstack_merger_list")


FAMILY = Qwen3VL

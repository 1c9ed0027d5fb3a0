"""torchvision beside a torch that it was not built for: transformers' video processors need it to import."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["native", "without_operators", "absent"]

#: The operators that a CPU torch lacks when torchvision comes from a CUDA build.
_OPERATORS = ("nms", "qnms")
#: torch forgets an operator when the library that defined it goes away.
_kept_alive: list[Any] = []


@cache
def ensure_torchvision() -> State:
    """Import torchvision; must come before anything of transformers.

    A healthy one is taken as it is. Where its compiled operators cannot load (`operator torchvision::nms does not
    exist`), which would break `from transformers import AutoProcessor` as well, their schemas are declared without an
    implementation: resizing works, and box operators, which no video model uses, raise when called.

    Returns:
        How it was found.
    """
    if importlib.util.find_spec("torchvision") is None:
        return "absent"
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    else:
        return "native"
    _forget_half_imported()
    _declare_operators()
    importlib.import_module("torchvision")
    return "without_operators"


def _forget_half_imported() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]


def _declare_operators() -> None:
    import torch

    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]  # torch has none
    for operator in _OPERATORS:
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept_alive.append(library)

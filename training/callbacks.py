"""Trainer's notes as events of the run folder; the stop file; sealed checkpoints."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from typing_extensions import override

from training.run_folder import RunFolder
from training.tensorboard_file import ScalarFile
from vvlm_desktop.backends.local.loading import transformers_package

transformers_package()  # offline, and beside whatever torchvision there is

from transformers import TrainerCallback  # noqa: E402

#: Steps over which the time of one is averaged.
_RECENT_STEPS = 20
#: What of a step goes into TensorBoard's file.
_SCALARS = ("loss", "learning_rate", "grad_norm", "step_s", "margin", "preferred")


class RunNotes(TrainerCallback):
    """Tells what happens, and stops when asked to.

    Attributes:
        stopped: whether it was.
        evaluated_step: the step of the last evaluation.
        validation: what that found.
    """

    def __init__(
        self,
        run: RunFolder,
        *,
        identity: Mapping[str, Any],
        answer_validation: Callable[[], Mapping[str, Any] | None],
    ) -> None:
        """`answer_validation`: generates answers for clips of the validation split and scores them."""
        self._run = run
        self._identity = identity
        self._answer_validation = answer_validation
        self._scalars = ScalarFile(run.path / "tensorboard")
        self._step_began_s = 0.0
        self._recent_s: deque[float] = deque(maxlen=_RECENT_STEPS)
        self.stopped = False
        self.evaluated_step = -1
        self.validation: dict[str, Any] = {}

    # --- Trainer calls these ---

    @override
    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self._step_began_s = time.monotonic()

    @override
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """Stop where that was asked for."""
        self._recent_s.append(time.monotonic() - self._step_began_s)
        if _anybody(self._run.stop_requested):
            self.stopped = True
            control.should_save = True
            control.should_training_stop = True
        return control

    @override
    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell a step."""
        logs: Mapping[str, Any] = kwargs.get("logs") or {}
        if "loss" not in logs or not self._recent_s:
            return
        seconds = sum(self._recent_s) / len(self._recent_s)
        facts = {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": round(float(state.epoch or 0), 4),
            "loss": float(logs["loss"]),
            "learning_rate": float(logs.get("learning_rate", 0.0)),
            "grad_norm": float(logs.get("grad_norm", 0.0)),
            "step_s": round(seconds, 4),
            "left_s": round(seconds * (state.max_steps - state.global_step), 1),
            "memory_bytes": peak_memory_bytes(),
            **{name: float(logs[name]) for name in ("margin", "preferred") if name in logs},
        }
        self._run.tell("step", **facts)
        if not self._run.quiet:
            told = [name for name in _SCALARS if name in facts]
            self._scalars.add(state.global_step, {f"train/{name}": float(facts[name]) for name in told})

    @override
    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell how the validation split does."""
        self.evaluated_step = state.global_step
        if self._run.quiet:
            return
        loss = (kwargs.get("metrics") or {}).get("eval_loss")
        answers = self._answer_validation()
        self.validation = {"val_loss": loss, "validation": answers}
        self._run.tell("eval", step=state.global_step, loss=loss, answers=answers)
        scalars = {"eval/loss": float(loss)} if loss is not None else {}
        for key, scores in ((answers or {}).get("fields") or {}).items():
            if scores.get("score") is not None:
                scalars[f"eval/{key}"] = float(scores["score"])
        self._scalars.add(state.global_step, scalars)

    @override
    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Seal the checkpoint that was just written."""
        _wait_for_all()  # each process writes a file of its own into it
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if not self._run.quiet:
            self._run.seal(checkpoint, identity=self._identity)
        self._run.tell("checkpoint", step=state.global_step, folder=f"checkpoints/{checkpoint.name}")


def _anybody(wish: bool) -> bool:
    """Whether any of the processes of this training wants it; all get the same answer."""
    if not torch.distributed.is_initialized():
        return wish
    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    shared = torch.tensor(int(wish), device=device)
    torch.distributed.all_reduce(shared, op=torch.distributed.ReduceOp.MAX)
    return bool(shared.item())


def _wait_for_all() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.barrier()


def peak_memory_bytes() -> int | None:
    """The most that was taken of the GPU so far; None without one."""
    return int(torch.cuda.max_memory_allocated()) if torch.cuda.is_available() else None

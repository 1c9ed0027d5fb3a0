"""`python -m training`; nothing heavy is imported before it is needed, so that `--help` comes at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_EPILOG = """examples:
  python -m training train model_dir=/models/InternVL3-8B-hf train_set=/sets/march run_dir=/runs/7 preset=16gb
  python -m training train --config /runs/7/run.toml            go on after a stop, a crash, a restart
  python -m training check --config /runs/7/run.toml            only what comes before the first step
  python -m training evaluate --config /runs/7/run.toml --split test --adapter february=/adapters/february
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 done, 1 failed, 2 wrongly asked, 3 stopped before its end."""
    parsed = _parser().parse_args(arguments)
    if parsed.command == "train" and parsed.explain:
        return _explain()
    from vvlm_desktop.errors import SettingsError, UsageError, VvlmError

    try:
        return _evaluate(parsed) if parsed.command == "evaluate" else _train(parsed)
    except VvlmError as error:
        _write_failure(str(error), error.hint)
        return 2 if isinstance(error, UsageError | SettingsError) else 1


def _write_failure(message: str, hint: str) -> None:
    """A line each, the last ones: a log is read by them where nothing else could be written."""
    from vvlm_desktop.backends.run_folder import FAILED_WORD

    lines = [f"{FAILED_WORD}{message}", *([hint] if hint else [])]
    sys.stderr.write("".join(f"{' '.join(line.splitlines())}\n" for line in lines))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Fine-tune a local model on corrections, and measure it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="fine-tune, or go on with a run")
    train.add_argument("--explain", action="store_true", help="list every value of the config and what it does")
    check = commands.add_parser("check", help="every clip, one batch as the model sees it, one real step; no training")
    evaluate = commands.add_parser("evaluate", help="base and adapter on the same clips")
    evaluate.add_argument("--split", choices=("train", "val", "test"), default="val")
    evaluate.add_argument(
        "--adapter", action="append", metavar="[NAME=]FOLDER", help="default: the run's own; may be repeated"
    )
    evaluate.add_argument("--out", type=Path, help="default: evaluation-SPLIT, then -2, -3 … in the run folder")
    for command in (train, check, evaluate):
        command.add_argument("--config", type=Path, help="a run.toml")
        command.add_argument("overrides", nargs="*", metavar="key=value", help="wins over the config")
    return parser


def _explain() -> int:
    from vvlm_desktop.backends.train_config import explanations

    for key, default, words in explanations():
        sys.stdout.write(f"{key} ({default})\n    {words}\n")
    return 0


def _train(parsed: argparse.Namespace) -> int:
    from training.train import check, train
    from vvlm_desktop.backends.train_config import load_config

    config = load_config(parsed.config, parsed.overrides)
    # After a failure that the log still ends with, this process may be killed: then that is not its reason.
    sys.stdout.write(f"Begun: {config.run_dir}\n")
    sys.stdout.flush()
    if parsed.command == "check":
        done, word = check(config), "Checked"
    else:
        done, word = train(config), "Finished"
    sys.stdout.write(f"{word if done else 'Stopped'}: {config.run_dir}\n")
    return 0 if done else 3


def _evaluate(parsed: argparse.Namespace) -> int:
    from training.evaluate import evaluate, make_folder, named_adapters, plain_summary
    from vvlm_desktop.backends.train_config import load_config

    config = load_config(parsed.config, parsed.overrides)
    run = Path(config.run_dir or ".").expanduser()
    adapters = named_adapters(parsed.adapter or [], own=run / "adapter")
    out = parsed.out or make_folder(run, parsed.split)
    sys.stdout.write(f"Evaluation: {out}\n")
    sys.stdout.flush()
    metrics = evaluate(config, split=parsed.split, adapters=adapters, out=out)
    sys.stdout.write(f"Stopped: {out}\n" if metrics is None else f"{plain_summary(metrics)}\nFinished: {out}\n")
    return 3 if metrics is None else 0

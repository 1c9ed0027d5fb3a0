"""The commands put together; one way of telling errors for all of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from vvlm_desktop import __version__
from vvlm_desktop.cli import (
    analysing,
    asking,
    calibrating,
    clips,
    cloud,
    comparing,
    exchange,
    ledger,
    models,
    output,
    promoting,
    reviewing,
    showing,
    telemetry,
    tools,
    training,
    training_runs,
    trainsets,
)
from vvlm_desktop.errors import VvlmError

#: What the command line's own parser raises; it is told and ended by that.
_AskedWrongly: Any = typer.BadParameter.__base__
#: What Ctrl-C leaves behind; `analyse` counts for itself.
_STOPPED = {
    "add": "Stopped. Clips that were added so far stay; the same command goes on with the rest.",
    "ask": "Stopped. The question was given up; nothing is stored.",
    "compare": "Stopped. Answers so far are stored; without naming clips, the same command goes on with the rest.",
    "export": "Stopped. Nothing was exported: an export is written whole or not at all.",
    "import": "Stopped. The same command goes on: what was taken already is not taken twice.",
    "demo": "Stopped. The same command begins anew.",
}


class _Commands(TyperGroup):
    """Every command's expected errors end here: a sentence, a hint, an exit code; a bug goes on as it is."""

    def invoke(self, ctx: Any) -> Any:
        given = [*ctx._protected_args, *ctx.args]
        as_json = "--json" in given
        try:
            return super().invoke(ctx)
        except VvlmError as error:
            if as_json:
                output.print_json(output.error_json(error))
            output.complain(error)
            raise typer.Exit(output.exit_code(error)) from error
        except _AskedWrongly as error:
            if as_json:
                output.print_json({"error": error.format_message(), "hint": "", "kind": "usage"})
            raise
        except KeyboardInterrupt:
            sentence = _STOPPED.get(given[0] if given else "", "Stopped.")
            if as_json:
                output.print_json({"error": sentence, "hint": "", "kind": "stopped"})
            raise output.stopped(sentence) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Review dashcam clips, correct what a video model said, and learn from the corrections. Offline.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        output.print_line(f"vvlm {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Exit codes: 0 done, 1 some items failed (each is named), 2 usage."""


for _command in (
    clips.add,
    clips.clips,
    showing.show,
    telemetry.telemetry,
    clips.frame,
    analysing.analyse,
    asking.ask,
    comparing.compare,
    promoting.promote,
    promoting.rollback,
    promoting.promotions,
    promoting.changes,
    reviewing.review,
    reviewing.history,
    reviewing.undo,
    calibrating.calibrate,
    training.train,
    training.evaluate,
    ledger.ledger,
    exchange.export,
    tools.verify,
    tools.rebuild,
    tools.schema,
    tools.doctor,
    tools.demo,
):
    app.command()(_command)
app.add_typer(models.app, name="models")
app.add_typer(cloud.app, name="cloud")
app.add_typer(trainsets.app, name="trainset")
app.add_typer(training_runs.app, name="runs")
app.command("import")(exchange.import_)
app.command("analyze", hidden=True)(analysing.analyse)
app.command("app")(tools.open_app)

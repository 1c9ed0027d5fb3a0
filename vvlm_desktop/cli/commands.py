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
    reviewing,
    tools,
    trainsets,
)
from vvlm_desktop.errors import VvlmError


class _Commands(TyperGroup):
    """Every command's expected errors end here: a sentence, a hint, an exit code; a bug goes on as it is."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except VvlmError as error:
            output.complain(error)
            raise typer.Exit(output.exit_code(error)) from error
        except KeyboardInterrupt:
            output.warn("Stopped. What was done so far is stored.")
            raise typer.Exit(130) from None


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
    clips.show,
    clips.frame,
    analysing.analyse,
    asking.ask,
    comparing.compare,
    reviewing.review,
    reviewing.history,
    reviewing.undo,
    calibrating.calibrate,
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
app.command("import")(exchange.import_)
app.command("analyze", hidden=True)(analysing.analyse)
app.command("app")(tools.open_app)

"""`vvlm models`: which local models there are, fetching, importing, choosing and deleting them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vvlm_desktop.cli.output import (
    JsonOption,
    LibraryOption,
    opened,
    print_json,
    print_line,
    print_table,
    progress_bar,
    warn,
)
from vvlm_desktop.errors import UsageError

if TYPE_CHECKING:
    from vvlm_desktop.backends.model_shape import ModelShape
    from vvlm_desktop.settings import Settings
    from vvlm_desktop.workflow.gpu import Hardware
    from vvlm_desktop.workflow.models import Adapter, ModelCard

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name, hub id, or a part that fits only one.")]

_STATES = {"ready": "ready", "partly": "partly here", "broken": "BROKEN", "not_here": "not here"}
_INFO_FRAMES = (8, 16, 32, 64)

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Local models: what there is, what fits, downloads, imports. Without a command: the list.",
)


@app.callback()
def models(context: typer.Context, as_json: JsonOption = False) -> None:
    """Local models; without a command, the list of them."""
    if context.invoked_subcommand is None:
        list_models(library=None, as_json=as_json)


@app.command("list")
def list_models(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """All models that are here or could be, and whether they fit now."""
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.gpu import hardware
    from vvlm_desktop.workflow.model_import import left_over_copies
    from vvlm_desktop.workflow.models import model_cards

    settings, on = load_settings(), hardware()
    cards = model_cards(settings, on=on)
    adapter = _adapter_in_use(settings, library)
    if as_json:
        print_json([_as_json(card) for card in cards])
        return
    columns = ("", "model", "size", "state", "now", "licence")
    print_table(columns, [_row(card) for card in cards])
    print_line(f"\n{_in_words(on)} Models folder: {settings.models_folder()}")
    for left in left_over_copies(settings):
        print_line(f"Left over from a copy that was cut short: {left} (vvlm models remove {left.name})")
    if adapter:
        print_line(adapter)
    print_line("* chosen. Sizes of what is not here are estimates. vvlm models info NAME says more.")


@app.command()
def info(name: NameArgument, as_json: JsonOption = False) -> None:
    """What a model needs in memory, by precision and frames, and where it comes from."""
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.adapters import adapter_named
    from vvlm_desktop.workflow.gpu import hardware
    from vvlm_desktop.workflow.models import find_card

    on, settings = hardware(), load_settings()
    adapter = adapter_named(settings, name)
    if adapter is not None:
        _print_adapter(adapter, as_json=as_json)
        return
    card = find_card(settings, name, on=on)
    memory = _memory(card.shape) if card.shape else []
    if as_json:
        print_json({**_as_json(card), "memory": memory})
        return
    size = f"{_gigabytes(card.size_bytes)}{' (estimate)' if card.size_is_estimate else ''}"
    for line in (
        f"{card.title} ({card.name}): {_STATES[card.state]}. {card.reason}".rstrip(),
        f"{card.for_whom} {card.parameters / 1e9:.2f} billion parameters, {size}.",
        f"Licence: {card.licence}. {card.page}".rstrip(),
        f"Folder: {card.path}" if card.path else f"Download: vvlm models download {card.name}",
        f"Commit: {card.revision}" if card.revision else "",
    ):
        if line:
            print_line(line)
    if memory:
        print_line()
        rows = [[row["precision"], *(f"{row['bytes'][str(n)] / 1024**3:.1f}" for n in _INFO_FRAMES)] for row in memory]
        print_table(("weights", *(f"{n} frames" for n in _INFO_FRAMES)), rows, title="GiB of GPU memory, one clip")
    if card.fit is not None:
        print_line(f"\n{card.fit.sentence}")


@app.command()
def check(name: NameArgument, as_json: JsonOption = False) -> None:
    """Read a downloaded model's files and compare them with the checksums they came with."""
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.model_check import check_model

    with progress_bar("checking") as bar:
        folder, files = check_model(
            load_settings(),
            name,
            report=lambda done, total: bar.show(done / max(1, total), f"{_gigabytes(done)} of {_gigabytes(total)}"),
        )
    wrong = [file for file in files if file.state != "same"]
    if as_json:
        print_json({"path": str(folder), "files": [asdict(file) for file in files]})
    elif not wrong:
        print_line(f"All {len(files)} files are as they were downloaded: {folder}")
    else:
        for file in wrong:
            warn(f"{folder / file.name}: {file.state}")
        warn(f"Remove the model and download it again: vvlm models remove {name}")
    if wrong:
        raise typer.Exit(1)


@app.command()
def download(
    name: Annotated[str, typer.Argument(metavar="ID", help="As on the hub, or a part of a listed one.")],
    as_json: JsonOption = False,
) -> None:
    """Fetch a model from the hub, or what is missing of it. This is the only command that downloads weights."""
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.downloads import Transfer, download, download_id
    from vvlm_desktop.workflow.models import find_card

    settings, model_id = load_settings(), download_id(name)
    try:
        card: ModelCard | None = find_card(settings, model_id)
    except UsageError:
        card = None  # not in the catalogue; the hub knows its size
    if not as_json:
        size = f"about {_gigabytes(card.size_bytes)}" if card else "of unknown size"
        print_line(f"{model_id}, {size}, into {settings.models_folder()}")
        print_line(f"Licence: {card.licence if card else 'see the page of the model'}")
    with progress_bar(f"downloading {model_id}") as bar:

        def report(transfer: Transfer) -> None:
            bar.show(transfer.done_bytes / max(1, transfer.total_bytes), transfer.words)

        found = download(settings, model_id, report=report)
    if as_json:
        print_json({"name": found.name, "path": str(found.path), "revision": found.revision, "state": found.state})
    else:
        print_line(f"{found.name} is here, complete and checked: {found.path}")
        print_line(f"To analyse with it: vvlm models use {found.name}")


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A model or an adapter, as it was saved.")],
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy the weights instead of using them where they are.")
    ] = False,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What to call it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take in a folder with a model or an adapter; it is checked first, nothing in it is run."""
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.model_import import import_folder

    with progress_bar("copying") as bar:
        found = import_folder(
            load_settings(),
            folder,
            copy=copy,
            name=name,
            report=lambda done, total: bar.show(done / max(1, total), f"{_gigabytes(done)} of {_gigabytes(total)}"),
        )
    if as_json:
        print_json({"kind": found.kind, "name": found.name, "path": str(found.path)})
    else:
        print_line(f"The {found.kind} {found.name} is taken in: {found.path}")


@app.command()
def remove(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a model or an adapter, or take an imported one off the list; imported weights stay where they are."""
    from vvlm_desktop.settings import load_settings, save_settings
    from vvlm_desktop.workflow.model_import import plan_removal
    from vvlm_desktop.workflow.model_import import remove as run

    settings = load_settings()
    removal = plan_removal(settings, name)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(removal.question, hint="Say so with --yes.")
        if not typer.confirm(removal.question):
            raise typer.Exit(1)
    run(settings, removal)
    if removal.kind == "adapter" and settings.local_adapter.lower() in (
        removal.name.lower(),
        str(removal.entry).lower(),
    ):
        # What is imported under its name one day must not be the default for that.
        save_settings(load_settings().model_copy(update={"local_adapter": ""}))
    if as_json:
        print_json({"kind": removal.kind, "name": removal.name, "frees_bytes": removal.frees_bytes})
    else:
        print_line(f"{removal.name} is gone." if removal.keeps is None else f"{removal.name} is off the list.")
        if removal.kind == "adapter" and removal.in_use:
            print_line("Analyses use the model alone now. What was the default before it: vvlm rollback")


@app.command()
def use(
    name: NameArgument,
    adapter: Annotated[
        str, typer.Option("--adapter", metavar="A", help="A promoted adapter on top of it; see `vvlm promote`.")
    ] = "",
    unmeasured: Annotated[
        bool, typer.Option("--unmeasured", help="Also an adapter from elsewhere, never measured here; written down.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the model (and adapter) that Analyse uses from now on."""
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.models import choose

    if adapter.strip():
        chosen = _use_adapter(name, adapter, unmeasured=unmeasured, library=library)
    else:
        chosen = choose(load_settings(), name)
    if as_json:
        print_json({"model": chosen.local_model, "adapter": chosen.local_adapter})
    else:
        on_top = f" with the adapter {chosen.local_adapter}" if chosen.local_adapter else ""
        print_line(f"Analyse now uses {chosen.local_model}{on_top}.")


def _use_adapter(name: str, adapter: str, *, unmeasured: bool, library: Path | None) -> Settings:
    from vvlm_desktop.workflow.adapter_gate import look_up, use_adapter

    with opened(library) as session:
        known, found = look_up(session, name, adapter)
        if known.admission == "elsewhere" and not unmeasured and sys.stdin.isatty():
            question = f"{found.name} was never measured here: nobody knows whether it is better. Use it all the same?"
            unmeasured = typer.confirm(question)
        return use_adapter(session, name, adapter, unmeasured=unmeasured)


@app.command()
def adapters(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Adapters that are here: their base, what they were trained on, what they reached, and whether promoted."""
    from vvlm_desktop.workflow.adapter_gate import standing_of
    from vvlm_desktop.workflow.models import installed_adapters

    with opened(library) as session:
        found = [(each, standing_of(session, each)) for each in installed_adapters(session.settings)]
    if as_json:
        print_json(
            [
                {**asdict(each), "chosen": known.in_use, "standing": known.admission, "standing_says": known.sentence}
                for each, known in found
            ]
        )
    elif not found:
        print_line("No adapters here. A fine-tune makes one, and `vvlm models import FOLDER` takes one in.")
    else:
        rows = [
            ["*" if known.in_use else "", a.name, a.base_model or a.base, a.data, a.metrics, known.sentence]
            for a, known in found
        ]
        print_table(("", "adapter", "base", "data", "metrics", "standing"), rows)
        for each, _ in found:
            if each.reason:
                warn(f"{each.name}: {each.reason} {each.hint}".rstrip())


def _adapter_in_use(settings: Settings, library: Path | None) -> str:
    """With which adapter the chosen model is used, and since when; empty without one."""
    from vvlm_desktop.workflow.adapter_gate import standing_of
    from vvlm_desktop.workflow.adapters import adapter_named

    if settings.backend != "local" or not settings.local_adapter:
        return ""
    found = adapter_named(settings, settings.local_adapter)
    if found is None:
        return f"With the adapter {settings.local_adapter}, which is not on this computer any more."
    with opened(library) as session:
        return f"With the adapter {found.name}. {standing_of(session, found, model=settings.local_model).sentence}"


def _print_adapter(adapter: Adapter, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(adapter))
        return
    broken = f" It cannot be used: {adapter.reason} {adapter.hint}".rstrip() if adapter.reason else ""
    for line in (
        f"{adapter.name}: an adapter of rank {adapter.rank} for {adapter.base or 'an unnamed model'}.{broken}",
        f"Model here that it fits: {adapter.base_model or 'none'}. {adapter.note}".rstrip(),
        f"Trained on: {adapter.data}" if adapter.data else "",
        f"Reached: {adapter.metrics}" if adapter.metrics else "",
        f"Folder: {adapter.path}",
    ):
        if line:
            print_line(line)


def _row(card: ModelCard) -> list[str]:
    now = card.fit.sentence if card.fit else ""
    state = _STATES[card.state] + (f": {card.reason}" if card.reason else "")
    title = card.name if card.name == card.title else f"{card.title}\n{card.name}"
    return ["*" if card.chosen else "", title, _gigabytes(card.size_bytes), state, now, card.licence]


def _as_json(card: ModelCard) -> dict[str, Any]:
    return {key: value for key, value in asdict(card).items() if key != "shape"}


def _memory(shape: ModelShape) -> list[dict[str, Any]]:
    from vvlm_desktop.backends.model_memory import estimate

    return [
        {"precision": p, "bytes": {str(n): estimate(shape, precision=p, frames=n).total_bytes for n in _INFO_FRAMES}}
        for p in ("bf16", "int8", "nf4")
    ]


def _in_words(on: Hardware) -> str:
    if not on.gpus:
        return on.problem
    gpus = ", ".join(
        f"{g.name} ({g.free_bytes / 1024**3:.1f} of {g.total_bytes / 1024**3:.1f} GiB free)" for g in on.gpus
    )
    taken = f" Taken by: {on.holder.purpose}." if on.holder else ""
    return f"GPU: {gpus}.{taken}"


def _gigabytes(size_bytes: int) -> str:
    """Files are counted in powers of ten, as on the hub."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 95_000_000 else f"{size_bytes / 1e6:.1f} MB"

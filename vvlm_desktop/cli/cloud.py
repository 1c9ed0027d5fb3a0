"""`vvlm cloud …`: connections tested, keys kept, uploads that were left over deleted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vvlm_desktop.cli.leaving import key_for
from vvlm_desktop.cli.output import JsonOption, LibraryOption, opened, print_json, print_line, print_table, progress_bar
from vvlm_desktop.errors import UsageError

if TYPE_CHECKING:
    from vvlm_desktop.workflow.session import Session

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="gemini or server.")]
UrlOption = Annotated[str | None, typer.Option("--url", metavar="URL", help="Of the server; default: Settings.")]
_NAMES = ("gemini", "server")
_TITLES = {"gemini": "Gemini", "server": "The server"}

app = typer.Typer(no_args_is_help=True, help="Gemini and VLM servers: connections, keys, what was left over.")
key_app = typer.Typer(no_args_is_help=True, help="Keys: in the system's keychain, never in a file or an option.")
app.add_typer(key_app, name="key")


def _checked(name: str) -> str:
    if name not in _NAMES:
        raise UsageError(f"There is no {name!r} here.", hint=f"Known: {', '.join(_NAMES)}.")
    return name


def _kept_as(name: str, url: str | None) -> str:
    """A server's key belongs to its address."""
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.cloud import cloud_options, key_name

    if _checked(name) == "gemini" and url is not None:
        raise UsageError("Gemini has no --url.", hint="GOOGLE_GEMINI_BASE_URL names another address for it.")
    return key_name(name, str(cloud_options(load_settings(), name, url=url).get("base_url", "")))


@app.command("test")
def try_connection(
    name: NameArgument,
    url: UrlOption = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="Default: Settings.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask whether address, key and model are right. No picture is sent."""
    from vvlm_desktop.settings import load_settings
    from vvlm_desktop.workflow.cloud import cloud_options
    from vvlm_desktop.workflow.keys import Keys
    from vvlm_desktop.workflow.tools import run_tool

    if _checked(name) == "gemini" and url is not None:
        raise UsageError("Gemini has no --url.", hint="GOOGLE_GEMINI_BASE_URL names another address for it.")
    options = cloud_options(load_settings(), name, model=model, url=url)
    secrets = key_for(Keys(), name, address=str(options.get("base_url", "")))
    with progress_bar("testing") as bar:
        found = run_tool(f"{name}_test", options, secrets=secrets, on_progress=bar.show)
    if as_json:
        print_json(found)
        return
    print_line(f"{_TITLES[name]} answers at {found['host']} with {found['model']}.")
    if name == "server":
        print_line(f"Form of answers: {_enforced(found)}. Confidence: {'yes' if found['logprobs'] else 'not given'}.")
    for warning in found.get("warnings", ()):
        print_line(str(warning))
    print_line(f"Models: {', '.join(found['models'])}")


def _enforced(found: Any) -> str:
    return "checked here" if found["schema"] == "none" else "enforced by the server"


@app.command()
def status(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """What is set up, what left so far, and what may still lie elsewhere. Contacts nobody."""
    with opened(library) as session:
        data = _status(session)
    if as_json:
        print_json(data)
        return
    state = "on" if data["allow_upload"] else "off; --allow-upload switches them on for one command"
    rows = [["uploads", state]]
    rows += [[f"key for {name}", data["keys"][name] or "none"] for name in _NAMES]
    rows += [["Gemini model", data["gemini_model"]], ["server", data["server_url"] or "none"]]
    rows += [["left so far", data["left"]], ["left over", data["left_over"]["sentence"] or "nothing"]]
    print_table(["what", "state"], rows)
    if data["left_over"]["hint"]:
        print_line(data["left_over"]["hint"])


def _status(session: Session) -> dict[str, Any]:
    from vvlm_desktop.workflow.cloud import key_name
    from vvlm_desktop.workflow.consent import megabytes
    from vvlm_desktop.workflow.keys import Keys
    from vvlm_desktop.workflow.ledger import summary
    from vvlm_desktop.workflow.left_overs import left_overs

    keys, settings = Keys(), session.settings
    clips, size_bytes, _ = summary(session)
    found = left_overs(session)
    return {
        "allow_upload": settings.allow_upload,
        "keys": {
            name: (key.origin if (key := keys.find(key_name(name, settings.server_url))) else None) for name in _NAMES
        },
        "gemini_model": settings.gemini_model,
        "server_url": settings.server_url,
        "clips": clips,
        "bytes": size_bytes,
        "left": f"{clips:,} clips, {megabytes(size_bytes)}" if clips else "nothing",
        "left_over": {
            "uploads": len(found.lines),
            "until": found.until.isoformat() if found.until else None,
            "sentence": found.sentence,
            "hint": found.hint,
        },
    }


@app.command()
def clean(
    everything: Annotated[
        bool, typer.Option("--all", help="All that this program uploaded with the key, also from other libraries.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete uploads that a killed program left over at Gemini. Contacts nobody where there are none."""
    from dataclasses import asdict

    from vvlm_desktop.workflow import left_overs
    from vvlm_desktop.workflow.keys import Keys

    with opened(library) as session:
        found = left_overs.left_overs(session)
        if not found.here and not everything:
            print_json(asdict(left_overs.Cleaned())) if as_json else print_line(
                found.sentence or "Nothing is left over."
            )
            return
        secrets = key_for(Keys(), "gemini")
        with progress_bar("deleting") as bar:
            cleaned = left_overs.clean(session, secrets=secrets, on_progress=bar.show)
            others = left_overs.clean_all(secrets=secrets, on_progress=bar.show) if everything else ()
    if as_json:
        print_json({**asdict(cleaned), "others": len(others)})
        return
    for words in (cleaned.sentence, f"{len(others)} others deleted." if everything else ""):
        if words:
            print_line(words)
    if cleaned.left:
        raise typer.Exit(1)


@key_app.command("set")
def set_key(name: NameArgument, url: UrlOption = None) -> None:
    """Put a key into the system's keychain: typed in unseen, or one line on stdin. Never an option or an argument."""
    from vvlm_desktop.workflow.keys import Keys

    kept_as = _kept_as(name, url)
    at_terminal = sys.stdin.isatty()
    Keys().store(kept_as, typer.prompt("Key (not shown)", hide_input=True, err=True) if at_terminal else _from_stdin())
    print_line("The key is in the system's keychain.")


def _from_stdin() -> str:
    return sys.stdin.readline()


@key_app.command("forget")
def forget_key(name: NameArgument, url: UrlOption = None) -> None:
    """Take a key out of the system's keychain; one in the environment stays there."""
    from vvlm_desktop.workflow.keys import Keys

    keys, kept_as = Keys(), _kept_as(name, url)
    keys.forget(kept_as)
    left = keys.find(kept_as)
    print_line(f"Forgotten; still there: {left.origin}." if left else "Forgotten.")


@key_app.command("where")
def where_key(name: NameArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Say where a key comes from; the key itself is never shown."""
    from vvlm_desktop.workflow.keys import Keys

    found = Keys().find(_kept_as(name, url))
    if as_json:
        print_json({"name": name, "source": found.source if found else None, "origin": found.origin if found else None})
    else:
        print_line(f"In the {found.origin}." if found else "There is no key.")

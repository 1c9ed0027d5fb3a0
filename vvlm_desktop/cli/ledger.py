"""`vvlm ledger`: what left this computer, and who allowed it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vvlm_desktop.cli.output import JsonOption, LibraryOption, opened, print_json, print_line, print_table

if TYPE_CHECKING:
    from vvlm_desktop.workflow.session import Session


def ledger(
    consents: Annotated[bool, typer.Option("--consents", help="Who allowed what, instead of what left.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """What left this computer: each clip, when, to whom, how much, and whether it was deleted there."""
    with opened(library) as session:
        if consents:
            _print_consents(session, as_json=as_json)
        else:
            _print_transmissions(session, as_json=as_json)


def _print_consents(session: Session, *, as_json: bool) -> None:
    from vvlm_desktop.workflow.consent import megabytes
    from vvlm_desktop.workflow.ledger import consents

    allowed = consents(session)
    if as_json:
        print_json([asdict(each) for each in allowed])
    elif not allowed:
        print_line("Nobody has allowed anything to leave this computer.")
    else:
        rows = [
            [c.at, c.reviewer, c.how.replace("_", " "), f"{c.clips}", megabytes(c.size_bytes), c.host] for c in allowed
        ]
        print_table(["when (UTC)", "who", "how", "clips", "at most", "to"], rows)


def _print_transmissions(session: Session, *, as_json: bool) -> None:
    from vvlm_desktop.workflow.consent import megabytes
    from vvlm_desktop.workflow.ledger import summary, transmissions
    from vvlm_desktop.workflow.left_overs import left_overs

    lines = transmissions(session)
    if as_json:
        print_json([{**asdict(line), "in_words": line.in_words, "left": line.left} for line in lines])
        return
    if not lines:
        print_line("Nothing has left this computer.")
        return
    names = {each: Path(session.library.clip(each).path).name for each in {line.clip_id for line in lines}}
    rows = [[t.at, names[t.clip_id], t.host, t.content, megabytes(t.size_bytes), t.in_words] for t in lines]
    print_table(["when (UTC)", "clip", "to", "what", "size", "state"], rows)
    clips, size_bytes, _ = summary(session)
    print_line(f"{clips} clips, {megabytes(size_bytes)} in all.")
    found = left_overs(session)
    for words in (found.sentence, found.hint):
        if words:
            print_line(words)

"""`vvlm compare --a … --b …`: answers that are stored already, of any two who gave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vvlm_desktop.cli.output import counted, print_json, print_line, print_table, progress_bar
from vvlm_desktop.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from vvlm_desktop.workflow.answerers import Answerers, Source
    from vvlm_desktop.workflow.comparing import Comparison
    from vvlm_desktop.workflow.session import Session


def list_answerers(session: Session, *, as_json: bool) -> None:
    """Print who answered, by the names that `--a` and `--b` take, and about how many clips."""
    from vvlm_desktop.workflow.answerers import find_answerers

    found = find_answerers(session)
    ordered = sorted(found.clips, key=lambda source: (source.back, -found.clips[source], source.title))
    if as_json:
        print_json({"answerers": [_answerer_json(source, found) for source in ordered]})
    elif ordered:
        rows = [[source.title, source.backend, f"{found.clips[source]:,}"] for source in ordered]
        print_table(["name", "backend", "clips"], rows)
        print_line('\nCompare two of them with: vvlm compare --a "NAME" --b "NAME"')
    else:
        print_line("No clip has been analysed.")


def _answerer_json(source: Source, found: Answerers) -> dict[str, Any]:
    return {
        "name": source.title,
        "backend": source.backend,
        "model": source.model,
        "adapter": source.adapter,
        "provenance": source.provenance,
        "answers_before": source.back,
        "clips": found.clips[source],
    }


def stored_pairs(
    session: Session, names: tuple[str | None, str | None], *, wanted: Collection[int]
) -> tuple[tuple[Source, Source], list[Comparison]]:
    """The two who are meant, and their answers about the wanted clips that both have answered.

    Raises:
        UsageError: only one was named, a name fits none or several, or the two have no clip in common.
    """
    from vvlm_desktop.workflow.answerers import find_answerers, pairs_of

    if None in names:
        raise UsageError("Two are compared: name the other with --a or --b, too.", hint=_LIST)
    found = find_answerers(session)
    one, other = (_named(found, str(name)) for name in names)
    if one == other:
        raise UsageError(f"--a and --b are the same: {one.title}.", hint=_LIST)
    if not found.shared_by(one, other):
        raise UsageError(f"No clip was answered by both {one.title} and {other.title}.", hint="Analyse some with both.")
    with progress_bar("comparing") as bar:
        pairs = [
            pair
            for _, pair in pairs_of(
                session,
                (one, other),
                wanted=wanted,
                in_full=True,
                report=lambda fraction: bar.show(fraction, "comparing"),
            )
        ]
    return (one, other), pairs


_LIST = "`vvlm compare --list` has the names."


def _named(found: Answerers, name: str) -> Source:
    """By the whole name, else by a part of one only."""
    wanted = name.strip().lower()
    exact = [source for source in found.clips if source.title.lower() == wanted]
    parts = [source for source in found.clips if wanted in source.title.lower() and not source.back]
    fitting = exact or parts
    if len(fitting) == 1 and wanted:
        return fitting[0]
    if not fitting or not wanted:
        raise UsageError(f"Nobody called {name!r} has answered here.", hint=_LIST)
    names = ", ".join(sorted(source.title for source in fitting)[:4])
    raise UsageError(f"{name!r} may be {counted(len(fitting), 'answerer')}: {names}.", hint=f"Give more of it. {_LIST}")

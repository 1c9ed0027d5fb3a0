"""`vvlm review`, `history`, `undo`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vvlm_desktop.cli.output import (
    ClipArgument,
    JsonOption,
    LibraryOption,
    ReviewerOption,
    opened,
    print_json,
    print_line,
    print_table,
    warn,
)
from vvlm_desktop.errors import UsageError

if TYPE_CHECKING:
    from vvlm_desktop.domain.review import Event, PtsRange
    from vvlm_desktop.video.index import FrameIndex

_HOW_TO_SAY = (
    "To correct: --set event_type=near_miss. To confirm the answer as it stands: --accept-rest. To leave it in another"
    " status: --status needs_coaching."
)
_SPAN = re.compile(r"(?P<start>\d+(?:\.\d+)?)(?:\.\.(?P<end>\d+(?:\.\d+)?))?")


def review(
    clip: ClipArgument,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="field=value", help="Give a field its value; lists with commas."),
    ] = None,
    evidence: Annotated[
        list[str] | None, typer.Option("--evidence", metavar="field=S..S", help="Seconds that show why.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="R", help="Why the answer was wrong.")] = None,
    accept_rest: Annotated[
        bool, typer.Option("--accept-rest", help="Confirm the rest of the answer; unseen here, so it never trains.")
    ] = False,
    status: Annotated[str, typer.Option("--status", metavar="S", help="Status to leave the clip in.")] = "reviewed",
    reviewer: ReviewerOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct or confirm a clip's labels; settles it as reviewed unless --status says otherwise."""
    from vvlm_desktop.cli.shapes import review_json
    from vvlm_desktop.domain.labels import parse_cli_value
    from vvlm_desktop.workflow.frame_index import index_of
    from vvlm_desktop.workflow.review import accept_rest as confirm
    from vvlm_desktop.workflow.review import open_review, settle
    from vvlm_desktop.workflow.seeable import require_at_hand

    if not values and not evidence and not accept_rest and status == "reviewed":
        raise UsageError("Nothing was said about the clip.", hint=_HOW_TO_SAY)
    with opened(library, reviewer=reviewer) as session:
        found = session.library.find_clip(clip)
        if values or accept_rest or status == "reviewed":
            require_at_hand(session, found)
        given = {}
        for text in values or []:
            key, value = _pair(text, "--set event_type=near_miss")
            given[key] = parse_cli_value(session.schema, key, value)
        spans = {}
        if evidence:
            index = index_of(session, found)
            for text in evidence:
                key, value = _pair(text, "--evidence event_type=7.84..8.31")
                session.schema.field(key)
                spans[key] = _span(value, index)
        if accept_rest and open_review(session, found.id).analysis is None:
            raise UsageError("There is no answer to confirm.", hint="Analyse the clip first: vvlm analyse CLIP")
        outcome = settle(session, found.id, given, evidence=spans, reason=reason, status=status)
        if accept_rest:
            outcome = confirm(session, found.id, window_seen=False, status=status)
        for rule in outcome.broken_rules:
            warn(f"{Path(found.path).name}: {rule}")
        stored = session.library.review(found.id, reviewer=session.reviewer, schema_key=session.schema.key)
        if as_json:
            print_json(review_json(stored))
            return
        fields = ", ".join([*given, *(key for key in spans if key not in given)])
        rest = [key for key, verdict in stored.verdicts.items() if verdict.how == "bulk_unseen"] if accept_rest else []
        fields = " and ".join(part for part in (fields, f"{len(rest)} confirmed" if rest else "") if part) or "status"
        print_line(
            f"{Path(found.path).name}: {fields} stored as {session.reviewer}, {stored.status.replace('_', ' ')}."
        )


def history(clip: ClipArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Everything that people did to a clip, oldest first."""
    from vvlm_desktop.cli.shapes import event_json

    with opened(library) as session:
        found = session.library.find_clip(clip)
        events = session.library.history(found.id)
        if as_json:
            print_json([event_json(e) for e in events])
            return
        if not events:
            print_line("Nobody has reviewed this clip yet.")
            return
        rows = [[e.at.replace("T", " ").rstrip("Z"), e.reviewer, _what(e), "undo" if e.undoes else ""] for e in events]
        print_table(["when (UTC)", "who", "what", ""], rows)


def undo(reviewer: ReviewerOption = None, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Take back the reviewer's last action."""
    from vvlm_desktop.workflow.review import undo as undo_last

    with opened(library, reviewer=reviewer) as session:
        change = undo_last(session)
        names = [Path(session.library.clip(c).path).name for c in change.clip_ids] if change else []
        if as_json:
            print_json({"undone": change is not None, "clips": list(change.clip_ids) if change else []})
        elif change is None:
            print_line(f"There is nothing of {session.reviewer} to undo.")
        else:
            print_line(f"Undone: the last action on {', '.join(names)}.")


def _pair(text: str, example: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"“{text}” is not of the form field=value.", hint=f"For example: {example}")
    return key.strip(), value.strip()


def _span(text: str, index: FrameIndex) -> PtsRange:
    from vvlm_desktop.domain.review import PtsRange

    match = _SPAN.fullmatch(text)
    if match is None:
        raise UsageError(f"“{text}” is not a time.", hint="Seconds from the first frame: 7.84 or 7.84..8.31.")
    start_s, end_s = float(match["start"]), float(match["end"] or match["start"])
    if start_s > end_s or end_s > index.duration_s:
        raise UsageError(f"{text} is not within the clip.", hint=f"It lasts from 0 to {index.duration_s:.2f} s.")
    return PtsRange(index.pts[index.at_time(start_s)], index.pts[index.at_time(end_s)])


def _what(event: Event) -> str:
    payload = event.payload
    if payload is None:
        return "erased for privacy"
    if event.kind == "verdict":
        after = payload.get("after")
        if not after:
            return f"{payload['field']}: verdict taken back"
        value = after["value"]
        text = "not known" if after["verdict"] == "rejected" else _plain(value)
        return f"{payload['field']}: {after['verdict']} → {text}" + (f" ({after['reason']})" if after["reason"] else "")
    if event.kind == "evidence":
        return f"{payload['field']}: evidence at PTS {_plain(payload['after'])}"
    if event.kind == "status":
        return f"status: {payload['before']} → {payload['after']}" + (
            f" ({payload['reason']})" if payload.get("reason") else ""
        )
    return event.kind


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value) or "none"
    if isinstance(value, dict):
        return f"{value.get('start_ms', 0) / 1000:.2f}..{value.get('end_ms', 0) / 1000:.2f} s"
    return "absent" if value is None else str(value)

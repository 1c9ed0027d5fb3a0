"""`vvlm compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from vvlm_desktop.cli.analysing import progress_words
from vvlm_desktop.cli.choosing import (
    AdapterOption,
    Asked,
    BatchOption,
    Chosen,
    FramesOption,
    ModelOption,
    PrecisionOption,
    RoundsOption,
    choose,
    warn_of_processor,
)
from vvlm_desktop.cli.output import (
    EXIT_SOME_FAILED,
    JsonOption,
    LibraryOption,
    counted,
    opened,
    print_json,
    print_line,
    print_table,
    progress_bar,
)
from vvlm_desktop.domain.statistics import p_in_words
from vvlm_desktop.domain.values import LabelValue

if TYPE_CHECKING:
    from collections.abc import Collection

    from vvlm_desktop.domain.analysis import Analysis
    from vvlm_desktop.domain.clip import Clip
    from vvlm_desktop.workflow.agreement import FieldAgreement, Tally
    from vvlm_desktop.workflow.analyse import BatchEvent
    from vvlm_desktop.workflow.comparing import Comparison, FieldComparison
    from vvlm_desktop.workflow.session import Session

#: Answers that are not asked for again, by side and clip.
Kept: TypeAlias = "dict[str, dict[str, Analysis]]"
#: With more clips than this the table of each is left out; `--json` has them all.
_SHOWN = 10


def compare(
    clips: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CLIP…]", help="Analysed anew. Default: all clips; answers with these very settings are kept."
        ),
    ] = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    frames: FramesOption = None,
    rounds: RoundsOption = None,
    precision: PrecisionOption = None,
    batch: BatchOption = None,
    a: Annotated[
        str | None, typer.Option("--a", metavar="NAME", help="Stored answers to compare; nothing is run.")
    ] = None,
    b: Annotated[str | None, typer.Option("--b", metavar="NAME", help="Those to compare them with.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Who has answered, by the names for --a and --b.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a model with and without an adapter: one load, same frames, same prompt; differences first.

    With --a and --b: any two that have answered, Gemini or an older answer too, by what is stored.
    """
    from vvlm_desktop.workflow.agreement import agreement
    from vvlm_desktop.workflow.learnt import learnt_by

    if show_list or a is not None or b is not None:
        _compare_stored(library, clips, (a, b), show_list=show_list, as_json=as_json)
        return
    problems: list[dict[str, str]] = []
    with opened(library) as session:
        chosen = choose(session, Asked("local", model, adapter, frames, rounds, precision, batch))
        wanted = _wanted(session, clips)
        kept = _analyse(session, wanted, chosen, anew=bool(clips), problems=problems)
        failed = {row["clip"] for row in problems}
        pairs = (_pair(session, clip, chosen, kept=kept) for clip in wanted if clip.id not in failed)
        found = [pair for pair in pairs if pair is not None]
        tally = agreement(session.schema, found, learnt=learnt_by(session, [chosen.adapter]))
        counts = list(tally.fields.values())
    if as_json:
        print_json(
            {
                "clips": [_comparison_json(pair) for pair in found],
                "agreement": [_agreement_json(each) for each in counts],
                "left_out": tally.unfair,
                "learnt_from": tally.of_learnt,
                "failed": problems,
            }
        )
    else:
        names = ("base", str(chosen.adapter))
        _print(found, tally, problems, names=names)
    if problems:
        raise typer.Exit(EXIT_SOME_FAILED)


def _compare_stored(
    library: Path | None,
    clips: list[str] | None,
    names: tuple[str | None, str | None],
    *,
    show_list: bool,
    as_json: bool,
) -> None:
    from vvlm_desktop.cli.comparing_stored import list_answerers, stored_pairs
    from vvlm_desktop.workflow.agreement import agreement
    from vvlm_desktop.workflow.learnt import learnt_by

    with opened(library) as session:
        if show_list:
            list_answerers(session, as_json=as_json)
            return
        sources, pairs = stored_pairs(session, names, wanted=_wanted_rows(session, clips))
        tally = agreement(session.schema, pairs, learnt=learnt_by(session, (source.adapter for source in sources)))
    pairs.sort(key=lambda pair: -pair.differing)
    counts = list(tally.fields.values())
    if not as_json:
        _print(pairs, tally, [], names=(sources[0].title, sources[1].title))
        return
    print_json(
        {
            "a": sources[0].title,
            "b": sources[1].title,
            "clips": [_comparison_json(pair, sides=("a", "b")) for pair in pairs],
            "agreement": [_agreement_json(each, sides=("a", "b")) for each in counts],
            "left_out": tally.unfair,
            "learnt_from": tally.of_learnt,
            "failed": [],
        }
    )


def _wanted_rows(session: Session, clips: list[str] | None) -> Collection[int]:
    from vvlm_desktop.store.records import ClipFilter

    if not clips:
        return session.library.clip_rowids(ClipFilter(readable=True))
    rows = [session.library.rowid_of(clip.id) for clip in _wanted(session, clips)]
    return [row for row in rows if row is not None]


def _wanted(session: Session, clips: list[str] | None) -> list[Clip]:
    if not clips:
        return [clip for clip in session.library.all_clips() if clip.readable]
    return list({c.id: c for c in (session.library.find_clip(text) for text in clips)}.values())


def _analyse(
    session: Session, clips: list[Clip], chosen: Chosen, *, anew: bool, problems: list[dict[str, str]]
) -> Kept:
    """Analyse; what was answered before with just these settings is kept, and returned by side and clip."""
    from vvlm_desktop.workflow.comparing import compare_clips, require_adapter
    from vvlm_desktop.workflow.reusing import reusable_pairs

    require_adapter(chosen.options)
    kept: Kept = {} if anew else reusable_pairs(session, clips, backend=chosen.backend, options=chosen.options)
    skip = {side: frozenset(answers) for side, answers in kept.items()}
    left = sum(clip.id not in skip.get(side, frozenset()) for side in ("base", "tuned") for clip in clips)
    warn_of_processor(session, chosen, clips=left, answers=left)

    def on_event(event: BatchEvent) -> None:
        bar.show(event.fraction, progress_words(event))
        if event.kind == "failed" and event.clip:
            problems.append({"clip": event.clip.id, "path": event.clip.path, "problem": event.message})

    with progress_bar("comparing") as bar:
        compare_clips(session, clips, backend=chosen.backend, options=chosen.options, on_event=on_event, skip=skip)
    return kept


def _pair(session: Session, clip: Clip, chosen: Chosen, *, kept: Kept) -> Comparison | None:
    """What was kept, else what was just answered, which is the newest."""
    from vvlm_desktop.workflow.comparing import comparison, latest_of

    model = str(chosen.model)
    base = kept.get("base", {}).get(clip.id) or latest_of(session, clip.id, backend=chosen.backend, model=model)
    tuned = kept.get("tuned", {}).get(clip.id) or latest_of(
        session, clip.id, backend=chosen.backend, model=model, adapter=chosen.adapter
    )
    return comparison(session, clip.id, base, tuned) if base is not None and tuned is not None else None


def _print(
    found: list[Comparison],
    tally: Tally,
    problems: list[dict[str, str]],
    *,
    names: tuple[str, str],
) -> None:
    left_out = tally.unfair
    for row in problems:
        print_line(f"{Path(row['path']).name}: {row['problem']}")
    if not found:
        print_line("Nothing to compare: no clip has an answer of both.")
        return
    for pair in found[:_SHOWN]:
        _print_clip(pair, names)
    if len(found) > _SHOWN:
        print_line(f"… and {len(found) - _SHOWN} more clips; --json has them all.\n")
    _print_counts(len(found) - left_out, list(tally.fields.values()), names)
    if tally.of_learnt:
        print_line(
            f"\n{tally.of_learnt:,} of {counted(len(found) - left_out, 'clip')} are clips that one of them learnt from;"
            " who is right about these is not counted."
        )
    if left_out:
        listed = counted(left_out, "clip")
        print_line(f"\n{listed} left out of these counts: not the same frames, prompt or settings.")


def _print_clip(pair: Comparison, names: tuple[str, str]) -> None:
    shown = [each for each in pair.fields if each.standing in ("differs", "one_sided")]
    name = Path(pair.clip.path).name
    for note in pair.notes:
        print_line(f"{name}: {note}")
    if not shown:
        print_line(f"{name}: the same answers.\n")
        return
    rows = [
        [each.field.label, _cell(each, 0), _cell(each, 1), _words(each.truth) if each.truth_known else "–"]
        for each in shown
    ]
    print_table(["field", *names, "truth"], rows, title=name)
    print_line()


def _cell(each: FieldComparison, side: int) -> str:
    if not each.answered[side]:
        return "not answered"
    confidence = each.confidence[side]
    right = {True: " ✓", False: " ✗", None: ""}[each.right[side]]
    # Not a percentage: nobody has checked here how often it is right when it says so.
    return f"{_words(each.said[side])}{f' ({confidence:.2f})' if confidence is not None else ''}{right}"


def _words(value: LabelValue) -> str:
    if isinstance(value, list):
        return ", ".join(value).replace("_", " ") or "none"
    if isinstance(value, dict):
        return f"{value['start_ms'] / 1000:.2f}–{value['end_ms'] / 1000:.2f} s"
    return value.replace("_", " ") if isinstance(value, str) else "absent"


def _print_counts(clips: int, counts: list[FieldAgreement], names: tuple[str, str]) -> None:
    sides = ("base", "tuned") if names[0] == "base" else ("A", "B")
    rows = [
        [
            each.label,
            str(each.n),
            f"{each.agree / each.n:.0%}",
            str(each.judged),
            f"{each.a_right}" if each.judged else "–",
            f"{each.b_right}" if each.judged else "–",
            f"{each.only_a} : {each.only_b}" if each.judged else "–",
            p_in_words(each.p_value),
        ]
        for each in counts
        if each.n
    ]
    columns = [
        "field",
        "both answered",
        "agree",
        "reviewed",
        f"{sides[0]} right",
        f"{sides[1]} right",
        f"only {sides[0]} : only {sides[1]}",
        "p",
    ]
    named = f", A {names[0]}, B {names[1]}" if sides == ("A", "B") else ""
    print_table(columns, rows, title=f"{counted(clips, 'clip')}{named}")
    print_line(
        "\np: McNemar's exact test, without correction for looking at several fields. A list is right if all of it is."
    )


def _comparison_json(pair: Comparison, *, sides: tuple[str, str] = ("base", "tuned")) -> dict[str, Any]:
    one, other = sides
    return {
        "clip": pair.clip.id,
        "path": pair.clip.path,
        one: pair.a.id,
        other: pair.b.id,
        "same_frames": pair.same_frames,
        "same_prompt": pair.same_prompt,
        "same_settings": pair.same_settings,
        "notes": list(pair.notes),
        "counted": pair.counts,
        "truth_by": pair.truth_by,
        "fields": [
            {
                "field": each.field.key,
                "standing": each.standing,
                one: each.said[0],
                other: each.said[1],
                f"{one}_confidence": each.confidence[0],
                f"{other}_confidence": each.confidence[1],
                "truth": each.truth if each.truth_known else None,
                "truth_known": each.truth_known,
                f"{one}_right": each.right[0],
                f"{other}_right": each.right[1],
            }
            for each in pair.fields
            if each.standing != "unanswered"
        ],
    }


def _agreement_json(each: FieldAgreement, *, sides: tuple[str, str] = ("base", "tuned")) -> dict[str, Any]:
    one, other = sides
    return {
        "field": each.key,
        "both_answered": each.n,
        "agree": each.agree,
        "reviewed": each.judged,
        f"{one}_right": each.a_right,
        f"{other}_right": each.b_right,
        f"only_{one}_right": each.only_a,
        f"only_{other}_right": each.only_b,
        "p_value": each.p_value,
    }

"""`vvlm ask`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from vvlm_desktop.cli.choosing import (
    AdapterOption,
    AllowUploadOption,
    Asked,
    BackendOption,
    FramesOption,
    ModelOption,
    PrecisionOption,
    RangeOption,
    RoundsOption,
    UrlOption,
    WidthOption,
    choose,
    warn_of_processor,
)
from vvlm_desktop.cli.leaving import allowed
from vvlm_desktop.cli.output import (
    ClipArgument,
    JsonOption,
    LibraryOption,
    counted,
    opened,
    print_json,
    print_line,
    progress_bar,
)
from vvlm_desktop.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vvlm_desktop.domain.analysis import Analysis
    from vvlm_desktop.workflow.ask import AskEvent

_RANGE = re.compile(r"(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)", re.ASCII)


def ask(
    clip: ClipArgument,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="In your own words, at most 2,000 characters.")],
    part: RangeOption = None,
    backend: BackendOption = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    frames: FramesOption = None,
    rounds: RoundsOption = None,
    precision: PrecisionOption = None,
    width: WidthOption = None,
    url: UrlOption = None,
    allow_upload: AllowUploadOption = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a model about a clip, or a part of it. The answer is kept with the frames that the model saw."""
    from vvlm_desktop.cli.shapes import analysis_json
    from vvlm_desktop.workflow.ask import ask as run
    from vvlm_desktop.workflow.ask import checked_question, checked_range, require_answers

    checked_question(question)
    range_ms = range_ms_of(part)
    with opened(library) as session:
        found = session.library.find_clip(clip)
        asked = Asked(backend, model, adapter, frames, rounds, precision, width=width, url=url)
        chosen = choose(session, asked)
        require_answers(chosen.backend, chosen.options)
        used_ms = checked_range(range_ms, found)
        chosen = allowed(session, chosen, [found], allow_upload=allow_upload)
        warn_of_processor(session, chosen, clips=1)
        with progress_bar("asking") as bar:

            def on_event(event: AskEvent) -> None:
                bar.show(event.fraction, event.message or "asking")

            answer = run(
                session,
                found,
                question,
                backend=chosen.backend,
                options=chosen.options,
                range_ms=range_ms,
                on_event=on_event,
                secrets=chosen.secrets,
            )
    if as_json:
        print_json(analysis_json(answer))
    else:
        _print(answer, asked_ms=range_ms, used_ms=used_ms)


def _print(answer: Analysis, *, asked_ms: tuple[int, int] | None, used_ms: tuple[int, int] | None) -> None:
    print_line(answer.raw_text.strip())
    who = f"{answer.model} + {answer.adapter}" if answer.adapter else answer.model
    seen = counted(len(answer.frames_pts), "frame")
    part = f" of {seconds_in_words(used_ms)}" if used_ms else ""
    cut = ", all that the clip has of what was asked for" if used_ms != asked_ms else ""
    print_line(f"\n– {who}, from {seen}{part}{cut}; a machine's answer, not a finding.")
    for flag in answer.flags:
        print_line(f"  {flag}")


def seconds_in_words(range_ms: Sequence[int]) -> str:
    """`3.0–7.5 s`."""
    return f"{range_ms[0] / 1000:.1f}–{range_ms[1] / 1000:.1f} s"


def range_ms_of(text: str | None) -> tuple[int, int] | None:
    """The part of a clip that was typed, in ms; None is all of it."""
    if text is None:
        return None
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is not a range.", hint="Write seconds from the first frame: --range 3.0..7.5")
    start_s, end_s = float(found[1]), float(found[2])
    return round(start_s * 1000), round(end_s * 1000)

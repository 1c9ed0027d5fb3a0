"""How sure a model was, in words and shapes: a percentage only where it has been tested on reviews."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from vvlm_desktop.backends.local_options import HOW_IT_RAN
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.ui.review.times import clock_text
from vvlm_desktop.ui.widgets.marks import CONFIDENCE_MARKS, Mark
from vvlm_desktop.ui.words import count, sentences
from vvlm_desktop.workflow.calibration import (
    UNCALIBRATED,
    WANTED_FROM,
    Calibration,
    Shown,
    curve_of,
    word_for,
)

#: What a probability that nobody has tested is called among others.
_AMONG_OTHERS = ((0.75, "very likely"), (0.5, "likely"), (0.2, "possible"), (0.0, "unlikely"))
#: What the headline's tooltip says where no percentage is shown.
WHY_NO_PERCENT = (
    "Uncalibrated: how often this model is right when it is as sure as this is not known yet. "
    "Percentages appear when enough of its answers were reviewed."
)


def short_text(shown: Shown) -> str:
    """Beside a shape: the percentage where there is one, else the word."""
    return f"{shown.percent} %" if shown.percent is not None else shown.word


def spoken_text(shown: Shown) -> str:
    """For those who do not see the shape."""
    return f"{shown.word}, {shown.percent} percent" if shown.percent is not None else shown.word


def look_of(shown: Shown) -> tuple[Mark, str]:
    """Shape and colour."""
    return CONFIDENCE_MARKS[shown.word], "muted" if shown.word == "sure" else "doubtful"


def note_of(shown: Shown) -> str:
    """What the percentage or the word rests on, as a sentence; empty where that is said once for all fields."""
    return "" if shown.note == UNCALIBRATED else f"{shown.note[:1].upper()}{shown.note[1:]}."


def distribution_text(schema: LabelSchema, analysis: Analysis, field_key: str, calibration: Calibration | None) -> str:
    """Every value of a choice with its probability: “collision 71 % · near miss 22 % · no incident 7 %”.

    Words where the percentages have not been tested; empty where the backend gave no distribution, or where the model
    did not want to answer in this form.
    """
    shares = _shares(analysis, field_key)
    field = schema.field(field_key) if field_key in schema else None
    if field is None or field.kind != "one_of" or len(shares) < 2:
        return ""
    curve = curve_of(calibration, analysis, field_key)
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    if curve is None:
        words = [(key, _among_others(share)) for key, share in ranked]
    else:
        top = curve.apply(ranked[0][1])
        rest = sum(share for _, share in ranked[1:])
        scaled = [top, *(share / rest * (1 - top) if rest else 0.0 for _, share in ranked[1:])]
        words = [
            (key, f"{round(share * 100)}\N{NO-BREAK SPACE}%") for (key, _), share in zip(ranked, scaled, strict=True)
        ]
    return " · ".join(f"{field.label_of(key).lower()} {word}" for key, word in words)


def value_words(analysis: Analysis, field_key: str) -> tuple[tuple[str, str], ...]:
    """How sure it was of each value of a list; single values are never given as a percentage."""
    said = analysis.labels.get(field_key)
    if not isinstance(said, list) or analysis.legal_mass.get(field_key, 1.0) < WANTED_FROM:
        return ()
    given = analysis.value_confidence.get(field_key, {})
    return tuple((key, word_for(given[key])) for key in said if key in given)


def details(analysis: Analysis, shown: Shown | None) -> tuple[str, ...]:
    """What there is to be wary of in how an answer came about, as sentences; most answers have nothing of the kind."""
    notes = [round_.note for round_ in analysis.rounds if round_.note]
    flags = [flag for flag in analysis.flags if flag not in HOW_IT_RAN]
    said = [sentences(note) for note in dict.fromkeys((*flags, *notes))]
    if shown is not None and shown.percent is None and shown.note != UNCALIBRATED:
        said.append(note_of(shown))
    return tuple(said)


def how_it_ran(analysis: Analysis) -> str:
    """Who answered, from how many frames and on what, in one line; for those who ask."""
    model = analysis.model or analysis.backend
    who = f"{model} + {analysis.adapter}" if analysis.adapter else model
    frames = count(len(analysis.frames_pts), "frame")
    ran = [flag.rstrip(".") for flag in analysis.flags if flag in HOW_IT_RAN]
    return " · ".join([who, frames, *ran])


def round_text(number: int, of: int, *, spans_s: Sequence[tuple[float, float]], frames: int) -> str:
    """One look of several: “look 2 of 3: 00:03.20–00:05.10 more closely, 16 frames”."""
    where = ", ".join(f"{clock_text(start)}–{clock_text(end)}" for start, end in spans_s)
    what = f"{where} more closely" if where else "the whole clip"
    return f"look {number} of {of}: {what}, {frames} frames"


def _shares(analysis: Analysis, field_key: str) -> Mapping[str, float]:
    if analysis.legal_mass.get(field_key, 1.0) < WANTED_FROM:
        return {}
    given = analysis.value_confidence.get(field_key, {})
    known = {key: float(share) for key, share in given.items() if math.isfinite(share) and share >= 0}
    total = sum(known.values())
    return {key: share / total for key, share in known.items()} if total > 0 else {}


def _among_others(share: float) -> str:
    return next(word for least, word in _AMONG_OTHERS if share >= least)

"""From a model's confidence to a percentage that has been tested on reviews; a plain word until there are enough.

A curve is fitted for each model on what people judged, and kept in the library as JSON. It is applied without
scikit-learn, which is loaded only where a curve is fitted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.review import SETTLED
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.store.library import ClipFilter
from vvlm_desktop.workflow.calibration_files import (
    ALL_FIELDS,
    Calibration,
    file_of,
    note_review_count,
    read_calibration,
    review_count,
    store_calibration,
)
from vvlm_desktop.workflow.calibration_fit import Curve, fit_curve, why_not
from vvlm_desktop.workflow.calibration_pairs import (
    Judged,
    ModelKey,
    Pair,
    can_be_calibrated,
    collect_pairs,
    model_key,
)
from vvlm_desktop.workflow.calibration_training import trained_contents
from vvlm_desktop.workflow.session import Session

__all__ = [
    "UNCALIBRATED",
    "WANTED_FROM",
    "Calibration",
    "CalibrationReport",
    "Shown",
    "calibration_reports",
    "curve_of",
    "load_calibration",
    "refit",
    "reviews_grew",
    "shown_confidence",
    "word_for",
]

_log = logging.getLogger(__name__)

Word: TypeAlias = Literal["sure", "unsure", "guess"]

#: A curve is fitted anew when the reviews it rests on have become so many more, or fewer.
REFIT_SHARE = 0.2
SURE_FROM, UNSURE_FROM = 0.75, 0.5
#: A model that puts less than half of its probability on what the schema allows did not want to answer in this form;
#: what it then seems sure of is an artefact of the constraint.
WANTED_FROM = 0.5
UNCALIBRATED = "uncalibrated"
_SURER, _LESS_SURE = "surer than any answer that was tested", "less sure than any answer that was tested"


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be said about how sure a model was.

    Attributes:
        percent: how often it is right when it is as sure as this; None until that has been tested.
        note: what the word or the percentage rests on.
    """

    word: Word
    percent: int | None
    note: str


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """How a model stands: its curve over all fields where there is one, and in words why not."""

    key: ModelKey
    answers: int
    right: int
    recordings: int
    curve: Curve | None
    state: str
    groups: tuple[str, ...] = ()


def word_for(share: float) -> Word:
    """The word for a confidence 0..1."""
    return "sure" if share >= SURE_FROM else "unsure" if share >= UNSURE_FROM else "guess"


def shown_confidence(calibration: Calibration | None, analysis: Analysis, field_key: str) -> Shown | None:
    """How sure the analysis is of a field, as it may be said; None where the backend gave no number."""
    confidence = analysis.confidence.get(field_key)
    if confidence is None or field_key not in analysis.labels:
        return None
    if analysis.legal_mass.get(field_key, 1.0) < WANTED_FROM:
        return Shown("guess", None, "the model did not want to answer in this form")
    curve = _fitted_curve(calibration, analysis, field_key)
    if curve is None:
        return Shown(word_for(confidence), None, _why_uncalibrated(calibration, analysis))
    if not curve.covers(confidence):
        return _beyond(curve, confidence)
    share = curve.apply(confidence)
    note = f"calibrated on {curve.answers:,} answers, ±{max(1, round(curve.after.ece * 100))} points"
    return Shown(word_for(share), round(share * 100), note)


def curve_of(calibration: Calibration | None, analysis: Analysis, field_key: str) -> Curve | None:
    """The curve that applies to a field of this very answer; None where there is none to be trusted."""
    curve, confidence = _fitted_curve(calibration, analysis, field_key), analysis.confidence.get(field_key)
    return curve if curve is not None and (confidence is None or curve.covers(confidence)) else None


def _fitted_curve(calibration: Calibration | None, analysis: Analysis, field_key: str) -> Curve | None:
    if calibration is None or calibration.key != model_key(analysis):
        return None
    return calibration.curve_for(field_key)


def _why_uncalibrated(calibration: Calibration | None, analysis: Analysis) -> str:
    if calibration is None or not calibration.reason or calibration.key != model_key(analysis):
        return UNCALIBRATED
    return f"{UNCALIBRATED}: {calibration.reason}"


def _beyond(curve: Curve, confidence: float) -> Shown:
    """Outside of what was tested: no more certain than the nearest that was, nor than the model itself."""
    lowest, highest = curve.span
    nearest = curve.apply(min(max(confidence, lowest), highest))
    return Shown(word_for(min(confidence, nearest)), None, _SURER if confidence > highest else _LESS_SURE)


# -- fitting ---------------------------------------------------------------------------------------------------------


def refit(
    session: Session, *, only_due: bool = False, cancelled: Callable[[], bool] = lambda: False
) -> list[CalibrationReport]:
    """Fit every model's curves on the reviews of today and store them; how each model stands.

    Args:
        only_due: leave a curve as it is unless the reviews it rests on changed by `REFIT_SHARE`.

    Raises:
        JobCancelledError: `cancelled` said so.
        StorageFullError: a curve cannot be stored.
    """
    reports = []
    reviewed = _reviewed(session)
    judged = collect_pairs(session, cancelled=cancelled)
    for key, pairs in _by_title(judged):
        if key in judged.untold:
            reports.append(_report(None, key, pairs, problem=judged.untold[key]))
            continue
        kept, _ = read_calibration(file_of(session, key), key)
        if not only_due or _due(kept, len(pairs)):
            kept = _fit(session.schema, key, pairs)
            store_calibration(file_of(session, key), kept)
        reports.append(_report(kept, key, pairs))
    note_review_count(session, reviewed)
    return reports


def reviews_grew(session: Session) -> bool:
    """Whether so many clips were reviewed since the last fit that another is worth reading all of them."""
    before = review_count(session)
    return before is None or abs(_reviewed(session) - before) > REFIT_SHARE * before


def _reviewed(session: Session) -> int:
    return session.library.count_clips(ClipFilter(status=tuple(sorted(SETTLED))))


def calibration_reports(session: Session) -> list[CalibrationReport]:
    """How every model stands, by what is stored; nothing is fitted."""
    reports = []
    judged = collect_pairs(session)
    for key, pairs in _by_title(judged):
        kept, problem = read_calibration(file_of(session, key), key)
        if key in judged.untold:
            kept, problem = None, judged.untold[key]
        reports.append(_report(kept, key, pairs, problem=problem))
    return reports


def _by_title(judged: Judged) -> list[tuple[ModelKey, list[Pair]]]:
    return sorted(judged.pairs.items(), key=lambda item: item[0].title)


def _due(kept: Calibration | None, answers: int) -> bool:
    if kept is None:
        return True
    return abs(answers - kept.answers) > REFIT_SHARE * max(1, kept.answers)


def _fit(schema: LabelSchema, key: ModelKey, pairs: Sequence[Pair]) -> Calibration:
    """Curves for the groups of fields that have enough answers of their own, and one over all."""
    parts = {ALL_FIELDS: list(pairs)}
    for pair in pairs:
        parts.setdefault(pair.group, []).append(pair)
    fitted = {name: fit_curve(part) for name, part in parts.items() if not why_not(part)}
    return Calibration(
        key=key,
        created_at=utc_now(),
        answers=len(pairs),
        curves={name: curve for name, curve in fitted.items() if curve is not None},
        groups={each.key: each.group for each in schema.fields if can_be_calibrated(each)},
    )


def _report(kept: Calibration | None, key: ModelKey, pairs: Sequence[Pair], *, problem: str = "") -> CalibrationReport:
    curve = kept.curves.get(ALL_FIELDS) if kept is not None else None
    return CalibrationReport(
        key=key,
        answers=len(pairs),
        right=sum(pair.right for pair in pairs),
        recordings=len({pair.recording for pair in pairs}),
        curve=curve,
        state=_state(kept, curve, pairs, problem=problem),
        groups=tuple(name for name in kept.curves if name != ALL_FIELDS) if kept is not None else (),
    )


def _state(kept: Calibration | None, curve: Curve | None, pairs: Sequence[Pair], *, problem: str) -> str:
    if problem:
        return f"{UNCALIBRATED}: {problem}"
    if curve is not None and curve.trusted:
        return f"calibrated on {curve.answers:,} answers"
    if curve is not None:
        return f"{UNCALIBRATED}: percentages would be off by {curve.after.ece * 100:.0f} points on other recordings"
    if reason := why_not(pairs):
        return f"{UNCALIBRATED}: {reason}"
    if kept is None:
        return f"{UNCALIBRATED}: not fitted yet"
    return f"{UNCALIBRATED}: the model is no surer where it is right than where it is wrong"


def load_calibration(session: Session, analysis: Analysis) -> Calibration | None:
    """What is known of the confidence of this analysis's model; a damaged file counts for nothing, and is logged.

    Of an adapter that does not say what it was trained on there is only the reason, whatever was stored before.
    """
    key = model_key(analysis)
    if key is None:
        return None
    reason = trained_contents(session.settings, analysis)[1] if analysis.adapter else ""
    if reason:
        return Calibration(key, utc_now(), 0, reason=reason)
    file = file_of(session, key)
    calibration, problem = read_calibration(file, key)
    if problem:
        _log.warning("The calibration %s is ignored: %s.", file, problem)
    return calibration

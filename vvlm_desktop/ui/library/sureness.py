"""How sure the answer of a line is, in the word that Review uses for it."""

from __future__ import annotations

from collections import OrderedDict

from vvlm_desktop.store.library import ClipRow
from vvlm_desktop.ui.library.row_words import EVENT_FIELD
from vvlm_desktop.workflow.calibration import Calibration, Word, load_calibration, shown_confidence
from vvlm_desktop.workflow.calibration_pairs import ModelKey, model_key
from vvlm_desktop.workflow.review_state import starting_point
from vvlm_desktop.workflow.session import Session

_KEPT = 2_000


class RowSureness:
    """Reads the answers of the lines that are painted, and of no others: that is a quarter of a millisecond each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._words: OrderedDict[int, tuple[ClipRow, Word | None]] = OrderedDict()
        self._calibrations: dict[ModelKey, Calibration | None] = {}

    def __call__(self, row: ClipRow) -> Word | None:
        """The word for the event; None where a person has judged it, or the backend gave no number."""
        if row.confidence is None or row.source in {None, "review"}:
            return None
        known = self._words.get(row.rowid)
        if known is None or known[0] != row:
            self._words[row.rowid] = known = (row, self._word(row))
            if len(self._words) > _KEPT:
                self._words.popitem(last=False)
        return known[1]

    def forget(self) -> None:
        """Other curves may hold by now."""
        self._words.clear()
        self._calibrations.clear()

    def _word(self, row: ClipRow) -> Word | None:
        answer = starting_point(self._session.library.analyses(row.clip.id), self._session.schema)
        if answer is None:
            return None
        key = model_key(answer)
        if key is not None and key not in self._calibrations:
            self._calibrations[key] = load_calibration(self._session, answer)
        calibration = self._calibrations[key] if key is not None else None
        shown = shown_confidence(calibration, answer, EVENT_FIELD)
        return shown.word if shown is not None else None

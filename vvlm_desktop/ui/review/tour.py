"""The first minute: a sample whose scripted answer is wrong, one whose answer is right, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QSettings, Signal

from vvlm_desktop import paths
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.ui.review.timeline_build import EVENT_TYPE
from vvlm_desktop.ui.words import count
from vvlm_desktop.workflow.review_state import ReviewState, open_review
from vvlm_desktop.workflow.session import Session

_DONE = "tour/done"

Phase = Literal["off", "wrong", "right", "end"]

#: What one sees where the answer is wrong, by what really happened.
_SEEN = {"near_miss": "Nobody touched.", "no_incident": "Nothing came close.", "collision": "They touched."}


@dataclass(frozen=True, slots=True)
class Card:
    """What a step of the tour says; `end` carries the three things to do next."""

    step: str
    words: str
    more: str = ""
    end: bool = False


class Tour(QObject):
    """Follows what the reviewer does with two sample clips and says what to press next."""

    card_changed = Signal(object)  # Card, None to hide it

    def __init__(self, session: Callable[[], Session], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._phase: Phase = "off"
        self._clip_id = ""
        self._keys = 0
        self._done_with = bool(_window_state().value(_DONE, False, type=bool))
        self._corrected = False
        self._ended_on = ""
        self.corrected_clip_id = ""

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._phase != "off"

    def count_key(self) -> None:
        """The reviewer did something."""
        if self._phase in {"wrong", "right"}:
            self._keys += 1

    def stop(self) -> None:
        """The reviewer has had enough of it, or has been through it: it does not come again."""
        self._phase, self._done_with = "off", True
        _window_state().setValue(_DONE, True)
        self.card_changed.emit(None)

    def next_clip_id(self, finished_id: str) -> str | None:
        """The clip that the tour wants after this one; None to leave it to the queue."""
        if finished_id != self._clip_id:
            return None  # the reviewer went somewhere else in between
        if self._phase == "wrong":
            self._clip_id = find_sample(self._session(), wrong=False) or ""
            self._phase = "right" if self._clip_id else "end"
            return self._clip_id or None
        if self._phase == "right":
            self._phase = "end"
        return None

    def follow(self, state: ReviewState | None, schema: LabelSchema) -> None:
        """A clip was opened, or changed; says what to do now."""
        if state is None:
            return
        if self._phase == "off" and not self._done_with and _is_untouched_wrong(state):
            self._phase, self._clip_id, self._keys = "wrong", state.clip.id, 0
            self.corrected_clip_id = state.clip.id
        if self._phase == "end":
            self._ended_on = self._ended_on or state.clip.id
            if state.clip.id == self._ended_on:
                self.card_changed.emit(self._end_card())
            else:
                self.stop()
        elif self._phase != "off":
            if state.clip.id == self._clip_id and not scripted(state):
                # A model has answered meanwhile: what the card knows about the script is not what the form shows.
                self._phase = "off"
            here = self._phase != "off" and state.clip.id == self._clip_id
            self.card_changed.emit(self._card(state, schema) if here else None)

    def _card(self, state: ReviewState, schema: LabelSchema) -> Card | None:
        if self._phase == "right":
            return Card("2 of 2", "This answer is right. Enter.", "Watch it once; one key accepts the whole form.")
        truth = true_event(state) or ""
        field = schema.field(EVENT_TYPE)
        said = field.label_of(str(state.said(EVENT_TYPE)[1])).lower()
        self._corrected = state.labels.get(EVENT_TYPE) == truth
        if state.labels.get(EVENT_TYPE) != truth:
            number = field.value_keys.index(truth) + 1
            words = f"The answer says {said}. {_SEEN.get(truth, '')} Press {number}."
            return Card("1 of 2", " ".join(words.split()), "A scripted answer, wrong on purpose. Space plays it again.")
        if not state.review.evidence.get(EVENT_TYPE):
            return Card(
                "1 of 2",
                "E: this frame proves it.",
                "Stop on the moment that shows it; the arrow keys go by one frame.",
            )
        return Card("1 of 2", "Enter.", "Accepts the rest of the form and goes on.")

    def _end_card(self) -> Card:
        done = f"{count(2, 'clip')}, {count(self._keys, 'key')}."
        what = (
            "correction is saved, audited and a training example" if self._corrected else "review is saved and audited"
        )
        return Card("Done", f"{done} Your {what}.", end=True)


def _window_state() -> QSettings:
    return QSettings(str(paths.data_dir() / "window.ini"), QSettings.Format.IniFormat)


def _is_untouched_wrong(state: ReviewState) -> bool:
    return state.review.status == "needs_review" and scripted(state) and is_wrong(state)


def scripted(state: ReviewState) -> bool:
    """Whether the answer is a sample's script."""
    return state.clip.is_sample and state.analysis is not None and state.analysis.provenance == "demo_script"


def is_wrong(state: ReviewState) -> bool:
    """Whether the script names another event than really happened; False where that is not known."""
    truth = true_event(state)
    answered, said = state.said(EVENT_TYPE)
    return truth is not None and answered and said != truth


def true_event(state: ReviewState) -> str | None:
    """What really happened in a sample, from the simulator's record beside it."""
    try:
        record = json.loads(Path(state.clip.path).with_suffix(".truth.json").read_text(encoding="utf-8"))
        return str(record["labels"][EVENT_TYPE])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_sample(session: Session, *, wrong: bool) -> str | None:
    """A sample that nobody has touched and whose scripted answer is wrong, or right."""
    rows = session.library.clip_rows(session.library.clip_rowids(ClipFilter(sample=True, status=("needs_review",))))
    for row in rows:
        state = open_review(session, row.clip.id)
        if scripted(state) and true_event(state) is not None and is_wrong(state) == wrong:
            return row.clip.id
    return None

"""What a clip is about in one line, above the picture."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QToolTip, QWidget
from typing_extensions import override

from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.labels import format_value
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.choice import title_of
from vvlm_desktop.ui.review.form.model import SOURCE_WORDS
from vvlm_desktop.ui.review.sureness import WHY_NO_PERCENT, details, look_of, note_of, short_text, spoken_text
from vvlm_desktop.ui.review.timeline_build import EVENT_TYPE
from vvlm_desktop.ui.widgets.buttons import IconButton
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.widgets.marks import STATUS_MARKS, MarkLabel
from vvlm_desktop.ui.words import clip_name, count, plain_tip, shown
from vvlm_desktop.workflow.calibration import Calibration, Shown, shown_confidence
from vvlm_desktop.workflow.review_state import ReviewState


@dataclass(frozen=True, slots=True)
class HeadlineModel:
    """The words of the headline.

    Attributes:
        who: which model answered, and whether it is another than Analyse uses; `who_tip` says it in full.
        plays: whether any picture of the clip can be shown.
    """

    title: str
    sureness: Shown | None
    rest: str
    status: str
    problem: str = ""
    details: tuple[str, ...] = ()
    who: str = ""
    who_tip: str = ""
    plays: bool = True


def who_answered(analysis: Analysis, settings: Settings | None) -> tuple[str, str]:
    """Which model an answer is of, in a few words and as a sentence; nothing for what no model said."""
    if analysis.provenance != "model":
        return "", ""
    model = shown(PurePath(analysis.model).name) or analysis.backend
    name = f"{model} + {shown(analysis.adapter)}" if analysis.adapter else model
    tip = f"The newest answer about this clip; {name} gave it."
    if settings is None or settings.backend == "signals" or _is_default(analysis, settings):
        return name, tip
    return f"{name}, not the default", f"{tip} Analyse uses {title_of(settings)}."


def _is_default(analysis: Analysis, settings: Settings) -> bool:
    if settings.backend != "local" or analysis.backend != "local":
        return settings.backend == analysis.backend
    names = (PurePath(settings.local_model).name, PurePath(settings.local_adapter).name)
    said = (PurePath(analysis.model).name, analysis.adapter or "")
    return [name.lower() for name in names] == [name.lower() for name in said]


def headline_model(
    schema: LabelSchema,
    state: ReviewState,
    *,
    by_chance: bool = False,
    calibration: Calibration | None = None,
    settings: Settings | None = None,
) -> HeadlineModel:
    """The headline of a clip as it stands; a question mark as long as nobody has judged the event."""
    judged = state.review.verdicts.get(EVENT_TYPE)
    event = state.labels.get(EVENT_TYPE)
    if EVENT_TYPE in schema and event is not None:
        title = format_value(schema, EVENT_TYPE, event) + ("" if judged else "?")
    else:
        title = "Event not judged" if state.analysis is not None else "Not analysed"
    words = []
    if state.others and not state.review.verdicts:
        words.append(f"settled by {', '.join(state.others)}: yours is a second review")
    candidates = [c for analysis in state.analyses for c in analysis.candidates]
    if candidates:
        words.append(max(candidates, key=lambda c: c.score).reason)
    if state.analysis is not None and state.analysis.provenance == "demo_script":
        words.append(f"{SOURCE_WORDS['demo_script']}, not a model")
    words.append(clip_name(state.clip))
    if by_chance:
        words.append("here by chance: random check")
    sureness = None
    if judged is None and state.analysis is not None:
        sureness = shown_confidence(calibration, state.analysis, EVENT_TYPE)
    notes = details(state.analysis, sureness) if state.analysis is not None else ()
    who, tip = who_answered(state.analysis, settings) if state.analysis is not None else ("", "")
    problem = state.clip.problem or ""
    return HeadlineModel(
        title,
        sureness,
        " · ".join(words),
        state.review.status,
        problem,
        notes,
        who=who,
        who_tip=tip,
        plays=state.clip.readable,
    )


class Headline(QWidget):
    """Shows a `HeadlineModel`; at little width a button opens the queue."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.queue_button = IconButton("list", "Show the queue")
        self.queue_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.queue_button.hide()
        self.title = label("", "title")
        self.confidence = MarkLabel()
        self.details = DetailsButton()
        self.who = WhoLabel("", "model", mode=Qt.TextElideMode.ElideMiddle)
        self.rest = ElidedLabel("", "muted")
        self.problem = MarkLabel()
        self.status = MarkLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.MARGIN, 0, theme.MARGIN, 0)
        row.setSpacing(theme.GAP)
        row.addWidget(self.queue_button)
        row.addWidget(self.title)
        row.addWidget(self.confidence)
        row.addWidget(self.who)
        row.addWidget(self.rest, 1)
        row.addWidget(self.details)
        row.addWidget(self.problem)
        row.addWidget(self.status)
        self.setFixedHeight(theme.px(44))

    def show_model(self, model: HeadlineModel) -> None:
        """Show another clip, or the same after a verdict."""
        self.title.setText(model.title)
        self._show_sureness(model.sureness)
        self.details.show_details(model.details)
        self.who.show_words(model.who, model.who_tip)
        self.rest.setText(f"· {model.rest}" if model.rest else "")
        word, mark, ink = STATUS_MARKS.get(model.status, (model.status, "ring", "muted"))
        self.status.show_mark(mark, word, ink=ink)
        self.problem.setVisible(bool(model.problem))
        self.problem.show_mark("warning", "Plays in part" if model.plays else "No picture", ink="bad")
        self.problem.setToolTip(plain_tip(model.problem))
        self.problem.setAccessibleDescription(model.problem)

    def _show_sureness(self, shown: Shown | None) -> None:
        self.confidence.setVisible(shown is not None)
        if shown is None:
            return
        mark, ink = look_of(shown)
        known = shown.percent is not None or bool(note_of(shown))
        # Said here once, and not beside every field.
        self.confidence.show_mark(mark, short_text(shown) if known else f"{shown.word}, {shown.note}", ink=ink)
        self.confidence.setToolTip(note_of(shown) or WHY_NO_PERCENT)
        self.confidence.setAccessibleName(spoken_text(shown))
        self.confidence.setAccessibleDescription(note_of(shown) or WHY_NO_PERCENT)


class WhoLabel(ElidedLabel):
    """A name that is shortened in the middle; resting on it says more."""

    tip = ""

    def show_words(self, words: str, tip: str) -> None:
        """Show another name; hidden where there is none."""
        self.tip = tip
        self.setText(words)
        self.setVisible(bool(words))
        self.setAccessibleDescription(tip)

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), plain_tip(self.tip), self)
            return True
        return super().event(event)


class DetailsButton(QToolButton):
    """Says how many remarks the answer carries; a click, or resting on it, shows them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._details: tuple[str, ...] = ()
        self.setIcon(icons.icon("info", "doubtful"))
        self.setIconSize(QSize(theme.px(16), theme.px(16)))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self._on_clicked)
        self.hide()

    def show_details(self, details: Sequence[str]) -> None:
        """Carry other remarks; hidden where there are none."""
        self._details = tuple(details)
        self.setVisible(bool(details))
        self.setText(count(len(details), "remark"))
        self.setAccessibleName(f"{count(len(details), 'remark')} on this answer")
        self.setAccessibleDescription(" ".join(details))
        self.setToolTip(_as_tip(self._details))

    def _on_clicked(self) -> None:
        QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), _as_tip(self._details), self)


def _as_tip(details: Sequence[str]) -> str:
    """One paragraph each, letter for letter: a model's own words may look like markup."""
    return "".join(f"<p>{html.escape(each)}</p>" for each in details)

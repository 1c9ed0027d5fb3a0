"""What a clip is about in one line, above the picture."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from vvlm_desktop.domain.labels import format_value
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.form.model import SOURCE_WORDS
from vvlm_desktop.ui.review.timeline_build import EVENT_TYPE
from vvlm_desktop.ui.widgets.buttons import IconButton
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.widgets.marks import STATUS_MARKS, ConfidenceMark, MarkLabel
from vvlm_desktop.ui.words import file_name, plain_tip
from vvlm_desktop.workflow.review_state import ReviewState


@dataclass(frozen=True, slots=True)
class HeadlineModel:
    """The words of the headline."""

    title: str
    confidence: float | None
    rest: str
    status: str
    problem: str = ""


def headline_model(schema: LabelSchema, state: ReviewState, *, by_chance: bool = False) -> HeadlineModel:
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
    words.append(file_name(state.clip.path))
    if by_chance:
        words.append("here by chance: random check")
    confidence = None
    if judged is None and state.analysis is not None and EVENT_TYPE in state.analysis.labels:
        confidence = state.analysis.confidence.get(EVENT_TYPE)
    return HeadlineModel(title, confidence, " · ".join(words), state.review.status, state.clip.problem or "")


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
        self.confidence = ConfidenceMark()
        self.rest = ElidedLabel("", "muted")
        self.problem = MarkLabel()
        self.status = MarkLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.MARGIN, 0, theme.MARGIN, 0)
        row.setSpacing(theme.GAP)
        row.addWidget(self.queue_button)
        row.addWidget(self.title)
        row.addWidget(self.confidence)
        row.addWidget(self.rest, 1)
        row.addWidget(self.problem)
        row.addWidget(self.status)
        self.setFixedHeight(theme.px(44))

    def show_model(self, model: HeadlineModel) -> None:
        """Show another clip, or the same after a verdict."""
        self.title.setText(model.title)
        self.confidence.show_confidence(model.confidence)
        self.confidence.setVisible(model.confidence is not None)
        self.rest.setText(f"· {model.rest}" if model.rest else "")
        word, mark, ink = STATUS_MARKS.get(model.status, (model.status, "ring", "muted"))
        self.status.show_mark(mark, word, ink=ink)
        self.problem.setVisible(bool(model.problem))
        self.problem.show_mark("warning", "Plays in part", ink="bad")
        self.problem.setToolTip(plain_tip(model.problem))
        self.problem.setAccessibleDescription(model.problem)

"""A run's curves: loss with what it smooths to, validation, scores by field and the learning rate, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.plot_card import PlotCard
from vvlm_desktop.ui.training.plot_paint import Curve, curve
from vvlm_desktop.ui.training.plot_scale import smoothed
from vvlm_desktop.ui.training.plot_style import CurveStyle, style_of
from vvlm_desktop.workflow.run_progress import RunProgress

RAW = CurveStyle("muted", faint=True)
LOSS = CurveStyle("accent")
VALIDATION = CurveStyle("doubtful", (6, 3), "diamond")
MEAN = CurveStyle("text", (), "ring")
RATE = CurveStyle("muted")
#: So many fields are shown until somebody chooses.
_FIELDS_AT_FIRST = 4
#: The axis reaches to the run's end, but at most to so many times what is done.
_AXIS_TIMES = 4
_MEAN_KEY = "*mean"


class LivePlots(QWidget):
    """Three plots with one cursor and one range."""

    def __init__(self, title_of: Callable[[str], str], parent: QWidget | None = None) -> None:
        """`title_of`: a field's label for its key."""
        super().__init__(parent)
        self._title_of = title_of
        self._drawn: object = None
        self.loss = PlotCard("Loss", nothing="The first step is not done yet")
        self.fields = PlotCard(
            "Right on validation clips", unit="share", nothing="Shown after the first evaluation on validation clips"
        )
        self.rate = PlotCard("Learning rate", nothing="The first step is not done yet")
        self.cards = (self.loss, self.fields, self.rate)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.GAP)
        grid.addWidget(self.loss, 0, 0, 2, 1)
        grid.addWidget(self.fields, 0, 1)
        grid.addWidget(self.rate, 1, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(0, 5)
        grid.setRowStretch(1, 2)
        for card in self.cards:
            card.curves.range_changed.connect(self._on_range)
            card.curves.cursor_moved.connect(self._on_cursor)

    def show_progress(self, progress: RunProgress) -> None:
        """Draw what is new."""
        told = (
            progress.steps,
            *(
                (len(points), points[-1] if points else None)
                for points in (progress.loss, progress.validation, progress.learning_rate, *progress.fields.values())
            ),
        )
        if told == self._drawn:
            return
        self._drawn = told
        # The first steps of a long run would be a line upright at the left edge.
        last = float(min(progress.steps, _AXIS_TIMES * progress.step))
        self.loss.show_curves(loss_curves(progress), last_step=last)
        fields = field_curves(progress, self._title_of)
        first = {each.key for each in fields[: 1 + _FIELDS_AT_FIRST]}
        self.fields.show_curves(fields, last_step=last, hidden=[each.key for each in fields if each.key not in first])
        self.rate.show_curves(
            [curve("rate", "Learning rate", progress.learning_rate, RATE)] if progress.learning_rate else [],
            last_step=last,
        )

    def begin(self) -> None:
        """Another run: everything is shown again."""
        self._drawn = None
        self._on_range(None)
        self._on_cursor(None)

    def _on_range(self, steps: tuple[float, float] | None) -> None:
        for card in self.cards:
            card.zoom(steps)

    def _on_cursor(self, step: int | None) -> None:
        for card in self.cards:
            card.curves.point_at(step)


def loss_curves(progress: RunProgress) -> list[Curve]:
    """The loss of each step, what it smooths to, and the validation split's."""
    made = []
    if progress.loss:
        made.append(curve("loss", "Loss, smoothed", smoothed(progress.loss), LOSS))
        made.append(curve("raw", "Each step", progress.loss, RAW))
    if progress.validation:
        made.append(curve("validation", "Validation loss", progress.validation, VALIDATION))
    return made


def field_curves(progress: RunProgress, title_of: Callable[[str], str]) -> list[Curve]:
    """The mean over all fields first, then each."""
    fields = {key: points for key, points in progress.fields.items() if points}
    if not fields:
        return []
    made = [curve(key, title_of(key), points, style_of(number)) for number, (key, points) in enumerate(fields.items())]
    if len(fields) > 1:
        made.insert(0, curve(_MEAN_KEY, "Mean of all fields", _mean(list(fields.values())), MEAN))
    return made


def _mean(curves: Sequence[Sequence[tuple[int, float]]]) -> list[tuple[int, float]]:
    at: dict[int, list[float]] = {}
    for points in curves:
        for step, value in points:
            at.setdefault(step, []).append(value)
    return [(step, sum(values) / len(values)) for step, values in sorted(at.items())]

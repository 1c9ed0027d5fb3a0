"""Runs beside each other: where their configs differ, what they reached, and their curves in one plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.training.history_read import HistoryReader, RunLine, field_titles
from vvlm_desktop.ui.training.live_words import STATE_MARKS, step_words
from vvlm_desktop.ui.training.plot_card import PlotCard
from vvlm_desktop.ui.training.plot_paint import curve
from vvlm_desktop.ui.training.plot_scale import smoothed
from vvlm_desktop.ui.training.plot_style import style_of
from vvlm_desktop.ui.training.result_rows import BASE
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.widgets.line_table import as_line_table
from vvlm_desktop.ui.words import count, plain_tip, shown
from vvlm_desktop.workflow import runs as run_shelf
from vvlm_desktop.workflow.runs import Run

Rows = list[tuple[str, tuple[str, ...]]]
_ROW_PX = 24


class SideBySide(QWidget):
    """Shows two or more runs; `closed` when it is done with."""

    closed = Signal()

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell = shell
        self.runs: list[Run] = []
        self._lines: dict[str, RunLine] = {}
        self._reader = HistoryReader(self)
        self._reader.line_read.connect(self._on_line)
        self.back = button("Back to the runs", self.closed.emit, icon="chevron-left", kind="plain")
        self.headline = label("", "title")
        self.apart = _table("Values that differ")
        self.reached = _table("What was reached")
        self.loss = PlotCard("Loss, smoothed", nothing="None of them has done a step")
        self.validation = PlotCard("Validation loss", nothing="None of them was evaluated on validation clips")
        self._build()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(theme.GAP)
        head = QHBoxLayout()
        head.addWidget(self.back)
        head.addWidget(self.headline, 1)
        column.addLayout(head)
        tables = QWidget()
        left = QVBoxLayout(tables)
        left.setContentsMargins(0, 0, theme.GAP, 0)
        left.setSpacing(4)
        for title, table, stretch in (("Values that differ", self.apart, 2), ("Reached", self.reached, 3)):
            left.addWidget(label(title, "strong"))
            left.addWidget(table, stretch)
        plots = QWidget()
        right = QVBoxLayout(plots)
        right.setContentsMargins(theme.GAP, 0, 0, 0)
        right.setSpacing(theme.GAP)
        for card in (self.loss, self.validation):
            right.addWidget(card, 1)
            card.curves.range_changed.connect(self._on_range)
            card.curves.cursor_moved.connect(self._on_cursor)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(tables)
        split.addWidget(plots)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setSizes([1000, 1000])
        column.addWidget(split, 1)

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Compare these; their curves are read in the background."""
        self.runs = list(runs)
        self._lines = {}
        self.headline.setText(f"{count(len(runs), 'run')} side by side")
        names = [shown(run.name) for run in runs]
        apart = run_shelf.runs_apart(runs)
        _fill(self.apart, names, apart or [("Nothing: their configs are the same", ("",) * len(names))])
        for card in (self.loss, self.validation):
            card.zoom(None)
        self._refresh()
        self._reader.read(self.shell.session, runs)

    def close_view(self) -> None:
        """Let go of threads."""
        self._reader.close()

    def _on_line(self, line: RunLine) -> None:
        self._lines[line.run.name] = line
        self._refresh()

    def _refresh(self) -> None:
        lines = [self._lines.get(run.name) for run in self.runs]
        names = [shown(run.name) for run in self.runs]
        _fill(self.reached, names, reached_rows(lines, field_titles(self.shell.session.schema)))
        known = [(place, line) for place, line in enumerate(lines) if line is not None]
        self.loss.show_curves(
            [
                curve(line.run.name, shown(line.run.name), smoothed(line.progress.loss), style_of(place))
                for place, line in known
            ]
        )
        self.validation.show_curves(
            [
                curve(line.run.name, shown(line.run.name), line.progress.validation, style_of(place))
                for place, line in known
            ]
        )

    def _on_range(self, steps: tuple[float, float] | None) -> None:
        for card in (self.loss, self.validation):
            card.zoom(steps)

    def _on_cursor(self, step: int | None) -> None:
        for card in (self.loss, self.validation):
            card.curves.point_at(step)


def reached_rows(lines: Sequence[RunLine | None], title_of: Callable[[str], str]) -> Rows:
    """What each run reached: state, steps, losses, and scores on the test part, else on validation clips."""

    def of(words: Callable[[RunLine], str]) -> tuple[str, ...]:
        return tuple(words(line) if line is not None else "…" for line in lines)

    rows: Rows = [
        ("State", of(lambda line: STATE_MARKS[line.progress.state][0])),
        ("Steps done", of(lambda line: f"{line.progress.step:,}")),
        ("A step takes", of(lambda line: step_words(line.progress.step_s))),
        ("Loss, smoothed", of(lambda line: _last(smoothed(line.progress.loss)))),
        ("Validation loss", of(lambda line: _last(line.progress.validation))),
        ("Best validation loss", of(lambda line: _least(line.progress.validation)[0])),
        ("– at step", of(lambda line: _least(line.progress.validation)[1])),
    ]
    keys: dict[str, None] = {}
    for line in lines:
        keys.update(dict.fromkeys(_scores(line)[1] if line is not None else ()))
    if keys:
        rows.append(("Scores are of", of(lambda line: _scores(line)[0])))
    for key in keys:
        rows.append((title_of(key), of(lambda line, key=key: _share(_scores(line)[1].get(key)))))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    return rows


def _scores(line: RunLine) -> tuple[str, dict[str, float]]:
    """Of which clips, and the score of each field."""
    where, fields = "validation", line.progress.answers.get("fields", {})
    if line.evaluation is not None:
        scores = line.evaluation.metrics.get("scores", {})
        others: dict[str, Any] = {name: each for name, each in scores.items() if name != BASE}
        own: dict[str, Any] = others.get(line.run.name) or next(iter(others.values()), {})
        where, fields = "test part", own.get("fields", {})
    found = {key: each["score"] for key, each in fields.items() if isinstance(each.get("score"), int | float)}
    return (where, found) if found else ("–", {})


def _share(score: float | None) -> str:
    return f"{100 * score:.1f} %" if score is not None else "–"


def _last(points: Sequence[tuple[int, float]]) -> str:
    return f"{points[-1][1]:.4f}" if points else "–"


def _least(points: Sequence[tuple[int, float]]) -> tuple[str, str]:
    if not points:
        return "–", "–"
    step, value = min(points, key=lambda point: point[1])
    return f"{value:.4f}", f"{step:,}"


def _table(name: str) -> QTableWidget:
    table = QTableWidget()
    as_line_table(table, name, row_px=_ROW_PX)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # paths differ at their end
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    return table


def _fill(table: QTableWidget, names: Sequence[str], rows: Rows) -> None:
    table.setColumnCount(1 + len(names))
    table.setRowCount(len(rows))
    table.setHorizontalHeaderLabels(["", *names])
    for place, (title, values) in enumerate(rows):
        for column, text in enumerate((title, *values)):
            item = QTableWidgetItem(shown(text))
            item.setToolTip(plain_tip(text))
            table.setItem(place, column, item)
    across = table.horizontalHeader()
    across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    across.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)

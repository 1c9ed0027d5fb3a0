"""A plot with its title, a legend that switches curves on and off, and a button to copy the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QMenu, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.training.curves import Curves
from vvlm_desktop.ui.training.plot_paint import Curve
from vvlm_desktop.ui.training.plot_scale import Unit
from vvlm_desktop.ui.training.plot_style import CurveStyle, paint_sample
from vvlm_desktop.ui.widgets.buttons import IconButton, button
from vvlm_desktop.ui.widgets.flow_layout import FlowLayout
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import menu_text

_SAMPLE_PX = 24
#: With more curves only those that are shown stand in the legend; the others are in a menu.
_LEGEND_MOST = 6


class LegendItem(QAbstractButton):
    """A curve's line, shape and name; pressed it shows or hides the curve."""

    def __init__(self, key: str, title: str, style: CurveStyle, *, on: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key, self._style = key, style
        self.setText(title)
        self.setFont(theme.font("small"))
        self.setCheckable(True)
        self.setChecked(on)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(title)
        self.setToolTip(f"Show or hide {title}")

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(_SAMPLE_PX + 14 + metrics.horizontalAdvance(self.text()), metrics.height() + 6)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        painter.setOpacity(1.0 if on else 0.45)
        paint_sample(painter, QRectF(4, 0, _SAMPLE_PX, self.height()), self._style)
        painter.setOpacity(1.0)
        font = self.font()
        font.setStrikeOut(not on)
        font.setUnderline(self.underMouse())
        painter.setFont(font)
        painter.setPen(theme.colour("text" if on else "muted"))
        room = QRectF(_SAMPLE_PX + 9, 0, self.width() - _SAMPLE_PX - 9, self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)


class PlotCard(QFrame):
    """A `Curves` and what stands around it. Which curves are hidden is kept by key while others come and go."""

    def __init__(
        self, title: str, *, unit: Unit = "number", nothing: str = "Nothing yet", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.curves = Curves(title, unit=unit, nothing=nothing)
        self.items: dict[str, LegendItem] = {}
        self._all: list[Curve] = []
        self._hidden: set[str] = set()
        self._last_step = 0.0
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PAD, 6, 6, 6)
        column.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(label(title, "strong"))
        head.addStretch(1)
        self.whole = button("Whole run", self.curves.show_whole, kind="link", tooltip="Show all steps again")
        self.whole.setAccessibleName(f"{title}: show the whole run")
        self.copy = IconButton("copy", f"{title}: copy numbers", self.curves.copy_numbers, size_px=15)
        self.whole.setVisible(False)
        self.choose = button("Choose…", self._on_choose, kind="link", tooltip="Which curves are shown")
        self.choose.setAccessibleName(f"{title}: choose curves")
        self.choose.hide()
        for item in (self.choose, self.whole, self.copy):
            head.addWidget(item)
        column.addLayout(head)
        self._legend = FlowLayout(gap=4)
        column.addLayout(self._legend)
        column.addWidget(self.curves, 1)
        self.curves.range_changed.connect(self._on_range)

    def show_curves(self, curves: Sequence[Curve], *, last_step: float = 0.0, hidden: Sequence[str] = ()) -> None:
        """Show other curves; those in `hidden` begin switched off."""
        known = {each.key for each in self._all}
        changed = [each.key for each in curves] != [each.key for each in self._all]
        self._hidden |= {key for key in hidden if key not in known}
        self._all, self._last_step = list(curves), last_step
        if changed:
            self._make_legend()
        self.copy.setEnabled(any(len(each.xs) for each in curves))
        self._refresh()

    def zoom(self, steps: tuple[float, float] | None) -> None:
        """Show only these steps."""
        self.curves.zoom(steps)
        self.whole.setVisible(steps is not None)

    def _on_range(self, steps: object) -> None:
        self.whole.setVisible(steps is not None)

    @property
    def shown_keys(self) -> list[str]:
        """Keys of the curves that are switched on."""
        return [each.key for each in self._all if each.key not in self._hidden]

    def _make_legend(self) -> None:
        while (item := self._legend.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.items = {}
        many = len(self._all) > _LEGEND_MOST
        self.choose.setVisible(many)
        for each in self._all if len(self._all) > 1 else ():
            on = each.key not in self._hidden
            if many and not on:
                continue  # a row of what is not shown would take the place of what is
            made = LegendItem(each.key, each.title, each.style, on=on)
            made.toggled.connect(self._on_toggled)
            self.items[each.key] = made
            self._legend.addWidget(made)
        self.updateGeometry()

    def _on_toggled(self, on: bool) -> None:
        sender = self.sender()
        if isinstance(sender, LegendItem):
            self.set_shown(sender.key, on)

    def set_shown(self, key: str, on: bool) -> None:
        """Show or hide a curve."""
        (self._hidden.discard if on else self._hidden.add)(key)
        if len(self._all) > _LEGEND_MOST:
            QTimer.singleShot(0, self, self._make_legend)  # not while one of its buttons is being pressed
        self._refresh()

    def _on_choose(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for each in self._all:
            action = menu.addAction(menu_text(each.title))
            action.setCheckable(True)
            action.setChecked(each.key not in self._hidden)
            action.setData(each.key)
            action.toggled.connect(self._on_chosen)
        menu.popup(self.choose.mapToGlobal(self.choose.rect().bottomLeft()))

    def _on_chosen(self, on: bool) -> None:
        sender = self.sender()
        if isinstance(sender, QAction):
            self.set_shown(str(sender.data()), on)

    def _refresh(self) -> None:
        self.curves.show_curves([c for c in self._all if c.key not in self._hidden], last_step=self._last_step)

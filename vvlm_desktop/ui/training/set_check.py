"""The check of a set before hours are spent on it: a button, how far it is, and what was found."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.widgets.marks import Mark
from vvlm_desktop.ui.words import breakable, count, shown
from vvlm_desktop.workflow.training_check import CheckReport

_WHAT_IT_DOES = (
    "Decodes every clip and the frames that are shown, measures every answer against the limit, looks for values that"
    " are not allowed and for clips that leaked from one part into another."
)


class SetCheck(QFrame):
    """Shows a report, or that there is none yet."""

    check_pressed = Signal()
    cancel_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        row.addWidget(label("Is it sound?", "strong"))
        row.addStretch(1)
        self.check = button("Check every clip", self.check_pressed.emit, icon="check")
        self.cancel = button("Cancel", self.cancel_pressed.emit)
        row.addWidget(self.check)
        row.addWidget(self.cancel)
        column.addLayout(row)
        self.words = label(_WHAT_IT_DOES, "small", wrap=True)
        column.addWidget(self.words)
        self.doing = ElidedLabel("", "small")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Checking the set")
        column.addWidget(self.doing)
        column.addWidget(self.progress)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(6)
        column.addLayout(self._lines)
        self.report: CheckReport | None = None
        self.show_report(None)

    def show_progress(self, fraction: float, text: str) -> None:
        """It runs."""
        self._clear()
        self.words.hide()
        for item in (self.cancel, self.progress, self.doing):
            item.show()
        self._swap(self.check, self.cancel)
        self.progress.setRange(0, 1000)
        self.progress.setValue(round(1000 * fraction))
        self.doing.setText(f"Looking at {shown(text)}" if text else "Reading the set…")

    def show_report(self, report: CheckReport | None) -> None:
        """What was found; None where nobody has looked yet."""
        self.report = report
        self.check.show()
        self._swap(self.cancel, self.check)
        for item in (self.progress, self.doing):
            item.hide()
        self.check.setText("Check every clip" if report is None else "Check again")
        self._clear()
        self.words.setVisible(report is None)
        if report is None:
            return
        decoded = f"{report.decoded:,} of {count(report.clips, 'clip')} decode, {report.frames:,} frames looked at"
        self._say("check" if report.decoded == report.clips else "warning", decoded, report.decoded == report.clips)
        unit = "tokens" if report.exact_tokens else "bytes, which are never fewer than its tokens"
        if report.longest[1]:
            longest = f"The longest answer has {report.longest[1]:,} {unit} ({shown(report.longest[0])})"
            self._say("dash", longest, None)
        for finding in report.findings:
            bad = finding.level == "error"
            words = f"Must be mended: {finding.sentence}" if bad else finding.sentence
            self._add("cross" if bad else "warning", words, "bad" if bad else "doubtful")
        if report.ok:
            self._say("check", "Nothing must be mended.", True)
        else:
            self._add("dash", "Mend what is named, then make the next version of the set.", "muted")

    @staticmethod
    def _swap(gone: QWidget, here: QWidget) -> None:
        """Hide one button for another; the focus stays, or the page would scroll to whatever has it next."""
        if gone.hasFocus():
            here.setFocus(Qt.FocusReason.OtherFocusReason)
        gone.hide()

    def _say(self, mark: Mark, words: str, good: bool | None) -> None:
        self._add(mark, words, "muted" if good is None else "good" if good else "bad")

    def _add(self, mark: Mark, words: str, ink: str) -> None:
        line = MarkLine()
        line.show_mark(mark, breakable(shown(words)), ink=ink)
        self._lines.addWidget(line)

    def _clear(self) -> None:
        while (item := self._lines.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def lines(self) -> list[str]:
        """What is said, line by line."""
        items = (self._lines.itemAt(place) for place in range(self._lines.count()))
        found = (item.widget() for item in items if item is not None)
        return [line.text() for line in found if isinstance(line, MarkLine)]
